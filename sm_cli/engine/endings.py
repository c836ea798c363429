"""The end of an execution: from inside, when its root closes, or from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.records import outcome_detail
from sm_cli.jsonvalue import Json
from sm_cli.store.base import Execution, Status

if TYPE_CHECKING:
    from sm_cli.engine.tick import Tick

_EVENTS = {
    Status.SUCCEEDED: "ExecutionSucceeded",
    Status.FAILED: "ExecutionFailed",
    Status.TIMED_OUT: "ExecutionTimedOut",
    Status.ABORTED: "ExecutionAborted",
}


def finish(
    tick: Tick, execution: Execution, status: Status, output: Json = None,
    error: str | None = None, cause: str | None = None, root: Frame | None = None, *, tell: bool = True,
) -> None:  # fmt: skip
    """Close the execution: AWS's last event, and the row; and (unless `tell` is false) tell who waits for its end."""
    execution.status, execution.closed = status, tick.now
    execution.error, execution.cause = error, cause
    execution.output = output if status is Status.SUCCEEDED else None
    if execution.events:  # a child of a map run that never began has none
        execution.events += 1
        tick.env(execution).events = execution.events
        detail: dict[str, Json] = {"output": output} if status is Status.SUCCEEDED else outcome_detail(error, cause)
        last = root.last if root is not None else execution.events - 1
        tick.note(execution, execution.events, last, root.id if root else 0, _EVENTS[status], detail)
    tick.changes.executions[execution.id] = execution
    tick.closed.append(execution)
    if tell and execution.parent is not None:
        tick.child_ended(execution, execution.parent)


def end(
    tick: Tick, execution: Execution, status: Status, error: str | None = None, cause: str | None = None, *,
    tell: bool = True,
) -> None:  # fmt: skip
    """Close a running execution from outside: stopped, or past its deadline. Everything below it is aborted."""
    execution = tick.executions.setdefault(execution.id, execution)
    tick.adopt(tick.tx.open_frames(execution.id))
    # Frames that this very tick made are not in the store yet.
    mine = [frame for frame in tick.frames.values() if frame.execution == execution.id and not frame.status.closed]
    tick.abort(sorted(mine, key=lambda frame: -frame.id))
    finish(tick, execution, status, error=error, cause=cause, tell=tell)
