"""Input and output processing of JSONPath states, in the specification's order.

InputPath → Parameters → (work) → ResultSelector → ResultPath, into the raw input → OutputPath.
States Language, "Input and Output Processing".
"""

from __future__ import annotations

from sm_cli.asl.model import Count, Nothing, Resulting, Seconds, State
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath import Path, PathNotFound
from sm_cli.interpreter.turn import Turn
from sm_cli.jsonvalue import CannotPlace, Json, dumps, set_at


def lookup(turn: Turn, path: Path, input: Json) -> Json:
    """What the path finds; nothing is States.Runtime in AWS's words."""
    try:
        return path.resolve(turn.scope(input))
    except PathNotFound as e:
        raise StateFailure("States.Runtime", f"Invalid path '{path.text}' : {e.reason}") from None


def effective_input(turn: Turn, state: State) -> Json:
    """The raw input, as InputPath filters it; `InputPath: null` makes it `{}`."""
    path = state.input_path
    if path is None:
        return turn.frame.input
    if path is Nothing.NULL:
        return {}
    return lookup(turn, path, turn.frame.input)


def parameters(turn: Turn, state: Resulting, input: Json) -> Json:
    if state.parameters is None:
        return input
    return state.parameters(turn.scope(input))


def finished(turn: Turn, state: Resulting, result: Json) -> Json:
    """The output of a state that has this result."""
    if state.result_selector is not None:
        result = state.result_selector(turn.scope(result))
    return output(turn, state, placed(turn, state.result_path, result))


def placed(turn: Turn, path: Path | Nothing | None, result: Json) -> Json:
    """ResultPath: the result at its place in the raw input; null drops it."""
    if path is None:
        return result
    if path is Nothing.NULL:
        return turn.frame.input
    try:
        return set_at(turn.frame.input, path.steps or (), result)
    except CannotPlace:
        raise StateFailure(
            "States.ResultPathMatchFailure",
            f"Unable to apply ReferencePath {path.text} to input {dumps(turn.frame.input)}",
        ) from None


def output(turn: Turn, state: State, value: Json) -> Json:
    """OutputPath: what of the value leaves the state; `OutputPath: null` makes it `{}`."""
    path = state.output_path
    if path is None:
        return value
    if path is Nothing.NULL:
        return {}
    return lookup(turn, path, value)


def seconds(turn: Turn, span: Seconds, field: str, input: Json) -> float | None:
    """TimeoutSeconds, HeartbeatSeconds and their Path twins: a positive whole number of seconds."""
    if span.constant is not None:
        return span.constant
    if span.path is None:
        return None
    value = lookup(turn, span.path, input)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise StateFailure(
            "States.Runtime",
            f'The {field} field refers to value "{as_text(value)}" which is not a valid positive integer: '
            f"{span.path.text}",
        )
    return value


def count(turn: Turn, spec: Count, input: Json, kind: type[int] | type[float]) -> float | None:
    """MaxConcurrency, ToleratedFailure… and their Path twins; None when neither is given."""
    if spec.constant is not None:
        return spec.constant
    if spec.path is None:
        return None
    value = lookup(turn, spec.path, input)
    allowed = (int,) if kind is int else (int, float)
    if not isinstance(value, allowed) or isinstance(value, bool):
        word = "integer" if kind is int else "float"
        raise StateFailure(
            "States.Runtime",
            f'The {spec.field}Path field refers to value "{as_text(value)}" which is not a valid {word}: '
            f"{spec.path.text}",
        )
    return value


def as_text(value: Json) -> str:
    """A string as it is, anything else as compact JSON: how AWS quotes a value in a cause."""
    return value if isinstance(value, str) else dumps(value)
