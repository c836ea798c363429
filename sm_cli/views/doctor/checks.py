"""The checks, in the order in which they are told. A new one is a function and a line in the table below.

Each reads from a snapshot of its own and is bounded: a doctor who is asked while workers are busy holds nobody up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sm_cli.asl.resources import INTERNAL, serving
from sm_cli.engine.schedules.zones import find_zone
from sm_cli.errors import UsageError
from sm_cli.store.schedules import FiringOutcome
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.actions import Action, Do
from sm_cli.views.doctor.database import check_address, check_clock, check_place, check_writing
from sm_cli.views.doctor.findings import DoctorFinding, Examination, Found, Severity
from sm_cli.views.doctor.resources import check_resources
from sm_cli.views.operating.workforce import worker_rows
from sm_cli.views.schedules.reasons import PATIENCE
from sm_cli.views.tasks import polled_activity
from sm_cli.views.why import working

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.sql.questions import Questions

Check: TypeAlias = Callable[[Examination], Found]

#: Microseconds for which a job may wait although workers are there: they may be busy.
_JOB_WAITS = 60 * MICROSECONDS
#: So many of a kind are named.
_MOST = 5
#: So many tasks of a kind are counted.
_COUNTED = 1000


def examine(
    engine: Engine, *, time_text: Callable[[int], str], handlers: Collection[str] | None = None
) -> list[DoctorFinding]:
    """What the checks find, in their order; each says at least one sentence."""
    examination = Examination(engine, engine.clock.now(), time_text, handlers, working(engine))
    return [
        DoctorFinding(name, severity, text, action)
        for name, check in CHECKS.items()
        for severity, text, action in check(examination)
    ]


def check_queues(examination: Examination) -> Found:
    """Tasks in queues, or for handlers, that no running worker serves; who is there says what it serves."""
    serving_workers: list[Any] = [worker.serves for worker in examination.workers if worker.serves is not None]
    if not serving_workers or len(serving_workers) < len(examination.workers):
        yield Severity.FINE, "no task waits that running workers would not take", None
        return
    bad = 0
    with examination.engine.store.read() as questions:
        resources = _resources_of_workers(examination, questions)
        waiting = {(resource, queue) for resource in resources for queue, _ in questions.free_of(resource, _COUNTED)}
    for resource, queue in sorted(waiting):
        if resource.startswith(INTERNAL) or any(_takes(each, resource, queue) for each in serving_workers):
            continue
        bad += 1
        if bad <= _MOST:
            text = f"tasks for {resource!r} in queue {queue!r} wait, and no running worker serves both"
            yield Severity.BROKEN, text, Action(Do.START_WORKER)
    if not bad:
        yield Severity.FINE, "no task waits that running workers would not take", None


def _resources_of_workers(examination: Examination, questions: Questions) -> list[str]:
    """What free jobs wait for, without activities, whose tasks go to whoever polls them."""

    def is_activity(resource: str) -> bool:
        jobs = questions.claimable(examination.now, 1, resources=frozenset({resource}))
        return bool(jobs) and polled_activity(examination.engine, questions, jobs[0]) is not None

    return [resource for resource in questions.waiting_resources() if not is_activity(resource)]


def _takes(serves: Any, resource: str, queue: str) -> bool:
    queues, handlers = serves["queues"], serves["handlers"]
    return (queues is None or queue in queues) and serving(resource, handlers) is not None and serves["tree"] is None


def check_workers(examination: Examination) -> Found:
    """Whether somebody is there for the work that there is."""
    names = [worker.name for worker in examination.workers]
    if names:
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        yield Severity.FINE, f"{_count(len(names), 'worker')} running: {', '.join(names[:_MOST])}{more}", None
        return
    with examination.engine.store.read() as questions:
        due = questions.next_due()
        is_due = due is not None and due < examination.now
        waits = is_due or questions.has_ready() or bool(_resources_of_workers(examination, questions))
    if waits:
        yield Severity.BROKEN, "no worker is running, and there is work to do", Action(Do.START_WORKER)
    elif due is not None:
        when = examination.time_text(due)
        yield Severity.WARNING, f"no worker is running, and there is work to do at {when}", Action(Do.START_WORKER)
    else:
        yield Severity.FINE, "no worker is running, and there is nothing to do", None


def check_silent_workers(examination: Examination) -> Found:
    """Workers that ended without striking themselves off, or that say nothing."""
    rows = [row for row in worker_rows(examination.engine) if row.state != "running"]
    for row in rows[:_MOST]:
        record, seen = row.record, examination.time_text(row.record.seen)
        if row.state == "dead":
            text = f"worker {record.name} of {record.host} ended without saying so, last seen at {seen}"
            yield Severity.FINE, f"{text}; another one takes its tasks", None
        else:
            text = f"worker {record.name} of {record.host} (process {record.pid}) has said nothing since {seen}"
            text += f" and has {_count(row.jobs, 'task')}" if row.jobs else ""
            yield Severity.WARNING, f"{text}: look whether its machine is there; others take over when leases end", None
    if len(rows) > _MOST:
        yield Severity.WARNING, f"and {len(rows) - _MOST} more workers are silent or dead", None
    if not rows:
        yield Severity.FINE, "every worker that is written down is there", None


def check_jobs(examination: Examination) -> Found:
    """Tasks that nobody does."""
    with examination.engine.store.read() as questions:
        oldest = {
            resource: (
                jobs[0].available, len(questions.free_of(resource, _COUNTED)),
                polled_activity(examination.engine, questions, jobs[0]),
            )
            for resource in questions.waiting_resources()
            if (jobs := questions.claimable(examination.now, 1, resources=frozenset({resource})))
        }  # fmt: skip
    bad = 0
    for resource, (since, count, activity) in oldest.items():
        waits = f"{_count(count, 'task')} for {resource!r} wait{'s' if count == 1 else ''}"
        waits += f" since {examination.time_text(since)}"
        handlers = examination.handlers
        if activity is not None and (handlers is None or serving(resource, handlers) is None):
            bad += 1
            yield Severity.WARNING, f"{waits}, and nobody polls this activity", Action(Do.POLL_ACTIVITY, (activity,))
        elif handlers is not None and not resource.startswith(INTERNAL) and serving(resource, handlers) is None:
            bad += 1
            yield Severity.BROKEN, f"{waits}, and there is no handler of that name", Action(Do.START_WORKER)
        elif examination.workers and examination.now - since > _JOB_WAITS:
            bad += 1
            text = f"{waits}, and no worker takes {'it' if count == 1 else 'them'}: none has the handler or a free slot"
            yield Severity.WARNING, text, None
    if not bad:
        yield Severity.FINE, "no task waits for a handler that is not there", None


def check_schedules(examination: Examination) -> Found:
    """Schedules that do not fire, or that start nothing."""
    schedules = examination.engine.schedules.list()
    bad = 0
    for schedule in schedules:
        name, late = schedule.name, PATIENCE if examination.workers else 0
        if schedule.due is not None and schedule.due < examination.now - late:
            bad += 1
            text = f"schedule {name} has been due since {examination.time_text(schedule.due)}"
            who = "no worker gets to it" if examination.workers else "no worker is running"
            yield Severity.BROKEN, f"{text}, and {who}", Action(Do.START_WORKER)
        last = schedule.firings[-1] if schedule.firings else None
        if last is not None and last.outcome is FiringOutcome.REFUSED:
            bad += 1
            text = f"schedule {name} could not start its workflow at {examination.time_text(last.time)}: {last.reason}"
            yield Severity.BROKEN, text, Action(Do.SHOW_SCHEDULE, (name,))
        try:
            find_zone(schedule.zone)
        except UsageError as e:
            bad += 1
            yield Severity.BROKEN, f"schedule {name} cannot fire here: {e.message}", Action(Do.SHOW_SCHEDULE, (name,))
    if not bad and schedules:
        yield Severity.FINE, f"{_count(len(schedules), 'schedule')}, none of them late or refused", None
    elif not bad:
        yield Severity.FINE, "there are no schedules", None


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


CHECKS: Mapping[str, Check] = {
    "database": check_address,
    "place": check_place,
    "writing": check_writing,
    "clock": check_clock,
    "workers": check_workers,
    "silent": check_silent_workers,
    "tasks": check_jobs,
    "queues": check_queues,
    "resources": check_resources,
    "schedules": check_schedules,
}
