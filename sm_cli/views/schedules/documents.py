"""Schedules as documents: what they say, their next times, and what became of the last ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sm_cli.engine.schedules.times import next_times
from sm_cli.engine.schedules.zones import UTC_NAME, find_zone, local_zone
from sm_cli.errors import UsageError
from sm_cli.store.schedules import CatchUp, Firing, FiringOutcome, Overlap, Schedule
from sm_cli.timestamps import MICROSECONDS, rfc3339

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.jsonvalue import Json
    from sm_cli.store.records import Execution

__all__ = ["UTC_NAME", "CatchUp", "Firing", "FiringOutcome", "Overlap", "Schedule", "find_zone", "local_zone"]

#: So many of its next times are told.
NEXT_TIMES = 3


def schedule_status(schedule: Schedule) -> str:
    """ACTIVE, PAUSED, or ENDED: none of its times is still to come."""
    return "PAUSED" if schedule.paused_at is not None else "ENDED" if schedule.is_over else "ACTIVE"


def times_to_come(schedule: Schedule, count: int = NEXT_TIMES) -> list[int]:
    """Its next times, at most so many; none while it is paused, and where its zone is not known."""
    if schedule.next is None:
        return []
    try:
        return [schedule.next, *next_times(schedule, schedule.next, count - 1)]
    except UsageError:
        return [schedule.next]


def when_text(schedule: Schedule) -> str:
    """`0 2 * * 1-5 Europe/Berlin`, `every 15m`, `once 2026-12-24 18:00 Europe/Berlin`."""
    if schedule.cron is not None:
        return f"{schedule.cron} {schedule.zone}"
    if schedule.every is not None:
        return f"every {span_text(schedule.every)}"
    try:
        moment = datetime.fromtimestamp(schedule.anchor // MICROSECONDS, find_zone(schedule.zone))
    except UsageError:
        return f"once {seconds_text(schedule.anchor)}"
    return f"once {moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + f" {schedule.zone}"


def span_text(microseconds: int) -> str:
    """`90s`, `15m`, `1h30m`, `2d`: as a person writes it."""
    left, text = microseconds // MICROSECONDS, ""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def seconds_text(microseconds: int) -> str:
    """RFC 3339 in UTC, to the second."""
    return rfc3339(microseconds).replace(".000Z", "Z")


def last_executions(engine: Engine, schedules: list[Schedule]) -> dict[str, Execution]:
    """The executions that their newest firings started, by their ids; those that are gone are left out."""
    refs = [s.firings[-1].execution for s in schedules if s.firings and s.firings[-1].execution is not None]
    with engine.store.read() as questions:
        return {execution.ref: execution for ref in refs for execution in questions.find(ref)}


def schedule_document(schedule: Schedule, executions: dict[str, Execution]) -> dict[str, Json]:
    """What a list knows of it. executions: as `last_executions` has them. Times are RFC 3339, UTC; spans seconds."""
    last = schedule.firings[-1] if schedule.firings else None
    return {
        "name": schedule.name,
        "workflow": schedule.workflow,
        "status": schedule_status(schedule),
        "cron": schedule.cron,
        "zone": schedule.zone if schedule.every is None else None,
        "every": None if schedule.every is None else schedule.every // MICROSECONDS,
        "at": seconds_text(schedule.anchor) if schedule.cron is None and schedule.every is None else None,
        "overlap": schedule.overlap.value,
        "catch_up": schedule.catch_up.value,
        "jitter": schedule.jitter // MICROSECONDS,
        "queue": schedule.queue,
        "next_times": [*map(seconds_text, times_to_come(schedule))],
        "due": None if schedule.due is None else rfc3339(schedule.due),
        "waiting": len(schedule.waiting),
        "last_firing": None if last is None else firing_document(last, executions),
    }


def firing_document(firing: Firing, executions: dict[str, Execution]) -> dict[str, Json]:
    """What became of one time, and of its execution as far as that is there."""
    execution = executions.get(firing.execution or "")
    return {
        "time": rfc3339(firing.time),
        "at": rfc3339(firing.at),
        "outcome": firing.outcome.value,
        "execution_id": firing.execution,
        "execution_status": None if execution is None else execution.status.value,
        "reason": firing.reason,
    }


def firing_executions(engine: Engine, schedule: Schedule) -> dict[str, Execution]:
    """The executions that its newest firings started, by their ids; those that are gone are left out."""
    refs = [firing.execution for firing in schedule.firings if firing.execution is not None]
    with engine.store.read() as questions:
        return {execution.ref: execution for ref in refs for execution in questions.find(ref)}


def whole_document(engine: Engine, schedule: Schedule) -> dict[str, Json]:
    """All that is known of one schedule: also its input, and what became of its newest times, the newest first."""
    executions = firing_executions(engine, schedule)
    return {
        **schedule_document(schedule, executions),
        "created": rfc3339(schedule.created),
        "paused_since": None if schedule.paused_at is None else rfc3339(schedule.paused_at),
        "waiting_times": [*map(seconds_text, schedule.waiting)],
        "input": schedule.input,
        "firings": [firing_document(firing, executions) for firing in reversed(schedule.firings)],
    }
