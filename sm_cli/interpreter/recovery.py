"""Retry and Catch: what becomes of a state that failed.

States Language, "Errors": retriers in order, each with its own counter; the first whose ErrorEquals matches
owns the attempt, and when it is used up no later one takes over; then catchers in order; then the frame fails.
States.Runtime is never retried nor caught.
"""

from __future__ import annotations

from collections.abc import Iterable

from sm_cli.asl.model import Catcher, Jitter, Map, QueryLanguage, Resulting, Retrier, Role, State, Task, Wait
from sm_cli.errors import StateFailure
from sm_cli.expr.scope import Scope
from sm_cli.interpreter.commands import StartTimer, TimerKind
from sm_cli.interpreter.dataflow import place
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.interpreter.step import RUNTIME, StepBuilder
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import MICROSECONDS


def matches(error_equals: Iterable[str], error: str | None, also: str | None = None) -> bool:
    """States Language, "Errors": States.ALL is a wildcard; States.TaskFailed is one too, but for timeouts."""
    if error == RUNTIME:
        return False
    for name in error_equals:
        if name in (error, "States.ALL") or (also is not None and name == also):
            return True
        if name == "States.TaskFailed" and error != "States.Timeout":
            return True
    return False


def recover(turn: StepBuilder, state: State, failure: StateFailure) -> Entered | None:
    """Retry, else catch, else fail the frame."""
    note_evaluation(turn, state, failure)
    if isinstance(state, Resulting):
        return None if retry(turn, state, failure) else caught_or_failed(turn, state, failure)
    fail(turn, failure.error, cause_with_place(turn, state, failure))
    return None


def caught_or_failed(turn: StepBuilder, state: Resulting, failure: StateFailure) -> Entered | None:
    """The part of `recover` that comes when no retrier takes the error."""
    error, cause = failure.error, cause_with_place(turn, state, failure)
    for i, catcher in enumerate(state.catch):
        if matches(catcher.error_equals, error, failure.also):
            try:
                note_recovery(turn, {"catchIndex": i}, error, cause)
                return catch(turn, state, catcher, error, cause)
            except StateFailure as second:
                note_evaluation(turn, state, second)
                error, cause = second.error, cause_with_place(turn, state, second)
                break
    fail(turn, error, cause)
    return None


def cause_with_place(turn: StepBuilder, state: State, failure: StateFailure) -> str | None:
    """The failure's cause, with the state and the number of its StateEntered event before it, as AWS writes it."""
    if not failure.located or failure.cause is None:
        return failure.cause
    return (
        f"An error occurred while executing the state '{state.name}' "
        f"(entered at the event id #{turn.frame.entered}). {failure.cause}"
    )


def retry(turn: StepBuilder, state: Resulting, failure: StateFailure) -> bool:
    """Whether a retrier takes the error; then the frame waits for its backoff."""
    frame = turn.frame
    for i, retrier in enumerate(state.retry):
        if matches(retrier.error_equals, failure.error, failure.also):
            counts = frame.retries or (0,) * len(state.retry)
            if counts[i] >= retrier.max_attempts:
                return False
            delay = backoff(turn, retrier, counts[i])
            details: dict[str, Json] = {"retryIndex": i, "retryBackoffIntervalSeconds": delay}
            note_recovery(turn, details, failure.error, cause_with_place(turn, state, failure))
            frame.retries = (*counts[:i], counts[i] + 1, *counts[i + 1 :])
            turn.block(StartTimer(TimerKind.BACKOFF, turn.env.now + round(delay * MICROSECONDS)))
            return True
    return False


def backoff(turn: StepBuilder, retrier: Retrier, retries: int) -> float:
    """Seconds before the next attempt: IntervalSeconds × BackoffRate^retries, capped, perhaps jittered."""
    cap = retrier.max_delay_seconds if retrier.max_delay_seconds is not None else 99_999_999.0
    try:
        delay = min(cap, retrier.interval_seconds * retrier.backoff_rate**retries)
    except OverflowError:
        delay = cap
    return turn.random().uniform(0, delay) if retrier.jitter is Jitter.FULL else delay


def catch(
    turn: StepBuilder, state: Resulting, catcher: Catcher, error: str | None, cause: str | None
) -> Entered | None:
    """Go on at the catcher's Next: with the Error Output at its ResultPath in the raw input, or (JSONata) with its
    Output. Only the catcher's own Assign is evaluated."""
    data = error_output(error, cause)
    if state.language is QueryLanguage.JSONATA:
        scope: Scope = turn.states({"errorOutput": data})
        output = data if catcher.output is None else catcher.output(scope)
    else:
        scope = turn.scope(data)
        output = place(turn, catcher.result_path, data)
    assignment = None if catcher.assign is None else catcher.assign(scope)
    return turn.leave_to(state, catcher.next, output, assignment)


def note_recovery(turn: StepBuilder, details: dict[str, Json], error: str | None, cause: str | None) -> None:
    """Tell who tests the state alone which retrier or catcher takes its error."""
    if turn.env.probe is not None:
        turn.env.probe.failure = error, cause
        turn.note("errorDetails", details)


def note_evaluation(turn: StepBuilder, state: State, failure: StateFailure) -> None:
    """AWS records a JSONata expression that failed before anything comes of it."""
    if failure.error != "States.QueryEvaluationError" or state.language is not QueryLanguage.JSONATA:
        return
    detail: dict[str, Json] = {
        "state": state.name,
        "error": failure.error,
        "cause": cause_with_place(turn, state, failure),
    }
    if location := getattr(failure, "location", None):
        detail["location"] = location
    if turn.frame.last == turn.frame.entered and turn.before is not None and not isinstance(state, Wait):
        # It follows what came before the state, not its StateEntered: so it stands in AWS's histories.
        turn.frame.last = turn.before
    turn.record("EvaluationFailed", detail)
    if isinstance(state, Map):
        turn.record("MapStateFailed", {"error": detail["error"], "cause": detail["cause"]})


def error_output(error: str | None, cause: str | None) -> dict[str, Json]:
    """What a catcher gets as input, and a failed frame has as output; None becomes ""."""
    return {"Error": error or "", "Cause": cause or ""}


def fail(turn: StepBuilder, error: str | None, cause: str | None) -> None:
    """Close the frame as failed. AWS also notes a Task that takes its Parallel down as aborted."""
    if turn.machine.role is Role.BRANCH and isinstance(turn.state, Task) and error != RUNTIME:
        turn.record("TaskStateAborted", {}, leaf=True)
    turn.close(FrameStatus.FAILED, {"Error": error, "Cause": cause}, error, cause)
