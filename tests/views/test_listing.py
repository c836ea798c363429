"""Lists of executions: filters, cursors, facts, and map runs by what people type."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict, NotFound
from sm_cli.store.records import Parent
from sm_cli.views.listing import ExecutionFilter, Status, execution_facts, has_name, list_executions, map_run_id
from tests.store.samples import T0, execution
from tests.views.rows import Rows, map_run


@pytest.fixture
def five() -> Rows:
    """1 to 5, started a microsecond after one another; 2 failed, 4 is of another workflow."""
    rows = Rows()
    for id in (1, 3):
        rows.execution(id)
    rows.closed(2, Status.FAILED, error="E")
    rows.execution(4, workflow="billing", name="nightly 50%")
    rows.closed(5, output={"large": "x"})
    return rows


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ExecutionFilter(), [5, 4, 3, 2, 1]),
        (ExecutionFilter(limit=2), [5, 4]),
        (ExecutionFilter(limit=2, before_id=4), [3, 2]),
        (ExecutionFilter(before_id=1), []),
        (ExecutionFilter(before_id=2**40), [5, 4, 3, 2, 1]),
        (ExecutionFilter(status=Status.RUNNING), [4, 3, 1]),
        (ExecutionFilter(status=Status.FAILED), [2]),
        (ExecutionFilter(status=Status.TIMED_OUT), []),
        (ExecutionFilter(workflow="billing"), [4]),
        (ExecutionFilter(workflow="Billing"), []),
        (ExecutionFilter(since=T0 + 3), [5, 4, 3]),
        (ExecutionFilter(until=T0 + 3), [2, 1]),
        (ExecutionFilter(since=T0 + 3, until=T0 + 3), []),
        (ExecutionFilter(since=T0 + 2, until=T0 + 5, status=Status.RUNNING), [4, 3]),
        (ExecutionFilter(name_contains="name-"), [5, 3, 2, 1]),
        (ExecutionFilter(name_contains="50%"), [4]),
        (ExecutionFilter(name_contains="%"), [4]),
        (ExecutionFilter(name_contains="_"), []),
        (ExecutionFilter(workflow="order", status=Status.RUNNING, limit=1), [3]),
        (ExecutionFilter(run=9), []),
    ],
)
def test_a_filter_leaves_the_newest_first(five: Rows, wanted: ExecutionFilter, ids: list[int]) -> None:
    assert [e.id for e in list_executions(five.store, wanted)] == ids


def test_pages_by_cursor_hold_each_execution_once(five: Rows) -> None:
    seen: list[int] = []
    page = list_executions(five.store, ExecutionFilter(limit=2))
    while page:
        seen += [e.id for e in page]
        page = list_executions(five.store, ExecutionFilter(limit=2, before_id=seen[-1]))
    assert seen == [5, 4, 3, 2, 1]


def test_children_of_a_map_run_are_listed_only_where_they_are_asked_for(five: Rows) -> None:
    for number in (0, 1):
        parent = Parent(1, 1, number, run=7)
        status = Status.PENDING if number else Status.RUNNING
        five.execution(6 + number, workflow="order/Each", parent=parent, tree=1, status=status)
    assert [e.id for e in list_executions(five.store, ExecutionFilter())] == [5, 4, 3, 2, 1]
    assert [e.id for e in list_executions(five.store, ExecutionFilter(run=7))] == [7, 6]
    assert [e.id for e in list_executions(five.store, ExecutionFilter(run=7, status=Status.PENDING))] == [7]
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
        ({}, {"status": "RUNNING", "closed": None, "error": None, "cause": None}),
        (
            {"status": Status.FAILED, "closed": T0 + 1_500_000, "error": "E", "cause": "c"},
            {"status": "FAILED", "closed": "2026-01-01T00:00:01.500Z", "error": "E", "cause": "c"},
        ),
        ({"status": Status.PENDING}, {"status": "PENDING", "closed": None, "error": None, "cause": None}),
    ],
)
def test_the_facts_of_an_execution_are_json(more: dict[str, Any], facts: dict[str, Any]) -> None:
    assert execution_facts(execution(7, started=T0, **more)) == {
        "id": "ref-000007", "name": "name-7", "workflow": "order", "started": "2026-01-01T00:00:00.000Z", **facts,
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
