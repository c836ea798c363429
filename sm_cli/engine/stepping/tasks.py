"""Tasks become jobs, and jobs are taken.

A job that the taker of the tick has a free slot for is written already leased to it, so that no second
transaction is needed to lease_jobs it; its seconds count from that moment.
"""

from __future__ import annotations

from collections.abc import Iterable

from sm_cli.engine.stepping.bugs import contain
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.commands import RunTask
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    Job,
    Timer,
)
from sm_cli.timestamps import MICROSECONDS


def run_task(unit: UnitOfWork, execution: Execution, frame: Frame, task: RunTask) -> None:
    """Carry out RunTask: make a job."""
    frame.opens |= Opens.JOB
    job = Job(
        id=unit.tx.reserve("jobs", 1),
        execution=execution.id,
        frame=frame.id,
        seq=frame.seq,
        state=frame.state,
        resource=task.handler,
        input=task.input,
        attempt=task.attempt,
        queue=execution.queue,
        priority=execution.priority,
        available=unit.now,
        timeout=task.timeout,
        heartbeat=task.heartbeat,
    )
    unit.jobs[frame.id] = job
    if unit.taker is not None and unit.taker.takes(job):
        lease(unit, job)


def lease(unit: UnitOfWork, job: Job) -> None:
    """The taker takes the job: recorded as started, its timeouts count from now."""
    assert unit.taker is not None
    execution = unit.execution(job.execution)
    unit.program_of(execution.digest)  # before anything is changed: it may be damaged
    unit.taker.slots -= 1
    job.worker = unit.taker.worker
    job.leased_until = unit.now + unit.settings.lease
    job.repeatable = unit.taker.repeats(job)
    job.deliveries += 1
    unit.taker.jobs.append(job)
    unit.taker.executions[execution.id] = execution
    frame = unit.note_started(execution, unit.frames[job.frame])
    frame.opens |= Opens.JOB
    frame.work_since = unit.now
    time_out(unit, frame, job.timeout, job.heartbeat)


def time_out(unit: UnitOfWork, frame: Frame, timeout: float | None, heartbeat: float | None) -> None:
    """Set the timers of a task; its seconds count from now."""
    for kind, span in ((TimerKind.DEADLINE, timeout), (TimerKind.HEARTBEAT, heartbeat)):
        if span is not None:
            frame.opens |= Opens.TIMER
            due = unit.now + round(span * MICROSECONDS)
            unit.timers[frame.id, kind] = Timer(frame.execution, frame.id, frame.seq, kind, due)


def postpone(unit: UnitOfWork, microseconds: int) -> None:
    """The handlers of the jobs that were taken start so much later than this transaction began: leases and timeouts
    count from then."""
    for job in unit.taken_jobs() if microseconds > 0 else ():
        if job.leased_until is not None and job.leased_until != HANDED_OVER:
            job.leased_until += microseconds
        for kind in (TimerKind.DEADLINE, TimerKind.HEARTBEAT):
            timer = unit.timers.get((job.frame, kind))
            if timer is not None and timer.seq == job.seq:
                unit.timers[job.frame, kind] = timer._replace(due=timer.due + microseconds)


def renew_leases(unit: UnitOfWork, jobs: Iterable[Job]) -> list[Job]:
    """These jobs, just taken, begin only now, for the commit itself took long: those that are still the taker's."""
    assert unit.taker is not None
    jobs = list(jobs)
    unit.load([job.frame for job in jobs])
    own_ids = unit.tx.leases(unit.taker.worker, [job.id for job in jobs])
    own_jobs = [job for job in jobs if job.id in own_ids or job.leased_until == HANDED_OVER]
    for job in own_jobs:
        if job.leased_until != HANDED_OVER:
            job.leased_until = unit.now + unit.settings.lease
            unit.changes.leased_jobs.append(job)
        for kind, span in ((TimerKind.DEADLINE, job.timeout), (TimerKind.HEARTBEAT, job.heartbeat)):
            if span is not None:
                due = unit.now + round(span * MICROSECONDS)
                unit.rearm(Timer(job.execution, job.frame, job.seq, kind, due))
    return own_jobs


def lease_jobs(unit: UnitOfWork, jobs: Iterable[Job]) -> None:
    """Lease stored jobs that nobody has any more."""
    jobs = list(jobs)
    unit.load({job.frame for job in jobs})
    for job in jobs:
        frame = unit.frames[job.frame]
        if frame.seq == job.seq and not frame.status.closed:
            execution = unit.execution(job.execution)
            try:
                lease(unit, job)
                unit.changes.leased_jobs.append(job)
            except Exception as e:
                contain(unit, execution, e)
