"""Statistics: groups, rates, durations of closed executions only, and percentiles by the nearest rank."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Execution, Parent, Status
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.numbers import percentiles as room
from sm_cli.views.numbers.percentiles import percentiles
from sm_cli.views.numbers.statistics import (
    By,
    Durations,
    Group,
    Statistics,
    durations_of,
    statistics,
    statistics_document,
)
from tests.store.samples import T0, apply, execution
from tests.views.rows import Rows

HOUR = 3600 * MICROSECONDS
NOW = T0 + 10 * HOUR
THIRTY = 30 * MICROSECONDS


def four() -> Rows:
    """Two that succeeded and one that failed, after 30 seconds each, and one that runs for 30 seconds."""
    rows = Rows()
    for id, status in enumerate((Status.SUCCEEDED, Status.SUCCEEDED, Status.FAILED, Status.RUNNING), 1):
        end = {} if status is Status.RUNNING else {"closed": T0 + id + THIRTY}
        rows.execution(id, status=status, error="E" if status is Status.FAILED else None, version=1, **end)
    return rows


def test_scenario_43_statistics() -> None:
    found = statistics(four().store, ExecutionFilter(), By.STATUS, T0 + THIRTY + 4)
    thirty = Durations(2, THIRTY, THIRTY, THIRTY, THIRTY, THIRTY)
    groups = {group.key[0]: group for group in found.groups}
    assert (groups["SUCCEEDED"].count, groups["SUCCEEDED"].durations) == (2, thirty)
    assert (groups["FAILED"].count, groups["FAILED"].failures) == (1, 1)
    assert (groups["RUNNING"].count, groups["RUNNING"].durations) == (1, None)
    assert found.total.durations is not None and found.total.durations.count == 3
    document: Any = statistics_document(found)
    assert [(each["status"], each["count"], each["average"], each["p95"]) for each in document["groups"]] == [
        ("RUNNING", 1, None, None), ("SUCCEEDED", 2, 30.0, 30.0), ("FAILED", 1, 30.0, 30.0),
    ]  # fmt: skip


def test_without_executions_there_are_no_groups_and_an_empty_total() -> None:
    found = statistics(Rows().store, ExecutionFilter(), By.STATUS, NOW)
    assert found == Statistics(By.STATUS, ("status",), NOW, NOW, [], Group((), 0, 0.0, 0, None, None, None))
    for by in By:
        assert statistics(Rows().store, ExecutionFilter(workflow="none"), by, NOW).groups == []


def many(count: int = 400) -> list[Execution]:
    chance = random.Random(11)
    made = []
    for id in range(1, count + 1):
        status = chance.choice([*Status][1:])
        more: dict[str, Any] = {"status": status, "started": T0 + chance.randrange(6) * HOUR + id}
        if status is not Status.RUNNING:
            more["closed"] = more["started"] + chance.randrange(5 * MICROSECONDS)
        if status in (Status.FAILED, Status.TIMED_OUT):
            more["error"] = chance.choice(["E", "F"])
        more |= {"workflow": chance.choice("ab"), "version": chance.choice([None, 1, 2])}
        more["tags"] = {"team": chance.choice("xy")}
        made.append(execution(id, **more))
    return made


KEYS: dict[By, Callable[[Execution], tuple[Any, ...]]] = {
    By.STATUS: lambda e: (e.status.value,),
    By.WORKFLOW: lambda e: (e.workflow,),
    By.VERSION: lambda e: (e.workflow, e.version),
    By.ERROR: lambda e: (e.error,),
    By.HOUR: lambda e: (e.started // HOUR,),
}
FILTERS: list[tuple[ExecutionFilter, Callable[[Execution], bool]]] = [
    (ExecutionFilter(), lambda e: True),
    (ExecutionFilter(workflow="a"), lambda e: e.workflow == "a"),
    (ExecutionFilter(statuses=(Status.FAILED,)), lambda e: e.status is Status.FAILED),
    (ExecutionFilter((Status.SUCCEEDED,), "b"), lambda e: (e.status, e.workflow) == ("SUCCEEDED", "b")),
    (ExecutionFilter(statuses=(Status.FAILED, Status.ABORTED)), lambda e: e.status in ("FAILED", "ABORTED")),
    (ExecutionFilter(since=T0 + HOUR, until=T0 + 3 * HOUR), lambda e: T0 + HOUR <= e.started < T0 + 3 * HOUR),
    (ExecutionFilter(error="F"), lambda e: e.error == "F"),
    (ExecutionFilter(error="F", workflow="a"), lambda e: (e.error, e.workflow) == ("F", "a")),
    (ExecutionFilter(tags=(("team", "x"),)), lambda e: e.tags["team"] == "x"),
    (ExecutionFilter(name_contains="name-1"), lambda e: "name-1" in e.name),
]  # fmt: skip


@pytest.mark.parametrize("by", KEYS)
def test_every_group_is_what_a_person_would_count(by: By) -> None:
    rows, executions = Rows(), many()
    apply(rows.store, new_executions=executions)
    for filter, is_meant in FILTERS:
        meant = [e for e in executions if is_meant(e) and (by is not By.ERROR or e.error is not None)]
        found = statistics(rows.store, filter, by, NOW)
        groups = {group.key: group for group in found.groups if group.count}
        assert groups.keys() == {KEYS[by](e) for e in meant}, filter
        for key, group in [*groups.items(), ((), found.total)]:
            mine = [e for e in meant if key in (KEYS[by](e), ())]
            assert group.count == len(mine)
            assert group.failures == sum(e.status in ("FAILED", "TIMED_OUT") for e in mine)
            assert group.first == min((e.started for e in mine), default=None)
            assert group.last == max((e.started for e in mine), default=None)
            assert group.durations == durations_of([e.closed - e.started for e in mine if e.closed is not None])


def test_children_of_map_runs_are_counted_only_where_those_of_one_are_asked_for() -> None:
    rows = four()
    rows.execution(9, workflow="order/Each", parent=Parent(1, 1, 0, run=7), status=Status.SUCCEEDED, closed=T0 + 10)
    assert statistics(rows.store, ExecutionFilter(), By.STATUS, NOW).total.count == 4
    assert statistics(rows.store, ExecutionFilter(run=7), By.WORKFLOW, NOW).total.count == 1


def test_a_rate_is_over_the_time_that_is_looked_at() -> None:
    rows = Rows()
    for id in range(1, 13):
        rows.execution(id, started=T0 + (id % 3) * HOUR + 1)
    whole = statistics(rows.store, ExecutionFilter(since=T0), By.WORKFLOW, T0 + 4 * HOUR)
    assert (whole.since, whole.until, whole.total.rate) == (T0, T0 + 4 * HOUR, 3.0)
    assert statistics(rows.store, ExecutionFilter(), By.WORKFLOW, T0 + 4 * HOUR + 1).total.rate == 3.0
    part = statistics(rows.store, ExecutionFilter(since=T0 + HOUR, until=T0 + 3 * HOUR), By.WORKFLOW, NOW)
    assert (part.total.count, part.total.rate) == (8, 4.0)
    ahead = statistics(rows.store, ExecutionFilter(since=T0, until=T0 + 9 * HOUR), By.WORKFLOW, T0 + 4 * HOUR)
    assert (ahead.until, ahead.total.rate) == (T0 + 4 * HOUR, 3.0)


def test_an_hour_in_which_nothing_began_stands_between_the_others() -> None:
    rows = Rows()
    rows.execution(1, started=T0 + 1)
    rows.execution(2, started=T0 + 3 * HOUR)
    found = statistics(rows.store, ExecutionFilter(since=T0, until=T0 + 3 * HOUR + HOUR // 2), By.HOUR, NOW)
    assert [(group.key[0], group.count, group.first) for group in found.groups] == [
        (T0 // HOUR, 1, T0 + 1), (T0 // HOUR + 1, 0, None), (T0 // HOUR + 2, 0, None),
        (T0 // HOUR + 3, 1, T0 + 3 * HOUR),
    ]  # fmt: skip
    assert [group.rate for group in found.groups] == [1.0, 0.0, 0.0, 2.0]
    document: Any = statistics_document(found)
    assert [each["hour"][11:16] for each in document["groups"]] == ["00:00", "01:00", "02:00", "03:00"]


def test_years_without_executions_are_not_told_hour_by_hour() -> None:
    rows = Rows()
    rows.execution(1, started=T0)
    rows.execution(2, started=T0 + 20_000 * HOUR)
    assert len(statistics(rows.store, ExecutionFilter(), By.HOUR, T0 + 20_001 * HOUR).groups) == 2


def test_a_redriven_execution_counts_once_and_as_it_ended_last() -> None:
    rows = Rows()
    rows.execution(1, status=Status.FAILED, error="E", closed=T0 + 10)
    apply(rows.store, executions=[execution(1, status=Status.RUNNING, redrives=1)])
    assert statistics(rows.store, ExecutionFilter(), By.STATUS, NOW).total.durations is None
    apply(rows.store, executions=[execution(1, status=Status.SUCCEEDED, closed=T0 + 101, redrives=1)])
    found = statistics(rows.store, ExecutionFilter(), By.STATUS, NOW)
    assert [(group.key, group.count, group.durations) for group in found.groups] == [
        (("SUCCEEDED",), 1, Durations(1, 100, 100, 100, 100, 100))
    ]


def test_what_was_pruned_counts_no_more() -> None:
    rows = four()
    apply(rows.store, executions_gone=[1, 3])
    found = statistics(rows.store, ExecutionFilter(), By.STATUS, NOW)
    assert {group.key[0]: group.count for group in found.groups} == {"RUNNING": 1, "SUCCEEDED": 1}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([7], [7, 7, 7]),
        ([2, 1], [1, 2, 2]),
        ([3, 1, 2], [2, 3, 3]),
        ([*range(1, 101)], [50, 95, 99]),
        ([*range(100, 0, -1)], [50, 95, 99]),
        ([*range(1, 1001)], [500, 950, 990]),
        ([0] * 99 + [5], [0, 0, 0]),
        ([0] * 98 + [5, 5], [0, 0, 5]),
    ],
)
def test_a_percentile_is_the_nearest_rank(numbers: list[int], expected: list[int]) -> None:
    assert percentiles(numbers, (50, 95, 99)) == expected


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 30) | st.integers(0, 10**9), min_size=1, max_size=300),
    parts=st.lists(st.integers(1, 100), min_size=1, max_size=4),
    order=st.sampled_from(["as they are", "up", "down", "in waves"]),
)
def test_many_numbers_give_what_all_of_them_in_order_give(numbers: list[int], parts: list[int], order: str) -> None:
    if order == "in waves":
        numbers = [numbers[i] for first in range(7) for i in range(first, len(numbers), 7)]
    elif order != "as they are":
        numbers.sort(reverse=order == "down")
    expected = percentiles(numbers, parts)
    few, sample, around = room._FEW, room._SAMPLE, room._AROUND
    room._FEW, room._SAMPLE, room._AROUND = 5, 20, 2
    try:
        assert percentiles(numbers, parts) == expected
    finally:
        room._FEW, room._SAMPLE, room._AROUND = few, sample, around
