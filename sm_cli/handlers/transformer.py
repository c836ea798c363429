"""Transformers: Python functions that make the input of one execution from the output of another one.

They stand in `handlers/` beside the handlers. One gets its own copy of the output and can only return JSON; it runs
where the execution is started, before anything is written.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sm_cli.errors import TransformError
from sm_cli.handlers.display import display_path
from sm_cli.handlers.handler import error_text
from sm_cli.handlers.tracebacks import home_of, traceback_of
from sm_cli.jsonvalue import Json, as_json, copy

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__sm_transformer__"


@dataclass(frozen=True, slots=True)
class Transformer:
    """A function under the name that it is registered by."""

    #: What a person calls it by.
    name: str
    #: Takes the output, returns the input.
    function: Callable[[Any], Any]

    def apply(self, output: Json) -> Json:
        """What it makes of a copy of this output. Raises TransformError."""
        try:
            result = self.function(copy(output))
        except (Exception, SystemExit) as e:
            text = error_text(e)
            failure = f"{type(e).__name__}: {text}" if text else type(e).__name__
            raise TransformError(f"the transformer {self.name!r} raised {failure}", hint=_place(self, e)) from e
        document, problem = as_json(result)
        if problem is not None:
            raise TransformError(f"the transformer {self.name!r} returned what is not JSON: {problem}")
        return document


def transformer(name: str) -> Callable[[F], F]:
    """Register a function as a transformer: `@transformer("order-lines")`. It takes one argument, the output of the
    source (or of a state of it), and returns the input of the execution to start.

    Raises TypeError and ValueError for a name that is none and for what cannot be called so."""
    if not isinstance(name, str):
        raise TypeError(f'@transformer takes a name as text, as in @transformer("order-lines"), not {name!r:.60}')
    if not name.strip():
        raise ValueError("@transformer takes a name, and an empty text is none")

    def mark(function: F) -> F:
        _check_callable(name, function)
        setattr(function, _MARK, [*getattr(function, _MARK, []), Transformer(name, function)])
        return function

    return mark


def transformers_in(namespace: Mapping[str, Any]) -> list[Transformer]:
    """The transformers that a module's global names hold, in the order in which they stand there."""
    transformers: dict[int, Transformer] = {}
    for value in list(namespace.values()):
        marks = getattr(value, _MARK, None) if callable(value) else None
        for mark in marks or ():
            transformers.setdefault(id(mark), mark)
    return list(transformers.values())


def _place(transformer: Transformer, error: BaseException) -> str | None:
    """Where it was raised, in the person's own code; None when that cannot be told."""
    code = getattr(inspect.unwrap(transformer.function), "__code__", None)
    trace = traceback_of(error, home_of(getattr(code, "co_filename", None)))
    return f"It was raised at {display_path(Path(trace.places[0]))}." if trace is not None and trace.places else None


def _check_callable(name: str, function: Callable[..., Any]) -> None:
    if not callable(function) or not hasattr(function, "__dict__"):
        raise TypeError(f"@transformer({name!r}) stands above a function, not above {function!r:.60}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"the transformer {name!r} returns its result: it is no async function and does not yield")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None)
    except TypeError:
        label = getattr(function, "__name__", name)
        raise TypeError(
            f"the transformer {name!r} takes one argument, and {label} is written as {label}{signature}"
        ) from None
