"""Statistics of executions: how many, how often, how long, in groups; each answer from one snapshot.

Durations are those of closed executions, from start to end, and percentiles are exact: the smallest duration that
at least so many of a hundred do not exceed (the nearest rank).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Status
from sm_cli.store.statistics import By, GroupKey, Measured, StateMeasured
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.views.numbers.percentiles import percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sm_cli.store.protocol import Store

__all__ = ["By", "Durations", "Group", "Statistics", "statistics", "statistics_document"]

_HOUR = 3600 * MICROSECONDS
#: Hours without any execution are shown between others, in a time of at most so many.
_HOURS = 31 * 24
_STATUSES = [status.value for status in Status]


@dataclass(frozen=True, slots=True)
class Durations:
    """Of the executions of a group that are closed; microseconds."""

    #: How many there are, at least one.
    count: int
    #: Their mean.
    average: int
    #: The median.
    p50: int
    #: 95 of 100 took no longer.
    p95: int
    #: 99 of 100 took no longer.
    p99: int
    #: The longest.
    max: int


@dataclass(frozen=True, slots=True)
class Work:
    """What the visits of a state were spent with; spans in microseconds, over all of them."""

    #: How often the state was tried again after an error.
    retries: int
    #: For how long workers had its tasks.
    working: int
    #: All else: for a worker, a message, a callback, a time, the next attempt, what the state has started.
    waiting: int


@dataclass(frozen=True, slots=True)
class Group:
    """Executions, or visits of a state, that have something in common."""

    #: That, in the order of `Statistics.heads`.
    key: GroupKey
    #: How many.
    count: int
    #: How many an hour, over the time that is looked at.
    rate: float
    #: How many of them are FAILED or TIMED_OUT.
    failures: int
    #: None when none of them is closed.
    durations: Durations | None
    #: When the first of them was started, microseconds since 1970 UTC; None when there is none.
    first: int | None
    #: When the last of them was started.
    last: int | None
    #: Of visits of states; None of executions.
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a filter means, in numbers."""

    #: What the groups are made by.
    by: By
    #: What the parts of a key are called.
    heads: tuple[str, ...]
    #: The time that is looked at begins, microseconds since 1970 UTC: as the filter says, or with the first execution.
    since: int
    #: And ends: as the filter says, or now.
    until: int
    #: In the order of their keys: of statuses as they follow one another, of hours; else the largest first.
    groups: list[Group]
    #: All of them together.
    total: Group


def statistics(store: Store, filter: ExecutionFilter, by: By, now: int) -> Statistics:
    """Statistics of the executions that are meant, in groups. now: microseconds since 1970 UTC."""
    if by is By.STATE:
        return _of_states(store, filter, now)
    with store.read() as questions:
        groups = questions.measure(filter, by)
    since, until = _window(filter, now, [group.first for group in groups])
    window = since, max(until, since + MICROSECONDS)
    heads = ("workflow", "version") if by is By.VERSION else (by.value,)
    in_order = _in_order(_with_empty_hours(groups) if by is By.HOUR else groups, by)
    return Statistics(by, heads, since, until, [_group(each, _hours(each, by, window)) for each in in_order],
                      _group(_sum(groups), (window[1] - window[0]) / _HOUR))  # fmt: skip


def _window(filter: ExecutionFilter, now: int, starts: Sequence[int]) -> tuple[int, int]:
    until = now if filter.until is None else min(filter.until, now)
    return min(starts, default=until) if filter.since is None else filter.since, until


def _of_states(store: Store, filter: ExecutionFilter, now: int) -> Statistics:
    with store.read() as questions:
        states = [state for state in questions.measure_states(filter) if state.visits or state.retries]
    since, until = _window(filter, now, [state.first for state in states])
    hours = max(until - since, MICROSECONDS) / _HOUR
    states.sort(key=lambda state: (state.workflow, -state.visits, state.state))
    groups = [_visits((state.workflow, state.state), [state], hours) for state in states]
    return Statistics(By.STATE, ("workflow", "state"), since, until, groups, _visits((), states, hours))


