"""Input and output processing of JSONPath states, in the specification's order.

InputPath → Parameters → (work) → ResultSelector → ResultPath, into the raw input → OutputPath.
States Language, "Input and Output Processing".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sm_cli.asl.fields import MOST_SECONDS
from sm_cli.asl.model import Count, Nothing, QueryLanguage, Resulting, Seconds, State
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath.path import Path, PathNotFound
from sm_cli.interpreter.events import Entered, Joined
from sm_cli.interpreter.step import NO_MEMBERS, StepBuilder
from sm_cli.jsonvalue import CannotPlace, Json, dumps, set_at


def value_at(turn: StepBuilder, path: Path, input: Json) -> Json:
    """What the path finds; nothing is States.Runtime in AWS's words. Raises StateFailure."""
    try:
        return path.resolve(turn.scope(input))
    except PathNotFound as e:
        raise StateFailure("States.Runtime", f"Invalid path '{path.text}' : {e.reason}") from None


def effective_input(turn: StepBuilder, state: State) -> Json:
    """The raw input, as InputPath filters it; `InputPath: null` makes it `{}`."""
    path, input = state.input_path, turn.frame.input
    if path is not None:
        input = {} if path is Nothing.NULL else value_at(turn, path, input)
    if state.language is QueryLanguage.JSONPATH:
        turn.note("afterInputPath", input)
    return input


def parameters(turn: StepBuilder, state: Resulting, input: Json) -> Json:
    """Parameters, or JSONata's Arguments, made from the effective input."""
    if state.parameters is not None:
        input = state.parameters(turn.scope_of(state, input))
    turn.note("afterParameters" if state.language is QueryLanguage.JSONPATH else "afterArguments", input)
    return input


def handed_on(turn: StepBuilder, state: Resulting, input: Json) -> Json:
    """`parameters`, for whom the store will keep them: a handler, a branch."""
    value = parameters(turn, state, input)
    if value is not input:
        turn.check_bounds(value, "value of Parameters or Arguments", state.name)
    return value


def complete(turn: StepBuilder, state: Resulting, result: Json) -> Entered | None:
    """Leave a Task, Parallel or Map that has this result."""
    if state.language is QueryLanguage.JSONATA:
        return leave_transformed(turn, state, result, {"result": result})
    assignment = None if state.assign is None else state.assign(turn.scope(result))
    return turn.leave(state, state_output(turn, state, result), assignment)


def drops_result(state: Resulting) -> bool:
    """Whether what the work of the state results in is looked at by nobody: ResultPath is null, and so on."""
    return (
        state.language is QueryLanguage.JSONPATH
        and state.result_path is Nothing.NULL
        and state.result_selector is None
        and state.assign is None
    )


def complete_joined(turn: StepBuilder, state: Resulting, event: Joined) -> Entered | None:
    """Leave a Parallel or Map with the outputs of its children. Raises StateFailure when they are too large."""
    if event.too_large:
        raise turn.too_large(state.name)
    return complete(turn, state, event.outputs)


def passed_on(turn: StepBuilder, state: State, input: Json) -> Entered | None:
    """Leave a Wait or Succeed: what comes in goes out, filtered or transformed."""
    if state.language is QueryLanguage.JSONATA:
        return leave_transformed(turn, state, input)
    assignment = None if state.assign is None else state.assign(turn.scope(input))
    return turn.leave(state, apply_output_path(turn, state, input), assignment)


def leave_transformed(
    turn: StepBuilder, state: State, default: Json, members: Mapping[str, Json] = NO_MEMBERS
) -> Entered | None:
    """JSONata: Output and Assign see the same values, those at the state's entry; without Output, `default` leaves."""
    scope = turn.states(members)
    value = default if state.output is None else state.output(scope)
    return turn.leave(state, value, None if state.assign is None else state.assign(scope))


def state_output(turn: StepBuilder, state: Resulting, result: Json) -> Json:
    """The output of a JSONPath state that has this result."""
    if state.result_selector is not None:
        result = state.result_selector(turn.scope(result))
    turn.note("afterResultSelector", result)
    value = place(turn, state.result_path, result)
    turn.note("afterResultPath", value)
    return apply_output_path(turn, state, value)


