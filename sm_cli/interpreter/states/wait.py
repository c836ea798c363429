"""Wait: a timer, nothing that a process would have to stay alive for. States Language, "Wait State"."""

from __future__ import annotations

from sm_cli.asl.model import Wait
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath.path import PathNotFound
from sm_cli.interpreter.commands import StartTimer, TimerKind
from sm_cli.interpreter.dataflow import as_text, effective_input, passed_on
from sm_cli.interpreter.events import DelayElapsed, Entered
from sm_cli.interpreter.step import StepBuilder
from sm_cli.jsonvalue import Json, dumps
from sm_cli.timestamps import MICROSECONDS, parse_timestamp

_YEAR = 366 * 86_400 * MICROSECONDS


def entered(turn: StepBuilder, state: Wait, event: Entered) -> Entered | None:
    """Wait until the moment that the state gives; leave it at once when that has passed. Raises StateFailure for one
    that is more than a year away."""
    input = effective_input(turn, state)
    due = due_at(turn, state, input)
    now = turn.env.now
    if due - now > _YEAR:
        raise StateFailure("States.Runtime", "Wait state delay is too long.")
    if due <= now:
        return passed_on(turn, state, input)
    turn.block(StartTimer(TimerKind.DELAY, due))
    return None


def elapsed(turn: StepBuilder, state: Wait, event: DelayElapsed) -> Entered | None:
    """The moment has come: leave the state."""
    return passed_on(turn, state, effective_input(turn, state))


def due_at(turn: StepBuilder, state: Wait, input: Json) -> int:
    """When the wait is over, microseconds since 1970 UTC."""
    if state.timestamp is not None:
        return state.timestamp
    if state.timestamp_path is not None:
        return timestamp_at(turn, state, input)
    if state.timestamp_expression is not None:
        return timestamp_given(state.timestamp_expression(turn.states()))
    if state.seconds.expression is not None:
        return turn.env.now + seconds_given(state.seconds.expression(turn.states())) * MICROSECONDS
    if state.seconds.constant is not None:
        return turn.env.now + round(state.seconds.constant * MICROSECONDS)
    return turn.env.now + seconds_at(turn, state, input) * MICROSECONDS


def seconds_at(turn: StepBuilder, state: Wait, input: Json) -> int:
    """What SecondsPath finds, in seconds. Raises StateFailure when that is no whole number."""
    path = state.seconds.path
    assert path is not None
    try:
        value = path.resolve(turn.scope(input))
    except PathNotFound:
        raise StateFailure(
            "States.Runtime", f"The SecondsPath parameter does not reference an input value: {path.text}"
        ) from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise StateFailure(
            "States.Runtime",
            f"The SecondsPath parameter cannot be parsed as a long value: {path.text} == {as_text(value)}",
        )
    if value < 0:
        raise StateFailure(
            "States.Runtime", f"The SecondsPath parameter references a negative value: {path.text} == {value}"
        )
    return value


def seconds_given(value: Json) -> int:
    """Seconds that a JSONata expression gave: a whole number, 0 or more. Raises StateFailure for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or value != int(value):
        raise StateFailure(
            "States.QueryEvaluationError", f"The Seconds field must be a non-negative integer but was: {dumps(value)}"
        )
    return int(value)


def timestamp_given(value: Json) -> int:
    """An expression's timestamp, in microseconds since 1970 UTC. Raises StateFailure when it is none."""
    timestamp = parse_timestamp(value) if isinstance(value, str) else None
    if timestamp is None:
        raise StateFailure(
            "States.QueryEvaluationError",
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
            f"{as_text(value)}",
        )
    return timestamp.microseconds


def timestamp_at(turn: StepBuilder, state: Wait, input: Json) -> int:
    """What TimestampPath finds, in microseconds since 1970 UTC. Raises StateFailure when it is none."""
    path = state.timestamp_path
    assert path is not None
    try:
        value = path.resolve(turn.scope(input))
    except PathNotFound:
        raise StateFailure(
            "States.Runtime", f"The TimestampPath parameter does not reference an input value: {path.text}"
        ) from None
    timestamp = parse_timestamp(value) if isinstance(value, str) else None
    if timestamp is None:
        raise StateFailure(
            "States.Runtime",
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            f"string: {path.text} == {as_text(value)}",
        )
    return timestamp.microseconds
