"""Leases: who has a job and for how long, and what becomes of the jobs of a worker that is gone.

A job is its worker's until the lease has run out or the worker is known to be dead, and only its worker
says that its task is late. A lost job is free again, or has failed, in the transaction that notices it; its
timeouts go with the lease and start again with the next one.

A task may be what kills its workers, and it may have been beside what does, or beside nothing of the kind. After
`most_lost` lost workers it is known to be the one only if each of them had nothing else; else it is a suspect, which
from then on runs with nothing beside it, and after `most_lost` more it is known, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping

from sm_cli.engine.stepping.queues import Rota
from sm_cli.engine.stepping.tasks import lease_jobs as take
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.events import DeadlinePassed, HeartbeatMissed, TaskFailed
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import (
    HANDED_OVER,
    Company,
    Job,
    Timer,
)

_BATCH = 500

#: Later than every time in the database, microseconds since 1970 UTC.
ANY_TIME = HANDED_OVER


def lost_jobs(
    tick: UnitOfWork, dead: Collection[str], mine: Container[int], tree: int | None = None, *, judge: bool = True
) -> list[Job]:
    """Jobs of dead workers, and (with `judge`) those whose lease has run out; not those that this worker runs and will
    renew."""
    jobs = {job.id: job for job in tick.tx.lapsed_jobs(tick.now, _BATCH, tree)} if judge else {}
    for job in (job for worker in dead for job in tick.tx.leased_to(worker)):
        if tree in (None, tick.execution(job.execution).tree):
            jobs[job.id] = job
        else:
            job.leased_until = tick.now  # who works for that execution finds that it has run out
            tick.changes.leased_jobs.append(job)
    return [job for job in jobs.values() if job.id not in mine]


def spare(tick: UnitOfWork, jobs: Iterable[Job], living: Mapping[str, int]) -> list[Job]:
    """Renew the leases that ran out although their worker's process lives: its interpreter may be held up. Returns the
    others. living: worker to when it was last seen, microseconds since 1970 UTC. A task whose own deadline or heartbeat
    has passed is late; one that has neither is kept for its worker as long as `silence` lets."""
    others = []
    for job in jobs:
        last_sign = living.get(job.worker or "")
        own = None if last_sign is None else _own_end(tick, job)
        if own is not None and own.due <= tick.now:
            late = HeartbeatMissed if own.kind is TimerKind.HEARTBEAT else DeadlinePassed
            tick.deliver(job.frame, late(job.seq))
        elif last_sign is None or (own is None and tick.now - last_sign > tick.settings.silence):
            others.append(job)
        else:
            job.leased_until = tick.now + tick.settings.lease
            if own is not None:
                job.leased_until = min(job.leased_until, own.due)
            tick.changes.leased_jobs.append(job)
    return others


def _own_end(tick: UnitOfWork, job: Job) -> Timer | None:
    """The timer that says first that the running task is late."""
    timers = (t for t in tick.tx.timers_of(job.execution) if (t.frame, t.seq) == (job.frame, job.seq))
    return min(timers, key=lambda timer: timer.due, default=None)


def rebase(tick: UnitOfWork, jobs: Collection[Job], jump: int) -> set[int]:
    """The wall clock jumped by so many microseconds: the leases and timeouts of these running jobs go with it. Returns
    the ids of jobs that are no longer the taker's."""
    tasks = {(job.frame, job.seq) for job in jobs}
    for execution in {job.execution for job in jobs}:
        for row in tick.tx.timers_of(execution):
            timer = tick.timers.get((row.frame, row.kind), row)
            if (timer.frame, timer.seq) in tasks and timer.kind in (TimerKind.DEADLINE, TimerKind.HEARTBEAT):
                tick.rearm(Timer(timer.execution, timer.frame, timer.seq, timer.kind, timer.due + jump))
    return renew(tick, jobs, tick.now + tick.settings.lease)


def reap(tick: UnitOfWork, jobs: Collection[Job], dead: Collection[str]) -> list[Job]:
    """Take jobs from workers that were lost, of which these are dead for certain: those that may not run again fail,
    the others are returned, free."""
    free_jobs, most = [], tick.settings.most_lost
    with_one_job = _with_one_job(tick, dead) if jobs and dead else frozenset()
    for job in jobs:
        if job.company is not Company.NONE or job.worker not in with_one_job:
            job.company = Company.SOME
        times = f"{job.deliveries} time{'s' if job.deliveries > 1 else ''}"
        if not job.repeatable:
            fail_job(tick, job, "The worker was lost while it ran this task, and its handler is not repeatable.")
        elif job.company is Company.NONE and job.deliveries >= most:
            fail_job(tick, job, f"The worker was lost {times} while it ran this task and nothing else.")
        elif job.deliveries >= 2 * most:
            rest = f"the last {most} times" if most > 1 else "the last time"
            fail_job(tick, job, f"The worker was lost {times} while it ran this task, {rest} with nothing beside it.")
        else:
            free(tick, job)
            free_jobs.append(job)
    return free_jobs