def place(turn: StepBuilder, path: Path | Nothing | None, result: Json) -> Json:
    """ResultPath: the result at its place in the raw input; null drops it. Raises StateFailure
    (States.ResultPathMatchFailure) where it has no place."""
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


def apply_output_path(turn: StepBuilder, state: State, value: Json) -> Json:
    """OutputPath: what of the value leaves the state; `OutputPath: null` makes it `{}`."""
    path = state.output_path
    if path is None:
        return value
    if path is Nothing.NULL:
        return {}
    return value_at(turn, path, value)


def evaluate_seconds(turn: StepBuilder, span: Seconds, field: str, input: Json) -> float | None:
    """TimeoutSeconds, HeartbeatSeconds and their Path twins: a positive whole number of seconds, at most MOST_SECONDS.
    None: the state has none. `field`: the twin's name, for the sentence. Raises StateFailure for another value."""
    if span.constant is not None:
        return span.constant
    if span.expression is not None:
        return positive(span.expression(turn.states()), field.removesuffix("Path"))
    if span.path is None:
        return None
    value = value_at(turn, span.path, input)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_SECONDS:
        raise StateFailure(
            "States.Runtime",
            f'The {field} field refers to value "{as_text(value)}" which is not a valid positive integer: '
            f"{span.path.text}",
        )
    return value


def positive(value: Json, field: str) -> float:
    """A number of seconds that a JSONata expression gave. Raises StateFailure for one that is not whole, not positive
    or longer than MOST_SECONDS."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > MOST_SECONDS:
        raise StateFailure(
            "States.QueryEvaluationError", f"The {field} field must be at most {MOST_SECONDS} but was: {dumps(value)}"
        )
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0 or value != int(value):
        raise StateFailure(
            "States.QueryEvaluationError",
            f"The {field} field must be a positive integer but was: {dumps(value)}",
        )
    return int(value)


def evaluate_count(turn: StepBuilder, spec: Count, input: Json, kind: type[int] | type[float]) -> float | None:
    """MaxConcurrency, ToleratedFailure… and their Path twins; None when neither is given. kind: int for a count, float
    for a percentage. Raises StateFailure for what is no number of this kind, or does not fit in 64 bits."""
    if spec.constant is not None:
        return spec.constant
    if spec.expression is not None:
        number = spec.expression(turn.states())
        assert isinstance(number, (int, float)), "the compiled expression checks its result's type"
        # Not rounded: half a child at a time would be none, and none means that there is no limit.
        if kind is int and (number != int(number) or abs(number) > _MOST):
            raise StateFailure(
                "States.QueryEvaluationError", f"The {spec.field} field must be an integer but was: {dumps(number)}"
            )
        return number
    if spec.path is None:
        return None
    value = value_at(turn, spec.path, input)
    number = as_number(value, kind)
    if number is None:
        word = "integer" if kind is int else "float"
        raise StateFailure(
            "States.Runtime",
            f'The {spec.field}Path field refers to value "{as_text(value)}" which is not a valid {word}: '
            f"{spec.path.text}",
        )
    return number


#: Counts are kept in 64 bits.
_MOST = 2**63 - 1
#: A number as JSON writes it, perhaps with a plus sign before it; Python reads more, such as `1_0`.
_WHOLE, _DECIMAL = re.compile("[+-]?[0-9]{1,20}"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def as_number(value: Json, kind: type[int] | type[float]) -> float | None:
    """The value as a number of this kind, None when it is none; AWS takes one that is written as text too."""
    if isinstance(value, str):
        pattern = _WHOLE if kind is int else _DECIMAL
        if pattern.fullmatch(value) is None:
            return None
        value = kind(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if kind is float:
        return value
    return value if isinstance(value, int) and abs(value) <= _MOST else None


def as_text(value: Json) -> str:
    """A string as it is, anything else as compact JSON: how AWS quotes a value in a cause."""
    return value if isinstance(value, str) else dumps(value)
