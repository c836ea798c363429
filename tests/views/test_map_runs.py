"""Map runs: found by what people type, and counted as AWS's DescribeMapRun counts."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict, NotFound
from sm_cli.interpreter.frame import Join
from sm_cli.store.records import Status
from sm_cli.views.map_runs import find_map_runs, map_run_document, pending, refs_of, running
from tests.store.samples import T0
from tests.views.rows import Rows, map_run

#: 10 items in 5 children: 4 made, 3 started, 2 closed, one of them failed with its 2 items.
JOIN = Join(
    10,
    3,
    4,
    started=3,
    succeeded=1,
    failed=1,
    activation=1,
    made_children=4,
    read_items=8,
    settled_items=4,
    failed_items=2,
)


@pytest.fixture
def rows() -> Rows:
    """Executions 1 and 2 with two map runs and one."""
    made = Rows()
    made.execution(1)
    made.execution(2)
    made.put(new_map_runs=[map_run(21), map_run(22), map_run(31, execution=2)])
    return made


@pytest.mark.parametrize(
    ("which", "limit", "ids"),
    [
        (None, 50, [31, 22, 21]),
        (None, 2, [31, 22]),
        ("ref-000001", 50, [22, 21]),
        ("ref-000001", 1, [22]),
        ("name-2", 50, [31]),
        ("ref-000001-21-1", 50, [21]),
        ("ref-000002-3", 50, [31]),
        ("@last", 50, [31]),
        ("arn:aws:states:us-east-1:1:mapRun:order/Each:ref-000001-21-1", 50, [21]),
    ],
)
def test_runs_are_found_by_execution_and_by_their_own_id(
    rows: Rows, which: str | None, limit: int, ids: list[int]
) -> None:
    assert [run.id for run in find_map_runs(rows.engine, which, limit)] == ids


@pytest.mark.parametrize("which", ["nobody", "ref-000009", "ref-000001-99-1", "", "%"])
def test_what_is_neither_is_not_found(rows: Rows, which: str) -> None:
    with pytest.raises((NotFound, Conflict)) as missing:
        find_map_runs(rows.engine, which)
    assert missing.value.message


def test_an_execution_without_runs_has_none(rows: Rows) -> None:
    rows.execution(3)
    assert find_map_runs(rows.engine, "ref-000003") == []
    assert find_map_runs(Rows().engine, None) == []


def test_the_executions_of_runs_have_their_public_ids(rows: Rows) -> None:
    assert refs_of(rows.engine, find_map_runs(rows.engine, None)) == {1: "ref-000001", 2: "ref-000002"}
    assert refs_of(rows.engine, []) == {}
    assert refs_of(rows.engine, [map_run(40, execution=99)]) == {}


def test_a_run_under_way_counts_items_and_children() -> None:
    document = map_run_document(map_run(5, join=JOIN, redrives=2), "ref-000001")
    assert document == {
        "id": "ref-000001-5-1", "execution_id": "ref-000001", "state": "Each", "workflow": "order/Each",
        "type": "STANDARD", "status": "RUNNING", "started": "2026-01-01T00:00:00.000Z", "ended": None,
        "concurrency": 3, "tolerated_failures": 4, "redrive_count": 2,
        "item_counts": {"total": 10, "succeeded": 2, "failed": 2, "pending": 6},
        "execution_counts": {"total": 4, "running": 1, "pending": 1, "succeeded": 1, "failed": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("join", "counts"),
    [
        (JOIN, (1, 1)),
        (Join(3), (0, 0)),
        (Join(3, made_children=3), (0, 3)),
        (Join(3, made_children=3, started=3), (3, 0)),
        (Join(3, made_children=3, started=3, succeeded=2, failed=1, settled_items=3), (0, 0)),
    ],
)
def test_children_that_are_under_way_and_that_wait(join: Join, counts: tuple[int, int]) -> None:
    run = map_run(5, join=join)
    assert (running(run), pending(run)) == counts


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.ABORTED])
def test_of_a_run_that_is_over_nothing_goes_on(status: Status) -> None:
    run = map_run(5, join=JOIN, status=status, closed=T0 + 2_000_000)
    assert (running(run), pending(run)) == (0, 0)
    document: Any = map_run_document(run, "ref-000001")
    assert (document["ended"], document["status"]) == ("2026-01-01T00:00:02.000Z", status.value)
    assert (document["execution_counts"]["running"], document["execution_counts"]["pending"]) == (0, 0)


def test_what_is_typed_for_several_runs_and_no_execution_gives_them_all(rows: Rows) -> None:
    assert [run.id for run in find_map_runs(rows.engine, "ref-000001-2")] == [22, 21]
