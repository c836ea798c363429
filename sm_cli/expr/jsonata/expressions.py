"""JSONata expressions of a definition: text between `{%` and `%}`, compiled to functions of the scope.

An expression is parsed once. A failure is States.QueryEvaluationError in AWS's words, and names the field.
Results are plain JSON and may share parts with the input; nothing that an expression does changes its input. AWS,
"Transforming data with JSONata in Step Functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

from sm_cli.errors import StateFailure
from sm_cli.expr.jsonata.engine import (
    Compiled,
    EngineError,
    EngineSyntaxError,
    JsonataEngine,
    LimitExceededError,
    Undefined,
    UnsupportedResultError,
)
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json, dumps

Evaluate: TypeAlias = Callable[[Scope], Json]

FAILURE = "States.QueryEvaluationError"
MAX_DEPTH = 200
_INT64 = 2**63

#: `$name.member.member`, which needs no engine as long as only objects are on the way.
_PLAIN_PATH = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)")
#: A member of that name would be read as an operator, a value or a function.
_KEYWORDS = frozenset(("and", "or", "in", "true", "false", "null", "function"))
#: A variable, as the tokenizer of JSONata cuts it.
_VARIABLE = re.compile(r"\$([^ \t\n\r.\[\]{}(),@#;:?+\-*/%|=<>^&!~$]+)")
#: `$states`, and the member of it that is read where that is written plainly.
_STATES = re.compile(r"\$states(?![^ \t\n\r.\[\]{}(),@#;:?+\-*/%|=<>^&!~])(?:\s*\.\s*([A-Za-z]+)(?!\w))?")


class JsonataError(ValueError):
    """A text that is no JSONata 2.0.6.

    `message` is one sentence, `code` JSONata's own ("S0201"), `position` the 0-based offset at which the mistake begins
    in the text as it is written, delimiters included; `pointer` is the JSON pointer of the text inside a payload.
    """

    def __init__(self, message: str, code: str, position: int, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.position = position
        self.pointer = pointer


class EvaluationFailure(StateFailure):
    """States.QueryEvaluationError; `location` is the field, as AWS's EvaluationFailed event names it."""

    def __init__(self, cause: str, location: str) -> None:
        super().__init__(FAILURE, cause)
        self.location = location


def is_expression(value: object) -> bool:
    """Whether a value is an expression: a string that begins with `{%` and ends with `%}`. Anything else is literal."""
    return isinstance(value, str) and len(value) >= 4 and value.startswith("{%") and value.endswith("%}")


def inner(text: str) -> str:
    """The expression between the delimiters, as AWS quotes it."""
    return text[2:-2].strip()


def default_engine() -> JsonataEngine:
    """Imported when the first expression is compiled: importing an engine takes long."""
    from sm_cli.expr.jsonata.python_engine import python_engine as make

    return make()


def compile_expression(text: str, field: str, engine: JsonataEngine | None = None) -> Evaluate:
    """`text`, with its delimiters, as a function of a JsonataScope; `field` is its path in messages ("Output/result").

    Raises JsonataError. Evaluating raises EvaluationFailure when the result is undefined, a function, or not to be had.
    """
    source = inner(text)

    def by_engine() -> Evaluate:
        try:
            expression = (engine or default_engine()).compile(source)
        except EngineSyntaxError as e:
            raise JsonataError(e.message, e.code, e.position + text.index(source, 2)) from None
        return _engine_evaluation(expression, source, field)

    return _path_evaluation(source, field, by_engine) or by_engine()


def compile_payload(template: Json, field: str, engine: JsonataEngine | None = None) -> Evaluate:
    """`template` with the value of every expression in it in its place, at any depth; the keys are literal.

    What is constant is shared by all results; a template without expressions gives itself. Raises JsonataError.
    """
    evaluate = _compile(template, field, engine, 0)
    return evaluate or (lambda _scope: template)


def payload_errors(template: Json) -> Iterator[JsonataError]:
    """Every expression in `template` that is no JSONata, in the order of the text."""
    for pointer, text in expressions(template):
        try:
            compile_expression(text, "")
        except JsonataError as e:
            yield JsonataError(e.message, e.code, e.position, pointer)


def expressions(template: Json) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every expression in `template`, in the order of the text."""
    waiting: list[tuple[str, Json]] = [("", template)]
    while waiting:
        pointer, node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend((f"{pointer}/{_escape(key)}", node[key]) for key in reversed(node))
        elif isinstance(node, list):
            waiting.extend((f"{pointer}/{i}", node[i]) for i in reversed(range(len(node))))
        elif isinstance(node, str) and is_expression(node):
            yield pointer, node


def expect(value: Json, json_type: str, text: str, field: str) -> Json:
    """`value`, when its JSON type is `json_type` ("array", "boolean", "null", "number", "object" or "string").

    Else raises EvaluationFailure in AWS's words; `text` is the expression with its delimiters.
    """
    type_of_value = type_name(value)
    if type_of_value == json_type:
        return value
    raise EvaluationFailure(
        f"{_with_field(inner(text), field)} returned an unexpected result type. "
        f"Expected '{json_type}', but was '{type_of_value}' for value: {dumps(value)}",
        field,
    )


def type_name(value: Json) -> str:
    """The JSON type of a value, as AWS names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", list: "array", dict: "object"}[type(value)]


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _with_field(source: str, field: str) -> str:
    return f"The JSONata expression '{source}' specified for the field '{field}'"


