"""Lists of executions: filters, cursors, facts, and map runs by what people type."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict, NotFound
from sm_cli.store.filters import cursor_of
from sm_cli.store.records import Parent
from sm_cli.views.listing import (
    ExecutionFilter,
    ExecutionPage,
    Order,
    SortKey,
    Status,
    count_executions,
    execution_facts,
    has_name,
    list_executions,
    map_run_id,
    matching_executions,
    page_after,
)
from tests.store.samples import T0, execution
from tests.views.rows import Rows, map_run


@pytest.fixture
def five() -> Rows:
    """1 to 5, started a microsecond after one another; 2 failed, 4 is of another workflow."""
    rows = Rows()
    rows.execution(1, tags={"team": "a"})
    rows.execution(3, tags={"team": "b"})
    rows.execution(2, status=Status.FAILED, error="E", closed=T0 + 12)
    rows.execution(4, workflow="billing", name="nightly 50%", tags={"size": "2", "team": "a"})
    rows.execution(5, status=Status.SUCCEEDED, output={"large": "x"}, closed=T0 + 14)
    return rows


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ExecutionFilter(), [5, 4, 3, 2, 1]),
        (ExecutionFilter(statuses=(Status.RUNNING,)), [4, 3, 1]),
        (ExecutionFilter(statuses=(Status.FAILED,)), [2]),
        (ExecutionFilter(statuses=(Status.FAILED, Status.SUCCEEDED)), [5, 2]),
        (ExecutionFilter(statuses=(Status.TIMED_OUT,)), []),
        (ExecutionFilter(workflow="billing"), [4]),
        (ExecutionFilter(workflow="Billing"), []),
        (ExecutionFilter(since=T0 + 3), [5, 4, 3]),
        (ExecutionFilter(until=T0 + 3), [2, 1]),
        (ExecutionFilter(since=T0 + 3, until=T0 + 3), []),
        (ExecutionFilter(since=T0 + 2, until=T0 + 5, statuses=(Status.RUNNING,)), [4, 3]),
        (ExecutionFilter(name_contains="name-"), [5, 3, 2, 1]),
        (ExecutionFilter(name_contains="NAME-5"), [5]),
        (ExecutionFilter(name_contains="50%"), [4]),
        (ExecutionFilter(name_contains="%"), [4]),
        (ExecutionFilter(name_contains="_"), []),
        (ExecutionFilter(workflow="order", statuses=(Status.RUNNING,)), [3, 1]),
        (ExecutionFilter(error="E"), [2]),
        (ExecutionFilter(error="e"), []),
        (ExecutionFilter(error="E", workflow="billing"), []),
        (ExecutionFilter(tags=(("team", "a"),)), [4, 1]),
        (ExecutionFilter(tags=(("team", "a"), ("size", "2"))), [4]),
        (ExecutionFilter(tags=(("team", "A"),)), []),
        (ExecutionFilter(tags=(("team", "a"),), workflow="order"), [1]),
        (ExecutionFilter(run=9), []),
    ],
)
def test_a_filter_leaves_the_newest_first(five: Rows, wanted: ExecutionFilter, ids: list[int]) -> None:
    assert [e.id for e in list_executions(five.store, wanted)] == ids
    assert count_executions(five.store, wanted) == len(ids)
    assert matching_executions(five.store, wanted) == ids[::-1]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        (Order(SortKey.STARTED, descending=True), [5, 4, 3, 2, 1]),
        (Order(SortKey.STARTED, descending=False), [1, 2, 3, 4, 5]),
        (Order(SortKey.ENDED, descending=True), [5, 2, 4, 3, 1]),
        (Order(SortKey.ENDED, descending=False), [2, 5, 1, 3, 4]),
        (Order(SortKey.DURATION, descending=True), [2, 5, 4, 3, 1]),
        (Order(SortKey.DURATION, descending=False), [5, 2, 1, 3, 4]),
        (Order(SortKey.NAME, descending=False), [1, 2, 3, 5, 4]),
        (Order(SortKey.NAME, descending=True), [4, 5, 3, 2, 1]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_in_any_order_hold_each_execution_once(five: Rows, order: Order, ids: list[int], limit: int) -> None:
    seen: list[int] = []
    page = list_executions(five.store, ExecutionFilter(), ExecutionPage(limit, order))
    while page:
        assert len(page) <= limit
        seen += [e.id for e in page]
        page = list_executions(five.store, ExecutionFilter(), ExecutionPage(limit, order, cursor_of(page[-1], order)))
    assert seen == ids


def test_a_page_stays_what_it_is_while_others_start(five: Rows) -> None:
    first = list_executions(five.store, ExecutionFilter(), ExecutionPage(2))
    five.execution(6)
    assert [
        e.id for e in list_executions(five.store, ExecutionFilter(), ExecutionPage(2, after=cursor_of(first[-1])))
    ] == [3, 2]


def test_a_page_goes_on_after_an_execution_that_a_person_names(five: Rows) -> None:
    for text in ("name-3", "ref-000003"):
        after = page_after(five.store, text, limit=1)
        assert [e.id for e in list_executions(five.store, ExecutionFilter(), after)] == [2]
    with pytest.raises(NotFound, match="no execution is 'nobody'"):
        page_after(five.store, "nobody")
    with pytest.raises(Conflict, match="'ref-' may be any of"):
        page_after(five.store, "ref-")


def test_children_of_a_map_run_are_listed_only_where_they_are_asked_for(five: Rows) -> None:
    for number in (0, 1):
        parent = Parent(1, 1, number, run=7)
        status = Status.PENDING if number else Status.RUNNING
        five.execution(6 + number, workflow="order/Each", parent=parent, tree=1, status=status)
    assert [e.id for e in list_executions(five.store, ExecutionFilter())] == [5, 4, 3, 2, 1]
    assert [e.id for e in list_executions(five.store, ExecutionFilter(run=7))] == [7, 6]
    assert [e.id for e in list_executions(five.store, ExecutionFilter(run=7, statuses=(Status.PENDING,)))] == [7]
    assert list_executions(five.store, ExecutionFilter(run=8)) == []


def test_a_list_leaves_input_and_output_out(five: Rows) -> None:
    assert {(e.id, e.input, e.output) for e in list_executions(five.store, ExecutionFilter())} == {
        (id, None, None) for id in range(1, 6)
    }


def test_an_empty_database_has_an_empty_list() -> None:
    assert list_executions(Rows().store, ExecutionFilter()) == []
    assert not has_name(Rows().store, "order", "name-1")


@pytest.mark.parametrize(
    ("workflow", "name", "is_taken"),
    [
        ("order", "name-1", True),
        ("order", "name-9", False),
        ("billing", "name-1", False),
        ("billing", "nightly 50%", True),
        ("order", "ref-000001", False),
        ("order", "name-", False),
        ("order", "", False),
    ],
)
def test_a_name_is_taken_within_its_workflow(five: Rows, workflow: str, name: str, is_taken: bool) -> None:
    assert has_name(five.store, workflow, name) is is_taken


@pytest.mark.parametrize(
    ("more", "facts"),
    [
        ({}, {"status": "RUNNING", "ended": None, "error": None, "cause": None}),
        (
            {"status": Status.FAILED, "closed": T0 + 1_500_000, "error": "E", "cause": "c"},
            {"status": "FAILED", "ended": "2026-01-01T00:00:01.500Z", "error": "E", "cause": "c"},
        ),
        ({"status": Status.PENDING}, {"status": "PENDING", "ended": None, "error": None, "cause": None}),
    ],
)
def test_the_facts_of_an_execution_are_json(more: dict[str, Any], facts: dict[str, Any]) -> None:
    assert execution_facts(execution(7, started=T0, **more)) == {
        "id": "ref-000007", "name": "name-7", "workflow": "order", "started": "2026-01-01T00:00:00.000Z", "tags": {},
        "version": None, "alias": None, **facts,
    }  # fmt: skip


def test_a_map_run_is_found_by_its_id_or_by_how_that_begins() -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_map_runs=[map_run(21), map_run(22), map_run(31)])
    assert map_run_id(rows.store, "ref-000001-21-1") == 21
    assert map_run_id(rows.store, "ref-000001-3") == 31
    with pytest.raises(Conflict) as several:
        map_run_id(rows.store, "ref-000001-2")
    assert "ref-000001-21-1" in several.value.message and "ref-000001-22-1" in several.value.message
    assert several.value.topic == "map run"


@pytest.mark.parametrize("ref", ["ref-000009-1-1", "", "%", "ref_000001", "é", "ref-000001-21-1-9"])
def test_a_map_run_that_there_is_not_is_not_found(ref: str) -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_map_runs=[map_run(21)])
    with pytest.raises(NotFound) as missing:
        map_run_id(rows.store, ref)
    assert (missing.value.topic, repr(ref) in missing.value.message) == ("map run", True)
