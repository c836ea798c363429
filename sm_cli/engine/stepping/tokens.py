"""What a task token leads to: the frame and the job that wait for it.

Read in the transaction that the callback arrives in, by the token's own address: what else waits costs nothing.
"""

from __future__ import annotations

from sm_cli.engine.near_misses import ago
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import NotFound, TaskTimedOut, UsageError
from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.tokens import ForgedToken, read_token
from sm_cli.store.records import Job, Status


def frame_of_token(unit: UnitOfWork, token: str) -> Frame:
    """The frame, whatever it does now. Raises UsageError for a token that is not ours, NotFound."""
    try:
        id, _ = read_token(unit.settings.token_key, token)
    except ForgedToken as e:
        raise UsageError(str(e)) from None
    unit.load([id])
    frame = unit.frames.get(id)
    if frame is None:
        raise NotFound("the execution that this task token was made for is not in this database")
    return frame


def task_of_token(unit: UnitOfWork, token: str) -> tuple[Frame, Job]:
    """The frame and the job that still wait for this token. Raises TaskTimedOut (AWS's name) when they do not."""
    frame = frame_of_token(unit, token)
    _, seq = read_token(unit.settings.token_key, token)
    execution = unit.execution(frame.execution)
    if frame.seq != seq or frame.status.closed or execution.status is not Status.RUNNING:
        due = unit.first_due_times.get(frame.id)
        if due is None and execution.status is Status.TIMED_OUT and execution.closed == unit.now:
            due = execution.deadline
        late = "" if due is None else f": its time was up {ago(unit.now - due)}"
        raise TaskTimedOut(
            f"TaskTimedOut: this task token is stale: the task that it was made for has ended{late} (execution "
            f"{execution.name} is {execution.status})"
        )
    job = unit.jobs.get(frame.id) or unit.tx.job_of(frame.id)
    if job is None or job.seq != seq:
        raise TaskTimedOut("TaskTimedOut: this task token is stale: no task waits for it")
    return frame, job
