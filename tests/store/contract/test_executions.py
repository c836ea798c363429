"""The contract of `sm_cli.store.protocol`: definitions and executions: stored, found, listed."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from tests.store.asking import asked, listed_ids
from tests.store.samples import T0, apply, definition, execution, frame, job, registering, version

# Definitions


def test_the_current_definition_of_each_name_is_listed_by_name(store: Store) -> None:
    apply(store, **registering(version(1, "d1", "order", T0), version(1, "d9", "audit", T0)))
    apply(store, **registering(version(2, "d2", "order", T0 + 1)))
    assert asked(store).workflows() == [(definition("d9", "audit", T0), 1), (definition("d2", "order", T0 + 1), 2)]
    assert asked(store).definition("d1") == definition("d1", "order", T0)


def test_going_back_to_an_older_text_makes_it_current_under_its_old_number(store: Store) -> None:
    for n, (number, digest) in enumerate([(1, "d1"), (2, "d2"), (1, "d1")]):
        apply(store, **registering(version(number, digest, created=T0 + n)))
    assert asked(store).workflows() == [(definition("d1", created=T0), 1)]
    assert asked(store).versions("order") == [version(2, "d2", created=T0 + 1), version(1, "d1")]


def test_registering_the_same_text_again_changes_nothing(store: Store) -> None:
    apply(store, **registering(version(created=T0)))
    apply(store, **registering(version(created=T0 + 5)))
    assert asked(store).workflows() == [(definition(created=T0), 1)]


def test_another_text_under_the_same_digest_takes_the_place_of_the_one_that_was_stored(store: Store) -> None:
    apply(store, new_definitions=[definition(created=T0)._replace(text="{", format="yaml")])
    apply(store, new_definitions=[definition(created=T0 + 5)])
    assert asked(store).definition("d1") == definition(created=T0)


def test_two_names_may_share_a_text(store: Store) -> None:
    apply(store, **registering(version(1, "d1", "a"), version(1, "d1", "b", T0 + 1)))
    assert asked(store).workflows() == [(definition("d1", "a"), 1), (definition("d1", "b", T0 + 1), 1)]
    with store.write() as tx:
        assert tx.definition("d1") == definition("d1", "a")
        assert tx.definition("d2") is None


# Executions


def test_an_execution_comes_back_as_it_was(store: Store) -> None:
    whole = execution(
        1, deadline=T0 + 9, closed=T0 + 10, status=Status.FAILED, error="E", cause="c", output=[1], events=3,
        queue="low", priority=-2, tags={"team": "ü", "n": "1"}, input=None,
    )  # fmt: skip
    apply(store, new_executions=[whole])
    assert asked(store).execution(1) == whole
    with store.write() as tx:
        assert tx.executions([1, 2]) == {1: whole}
        assert tx.executions([]) == {}
        assert tx.find_execution("order", "name-1") == whole
        assert tx.find_execution("order", "name-2") is None
        assert tx.find_execution("other", "name-1") is None


@pytest.mark.parametrize(
    "change",
    [
        {"events": 5}, {"events": 5, "status": Status.SUCCEEDED, "closed": T0 + 7, "output": {"a": 1}},
        {"status": Status.FAILED, "error": "E", "cause": "c"}, {"deadline": None}, {"deadline": T0 + 99},
        {"queue": "low"},
        {"priority": 3}, {"tags": {}}, {"tags": {"b": "2"}}, {"output": "x" * 5000}, {},
    ],
)  # fmt: skip
def test_an_update_of_an_execution_writes_what_differs(store: Store, change: dict[str, Any]) -> None:
    before: dict[str, Any] = {"deadline": T0 + 9, "tags": {"a": "1"}, "events": 2}
    apply(store, new_executions=[execution(1, **before), execution(2, **before)])
    with store.write() as tx:
        changed = tx.executions([1])[1]
        for name, value in change.items():
            setattr(changed, name, value)
        tx.apply(Changes(executions={1: changed}))
    assert asked(store).execution(1) == execution(1, **(before | change))
    assert asked(store).execution(2) == execution(2, **before)


def test_an_execution_that_was_not_read_first_can_be_updated(store: Store) -> None:
    apply(store, new_executions=[execution(1)])
    apply(store, executions=[execution(1, status=Status.ABORTED, closed=T0, output={"o": 1})])
    assert asked(store).execution(1) == execution(1, status=Status.ABORTED, closed=T0, output={"o": 1})


def test_an_execution_handed_out_may_be_changed_without_changing_the_store(store: Store) -> None:
    given = execution(1)
    apply(store, new_executions=[given])
    given.status = Status.FAILED
    with store.write() as tx:
        read = tx.executions([1])[1]
        read.events = 99
        again = tx.executions([1])[1]
    assert again.events == 0
    found = [
        asked(store).execution(1),
        asked(store).latest(),
        *asked(store).find("name-1"),
        *asked(store).find("ref-0"),
    ]
    assert [e == execution(1) for e in found] == [True] * 4


@pytest.mark.parametrize("same", [{"name": "name-1"}, {"ref": "ref-000001"}])
def test_a_taken_name_or_ref_is_a_conflict(store: Store, same: dict[str, str]) -> None:
    apply(store, new_executions=[execution(1)])
    with pytest.raises(Conflict, match="exists already"):
        apply(store, new_executions=[execution(2, **same)])
    with pytest.raises(Conflict, match="exists already"):
        apply(store, new_executions=[execution(3), execution(4, ref="ref-000003")])
    assert listed_ids(store) == [1]


def test_another_workflow_may_use_the_same_name(store: Store) -> None:
    apply(store, new_executions=[execution(1), execution(2, name="name-1", workflow="other")])
    with store.write() as tx:
        found = tx.find_execution("other", "name-1")
    assert found is not None
    assert found.id == 2


@pytest.mark.parametrize("what", ["frames", "executions"])
def test_an_update_of_what_is_not_there_is_an_error(store: Store, what: str) -> None:
    value = frame(5) if what == "frames" else execution(5)
    with pytest.raises(DatabaseError, match="nothing was written"):
        apply(store, **{what: [value]}, new_jobs=[job(1)])
    assert asked(store).jobs_of(1) == []


def test_overdue_executions_come_earliest_first_and_only_running_ones(store: Store) -> None:
    apply(
        store,
        new_executions=[
            execution(1, deadline=T0 + 30), execution(2, deadline=T0 + 10), execution(3, deadline=T0 + 20),
            execution(4), execution(5, deadline=T0 + 5, status=Status.SUCCEEDED),
        ],
    )  # fmt: skip

    def overdue(now: int, limit: int = 10, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [e.id for e in tx.overdue(now, limit, tree)]

    assert overdue(T0 + 9) == []
    assert overdue(T0 + 10) == [2]
    assert overdue(T0 + 30) == [2, 3, 1]
    assert overdue(T0 + 30, limit=2) == [2, 3]
    assert overdue(T0 + 30, tree=3) == [3]
    assert overdue(T0 + 19, tree=3) == []
    assert [overdue(T0 + 30, tree=id) for id in (4, 5, 6)] == [[], [], []]
    apply(store, executions=[execution(2, deadline=T0 + 10, status=Status.TIMED_OUT)])
    assert overdue(T0 + 30) == [3, 1]


# Finding and listing executions


def test_find_prefers_the_exact_ref_then_the_exact_name_then_refs_that_begin_so(store: Store) -> None:
    apply(
        store,
        new_executions=[
            execution(1, ref="abc"), execution(2, ref="abcd", name="abc"), execution(3, ref="abd", name="ab"),
            execution(4, ref="abe", name="ab", workflow="other"), execution(5, ref="b%", name="zz"),
        ],
    )  # fmt: skip

    def found(text: str, limit: int = 10) -> list[int]:
        return [e.id for e in asked(store).find(text, limit)]

    assert found("abc") == [1]
    assert found("ab") == [4, 3]
    assert found("ab", limit=1) == [4]
    assert found("a") == [4, 3, 2, 1]
    assert found("a", limit=3) == [4, 3, 2]
    assert found("%") == []
    assert found("ABC") == []
    assert found("zz") == [5]
    assert asked(store).find("zz") == [execution(5, ref="b%", name="zz")]


def test_the_latest_execution_is_the_one_with_the_highest_id(store: Store) -> None:
    assert asked(store).latest() is None
    apply(store, new_executions=[execution(7), execution(3)])
    assert asked(store).latest() == execution(7)


def test_a_list_is_newest_first_and_without_payloads(store: Store) -> None:
    apply(store, new_executions=[execution(1, output=[1]), execution(2, status=Status.FAILED, error="E", cause="c")])
    assert asked(store).list_executions(ExecutionFilter()) == [
        execution(2, status=Status.FAILED, error="E", cause="c", input=None), execution(1, input=None, output=None),
    ]  # fmt: skip


def test_pages_of_a_list_join_without_gap_or_repeat(store: Store) -> None:
    apply(store, new_executions=[execution(n) for n in range(1, 24)])
    pages: list[list[int]] = [listed_ids(store, limit=5)]
    while pages[-1]:
        apply(store, new_executions=[execution(100 + len(pages))])  # what is new does not shift the pages
        pages.append(listed_ids(store, limit=5, after=(T0 + pages[-1][-1], pages[-1][-1])))
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3, 0]
    assert [id for page in pages for id in page] == list(range(23, 0, -1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"statuses": (Status.FAILED,)}, [5, 2]),
        ({"workflow": "order"}, [5, 3, 2, 1]),
        ({"workflow": "order", "statuses": (Status.RUNNING,)}, [3, 1]),
        ({"workflow": "none"}, []),
        ({"since": T0 + 3}, [6, 5, 4, 3]),
        ({"until": T0 + 3}, [2, 1]),
        ({"since": T0 + 2, "until": T0 + 5, "statuses": (Status.RUNNING,)}, [4, 3]),
        ({"name_contains": "rush"}, [6, 3]),
        ({"name_contains": "%"}, [4]),
        ({"name_contains": "_"}, [4]),
        ({"name_contains": "\\"}, [4]),
        ({"name_contains": "É"}, [5]),
        ({"name_contains": "é"}, []),
        ({"workflow": "audit", "name_contains": "Rush", "limit": 1}, [6]),
        ({"statuses": (Status.FAILED,), "after": (T0 + 5, 5)}, [2]),
        ({"workflow": "order", "after": (T0 + 3, 3), "limit": 1}, [2]),
        ({"limit": 0}, []),
    ],
)
def test_each_limit_of_a_list_holds(store: Store, wanted: dict[str, Any], expected: list[int]) -> None:
    apply(
        store,
        new_executions=[
            execution(1), execution(2, status=Status.FAILED), execution(3, name="RUSH-3"),
            execution(4, workflow="audit", name="50%_\\"), execution(5, status=Status.FAILED, name="É"),
            execution(6, workflow="audit", name="x-rush"),
        ],
    )  # fmt: skip
    assert listed_ids(store, **wanted) == expected
