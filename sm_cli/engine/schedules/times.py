"""The times of a schedule: which comes next, which was the last, which are due.

Cron expressions are read by cronsim, which follows Debian's cron through changes of the clock: a time of day that is
skipped in spring fires right after the gap, one that comes twice in autumn fires the first time, and what fires every
hour or oftener goes on by elapsed time. Times are integer microseconds since 1970 UTC, always whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from sm_cli.engine.schedules.zones import find_zone
from sm_cli.errors import UsageError
from sm_cli.store.schedules import CatchUp, Schedule
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from cronsim import CronSim

#: A time that a worker comes to by so many microseconds too late has passed while nobody was there.
LATE = 60 * MICROSECONDS
#: So many times of one schedule are taken up at once; the others are taken up right after.
MOST = 100
#: The 1st of January of the year 9999: nothing is planned beyond.
_LAST = 253_370_764_800 * MICROSECONDS
#: So many gaps between times are measured to know the smallest.
_GAPS = 60
_LONGEST_CRON = 200


@dataclass(frozen=True, slots=True)
class DueTimes:
    """What is due of a schedule at a moment."""

    #: The times to start executions for, earliest first.
    times: list[int]
    #: The first and last of those before them that passed while nobody was there and that are left out.
    missed_times: tuple[int, int] | None
    #: The time after all these; None when there is none.
    then: int | None


def next_time(schedule: Schedule, after: int) -> int | None:
    """The first time of the schedule after this one; None when there is none. Raises UsageError where its zone does not
    exist."""
    time: int | None
    if schedule.cron is not None:
        time = next_cron(schedule.cron, schedule.zone, after)
    elif schedule.every is not None:
        time = schedule.anchor + schedule.every * max(1, (after - schedule.anchor) // schedule.every + 1)
    else:
        time = schedule.anchor if schedule.anchor > after else None
    return None if time is None or time > _LAST else time


def next_times(schedule: Schedule, after: int, count: int) -> list[int]:
    """The next times after this one, at most so many. Raises UsageError as `next_time`."""
    return list(islice(_following(schedule, next_time(schedule, after)), count))


def _following(schedule: Schedule, time: int | None) -> Iterator[int]:
    while time is not None:
        yield time
        time = next_time(schedule, time)


def _latest_time(schedule: Schedule, until: int, earliest: int) -> int:
    """The last time of the schedule until this one, and not before `earliest`, which is one of its times."""
    if schedule.cron is None:
        every = schedule.every
        return (
            earliest if every is None else max(earliest, schedule.anchor + (until - schedule.anchor) // every * every)
        )
    latest = max(earliest, _previous_cron(schedule.cron, schedule.zone, until) or earliest)
    # Where the clock is set back, what is the last by the clock on the wall is not always the last.
    for time in _following(schedule, next_time(schedule, latest)):
        if time > until:
            break
        latest = time
    return latest


def due_of(schedule: Schedule, time: int) -> int:
    """When this time is due: later by what its name and the time make of the jitter, the same everywhere."""
    if not schedule.jitter:
        return time
    digest = sha256(f"{schedule.name} {time}".encode()).digest()
    return time + (int.from_bytes(digest[:8], "big") * schedule.jitter >> 64)


def find_due(schedule: Schedule, now: int) -> DueTimes:
    """What is due now of a schedule at the next of its times. Raises UsageError as `next_time`."""
    first = schedule.next
    assert first is not None, "a schedule that is due has a time"
    on_time = now - LATE
    if schedule.catch_up is CatchUp.ALL or due_of(schedule, first) >= on_time:
        times, then = _walk(schedule, first, now)
        return DueTimes(times, None, then)
    begin = _latest_time(schedule, on_time, first)
    times, then = _walk(schedule, begin, now)
    late_times = [time for time in times if due_of(schedule, time) < on_time]
    times = times[len(late_times) :]
    # All before `begin` have passed, for the jitter is smaller than the span between two times.
    last = late_times[-1] if late_times else _latest_time(schedule, begin - 1, first) if begin > first else None
    if last is None:
        return DueTimes(times, None, then)
    if times or schedule.catch_up is CatchUp.NONE:
        return DueTimes(times, (first, last), then)
    before = None if last == first else (first, _latest_time(schedule, last - 1, first))
    return DueTimes([last], before, then)


def _walk(schedule: Schedule, begin: int, now: int) -> tuple[list[int], int | None]:
    """The times from this one on that are due now, and the one after them."""
    times: list[int] = []
    for time in _following(schedule, begin):
        if due_of(schedule, time) > now or len(times) == MOST:
            return times, time
        times.append(time)
    return times, None


def smallest_gap(schedule: Schedule, after: int) -> int | None:
    """The smallest span between two of its next times, in microseconds; None when it has only one."""
    times = next_times(schedule, after, 2 if schedule.every is not None else _GAPS)
    return min((later - earlier for earlier, later in pairwise(times)), default=None)


# -- cron ------------------------------------------------------------------------------------------


def check_cron(expression: str, zone: str, now: int) -> None:
    """Raises UsageError for what is no cron expression, or one that never fires, or a zone that does not exist."""
    find_zone(zone)
    if len(expression) > _LONGEST_CRON:
        raise UsageError(f"a cron expression has at most {_LONGEST_CRON} characters; this one has {len(expression)}")
    try:
        first = None if _is_impossible(expression, zone) else next_cron(expression, zone, now)
    except _NotCron as e:
        hint = "It has five fields: minute, hour, day of the month, month, day of the week; as in 0 2 * * 1-5."
        raise UsageError(f"{expression!r} is no cron expression: {e}", hint=hint) from None
    if first is None:
        raise UsageError(f"the cron expression {expression!r} never fires: no day is like that")


def next_cron(expression: str, zone: str, after: int) -> int | None:
    """The first time of a cron expression after this one; None when it never fires again."""
    seconds = after // MICROSECONDS
    # Where the clock is set back, times by the clock on the wall may lie before.
    for time in _simulated(expression, zone, seconds):
        if time > seconds:
            return time * MICROSECONDS
    return None


def _previous_cron(expression: str, zone: str, until: int) -> int | None:
    seconds = until // MICROSECONDS
    for time in _simulated(expression, zone, seconds + 1, reverse=True):
        if time <= seconds:
            return time * MICROSECONDS
    return None


def _simulated(expression: str, zone: str, seconds: int, *, reverse: bool = False) -> Iterator[int]:
    """Times after this one (before it, when `reverse`), in seconds. Raises _NotCron."""
    begin = datetime.fromtimestamp(seconds, find_zone(zone))
    try:
        yield from (int(time.timestamp()) for time in _simulator(expression, begin, reverse=reverse))
    except OverflowError:  # beyond the year 9999
        return


def _simulator(expression: str, begin: datetime, *, reverse: bool = False) -> CronSim:
    from cronsim import CronSim, CronSimError

    try:
        return CronSim(expression, begin, reverse)
    except (CronSimError, ValueError, AssertionError) as e:  # it takes numbers of any length and mixes of its own signs
        raise _NotCron(str(e).lower() if isinstance(e, CronSimError) else "a field cannot be read") from None


def _is_impossible(expression: str, zone: str) -> bool:
    """Whether its days and its months are right, each for themselves, and no such month has such a day."""
    *before, day, month, weekday = expression.split() if len(expression.split()) > 3 else ["", "", ""]
    return (
        not _is_cron([*before, day, month, weekday], zone)
        and _is_cron([*before, day, "*", weekday], zone)
        and _is_cron([*before, "*", month, weekday], zone)
    )


def _is_cron(fields: list[str], zone: str) -> bool:
    try:
        _simulator(" ".join(fields), datetime.fromtimestamp(0, find_zone(zone)))
    except _NotCron:
        return False
    return True


class _NotCron(ValueError):
    """What cronsim says of a text that is no cron expression."""
