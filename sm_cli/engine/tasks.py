"""Tasks become jobs, and jobs are taken.

Rule: a job that the taker of the tick has a free slot for is written already leased to it, so that no second
transaction is needed to claim it; its seconds count from that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sm_cli.engine.contain import contained
from sm_cli.interpreter.advance import started
from sm_cli.interpreter.commands import RunTask
from sm_cli.interpreter.env import MICROSECONDS
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.store.base import Execution, Job, Timer, TimerKind

if TYPE_CHECKING:
    from sm_cli.engine.tick import Tick


def run_task(tick: Tick, execution: Execution, frame: Frame, task: RunTask) -> None:
    frame.opens |= Opens.JOB
    job = Job(
        id=tick.tx.reserve("jobs", 1),
        execution=execution.id,
        frame=frame.id,
        seq=frame.seq,
        state=frame.state,
        resource=task.handler,
        input=task.input,
        attempt=task.attempt,
        queue=execution.queue,
        priority=execution.priority,
        available=tick.now,
        timeout=task.timeout,
        heartbeat=task.heartbeat,
    )
    tick.jobs[frame.id] = job
    if tick.taker is not None and tick.taker.takes(job):
        lease(tick, job)


def lease(tick: Tick, job: Job) -> None:
    """The taker takes the job: recorded as started, its timeouts count from now."""
    assert tick.taker is not None
    tick.taker.slots -= 1
    job.worker = tick.taker.worker
    job.leased_until = tick.now + tick.settings.lease
    job.repeatable = tick.taker.repeats(job)
    job.deliveries += 1
    tick.taker.taken.append(job)
    execution = tick.execution(job.execution)
    step = started(tick.program_of(execution.digest), tick.frames[job.frame], tick.env(execution))
    step.frame.opens |= Opens.JOB
    time_out(tick, step.frame, job.timeout, job.heartbeat)
    tick.put(execution, step)


def time_out(tick: Tick, frame: Frame, timeout: float | None, heartbeat: float | None) -> None:
    """Set the timers of a task; its seconds count from now."""
    for kind, span in ((TimerKind.DEADLINE, timeout), (TimerKind.HEARTBEAT, heartbeat)):
        if span is not None:
            frame.opens |= Opens.TIMER
            due = tick.now + round(span * MICROSECONDS)
            tick.timers[frame.id, kind] = Timer(frame.execution, frame.id, frame.seq, kind, due)


def claim(tick: Tick, jobs: Iterable[Job]) -> None:
    """Lease stored jobs that nobody has any more."""
    jobs = list(jobs)
    tick.load({job.frame for job in jobs})
    for job in jobs:
        frame = tick.frames[job.frame]
        if frame.seq == job.seq and not frame.status.closed:
            with contained(tick, tick.execution(job.execution)):
                lease(tick, job)
                tick.changes.leased.append(job)
