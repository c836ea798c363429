"""What makes an input of an output: a JSONata expression over `$states.input`, or a transformer of `handlers/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from sm_cli.engine.clock import processor_seconds
from sm_cli.errors import HandlerLoadError, TransformError, UsageError
from sm_cli.expr.limits import Limits
from sm_cli.expr.scope import JsonataScope
from sm_cli.handlers.transformer import Transformer
from sm_cli.jsonvalue import Json

#: Characters of an expression that a link keeps.
_LABEL = 200


@dataclass(frozen=True, slots=True)
class Transform:
    """One for every source: making it costs more than using it."""

    #: What a link says of it: the beginning of the expression, or `name:` and the transformer's name.
    label: str
    #: Takes the output, the time (microseconds since 1970 UTC) and the bounds of an evaluation; raises TransformError.
    apply: Callable[[Json, int, Limits], Json]


def jsonata_transform(text: str) -> Transform:
    """By this expression, with or without `{%` and `%}` around it. Raises UsageError for a text that is no JSONata."""
    from sm_cli.expr.jsonata.expressions import (  # an engine is imported late: most starts have none
        EvaluationFailure,
        JsonataError,
        compile_expression,
        inner,
        is_expression,
    )

    expression = text.strip()
    whole = expression if is_expression(expression) else f"{{%{expression}%}}"
    if not inner(whole):
        raise UsageError("the transform is an empty expression")
    try:
        evaluate = compile_expression(whole, "transform")
    except JsonataError as e:
        place = e.position - (0 if whole is expression else 2) + 1
        raise UsageError(f"the transform is no JSONata: {e.message} (at character {place})") from None

    def apply(output: Json, now: int, limits: Limits) -> Json:
        try:
            return evaluate(_scope(output, now, limits))
        except EvaluationFailure as e:
            hint = None if "$states" in source else "The output is `$states.input` in an expression."
            raise TransformError(str(e.cause).replace(source, label, 1), hint=hint) from None

    source = inner(whole)
    label = source if len(source) <= _LABEL else f"{source[: _LABEL - 1]}…"
    return Transform(label, apply)


def _scope(output: Json, now: int, limits: Limits) -> JsonataScope:
    return JsonataScope(output, dict, {}, Random, {}, now, limits, processor_seconds)


def named_transform(name: str, transformers: Mapping[str, Transformer]) -> Transform:
    """By the transformer of this name. Raises HandlerLoadError when there is none."""
    transformer = transformers.get(name)
    if transformer is None:
        there = ", ".join(sorted(transformers))
        hint = f"There is {there}." if there else 'One is registered by @transformer("name") in the handlers directory.'
        raise HandlerLoadError(f"no transformer is named {name!r}", hint=hint)
    return Transform(f"name:{name}", lambda output, _now, _limits: transformer.apply(output))
