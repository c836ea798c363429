"""What a tick does for schedules: it starts what is due and moves each on, in its one transaction.

An execution is called by its schedule and its time, so that whoever starts the same once more finds it there. What
cannot be started is remembered with the reason, and the schedule goes on with its next time: nothing of it reaches
other schedules, or the worker.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from sm_cli.engine.programs import DamagedDefinition, WorkflowVersion
from sm_cli.engine.schedules.times import due_of, find_due
from sm_cli.engine.stepping.nested_executions import execution_named
from sm_cli.engine.stepping.starting import begin, find_version
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.references import parse_reference
from sm_cli.errors import DatabaseError, SmError
from sm_cli.jsonvalue import TooDeep, TooLarge, check_bounds
from sm_cli.store.records import Execution, Status
from sm_cli.store.schedules import REMEMBERED, Firing, FiringOutcome, Overlap, Schedule
from sm_cli.timestamps import MICROSECONDS, rfc3339

log = logging.getLogger("sm.engine")

#: So many schedules a tick looks at.
_BATCH = 100
#: The executions of a schedule have its name in this tag.
TAG = "schedule"
#: So many times of one schedule wait for its executions; what comes beyond is skipped.
MOST_WAITING = 100
#: A schedule whose next time cannot be told here, for this machine does not know its zone, is looked at so much later.
_LOOK_AGAIN = 60 * MICROSECONDS


def fire_schedules(unit: UnitOfWork, tree: int | None = None) -> None:
    """Start what is due of all schedules, as far as one tick takes it; nothing for who works on one tree alone."""
    for old in unit.tx.due_schedules(unit.now, _BATCH) if tree is None else ():
        schedule = replace(old)
        unit.changes.schedules[schedule.id] = schedule
        try:
            fire(unit, schedule)
        except DatabaseError:
            raise
        except Exception as error:
            if not (isinstance(error, SmError) or unit.settings.contain):
                raise
            time = next(iter(old.waiting), unit.now) if old.next is None else old.next
            _put_off(unit, schedule, time, error)


def _put_off(unit: UnitOfWork, schedule: Schedule, time: int, error: Exception) -> None:
    """Its time was not fired. Where it has not moved on it is looked at again, perhaps by a worker on another
    machine."""
    if not isinstance(error, SmError):
        log.error("schedule %s cannot fire by a bug in sm", schedule.name, exc_info=error)
    if schedule.due is not None and schedule.due <= unit.now:
        schedule.due = unit.now + _LOOK_AGAIN
    reason = f"{error.message}; tried again in a minute" if isinstance(error, SmError) else f"a bug in sm: {error}"
    remember(unit, schedule, Firing(time, unit.now, FiringOutcome.REFUSED, None, reason))


def fire(unit: UnitOfWork, schedule: Schedule) -> None:
    """Start what is due of this one, and what waited and can start. Raises UsageError, before it has changed anything,
    where its zone does not exist."""
    if schedule.due is not None and schedule.due <= unit.now:
        due = find_due(schedule, unit.now)
        schedule.next = due.then
        schedule.due = None if due.then is None else due_of(schedule, due.then)
        if due.missed_times is not None:
            _remember_missed(unit, schedule, *due.missed_times)
        for time in due.times:
            offer(unit, schedule, time)
    if schedule.overlap is Overlap.QUEUE and schedule.paused_at is None:
        while schedule.waiting and not runs(unit, schedule):
            time, *waiting = schedule.waiting
            schedule.waiting = tuple(waiting)
            start_for(unit, schedule, time)


def _remember_missed(unit: UnitOfWork, schedule: Schedule, first: int, last: int) -> None:
    reason = "no worker was there"
    if first != last:
        reason = f"no worker was there, nor at any of its times until {rfc3339(last)}"
    remember(unit, schedule, Firing(first, unit.now, FiringOutcome.SKIPPED, None, reason))


def offer(unit: UnitOfWork, schedule: Schedule, time: int) -> Firing:
    """This time has come: start its execution, or do what the schedule does while another one runs."""
    if schedule.overlap is Overlap.ALLOW:
        return start_for(unit, schedule, time)
    running = runs(unit, schedule)
    if schedule.overlap is Overlap.QUEUE and (running or schedule.waiting):
        if len(schedule.waiting) >= MOST_WAITING:
            reason = f"{MOST_WAITING} of its times wait for their turn already"
            return remember(unit, schedule, Firing(time, unit.now, FiringOutcome.SKIPPED, None, reason))
        schedule.waiting = (*schedule.waiting, time)
        return remember(unit, schedule, Firing(time, unit.now, FiringOutcome.QUEUED, None, _still_runs(running)))
    if running:
        return remember(unit, schedule, Firing(time, unit.now, FiringOutcome.SKIPPED, None, _still_runs(running)))
    return start_for(unit, schedule, time)


def _still_runs(running: list[Execution]) -> str:
    return f"execution {running[0].name} still runs" if running else "others wait before it"


def runs(unit: UnitOfWork, schedule: Schedule) -> list[Execution]:
    """Those of its executions that run, as far as it keeps them; the others it keeps no longer."""
    if not schedule.running:
        return []
    newest = unit.tx.short_executions([id for id in schedule.running if id not in unit.executions]) | unit.executions
    running = [newest[id] for id in schedule.running if id in newest and newest[id].status is Status.RUNNING]
    schedule.running = tuple(execution.id for execution in running)
    return running


def start_for(unit: UnitOfWork, schedule: Schedule, time: int) -> Firing:
    """Start the execution of this time, unless it is there already."""
    name, ref = execution_name(schedule, time), unit.new_ref()
    try:
        version = find_workflow(unit, schedule.workflow, ref)
        _check_input(unit, schedule)
    except SmError as error:
        if isinstance(error, DatabaseError) and not isinstance(error, DamagedDefinition):
            raise
        return remember(unit, schedule, Firing(time, unit.now, FiringOutcome.REFUSED, None, error.message))
    execution = execution_named(unit, version.name, name)
    reason = None if execution is None else "it had been started before"
    if execution is None:
        execution = begin(
            unit, version, schedule.input, ref=ref, name=name, queue=schedule.queue, limits=schedule.limits,
            tags={TAG: schedule.name},
        )  # fmt: skip
    if schedule.overlap is not Overlap.ALLOW:
        schedule.running = (*schedule.running, execution.id)
    return remember(unit, schedule, Firing(time, unit.now, FiringOutcome.STARTED, execution.ref, reason))


def find_workflow(unit: UnitOfWork, workflow: str, ref: str) -> WorkflowVersion:
    """What the schedule's reference to a workflow leads to now. ref: the public id of the execution that it is for.
    Raises UsageError, NotFound, InvalidDefinition."""
    return find_version(unit, parse_reference(workflow), ref)


def _check_input(unit: UnitOfWork, schedule: Schedule) -> None:
    """Raises SmError for an input that is larger than what is kept by now."""
    try:
        check_bounds(schedule.input, unit.settings.max_payload)
    except (TooLarge, TooDeep):
        raise SmError(f"its input is larger than {unit.settings.max_payload:,} bytes (max_payload)") from None


def execution_name(schedule: Schedule, time: int) -> str:
    """`nightly-20261129T010000Z`: the time in UTC, with a fraction when it is none of the schedule's own but a moment
    at which a person wanted it."""
    text = rfc3339(time).replace("-", "").replace(":", "")
    return f"{schedule.name}-{text.replace('.000', '') if time % MICROSECONDS == 0 else text}"


def remember(unit: UnitOfWork, schedule: Schedule, firing: Firing) -> Firing:
    """Keep what became of a time, for who asks and for who follows this unit."""
    schedule.firings = (*schedule.firings, firing)[-REMEMBERED:]
    unit.firings.append((schedule, firing))
    return firing


def log_firings(unit: UnitOfWork) -> None:
    """Log, after the commit, what became of times of schedules."""
    for schedule, firing in unit.firings:
        level = logging.WARNING if firing.outcome is FiringOutcome.REFUSED else logging.INFO
        more = ": ".join(part for part in (firing.execution, firing.reason) if part)
        text = f"{firing.outcome} {more}" if more else str(firing.outcome)
        log.log(level, "schedule %s, %s: %s", schedule.name, rfc3339(firing.time), text)