# -- evaluation -----------------------------------------------------------------------------------------------------


def _engine_evaluation(expression: Compiled, source: str, field: str) -> Evaluate:
    names, members = _names_read(source)
    run = expression.evaluate

    def fail(what: str) -> EvaluationFailure:
        return EvaluationFailure(f"{_with_field(source, field)} {what}", field)

    def evaluate(scope: Scope) -> Json:
        variables = scope.variables
        bindings: dict[str, Json] = {name: variables[name] for name in names if name in variables}
        if members != ():
            bindings["states"] = _states(scope, members)
        try:
            value = run(bindings, scope)
        except EngineError as e:
            message = f"{e.code}: {e.message}" if e.code else e.message
            raise fail(f"threw an error during evaluation. {message}") from None
        except UnsupportedResultError:
            raise fail("returned an unsupported result type.") from None
        except LimitExceededError as e:
            raise fail(f"{e}.") from None
        if isinstance(value, Undefined):
            raise fail("returned nothing (undefined).")
        return value

    return evaluate


def _names_read(source: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The variables that an expression may read, and the members of `$states`: None is all of them."""
    names = tuple(sorted(set(_VARIABLE.findall(source)) - {"states"}))
    members: set[str] = set()
    for match in _STATES.finditer(source):
        if match[1] is None:
            return names, None
        members.add(match[1])
    return names, tuple(sorted(members))


def _states(scope: Scope, members: tuple[str, ...] | None) -> dict[str, Json]:
    """`$states`, with the context only when it may be read: it is made for the asking."""
    names = members if members is not None else ("input", "context", *scope.members)
    states: dict[str, Json] = {}
    for name in names:
        if name == "input":
            states[name] = scope.input
        elif name == "context":
            states[name] = scope.context
        elif name in scope.members:
            states[name] = scope.members[name]
    return states


def _path_evaluation(source: str, field: str, by_engine: Callable[[], Evaluate]) -> Evaluate | None:
    """`$states.input.a.b` and `$name.a` without an engine, which would need twenty times as long.

    An array on the way is mapped over, a name that is no variable may be a function: that is left to an engine.
    """
    match = _PLAIN_PATH.fullmatch(source)
    steps = match[2].split(".")[1:] if match else []
    if match is None or not _KEYWORDS.isdisjoint(steps):
        return None
    name = match[1]
    if name == "states" and not steps:
        return None

    by_cached_engine = cache(by_engine)

    def evaluate(scope: Scope) -> Json:
        value: Any
        if name == "states":
            value = _states(scope, (steps[0],))
        elif name in scope.variables:
            value = scope.variables[name]
        else:
            return by_cached_engine()(scope)
        for step in steps:
            if type(value) is not dict:
                return by_cached_engine()(scope)
            if step not in value:
                raise EvaluationFailure(f"{_with_field(source, field)} returned nothing (undefined).", field)
            value = value[step]
        if type(value) is float and value.is_integer() and abs(value) < _INT64:
            return int(value)
        return value  # type: ignore[no-any-return]  # JSON, as what it was taken from

    return evaluate


# -- payloads -------------------------------------------------------------------------------------------------------


def _compile(node: Json, field: str, engine: JsonataEngine | None, depth: int) -> Evaluate | None:
    """None for what is constant."""
    if depth > MAX_DEPTH:
        raise JsonataError(f"{field} is nested deeper than {MAX_DEPTH} levels", "", 0)
    members: list[tuple[Any, Evaluate]] = []
    if isinstance(node, str):
        return compile_expression(node, field, engine) if is_expression(node) else None
    if isinstance(node, (dict, list)):
        for key, member in node.items() if isinstance(node, dict) else enumerate(node):
            evaluate = _compile(member, f"{field}/{key}", engine, depth + 1)
            if evaluate is not None:
                members.append((key, evaluate))
    return _fill(node, members) if members else None


def _fill(base: Any, members: list[tuple[Any, Evaluate]]) -> Evaluate:
    """A copy of one level of `base`, with the values of its expressions put in place."""
    copy = base.copy

    def evaluate(scope: Scope) -> Json:
        result = copy()
        for key, value in members:
            result[key] = value(scope)
        return result  # type: ignore[no-any-return]  # a dict or a list, as `base` is

    return evaluate
