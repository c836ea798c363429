"""Questions about many executions, put together from parts: which index leads, and what is left to be looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sm_cli.store.filters import NEWEST_FIRST, OLDEST_FIRST, ExecutionFilter, ExecutionPage, Order, SortKey
from sm_cli.store.records import Status
from sm_cli.store.sql.choosing import question, state_question, statistics_question
from sm_cli.store.sql.queries import query_text
from sm_cli.store.sql.session import Session
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.statistics import By
from tests.store.samples import T0, apply, execution

FAILED, SUCCEEDED = (Status.FAILED,), (Status.SUCCEEDED,)
#: Values that a part of a filter may have, and one that leaves it out.
PARTS: dict[str, tuple[Any, ...]] = {
    "statuses": ((), FAILED, SUCCEEDED, (Status.FAILED, Status.ABORTED)), "workflow": (None, "order"),
    "since": (None, 5), "until": (None, 9), "name_contains": (None, "n"), "error": (None, "E"),
    "tags": ((), (("t", "1"),)), "run": (None, 7),
}  # fmt: skip
EVERY = [ExecutionFilter(**dict(zip(PARTS, values, strict=True))) for values in product(*PARTS.values())]
ORDERS = [Order(key, descending) for key in SortKey for descending in (True, False)]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    store = SqliteStore(tmp_path / "sm.db", sync="normal")
    with store.read() as questions:
        yield questions.session
    store.close()


def plan(session: Session, filter: ExecutionFilter, page: ExecutionPage) -> list[str]:
    asking = question(session, "listed_columns", filter, page.order).page(page, of_run=filter.run is not None)
    text = "\n".join(query_text(part) for part in asking.parts)
    return [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {text}", asking.parameters)]


@pytest.mark.parametrize("order", ORDERS)
def test_no_filter_in_any_order_walks_the_table(session: Session, order: Order) -> None:
    after = ("a", "b") if order.key is SortKey.NAME else (5, 5)
    for filter in EVERY:
        for page in (ExecutionPage(5, order), ExecutionPage(5, order, after)):
            steps = plan(session, filter, page)
            walks = [
                step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step and "INDEX" not in step
            ]
            assert walks == [], (filter, page)


@pytest.mark.parametrize("order", [NEWEST_FIRST, OLDEST_FIRST])
def test_by_the_time_of_start_nothing_is_sorted_unless_few_have_the_tag(session: Session, order: Order) -> None:
    for filter in EVERY:
        for page in (ExecutionPage(5, order), ExecutionPage(5, order, (5, 5))):
            # Those that started in the same microsecond (the right part) are put in order; they are few.
            is_sorted = "USE TEMP B-TREE FOR ORDER BY" in plan(session, filter, page)
            assert is_sorted == (bool(filter.tags) and filter.run is None), (filter, page)


@pytest.mark.parametrize(
    ("filter", "order", "index"),
    [
        (ExecutionFilter(), NEWEST_FIRST, "executions_listed"),
        (ExecutionFilter(statuses=FAILED), NEWEST_FIRST, "executions_by_status"),
        (ExecutionFilter(workflow="order"), NEWEST_FIRST, "executions_by_workflow"),
        (ExecutionFilter(statuses=FAILED, workflow="order"), NEWEST_FIRST, "executions_by_status"),
        (ExecutionFilter(statuses=SUCCEEDED, workflow="order"), NEWEST_FIRST, "executions_by_workflow"),
        (ExecutionFilter(statuses=FAILED, workflow="order", error="E"), NEWEST_FIRST, "executions_by_error"),
        (ExecutionFilter(run=7, statuses=FAILED), NEWEST_FIRST, "executions_of_run"),
        (ExecutionFilter(), Order(SortKey.NAME), "sqlite_autoindex_executions_2"),
    ],
)
def test_what_is_rarest_leads(session: Session, filter: ExecutionFilter, order: Order, index: str) -> None:
    assert any(f"INDEX {index}" in step for step in plan(session, filter, ExecutionPage(5, order)))


def test_bounds_of_time_are_looked_up(session: Session) -> None:
    step, *_ = plan(session, ExecutionFilter(since=5, until=9), ExecutionPage())
    assert step == "SEARCH e USING INDEX executions_listed (run=? AND started>? AND started<?)"


def test_a_count_by_status_and_time_reads_an_index_and_no_table(session: Session) -> None:
    for filter in (ExecutionFilter(statuses=FAILED, since=5), ExecutionFilter(workflow="order", statuses=SUCCEEDED)):
        asking = question(session, "listed_count", filter)
        text = "\n".join(query_text(part) for part in asking.parts)
        steps = [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {text}", asking.parameters)]
        assert "COVERING INDEX" in steps[0]


def test_a_frequent_tag_is_looked_for_in_order_and_a_rare_one_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sm_cli.store.sql.choosing._FEW", 2)
    store = SqliteStore(tmp_path / "sm.db", sync="normal")
    apply(store, new_executions=[execution(n, tags={"even": str(n % 2), "n": str(n)}) for n in range(1, 8)])
    with store.read() as questions:
        for tags, first in [((("even", "1"),), "from_all"), ((("even", "1"), ("n", "3")), "from_ids")]:
            filter = ExecutionFilter(tags=tags)
            assert question(questions.session, "listed_ids", filter).parts[1] == first
        assert questions.matching_executions(ExecutionFilter(tags=(("even", "1"),))) == [1, 3, 5, 7]
        assert questions.matching_executions(ExecutionFilter(tags=(("even", "1"), ("n", "3")))) == [3]
        assert questions.matching_executions(ExecutionFilter(tags=(("even", "0"), ("n", "3")))) == []
    store.close()


@pytest.mark.parametrize("closed", [None, T0 + 9])
def test_tags_change_and_go_with_their_execution(tmp_path: Path, closed: int | None) -> None:
    path = tmp_path / "sm.db"
    store = SqliteStore(path, sync="normal")
    apply(store, new_executions=[execution(1, tags={"a": "1", "b": "2"}), execution(2, tags={"a": "1"})])

    def rows() -> list[Any]:
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT name, value, execution FROM execution_tags ORDER BY 1, 2, 3").fetchall()
        connection.close()
        return found

    assert rows() == [("a", "1", 1), ("a", "1", 2), ("b", "2", 1)]
    apply(store, executions=[execution(1, tags={"b": "3"}, closed=closed)])
    assert rows() == [("a", "1", 2), ("b", "3", 1)]
    apply(store, executions_gone=[1])
    assert rows() == [("a", "1", 2)]
    store.close()


@pytest.mark.parametrize("by", [by for by in By if by is not By.STATE])
def test_no_statistics_walk_the_table(session: Session, by: By) -> None:
    for filter in EVERY:
        parts, parameters = statistics_question(session, filter, by)
        text = "\n".join(query_text(part) for part in parts)
        steps = [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
        scans = [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
        assert [step for step in scans if "VIRTUAL" not in step and step != "SCAN b"] == [], filter


@pytest.mark.parametrize("by", [By.STATUS, By.WORKFLOW, By.VERSION, By.HOUR])
@pytest.mark.parametrize("workflow", [None, "order"])
def test_statistics_of_a_time_read_their_part_of_an_index_and_no_table(
    session: Session, by: By, workflow: str | None
) -> None:
    parts, parameters = statistics_question(session, ExecutionFilter(since=5, until=9, workflow=workflow), by)
    text = "\n".join(query_text(part) for part in parts)
    steps = [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
    index = "SEARCH e USING COVERING INDEX executions_by_workflow"
    assert f"{index} (workflow=? AND run=? AND started>? AND started<?)" in steps


def test_statistics_of_states_read_their_part_of_each_state(session: Session) -> None:
    for filter in (ExecutionFilter(since=5), ExecutionFilter(workflow="order"), ExecutionFilter(statuses=FAILED)):
        parts, parameters = state_question(session, filter)
        text = "\n".join(query_text(part) for part in parts)
        steps = [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
        assert "SEARCH t USING PRIMARY KEY (state=? AND started>? AND started<?)" in steps
        assert [step for step in steps if step.startswith("SCAN") and step != "SCAN s"] == []
        assert "USE TEMP B-TREE FOR GROUP BY" not in steps


def test_a_list_by_state_looks_each_execution_up(session: Session) -> None:
    steps = plan(session, ExecutionFilter(state="A"), ExecutionPage(5))
    assert [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step] == []
