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
    error: str | None = None, cause: str | None = None, root: Frame | None = None,
) -> None:  # fmt: skip
    """Close the execution: AWS's last event, and the row."""
    execution.status, execution.closed = status, tick.now
    execution.error, execution.cause = error, cause
    execution.output = output if status is Status.SUCCEEDED else None
    execution.events += 1
    tick.env(execution).events = execution.events
    detail: dict[str, Json] = {"output": output} if status is Status.SUCCEEDED else outcome_detail(error, cause)
    last = root.last if root is not None else execution.events - 1
    tick.note(execution, execution.events, last, root.id if root else 0, _EVENTS[status], detail)
    if execution not in tick.changes.new_executions:
        tick.changes.executions[execution.id] = execution
    tick.closed.append(execution)


def end(tick: Tick, execution: Execution, status: Status, error: str | None = None, cause: str | None = None) -> None:
    """Close a running execution from outside: stopped, or past its deadline. Everything below it is aborted."""
    execution = tick.executions.setdefault(execution.id, execution)
    tick.adopt(tick.tx.open_frames(execution.id))
    # Frames that this very tick made are not in the store yet.
    mine = [frame for frame in tick.frames.values() if frame.execution == execution.id and not frame.status.closed]
    tick.abort(sorted(mine, key=lambda frame: -frame.id))
    finish(tick, execution, status, error=error, cause=cause)