def _visits(key: GroupKey, states: Sequence[StateMeasured], hours: float) -> Group:
    count = sum(state.visits for state in states)
    durations = [duration for state in states for duration in state.durations]
    working = sum(state.working for state in states)
    retries = sum(state.retries for state in states)
    return Group(
        key, count, count / hours, sum(state.failures for state in states), durations_of(durations),
        min((state.first for state in states), default=None), max((state.last for state in states), default=None),
        Work(retries, working, max(0, sum(durations) - working)),
    )  # fmt: skip


def _in_order(groups: list[Measured], by: By) -> list[Measured]:
    if by is By.STATUS:
        return sorted(groups, key=lambda group: _STATUSES.index(str(group.key[0])))
    if by is By.HOUR:
        return sorted(groups, key=lambda group: group.key[0] or 0)
    if by is By.VERSION:
        return sorted(groups, key=lambda group: (str(group.key[0]), group.key[1] or 0))
    return sorted(groups, key=lambda group: (-group.executions, str(group.key[0])))


def _with_empty_hours(groups: list[Measured]) -> list[Measured]:
    hours = {int(group.key[0] or 0) for group in groups}
    if not hours or max(hours) - min(hours) >= _HOURS:
        return groups
    return groups + [Measured((hour,), 0, 0, 0, 0, []) for hour in range(min(hours), max(hours)) if hour not in hours]


def _hours(group: Measured, by: By, window: tuple[int, int]) -> float:
    """How long the time is that the group is counted in: that which is looked at, or what an hour has of it."""
    begin, end = window
    if by is By.HOUR:
        begin, end = max(begin, int(group.key[0] or 0) * _HOUR), min(end, (int(group.key[0] or 0) + 1) * _HOUR)
    return max(end - begin, MICROSECONDS) / _HOUR


def _sum(groups: Sequence[Measured]) -> Measured:
    durations = [duration for group in groups for duration in group.durations]
    return Measured(
        (), sum(group.executions for group in groups), sum(group.failures for group in groups),
        min((group.first for group in groups), default=0), max((group.last for group in groups), default=0), durations,
    )  # fmt: skip


def _group(group: Measured, hours: float) -> Group:
    is_empty = group.executions == 0
    return Group(
        group.key, group.executions, group.executions / hours, group.failures, durations_of(group.durations),
        None if is_empty else group.first, None if is_empty else group.last,
    )  # fmt: skip


def durations_of(durations: list[int]) -> Durations | None:
    """Of durations in any order, microseconds; None when there are none."""
    if not durations:
        return None
    count = len(durations)
    p50, p95, p99 = percentiles(durations, (50, 95, 99))
    return Durations(count, round(sum(durations) / count), p50, p95, p99, max(durations))


def statistics_document(result: Statistics) -> dict[str, Json]:
    """As JSON: times RFC 3339, UTC; durations in seconds; rates an hour."""
    return {
        "by": result.by.value,
        "since": rfc3339(result.since),
        "until": rfc3339(result.until),
        "groups": [group_document(result, group) for group in result.groups],
        "total": group_document(result, result.total),
    }


def group_document(result: Statistics, group: Group) -> dict[str, Json]:
    """One group as JSON, its key by the names of its parts."""
    key: dict[str, Json] = dict(zip(result.heads, group.key, strict=False))
    if result.by is By.HOUR and group.key:
        key["hour"] = rfc3339(int(group.key[0] or 0) * _HOUR)
    spans = group.durations
    document = key | {
        "count": group.count,
        "rate_per_hour": round(group.rate, 3),
        "failed": group.failures,
        "ended": 0 if spans is None else spans.count,
        "average": None if spans is None else _seconds(spans.average),
        "p50": None if spans is None else _seconds(spans.p50),
        "p95": None if spans is None else _seconds(spans.p95),
        "p99": None if spans is None else _seconds(spans.p99),
        "max": None if spans is None else _seconds(spans.max),
        "first": None if group.first is None else rfc3339(group.first),
        "last": None if group.last is None else rfc3339(group.last),
    }
    if group.work is None:
        return document
    work = {"retries": group.work.retries, "working": _seconds(group.work.working)}
    return document | work | {"waiting": _seconds(group.work.waiting)}


def _seconds(microseconds: int) -> float:
    return round(microseconds / MICROSECONDS, 6)
