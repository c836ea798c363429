"""Closing: the end of an execution, from inside or from outside, and of everything below it.

What is closed takes with it, in the same transaction, every frame, execution and map run that it waits for. The
parent of a closed execution learns of it from the tick, after the step that it is in (`UnitOfWork.closed_children`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import replace

from sm_cli.engine.programs import DamagedDefinition
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import DatabaseError
from sm_cli.interpreter.advance import abort_frame
from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens
from sm_cli.interpreter.join import settle
from sm_cli.interpreter.records import outcome_detail
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json
from sm_cli.store.records import (
    EndedChild,
    Execution,
    MapRun,
    Parent,
    Status,
)

log = logging.getLogger("sm.engine")

#: What a READY frame is woken by when its child's end could not be handed to it at once.
_CHILD_CLOSED = "ChildClosed"

_EVENTS = {
    Status.SUCCEEDED: "ExecutionSucceeded",
    Status.FAILED: "ExecutionFailed",
    Status.TIMED_OUT: "ExecutionTimedOut",
    Status.ABORTED: "ExecutionAborted",
}


def finish(
    unit: UnitOfWork, execution: Execution, status: Status, output: Json = None,
    error: str | None = None, cause: str | None = None, root: Frame | None = None, *, tell: bool = True,
) -> None:  # fmt: skip
    """Close the execution: AWS's last event, and the row; and (unless `tell` is false) queue it for its parent."""
    execution.status, execution.closed = status, unit.now
    execution.error, execution.cause = error, cause
    execution.output = output if status is Status.SUCCEEDED else None
    if execution.events:  # a child of a map run that never began has none
        execution.events += 1
        unit.env(execution).events = execution.events
        # AWS names this error in the history, and not where it describes the execution.
        name = "States.Timeout" if status is Status.TIMED_OUT else error
        detail: dict[str, Json] = {"output": output} if status is Status.SUCCEEDED else outcome_detail(name, cause)
        last = root.last if root is not None else execution.events - 1
        unit.note(execution, execution.events, last, root.id if root else 0, _EVENTS[status], detail)
    unit.changes.executions[execution.id] = execution
    unit.closed_executions.append(execution)
    if tell and execution.parent is not None:
        unit.closed_children.append(execution)


def end(
    unit: UnitOfWork, execution: Execution, status: Status, error: str | None = None, cause: str | None = None, *,
    tell: bool = True,
) -> None:  # fmt: skip
    """Close a running execution from outside: stopped, or past its deadline. Everything below it is aborted; as on AWS,
    the history says so of a stop alone."""
    execution = unit.executions.setdefault(execution.id, execution)
    unit.adopt(unit.tx.open_frames(execution.id))
    abort_all(unit, open_frames(unit, {execution.id})[execution.id], status)
    finish(unit, execution, status, error=error, cause=cause, tell=tell)


def open_frames(unit: UnitOfWork, executions: Container[int]) -> dict[int, list[Frame]]:
    """The frames of these executions that are not closed, of those that the unit has: also those that it made itself,
    which are not in the store yet."""
    frames: dict[int, list[Frame]] = defaultdict(list)
    for frame in unit.frames.values():
        if frame.execution in executions and not frame.status.closed:
            frames[frame.execution].append(frame)
    return frames


def abort_all(unit: UnitOfWork, frames: list[Frame], status: Status) -> None:
    """Close the frames of an execution that ends with this status, children before their parents."""
    abort(unit, sorted(frames, key=lambda frame: -frame.id), in_history=status is Status.ABORTED)


def abort(unit: UnitOfWork, frames: Iterable[Frame], *, in_history: bool = True) -> None:
    """Close frames because one above them is closed; `in_history`, with the events that AWS has for it."""
    for frame in frames:
        unit.adopt([frame])
        frame = unit.frames[frame.id]
        if not frame.status.closed:
            execution = unit.execution(frame.execution)
            step = closing_step(unit, execution, frame, in_history=in_history)
            if frame.opens:
                unit.forget_opened(frame)
            unit.put(execution, step)
            if frame.opens & Opens.EXECUTIONS:
                leave(unit, frame, Status.ABORTED)


def closing_step(unit: UnitOfWork, execution: Execution, frame: Frame, *, in_history: bool) -> Step:
    """The step that aborts a frame. Where its program cannot say how, it is closed without a line in the history: what
    is broken must still come to an end."""
    env = unit.env(execution)
    try:
        if in_history:
            return abort_frame(unit.program_of(execution.digest), frame, env)
    except Exception as error:
        database = isinstance(error, DatabaseError) and not isinstance(error, DamagedDefinition)
        if database or not unit.settings.contain:
            raise
        log.debug("frame %d is closed without a record: %s", frame.id, error)
    frame = replace(frame.copy(), seq=frame.seq + 1, status=FrameStatus.ABORTED, opens=Opens.NOTHING, wake=None)
    return Step(frame, env.events)