def _with_one_job(tick: UnitOfWork, dead: Collection[str]) -> frozenset[str]:
    """Those of these workers that had one job when they died. Of one that is struck off already that is not known:
    whoever did it may have taken others from it. A lease that has run out tells nothing either: those of a worker run
    out one by one."""
    counts = tick.tx.jobs_by_worker()
    there = {worker.id for worker in tick.tx.workers()}  # asked after the counts, which others change before it
    return frozenset(worker for worker in dead if counts.get(worker) == 1 and worker in there)


def free(tick: UnitOfWork, job: Job) -> None:
    """Nobody has this job any more."""
    job.worker = job.leased_until = None
    tick.changes.leased_jobs.append(job)
    tick.changes.timers_gone.append(job.frame)


def fail_job(tick: UnitOfWork, job: Job, cause: str) -> None:
    """Hand the job's frame a States.TaskFailed with this cause."""
    tick.deliver(job.frame, TaskFailed(job.seq, "States.TaskFailed", cause))


def give_back(tick: UnitOfWork, job: Job) -> None:
    """The worker stops, and its handler with it: another one may start the task again, and no loss is counted."""
    if job.company is Company.IN_THE_WAY:  # it has not begun
        job.company = Company.SOME
        free(tick, job)
    elif job.repeatable:
        job.deliveries -= 1
        free(tick, job)
    else:
        fail_job(tick, job, "The worker was stopped while it ran this task, and its handler is not repeatable.")


def claim(tick: UnitOfWork, rota: Rota, free_jobs: Iterable[Job] = (), tree: int | None = None) -> None:
    """Take jobs that nobody has, while there are slots."""
    taker = tick.taker
    if taker is None or taker.slots <= 0:
        return
    now = ANY_TIME  # what waits is free whatever the clock says: it may have been set back since
    resources = None if taker.handlers is None else taker.handlers.resources(tick.tx.waiting_resources)
    jobs_by_queue: dict[str, list[Job]] = defaultdict(list)
    for job in free_jobs:
        if job.available <= now and taker.knows(job):
            jobs_by_queue[job.queue].append(job)
    for queue in (None,) if tree is not None else filter(rota.serves, tick.tx.queues()):
        for job in tick.tx.claimable(now, taker.slots, tree=tree, resources=resources, queue=queue):
            jobs_by_queue[job.queue].append(job)
    waiting, suspects = {}, []
    for queue, jobs in jobs_by_queue.items():
        jobs.sort(key=_order)
        waiting[queue] = [job for job in jobs if job.deliveries < tick.settings.most_lost]
        suspects += [job for job in jobs if job.deliveries >= tick.settings.most_lost]
    choice = taker.choose_suspect(sorted(suspects, key=_order)) if suspects else None
    if choice is None:
        take(tick, rota.pick(waiting, taker.slots))
        return
    suspect, at_once = choice
    if at_once:
        begin_suspect(tick, suspect)
    else:
        _keep(tick, suspect)
    taker.slots = 0


def _order(job: Job) -> tuple[int, int]:
    return -job.priority, job.id


def _keep(tick: UnitOfWork, suspect: Job) -> None:
    """The taker has this job from now on, and begins it when its others have ended: until then nothing is counted."""
    assert tick.taker is not None
    tick.load([suspect.frame])
    suspect.worker, suspect.leased_until = tick.taker.worker, tick.now + tick.settings.lease
    suspect.company = Company.IN_THE_WAY
    tick.changes.leased_jobs.append(suspect)
    tick.taker.suspect = suspect


def begin_suspect(tick: UnitOfWork, suspect: Job) -> None:
    """The taker runs this job, and takes nothing else until it has ended."""
    assert tick.taker is not None
    suspect.company = Company.SOME
    take(tick, [suspect])
    if any(job is suspect for job in tick.taker.jobs):
        tick.taker.suspect = suspect


def begin_kept(tick: UnitOfWork, suspect: Job) -> bool:
    """The taker, which has kept this job, has nothing else any more: it begins. False when the job is no longer its
    own."""
    assert tick.taker is not None
    if not tick.reachable({suspect.execution}):
        return True  # somebody else is at its execution, and it begins soon
    newest = tick.tx.jobs([suspect.id]).get(suspect.id)
    if newest is None or newest.worker != tick.taker.worker:
        return False
    begin_suspect(tick, newest)
    return True


def renew(tick: UnitOfWork, jobs: Iterable[Job], until: int) -> set[int]:
    """Keep the leases that are still this worker's; returns the ids of the jobs that no longer are."""
    assert tick.taker is not None
    jobs = list(jobs)
    within = tick.reachable({job.execution for job in jobs})  # the others are renewed soon
    jobs_by_id = {job.id: job for job in jobs if job.execution in within}
    own_ids = tick.tx.leases(tick.taker.worker, jobs_by_id) if jobs_by_id else set()
    for id in own_ids:
        jobs_by_id[id].leased_until = until
        tick.changes.leased_jobs.append(jobs_by_id[id])
    return jobs_by_id.keys() - own_ids
