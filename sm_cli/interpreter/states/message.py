"""Message: wait for a message with a correlation key and value. Our one extension to ASL.

Without ResultPath an object is merged over the raw input at the top level, its keys winning; anything else
replaces it. With TimeoutPath a timeout goes on there, without it a timeout is States.Timeout.
"""

from __future__ import annotations

from sm_cli.asl.model import Message, QueryLanguage
from sm_cli.errors import StateFailure
from sm_cli.interpreter.commands import AwaitMessage, StartTimer, TimerKind
from sm_cli.interpreter.dataflow import (
    apply_output_path,
    as_text,
    effective_input,
    evaluate_seconds,
    leave_transformed,
    place,
)
from sm_cli.interpreter.events import BackoffElapsed, DeadlinePassed, Entered, MessageReceived
from sm_cli.interpreter.step import StepBuilder
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import MICROSECONDS


def start(turn: StepBuilder, state: Message, event: Entered | BackoffElapsed) -> None:
    """Wait for the message; StateFailure when the correlation value is no string, number or boolean."""
    input = effective_input(turn, state)
    value = state.correlation_value(turn.scope_of(state, input))
    if value is None or isinstance(value, (dict, list)):
        raise StateFailure(
            "States.Runtime",
            f"The correlation value for '{state.correlation_key}' must be a string, a number or a boolean: "
            f"{as_text(value)}",
        )
    timeout = evaluate_seconds(turn, state.timeout, "TimeoutSecondsPath", input)
    detail: dict[str, Json] = {"correlationKey": state.correlation_key, "correlationValue": value}
    deadline = None
    if timeout is not None:
        detail["timeoutInSeconds"] = timeout
        deadline = turn.env.now + round(timeout * MICROSECONDS)
    turn.record("MessageSubscribed", detail)
    turn.block(AwaitMessage(state.correlation_key, value, deadline))
    if deadline is not None:
        turn.block(StartTimer(TimerKind.DEADLINE, deadline))


def received(turn: StepBuilder, state: Message, event: MessageReceived) -> Entered | None:
    """Put the message's body into the state's data, and leave the state."""
    turn.record("MessageReceived", {"output": event.data})
    if state.language is QueryLanguage.JSONATA:
        return leave_transformed(turn, state, merge_body(turn, state, event.data), {"result": event.data})
    assignment = None if state.assign is None else state.assign(turn.scope(event.data))
    data = event.data if state.result_selector is None else state.result_selector(turn.scope(event.data))
    return turn.leave(state, apply_output_path(turn, state, merge_body(turn, state, data)), assignment)


def merge_body(turn: StepBuilder, state: Message, data: Json) -> Json:
    """The body where ResultPath says; without one the input's members with the body's over them."""
    raw = turn.frame.input
    if state.result_path is None and isinstance(raw, dict) and isinstance(data, dict):
        return {**raw, **data}
    return place(turn, state.result_path, data)


def timed_out(turn: StepBuilder, state: Message, event: DeadlinePassed) -> Entered | None:
    """Go to TimeoutPath. Raises StateFailure (States.Timeout) without one."""
    turn.record("MessageTimedOut", {"error": "States.Timeout"})
    if state.timeout_path is None:
        raise StateFailure("States.Timeout", None, located=False)
    note: Json = {"status": "TIMEOUT", "message": f"No message for {state.correlation_key} came in time."}
    value = merge_body(turn, state, note)
    turn.record("MessageStateExited", {"name": state.name, "output": value})
    return turn.proceed(state.timeout_path, value)