# -- who waits for what is closed ----------------------------------------------------------------------


def tell_later(unit: UnitOfWork, child: Execution, parent: Parent) -> None:
    """The parent's stored definition is damaged: its frame is written as READY, with the child that ended, and
    stays so until the definition is repaired. Of several children of a map run it is the first; all are counted."""
    frame = unit.frames[parent.frame]
    counts = parent.run is not None  # then only a parent that waits has come so far
    if (counts or frame.seq == parent.activation) and not frame.status.closed and pending_child(frame) is None:
        frame = unit.touch(frame)
        frame.status, frame.wake = FrameStatus.READY, {"event": _CHILD_CLOSED, "execution": child.id}


def pending_child(frame: Frame) -> int | None:
    """The id of the child whose end this READY frame has still to hear; None when it waits for something else."""
    match frame.wake:
        case {"event": event, "execution": int(child)} if event == _CHILD_CLOSED:
            return child
        case _:
            return None


# -- what a frame waits for: executions and map runs ---------------------------------------------------


def run_of(unit: UnitOfWork, frame: int, join: Join) -> MapRun:
    """The open run of a frame."""
    fork = frame, join.activation
    run = unit.runs.runs_by_fork.get(fork) or unit.tx.map_run(*fork)
    assert run is not None, "a frame whose join is a map run's has one"
    unit.runs.runs_by_fork[fork] = run
    return run


def close_run(unit: UnitOfWork, run: MapRun, status: Status, join: Join) -> None:
    """Close a map run with these counts."""
    run.status, run.closed, run.join = status, unit.now, join
    write_run(unit, run)


def write_run(unit: UnitOfWork, run: MapRun) -> None:
    """Let the transaction write the map run, once."""
    if run not in unit.changes.new_map_runs and run not in unit.changes.map_runs:
        unit.changes.map_runs.append(run)


def abort_children(unit: UnitOfWork, frame: Frame) -> None:
    """Close every execution that this frame started, waits for, and that is still open. Not one of an earlier wait,
    which somebody has redriven."""
    activation = frame.seq if frame.join is None else frame.join.activation
    children = {child.id: unit.executions.setdefault(child.id, child) for child in unit.tx.open_executions(frame.id)}
    unit.adopt(unit.tx.open_frames_of(children.keys()))
    for child in unit.changes.new_executions:
        if child.parent is not None and child.parent.frame == frame.id:
            children[child.id] = child
    frames = open_frames(unit, children)
    for child in children.values():
        if child.closed is None and child.parent is not None and child.parent.activation == activation:
            abort_all(unit, frames[child.id], Status.ABORTED)
            finish(unit, child, Status.ABORTED, tell=False)


def leave(unit: UnitOfWork, frame: Frame, how: Status) -> None:
    """The frame moves on while it waits for executions: they are closed, and so is its run, if it is one."""
    abort_children(unit, frame)
    if frame.join is not None:
        run = run_of(unit, frame.id, frame.join)
        if run.closed is None:
            close_run(unit, run, how, frame.join)
        count_rest(unit, frame, run)


def ended_child(child: Execution) -> EndedChild:
    """A closed child of a map run as its parent counts it."""
    parent = child.parent
    assert parent is not None
    is_success = child.status is Status.SUCCEEDED
    return EndedChild(child.tree, parent.frame, child.id, parent.activation, parent.items, int(is_success))


def count_rest(unit: UnitOfWork, frame: Frame, run: MapRun) -> None:
    """The run of this frame is over, and all its children are closed and held: those that others have closed and that
    it has not counted are counted, in the run and in the frame, which may be redriven."""
    if not unit.tx.may_have_ended_children():
        return
    changes, fork = unit.changes, (frame.id, run.activation)
    before = {each.child for each in changes.children_counted}
    in_store = unit.tx.ended_of(unit.execution(frame.execution).tree, frame.id)
    own = [each for each in changes.ended_children if each.frame == frame.id]
    changes.ended_children = [each for each in changes.ended_children if each.frame != frame.id]
    changes.children_counted += [each for each in in_store if each.child not in before]
    rest = [each for each in (*in_store, *own) if each.child not in before and (each.frame, each.activation) == fork]
    if not rest:
        return
    newest = unit.frames[frame.id]
    if newest.join is not None and newest.join.activation == run.activation:
        unit.touch(newest).join = settle_all(newest.join, rest)
    run.join = settle_all(run.join, rest)
    write_run(unit, run)


def settle_all(join: Join, children: Iterable[EndedChild]) -> Join:
    """The counts of a run that is over, with these children."""
    for each in children:
        join, _ = settle(join, bool(each.succeeded), each.items)
    return join
