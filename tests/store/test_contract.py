"""The contract of `sm_cli.store.protocol`, kept on disk and in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json, TooLarge
from sm_cli.store.changes import Changes
from sm_cli.store.messages import Consumed, MessageStatus
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    ExecutionFilter,
    FailedAttempt,
    Parent,
    Reserved,
    Status,
    WorkerRecord,
)
from tests.store.asking import asked
from tests.store.samples import (
    T0,
    apply,
    child,
    definition,
    events,
    execution,
    frame,
    job,
    message,
    reserve,
    subscription,
    timer,
)


def refs(store: Store, **wanted: Any) -> list[int]:
    return [e.id for e in asked(store).list_executions(ExecutionFilter(**wanted))]


# Transactions


def test_a_transaction_is_applied_whole(store: Store) -> None:
    apply(
        store, new_definitions=[definition()], new_executions=[execution(1)], new_frames=[frame(1)], new_jobs=[job(1)],
        timers=[timer(1, T0)], new_subscriptions=[subscription(1)], new_messages=[message(1)], history=events(1, [1]),
    )  # fmt: skip
    assert asked(store).definition("d1") == definition()
    assert asked(store).execution(1) == execution(1)
    assert asked(store).open_frames(1) == [frame(1)]
    assert asked(store).jobs_of(1) == [job(1)]
    assert asked(store).timers_of(1) == [timer(1, T0)]
    assert asked(store).subscriptions_of(1) == [subscription(1)]
    assert asked(store).history(1) == events(1, [1])
    with store.write() as tx:
        assert tx.buffered_message("orderId", '"A"', T0) == message(1)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_after_apply_loses_everything(store: Store, error: type[BaseException]) -> None:
    apply(
        store, new_executions=[execution(1)], new_frames=[frame(1)], new_jobs=[job(1)], timers=[timer(1, T0)],
        new_subscriptions=[subscription(1)], new_messages=[message(1)],
    )  # fmt: skip
    before = store.commits
    with pytest.raises(error), store.write() as tx:
        tx.apply(
            Changes(
                new_definitions=[definition()], new_executions=[execution(2)], executions={1: execution(1, events=9)},
                new_frames={2: frame(2)}, frames={1: frame(1, state="B")}, jobs_gone=[1], timers_gone=[1],
                subscriptions_gone=[1], new_jobs=[job(2)], timers=[timer(2, T0)], new_messages=[message(2)],
                messages_consumed=[Consumed(1, 1, T0)], history=events(1, [1]),
            )
        )  # fmt: skip
        raise error
    assert store.commits == before
    assert asked(store).definition("d1") is None
    assert asked(store).execution(2) is None
    assert asked(store).execution(1) == execution(1)
    assert asked(store).open_frames(1) == [frame(1)]
    assert asked(store).jobs_of(1) == [job(1)]
    assert asked(store).timers_of(1) == [timer(1, T0)]
    assert asked(store).subscriptions_of(1) == [subscription(1)]
    assert asked(store).history(1) == []
    with store.write() as tx:
        assert tx.buffered_message("orderId", '"A"', T0) == message(1)
        assert tx.frames([1, 2]) == {1: frame(1)}
        assert tx.executions([1, 2]) == {1: execution(1)}


def test_the_store_goes_on_after_an_exception(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write():
        raise RuntimeError
    apply(store, new_executions=[execution(1)])
    assert asked(store).execution(1) is not None


def test_changes_that_were_refused_are_not_committed_even_when_the_error_is_caught(store: Store) -> None:
    apply(store, new_executions=[execution(1)])
    with store.write() as tx:
        try:
            tx.apply(Changes(new_executions=[execution(2), execution(3, ref="ref-000001")], history=events(2, [1])))
        except Conflict as e:
            refused = e
    assert "exists already" in str(refused)
    assert asked(store).execution(2) is None
    assert asked(store).history(2) == []


def test_a_transaction_is_applied_once(store: Store) -> None:
    with store.write() as tx:
        tx.apply(Changes(new_executions=[execution(1)]))
        with pytest.raises(RuntimeError, match="once"):
            tx.apply(Changes(new_executions=[execution(2)]))


def test_transactions_do_not_nest(store: Store) -> None:
    with store.write():
        with pytest.raises(RuntimeError, match="already inside"), store.write():
            pass
        assert asked(store).execution(1) is None


def test_commits_counts_transactions_that_wrote_something(store: Store) -> None:
    assert store.commits == 0
    with store.write() as tx:
        tx.ready_frames(10)
    assert store.commits == 0
    apply(store, new_executions=[execution(1)])
    reserve(store, "jobs")
    assert store.commits == 2


def test_writers_in_several_threads_take_turns(store: Store) -> None:
    def write() -> None:
        for _ in range(20):
            with store.write() as tx:
                id = tx.reserve("executions", 1)
                tx.apply(Changes(new_executions=[execution(id)]))
            asked(store).execution(id)
            asked(store).list_executions(ExecutionFilter())

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refs(store, limit=1000) == list(range(80, 0, -1))


def test_changed_does_not_report_what_this_store_wrote(store: Store) -> None:
    assert not store.changed()
    apply(store, new_executions=[execution(1)])
    asked(store).list_executions(ExecutionFilter())
    assert not store.changed()


# Ids


@pytest.mark.parametrize("table", ["executions", "frames", "jobs", "messages"])
def test_reserved_ids_are_consecutive_and_never_given_twice(store: Store, table: Reserved) -> None:
    with store.write() as tx:
        assert tx.reserve(table, 3) == 1
        assert tx.reserve(table, 1) == 4
    assert reserve(store, table, 2) == 5
    assert reserve(store, table) == 7


def test_an_id_is_not_used_again_after_its_row_has_gone(store: Store) -> None:
    first = reserve(store, "jobs")
    apply(store, new_jobs=[job(first)])
    apply(store, jobs_gone=[1])
    assert reserve(store, "jobs") == first + 1


def test_ids_reserved_in_a_lost_transaction_collide_with_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        lost = tx.reserve("executions", 5)
        tx.apply(Changes(new_executions=[execution(lost)]))
        raise RuntimeError
    kept = reserve(store, "executions")
    apply(store, new_executions=[execution(kept)])
    assert refs(store) == [kept]


# Definitions


def test_the_newest_definition_of_each_name_is_listed_by_name(store: Store) -> None:
    apply(store, new_definitions=[definition("d1", "order", T0), definition("d9", "audit", T0)])
    apply(store, new_definitions=[definition("d2", "order", T0 + 1)])
    assert asked(store).workflows() == [definition("d9", "audit", T0), definition("d2", "order", T0 + 1)]
    assert asked(store).definition("d1") == definition("d1", "order", T0)


def test_going_back_to_an_older_text_makes_it_the_newest(store: Store) -> None:
    for n, digest in enumerate(["d1", "d2", "d1"]):
        apply(store, new_definitions=[definition(digest, created=T0 + n)])
    assert asked(store).workflows() == [definition("d1", created=T0 + 2)]


def test_registering_the_same_text_again_changes_nothing(store: Store) -> None:
    apply(store, new_definitions=[definition(created=T0)])
    apply(store, new_definitions=[definition(created=T0 + 5)])
    assert asked(store).workflows() == [definition(created=T0)]


def test_another_text_under_the_same_digest_takes_the_place_of_the_one_that_was_stored(store: Store) -> None:
    apply(store, new_definitions=[definition(created=T0)._replace(text="{", format="yaml")])
    apply(store, new_definitions=[definition(created=T0 + 5)])
    assert asked(store).definition("d1") == definition(created=T0)


def test_two_names_may_share_a_text(store: Store) -> None:
    apply(store, new_definitions=[definition("d1", "a"), definition("d1", "b", T0 + 1)])
    assert asked(store).workflows() == [definition("d1", "a"), definition("d1", "b", T0 + 1)]
    with store.write() as tx:
        assert tx.definition("d1") == definition("d1", "a")
        assert tx.definition("d2") is None


# Executions


def test_an_execution_comes_back_as_it_was(store: Store) -> None:
    whole = execution(
        1, deadline=T0 + 9, closed=T0 + 10, status=Status.FAILED, error="E", cause="c", output=[1], events=3,
        queue="low", priority=-2, tags={"team": "ü", "n": 1}, input=None,
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
        {"priority": 3}, {"tags": {}}, {"tags": {"b": 2}}, {"output": "x" * 5000}, {},
    ],
)  # fmt: skip
def test_an_update_of_an_execution_writes_what_differs(store: Store, change: dict[str, Any]) -> None:
    before: dict[str, Any] = {"deadline": T0 + 9, "tags": {"a": 1}, "events": 2}
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
    assert refs(store) == [1]


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
    pages: list[list[int]] = [refs(store, limit=5)]
    while pages[-1]:
        apply(store, new_executions=[execution(100 + len(pages))])  # what is new does not shift the pages
        pages.append(refs(store, limit=5, before_id=pages[-1][-1]))
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3, 0]
    assert [id for page in pages for id in page] == list(range(23, 0, -1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"status": Status.FAILED}, [5, 2]),
        ({"workflow": "order"}, [5, 3, 2, 1]),
        ({"workflow": "order", "status": Status.RUNNING}, [3, 1]),
        ({"workflow": "none"}, []),
        ({"since": T0 + 3}, [6, 5, 4, 3]),
        ({"until": T0 + 3}, [2, 1]),
        ({"since": T0 + 2, "until": T0 + 5, "status": Status.RUNNING}, [4, 3]),
        ({"name_contains": "rush"}, [6, 3]),
        ({"name_contains": "%"}, [4]),
        ({"name_contains": "_"}, [4]),
        ({"name_contains": "\\"}, [4]),
        ({"name_contains": "É"}, [5]),
        ({"name_contains": "é"}, []),
        ({"workflow": "audit", "name_contains": "Rush", "limit": 1}, [6]),
        ({"status": Status.FAILED, "before_id": 5}, [2]),
        ({"workflow": "order", "before_id": 3, "limit": 1}, [2]),
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
    assert refs(store, **wanted) == expected


# Frames


def test_a_frame_comes_back_as_it_was(store: Store) -> None:
    whole = frame(
        1, execution=2, parent=7, activation=3, index=4, machine="/States/M/Iterator", state="Ä", seq=9,
        status=FrameStatus.BLOCKED, opens=Opens.JOB | Opens.TIMER, retries=(1, 0, 2),
        join=Join(10, 2, 1, 5, 3, 1, 4, 9, 10, 4, 1, "m"),
        item={"Index": 4, "Value": None}, vars={"v": [1]}, input={"i": 1}, output={"o": 1}, entered=11, last=12,
        entered_at=T0, wake=["TaskSucceeded", {"r": 1}],
    )  # fmt: skip
    apply(store, new_frames=[whole, frame(2, execution=2)])
    assert asked(store).open_frames(2) == [whole, frame(2, execution=2)]
    with store.write() as tx:
        found = tx.frames([2, 1, 3])
        assert found == {1: whole, 2: frame(2, execution=2)}
        assert isinstance(found[1].status, FrameStatus)
        assert tx.frames([]) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"state": "B", "seq": 1}, {"status": FrameStatus.BLOCKED, "opens": Opens.JOB}, {"retries": (2,)},
        {"retries": ()},
        {"join": None}, {"join": Join(3, 0, 0, 3, 1, 0, mark="x")}, {"item": None}, {"vars": {}}, {"vars": {"w": 1}},
        {"input": None}, {"input": "x" * 5000}, {"output": {"o": 1}}, {"entered": 4, "last": 5, "entered_at": T0 + 1},
        {"wake": None}, {"wake": {"e": 1}}, {},
    ],
)  # fmt: skip
@pytest.mark.parametrize("large", [False, True])
def test_an_update_of_a_frame_writes_what_differs(store: Store, change: dict[str, Any], large: bool) -> None:
    text = "y" * 4000 if large else "y"
    before: dict[str, Any] = {
        "retries": (1,), "join": Join(3), "item": {"t": text}, "vars": {"v": text}, "input": [text],
        "status": FrameStatus.READY, "wake": [1],
    }  # fmt: skip
    apply(store, new_frames=[frame(1, **before), frame(2, **before)])
    for _ in range(2):  # the second time over what the first one left
        with store.write() as tx:
            changed = tx.frames([1])[1].copy()
            for name, value in change.items():
                setattr(changed, name, value)
            tx.apply(Changes(frames={1: changed}))
    expected = [frame(1, **(before | change)), frame(2, **before)]
    assert asked(store).open_frames(1) == expected
    with store.write() as tx:
        assert tx.frames([1, 2]) == {1: expected[0], 2: expected[1]}


def test_a_frame_that_was_not_read_first_can_be_updated(store: Store) -> None:
    apply(store, new_frames=[frame(1, input="x" * 5000)])
    apply(store, frames=[frame(1, input={"new": 1}, status=FrameStatus.BLOCKED)])
    assert asked(store).open_frames(1) == [frame(1, input={"new": 1}, status=FrameStatus.BLOCKED)]


def test_a_frame_handed_out_keeps_its_value_when_the_stored_one_moves_on(store: Store) -> None:
    apply(store, new_frames=[frame(1)])
    with store.write() as tx:
        old = tx.frames([1])[1]
        new = old.copy()
        new.state = "B"
        tx.apply(Changes(frames={1: new}))
    assert old == frame(1)


def test_ready_frames_come_oldest_first_and_leave_when_they_are_stepped(store: Store) -> None:
    apply(
        store,
        new_frames=[
            frame(3),
            frame(1, execution=2),
            frame(2, status=FrameStatus.BLOCKED),
            frame(4),
            frame(5, execution=2),
        ],
    )

    def ready(limit: int = 10, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [f.id for f in tx.ready_frames(limit, tree)]

    assert ready() == [1, 3, 4, 5]
    assert ready(limit=2) == [1, 3]
    assert ready(tree=2) == [1, 5]
    assert ready(tree=2, limit=1) == [1]
    assert ready(tree=9) == []
    assert [asked(store).has_ready(), asked(store).has_ready(2), asked(store).has_ready(9)] == [True, True, False]
    blocked = FrameStatus.BLOCKED
    apply(store, frames=[frame(1, execution=2, status=blocked), frame(5, execution=2, status=blocked)])
    assert ready() == [3, 4]
    assert [asked(store).has_ready(), asked(store).has_ready(2)] == [True, False]
    apply(store, frames=[frame(1, execution=2), frame(3, status=FrameStatus.FAILED), frame(4, status=blocked)])
    assert ready() == [1]
    apply(store, frames=[frame(1, execution=2, status=FrameStatus.SUCCEEDED)])
    assert not asked(store).has_ready()


def test_pending_children_come_by_index_from_the_one_asked_for(store: Store) -> None:
    pending, ready = FrameStatus.PENDING, FrameStatus.READY
    apply(
        store,
        new_frames=[
            frame(1), child(2, 1, 5, pending), child(3, 1, 2, pending), child(4, 1, 3, ready), child(5, 1, 4, pending),
            child(6, 9, 1, pending), frame(7, parent=1, activation=8, index=1, status=pending),
        ],
    )  # fmt: skip

    def found(from_index: int, limit: int = 10) -> list[int]:
        with store.write() as tx:
            return [f.id for f in tx.pending_children(1, 1, from_index, limit)]

    assert found(0) == [3, 5, 2]
    assert found(0, limit=2) == [3, 5]
    assert found(4) == [5, 2]
    assert found(6) == []
    apply(store, frames=[child(5, 1, 4, ready)])
    assert found(0) == [3, 2]


def test_outputs_are_those_of_children_that_succeeded_by_index(store: Store) -> None:
    done = FrameStatus.SUCCEEDED
    apply(
        store,
        new_frames=[
            child(2, 1, 1, done, output={"b": 1}), child(3, 1, 0, done, output="x" * 5000),
            child(4, 1, 2, FrameStatus.FAILED, output={"Error": "E"}), child(5, 1, 3, FrameStatus.BLOCKED),
            frame(6, parent=1, activation=2, status=done, output=6), child(7, 1, 4, done, output=None),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert tx.outputs(1, 1) == [(0, "x" * 5000), (1, {"b": 1}), (4, None)]
        assert tx.outputs(1, 2) == [(0, 6)]
        assert tx.outputs(9, 1) == []
        assert len(tx.outputs(1, 1, 5002 + 7)) == 3  # bytes of all three
        with pytest.raises(TooLarge):
            tx.outputs(1, 1, 5002 + 6)


def test_descendants_are_the_open_frames_below_at_any_depth(store: Store) -> None:
    blocked, closed = FrameStatus.BLOCKED, FrameStatus.SUCCEEDED
    apply(
        store,
        new_frames=[
            frame(1, status=blocked), child(9, 1, 0, blocked), child(3, 1, 1, closed), child(4, 9, 0, blocked),
            child(5, 9, 1, closed), child(6, 4, 0, FrameStatus.READY), child(7, 1, 2, FrameStatus.PENDING), frame(8),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert [f.id for f in tx.descendants(1)] == [4, 6, 7, 9]
        assert [f.id for f in tx.descendants(9)] == [4, 6]
        assert tx.descendants(6) == []
        assert [f.id for f in tx.open_frames(1)] == [1, 4, 6, 7, 8, 9]
    assert [f.id for f in asked(store).open_frames(1)] == [1, 4, 6, 7, 8, 9]
    assert asked(store).open_frames(2) == []


# What goes and what comes in one tick


def test_what_is_gone_goes_before_what_is_new_comes(store: Store) -> None:
    apply(store, new_jobs=[job(1), job(2, frame=2)], timers=[timer(1, T0), timer(2, T0)],
          new_subscriptions=[subscription(1), subscription(2)])  # fmt: skip
    apply(
        store, jobs_gone=[1], timers_gone=[1], subscriptions_gone=[1], new_jobs=[job(3, seq=2)],
        timers=[timer(1, T0 + 5, seq=2)], new_subscriptions=[subscription(1, T0 + 5)],
    )  # fmt: skip
    assert asked(store).jobs_of(1) == [job(2, frame=2), job(3, seq=2)]
    assert asked(store).timers_of(1) == [timer(2, T0), timer(1, T0 + 5, seq=2)]
    assert asked(store).subscriptions_of(1) == [subscription(2), subscription(1, T0 + 5)]


def test_gone_takes_every_kind_and_every_seq_of_the_frame(store: Store) -> None:
    apply(
        store, new_jobs=[job(1, seq=1), job(2, seq=2), job(3, frame=2)],
        timers=[timer(1, T0, kind) for kind in TimerKind] + [timer(2, T0)],
        new_subscriptions=[subscription(1), subscription(2)],
    )  # fmt: skip
    apply(store, jobs_gone=[1, 99], timers_gone=[1, 99], subscriptions_gone=[1, 99])
    assert asked(store).jobs_of(1) == [job(3, frame=2)]
    assert asked(store).timers_of(1) == [timer(2, T0)]
    assert asked(store).subscriptions_of(1) == [subscription(2)]
    with store.write() as tx:
        assert tx.claimable(T0, 10) == [job(3, frame=2)]
        assert tx.due_timers(T0, 10) == [timer(2, T0)]
        assert tx.subscriptions("orderId", '"A"') == [subscription(2)]


def test_a_lease_of_a_job_that_has_gone_changes_nothing(store: Store) -> None:
    apply(store, new_jobs=[job(1)])
    apply(store, jobs_gone=[1], leased_jobs=[job(1, leased_until=T0, worker="w")])
    assert asked(store).jobs_of(1) == []
    with store.write() as tx:
        assert tx.jobs([1]) == {}
        assert tx.lapsed_jobs(T0 + 1, 10) == []
        assert tx.leased_to("w") == []


# Timers


def test_due_timers_come_earliest_first_at_or_before_now(store: Store) -> None:
    apply(store, timers=[timer(1, T0 + 30), timer(2, T0 + 10, execution=2), timer(3, T0 + 20), timer(4, T0 + 20)])

    def due(now: int, limit: int = 10, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [t.frame for t in tx.due_timers(now, limit, tree)]

    assert due(T0 + 9) == []
    assert due(T0 + 10) == [2]
    assert due(T0 + 29) == [2, 3, 4]
    assert due(T0 + 99, limit=2) == [2, 3]
    assert due(T0 + 99, tree=1) == [3, 4, 1]
    assert due(T0 + 29, tree=1, limit=1) == [3]
    assert due(T0 + 99, tree=9) == []


def test_a_timer_replaces_the_one_of_its_frame_and_kind(store: Store) -> None:
    apply(store, timers=[timer(1, T0 + 10), timer(1, T0 + 5, TimerKind.HEARTBEAT)])
    apply(store, timers=[timer(1, T0 + 90, seq=4)])
    assert asked(store).timers_of(1) == [timer(1, T0 + 5, TimerKind.HEARTBEAT), timer(1, T0 + 90, seq=4)]
    with store.write() as tx:
        assert tx.due_timers(T0 + 50, 10) == [timer(1, T0 + 5, TimerKind.HEARTBEAT)]


def test_something_is_due_when_a_timer_or_a_running_execution_s_deadline_is(store: Store) -> None:
    def due(now: int, tree: int | None = None) -> bool:
        return asked(store).has_due(now, tree)

    assert not due(2**62)
    assert not due(2**62, 1)
    apply(store, new_executions=[execution(1, deadline=T0 + 50), execution(2, deadline=T0 + 1, status=Status.FAILED)])
    assert [due(T0 + 49), due(T0 + 50), due(T0 + 49, 1), due(T0 + 50, 1), due(T0 + 50, 2)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    apply(store, timers=[timer(2, T0 + 20, execution=2)])
    assert [due(T0 + 19), due(T0 + 20), due(T0 + 19, 2), due(T0 + 20, 2), due(T0 + 20, 1)] == [
        False, True, False, True, False,
    ]  # fmt: skip


def test_lost_workers_are_counted_until_their_frame_moves_on(store: Store) -> None:
    def losses() -> dict[int, int]:
        with store.write() as tx:
            return tx.losses()

    apply(store, new_executions=[execution(1)], new_frames=[frame(1), frame(2)])
    assert losses() == losses() == {}
    apply(store, losses=[(1, 1), (2, 0), (7, 1)])
    assert losses() == losses() == {1: 1, 2: 0}
    apply(store, losses=[(1, 1)])
    assert losses() == {1: 2, 2: 0}
    apply(store, frames=[frame(1, seq=1), frame(2, seq=1)])
    assert losses() == losses() == {}
    apply(store, losses=[(1, 1)])
    assert losses() == {1: 1}


def test_of_each_state_of_a_frame_the_newest_failed_attempt_is_kept(store: Store) -> None:
    def attempt(number: int, state: str = "A", frame: int = 1, execution: int = 1) -> FailedAttempt:
        return FailedAttempt(execution, frame, state, number, "E", Traceback((f"/x.py:{number} in f",), "text\n"))

    apply(store, failed_attempts=[attempt(3), attempt(5, "B"), attempt(4, frame=2), attempt(9, execution=2)])
    apply(store, failed_attempts=[attempt(7)])
    assert asked(store).failed_attempt(1, 1, "A") == attempt(7)
    assert asked(store).failed_attempt(1, 2, "A") == attempt(4, frame=2)
    assert asked(store).failed_attempt(1, 2, "B") is None
    assert asked(store).failed_attempts(1, 2) == [attempt(7), attempt(5, "B")]


def test_the_execution_that_failed_first_is_one_of_the_last_time_that_its_frame_started_any(store: Store) -> None:
    def closed(id: int, activation: int, at: int, status: Status = Status.FAILED) -> Execution:
        return execution(id, parent=Parent(1, activation), status=status, closed=T0 + at)

    assert asked(store).first_failed_execution(1) is None
    apply(store, new_executions=[closed(2, 4, 1), closed(3, 7, 5), closed(4, 7, 3), closed(5, 7, 2, Status.ABORTED)])
    found = asked(store).first_failed_execution(1)
    assert found is not None
    assert (found.id, found.input) == (4, None)
    of_forks = [asked(store).first_failed_execution(1, activation) for activation in (4, 7, 9)]
    assert [each and each.id for each in of_forks] == [2, 4, None]


def test_next_due_is_the_earliest_timer_deadline_or_end_of_a_lease(store: Store) -> None:
    assert asked(store).next_due() is None
    apply(store, new_executions=[execution(1, deadline=T0 + 50), execution(2, deadline=T0 + 1, status=Status.FAILED)])
    assert asked(store).next_due() == T0 + 50
    apply(
        store,
        new_jobs=[
            job(1, leased_until=T0 + 40, worker="w"),
            job(2, frame=2),
            job(3, 3, execution=3, leased_until=T0 + 45),
        ],
    )
    assert asked(store).next_due() == T0 + 40
    apply(store, timers=[timer(1, T0 + 30), timer(2, T0 + 20, execution=2)])
    assert asked(store).next_due() == T0 + 20
    assert [asked(store).next_due(id) for id in (1, 2, 3, 4)] == [T0 + 30, T0 + 20, T0 + 45, None]
    apply(store, timers_gone=[1, 2])
    assert [asked(store).next_due(id) for id in (1, 2)] == [T0 + 40, None]
    apply(store, jobs_gone=[1])
    assert [asked(store).next_due(), asked(store).next_due(1)] == [T0 + 45, T0 + 50]


# Jobs


def test_a_job_comes_back_as_it_was(store: Store) -> None:
    whole = job(
        1, frame=2, execution=3, seq=4, state="Ä", resource="r", input="x" * 5000, attempt=2, queue="low", priority=-1,
        available=T0, timeout=1.5, heartbeat=0.25, leased_until=T0 + 1, worker="w", deliveries=7, repeatable=False,
    )  # fmt: skip
    apply(store, new_jobs=[whole, job(2, execution=3, timeout=3.0)])
    assert asked(store).jobs_of(3) == [whole, job(2, execution=3, timeout=3.0)]
    with store.write() as tx:
        assert tx.jobs([1, 5]) == {1: whole}
        assert tx.jobs([]) == {}


def claimed(store: Store, now: int = T0, limit: int = 10, **wanted: Any) -> list[int]:
    with store.write() as tx:
        return [j.id for j in tx.claimable(now, limit, **wanted)]


def test_jobs_are_claimed_by_priority_and_then_by_age(store: Store) -> None:
    apply(store, new_jobs=[job(1, 1), job(2, 2, priority=5), job(3, 3, priority=-5), job(4, 4, priority=5), job(5, 5)])
    assert claimed(store) == [2, 4, 1, 5, 3]
    assert claimed(store, limit=3) == [2, 4, 1]


def test_a_job_can_be_claimed_when_it_is_available(store: Store) -> None:
    apply(store, new_jobs=[job(1, available=T0 + 10), job(2, 2)])
    assert claimed(store, T0 + 9) == [2]
    assert claimed(store, T0 + 10) == [1, 2]


def lost(store: Store, now: int, limit: int = 10, tree: int | None = None) -> list[int]:
    with store.write() as tx:
        return [j.id for j in tx.lapsed_jobs(now, limit, tree)]


def test_a_leased_job_is_not_claimed_until_it_is_given_back(store: Store) -> None:
    apply(store, new_jobs=[job(1), job(2, 2), job(3, 3)])
    leased = job(1, leased_until=T0 + 10, worker="w1", deliveries=1, repeatable=False)
    apply(store, leased_jobs=[leased])
    assert claimed(store, T0 + 99) == [2, 3]
    assert asked(store).jobs_of(1)[0] == leased
    apply(store, leased_jobs=[job(1, leased_until=T0 + 30, worker="w2", deliveries=2)])
    assert asked(store).jobs_of(1)[0] == job(1, leased_until=T0 + 30, worker="w2", deliveries=2)
    apply(store, leased_jobs=[job(1, deliveries=2)])
    assert claimed(store) == [1, 2, 3]


def test_jobs_are_lost_when_their_lease_ran_out_earliest_first(store: Store) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1, leased_until=T0 + 10, worker="a"), job(2, 2, leased_until=T0 + 5, worker="b", execution=2),
            job(3, 3, leased_until=T0 + 10, worker="a"), job(4, 4), job(5, 5, leased_until=HANDED_OVER),
        ],
    )  # fmt: skip
    assert lost(store, T0 + 4) == []
    assert lost(store, T0 + 5) == [2]
    assert lost(store, T0 + 10) == [2, 1, 3]
    assert lost(store, T0 + 10, limit=2) == [2, 1]
    assert lost(store, T0 + 10, tree=1) == [1, 3]
    apply(store, leased_jobs=[job(2, 2, execution=2), job(1, 1, leased_until=T0 + 99, worker="a")])
    assert lost(store, T0 + 10) == [3]


def test_what_a_worker_holds_is_known_by_its_id(store: Store) -> None:
    apply(
        store,
        new_jobs=[job(n, n, leased_until=T0 + n, worker=w) for n, w in ((1, "a"), (2, "b"), (3, "a"))]
        + [job(4, 4), job(5, 5, leased_until=HANDED_OVER)],
    )
    with store.write() as tx:
        assert [j.id for j in tx.leased_to("a")] == [1, 3]
        assert [j.id for j in tx.leased_to("c")] == []
        assert tx.leases("a", [1, 2, 3, 9]) == {1, 3}
    assert asked(store).leases("b", [1, 2, 3]) == {2}
    assert asked(store).leases("b", []) == set()


def test_a_queue_is_named_while_it_has_a_job_that_nobody_has(store: Store) -> None:
    def queues() -> list[str]:
        with store.write() as tx:
            return tx.queues()

    assert queues() == []
    apply(
        store,
        new_jobs=[
            job(1, 1, queue="low"), job(2, 2, queue="b"), job(3, 3, queue="b"), job(4, 4, queue="a"),
            job(5, 5, queue="taken", leased_until=T0, worker="w"),
        ],
    )  # fmt: skip
    assert queues() == ["a", "b", "low"]
    apply(store, jobs_gone=[2, 4], leased_jobs=[job(1, 1, queue="low", leased_until=T0, worker="w")])
    assert queues() == ["b"]


def test_a_resource_waits_while_it_has_a_job_that_nobody_has(store: Store) -> None:
    def waiting() -> list[str]:
        with store.write() as tx:
            found = tx.waiting_resources()
        assert asked(store).waiting_resources() == found
        return found

    assert waiting() == []
    apply(
        store,
        new_jobs=[
            job(1, 1, resource="pay"), job(2, 2, resource="b"), job(3, 3, resource="b", execution=2, queue="low"),
            job(4, 4, resource="a", available=T0 + 5), job(5, 5, resource="taken", leased_until=T0, worker="w"),
            job(6, 6, resource="handed", leased_until=HANDED_OVER),
        ],
    )  # fmt: skip
    assert waiting() == ["a", "b", "pay"]
    taken = job(1, 1, resource="pay", leased_until=T0, worker="w")
    apply(store, jobs_gone=[2, 4], leased_jobs=[taken])
    assert waiting() == ["b"]
    apply(store, jobs_gone=[3], leased_jobs=[job(1, 1, resource="pay")])
    assert waiting() == ["pay"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"resources": {"echo"}}, True),
        ({"resources": {"pay"}}, True),
        ({"resources": {"none"}}, False),
        ({"resources": set()}, False),
        ({"resources": {"late"}}, False),
        ({"resources": {"late"}, "now": T0 + 5}, True),
        ({"resources": {"taken"}}, False),
        ({"resources": {"echo", "pay"}, "queues": {"low"}}, True),
        ({"resources": {"echo"}, "queues": {"low"}}, False),
        ({"resources": {"echo"}, "tree": 1}, True),
        ({"resources": {"pay"}, "tree": 1}, False),
        ({"resources": {"pay"}, "tree": 2, "queues": {"low"}}, True),
        ({"resources": {"pay"}, "tree": 2, "queues": {"default"}}, False),
    ],
)
def test_a_read_says_whether_a_job_is_claimable(store: Store, wanted: dict[str, Any], expected: bool) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1), job(2, 2, execution=2, resource="pay", queue="low"),
            job(3, 3, resource="late", available=T0 + 5), job(4, 4, resource="taken", leased_until=T0, worker="w"),
        ],
    )  # fmt: skip
    queues = frozenset(wanted["queues"]) if "queues" in wanted else None
    resources = frozenset(wanted["resources"])
    assert asked(store).has_free(wanted.get("now", T0), resources, tree=wanted.get("tree"), queues=queues) is expected


def test_a_worker_is_written_down_seen_and_struck_off(store: Store) -> None:
    first = WorkerRecord("a/1", "a", "host", 12, "boot/space/7", T0, T0)
    second = WorkerRecord("a/2", "a", "host", 13, "boot/space/8", T0 - 5, T0)
    apply(store, workers=[first, second])
    assert asked(store).workers() == [second, first]
    apply(store, workers=[replace(first, seen=T0 + 9)])
    with store.write() as tx:
        assert tx.workers() == [second, replace(first, seen=T0 + 9)]
    apply(store, workers_gone=["a/2", "b/1"])
    assert [worker.id for worker in asked(store).workers()] == ["a/1"]


def test_a_timer_of_a_job_that_another_worker_has_is_not_ours_to_fire(store: Store) -> None:
    apply(
        store,
        timers=[timer(1, T0 + 1), timer(2, T0 + 2), timer(3, T0 + 3), timer(4, T0 + 4)],
        new_jobs=[job(1, 1, leased_until=T0, worker="a"), job(2, 2, leased_until=T0, worker="b"), job(3, 3)],
    )

    def due(worker: str | None, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [t.frame for t in tx.due_timers(T0 + 9, 10, tree, worker)]

    for tree in (None, 1):
        assert due(None, tree) == [1, 2, 3, 4]
        assert due("a", tree) == [1, 3, 4]
        assert due("b", tree) == [2, 3, 4]
        assert due("c", tree) == [3, 4]
    apply(store, leased_jobs=[job(n, n, leased_until=T0 + 99, worker="a") for n in (1, 2)])
    for tree in (None, 1):
        assert [asked(store).next_due(tree, worker) for worker in (None, "a", "b")] == [T0 + 1, T0 + 1, T0 + 3]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"tree": 1}, [1, 2, 5, 6]),
        ({"tree": 2}, [3, 4]),
        ({"queue": "low"}, [2, 4, 6]),
        ({"queue": "none"}, []),
        ({"tree": 1, "queue": "low"}, [2, 6]),
        ({"resources": frozenset({"echo"})}, [1, 2, 3, 5]),
        ({"resources": frozenset({"pay", "x"})}, [4, 6]),
        ({"resources": frozenset()}, []),
        ({"tree": 1, "queue": "low", "resources": frozenset({"pay"})}, [6]),
        ({"limit": 3}, [1, 2, 3]),
        ({"limit": 100}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_each_limit_of_a_claim_holds(store: Store, wanted: dict[str, Any], expected: list[int]) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1), job(2, 2, queue="low"), job(3, 3, execution=2),
            job(4, 4, execution=2, queue="low", resource="pay"), job(5, 5), job(6, 6, queue="low", resource="pay"),
            job(7, 7, leased_until=T0, worker="w"), job(8, 8, leased_until=T0 + 1, worker="mine"),
        ],
    )  # fmt: skip
    assert claimed(store, **wanted) == expected


def test_reading_claimable_jobs_leases_nothing(store: Store) -> None:
    apply(store, new_jobs=[job(1)])
    with store.write() as tx:
        tx.claimable(T0, 10)[0].worker = "w"
        tx.jobs([1])[1].worker = "w"
    assert asked(store).jobs_of(1) == [job(1)]


def test_a_job_given_to_the_store_may_be_changed_afterwards(store: Store) -> None:
    given = job(1)
    apply(store, new_jobs=[given])
    given.worker = "w"
    assert asked(store).jobs_of(1) == [job(1)]


# Messages and subscriptions


def test_the_oldest_buffered_message_that_has_not_expired_is_found(store: Store) -> None:
    apply(
        store,
        new_messages=[
            message(1, expires=T0 + 5), message(2), message(3), message(4, value='"B"'), message(5, key="k"),
            message(6, value="42", status=MessageStatus.CONSUMED),
        ],
    )  # fmt: skip

    def oldest(value: str = '"A"', key: str = "orderId", now: int = T0, skip: tuple[int, ...] = ()) -> int | None:
        with store.write() as tx:
            found = tx.buffered_message(key, value, now, skip)
            return None if found is None else found.id

    assert oldest() == 1
    assert oldest(now=T0 + 4) == 1
    assert oldest(now=T0 + 5) == 2
    assert oldest(skip=(1, 2)) == 3
    assert oldest('"B"') == 4
    assert oldest(key="k") == 5
    assert oldest("42") is None
    assert oldest("A") is None
    apply(store, messages_consumed=[Consumed(1, 1, T0), Consumed(2, 1, T0)])
    assert oldest() == 3
    assert oldest(skip=[3]) is None  # type: ignore[arg-type]  # any collection will do


def test_a_message_comes_back_as_it_was_also_after_it_was_consumed(store: Store) -> None:
    apply(store, new_messages=[message(1, message_id="m"), message(2, message_id="n"), message(3, message_id="m")])
    apply(store, messages_consumed=[Consumed(3, 8, T0 + 5), Consumed(99, 1, T0)])
    with store.write() as tx:
        assert tx.find_message("orderId", '"A"', "m") == message(
            3, message_id="m", status=MessageStatus.CONSUMED, consumed=T0 + 5, count=1, receivers=(8,)
        )
        assert tx.find_message("orderId", '"A"', "n") == message(2, message_id="n")
        assert tx.find_message("orderId", '"B"', "m") is None
        assert tx.find_message("other", '"A"', "m") is None
        assert tx.find_message("orderId", '"A"', "x") is None


def test_a_message_may_arrive_and_be_consumed_in_one_tick(store: Store) -> None:
    apply(store, new_messages=[message(1)], messages_consumed=[Consumed(1, 1, T0)])
    with store.write() as tx:
        assert tx.buffered_message("orderId", '"A"', T0) is None


def test_open_subscriptions_come_oldest_first(store: Store) -> None:
    apply(
        store,
        new_subscriptions=[
            subscription(1, T0 + 9), subscription(2, T0 + 3, execution=2), subscription(3, T0 + 3),
            subscription(4, value="7"),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert [s.frame for s in tx.subscriptions("orderId", '"A"')] == [2, 3, 1]
        assert [s.frame for s in tx.subscriptions("orderId", "7")] == [4]
        assert tx.subscriptions("orderId", "8") == []
    assert [s.frame for s in asked(store).subscriptions_of(1)] == [4, 3, 1]


# History


def test_history_is_read_in_order_from_any_number(store: Store) -> None:
    apply(store, history=events(1, [1, 2, 3]) + events(2, [1]))
    apply(store, history=events(2, [2]) + events(1, [4, 5]))
    assert asked(store).history(1) == events(1, [1, 2, 3, 4, 5])
    assert asked(store).history(2) == events(2, [1, 2])
    assert asked(store).history(3) == []
    for after in range(7):
        assert asked(store).history(1, after) == events(1, range(after + 1, 6))
        for limit in range(7):
            assert asked(store).history(1, after, limit) == events(1, range(after + 1, 6))[:limit]


def test_events_of_several_executions_may_alternate(store: Store) -> None:
    mixed = [event for pair in zip(events(1, range(1, 9)), events(2, range(1, 9)), strict=True) for event in pair]
    apply(store, history=mixed)
    assert asked(store).history(1) == events(1, range(1, 9))
    assert asked(store).history(2) == events(2, range(1, 9))


# Values


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(2**63), 2**63, 2**64 - 1, 0.1, -0.0, 1e308, 5e-324, 1.0, 123456789.123456789, "", "@1",
        "ü😀\u2028\x00\x7f",
        "x" * 3000, "ü" * 3000, [], {}, [None], {"": None}, {"@": "@"}, [[[{"a": [1, 2.5, "x"]}]]], {"a.b": 1, "$": 2},
        {"z": 1, "a": 2}, ["y" * 1999], ["y" * 1994], ["y" * 1996],
    ],
    ids=repr,
)  # fmt: skip
def test_every_json_value_comes_back_exactly(store: Store, value: Json) -> None:
    def same(found: Json) -> bool:
        return repr(found) == repr(value)

    apply(
        store, new_executions=[execution(1, input=value, output=value)], new_jobs=[job(1, input=value)],
        new_frames=[frame(1, input=value, output=value, item=value, wake=value, vars={"v": value})],
        new_messages=[message(1, body=value)], history=[events(1, [1])[0]._replace(detail={"input": value})],
    )  # fmt: skip
    read = asked(store).execution(1)
    assert read is not None
    assert same(read.input)
    assert same(read.output)
    _check_frame(asked(store).open_frames(1)[0], same)
    assert same(asked(store).jobs_of(1)[0].input)
    assert same(asked(store).history(1)[0].detail["input"])
    with store.write() as tx:
        body = tx.buffered_message("orderId", '"A"', T0)
        _check_frame(tx.frames([1])[1], same)
    assert body is not None
    assert same(body.body)


def _check_frame(found: Frame, same: Callable[[Json], bool]) -> None:
    assert all(map(same, (found.input, found.output, found.item, found.wake, found.vars["v"])))


def test_a_payload_of_ten_megabytes_is_kept_moved_and_released(store: Store) -> None:
    big: Json = {"blob": "é" * 5_000_000}
    apply(
        store, new_executions=[execution(1, input=big)], new_frames=[frame(1, input=big)], new_jobs=[job(1, input=big)],
        history=[events(1, [1])[0]._replace(detail={"input": big})],
    )  # fmt: skip
    assert asked(store).jobs_of(1)[0].input == big
    with store.write() as tx:
        moved = tx.frames([1])[1].copy()
        moved.output, moved.input, moved.status = moved.input, None, FrameStatus.SUCCEEDED
        closed = tx.executions([1])[1]
        closed.output, closed.status = big, Status.SUCCEEDED
        tx.apply(Changes(frames={1: moved}, executions={1: closed}, jobs_gone=[1]))
    with store.write() as tx:
        found = tx.frames([1])[1]
    assert found.input is None
    assert found.output == big
    read = asked(store).execution(1)
    assert read is not None
    assert read.output == read.input == big
    assert asked(store).history(1)[0].detail["input"] == big


@pytest.mark.parametrize("at", [-(2**63), -1, 2**63 - 1])
def test_times_and_numbers_hold_64_bits(store: Store, at: int) -> None:
    apply(
        store, new_executions=[execution(1, started=at, deadline=at, closed=at, events=at, priority=at)],
        new_frames=[frame(1, seq=at, entered=at, entered_at=at)], timers=[timer(1, at)],
        history=[events(1, [1])[0]._replace(at=at)],
    )  # fmt: skip
    assert asked(store).execution(1) == execution(1, started=at, deadline=at, closed=at, events=at, priority=at)
    assert asked(store).open_frames(1) == [frame(1, seq=at, entered=at, entered_at=at)]
    assert asked(store).timers_of(1) == [timer(1, at)]
    assert asked(store).next_due() == at
    assert asked(store).history(1)[0].at == at


def test_names_and_keys_may_be_of_any_script(store: Store) -> None:
    apply(
        store, new_executions=[execution(1, name="名前-😀", workflow="ünïcode")],
        new_subscriptions=[subscription(1, key="ключ", value='"значение"')],
    )  # fmt: skip
    assert [e.id for e in asked(store).find("名前-😀")] == [1]
    assert refs(store, workflow="ünïcode", name_contains="前") == [1]
    with store.write() as tx:
        assert [s.frame for s in tx.subscriptions("ключ", '"значение"')] == [1]


def test_a_list_asked_inside_a_transaction_leaves_what_it_listed_whole(store: Store) -> None:
    apply(store, new_executions=[execution(1, output={"total": 7}), execution(2)])
    with store.write() as tx:
        assert [e.input for e in tx.list_executions(ExecutionFilter())] == [None, None]
        changed = tx.executions([1, 2])[1]
        assert (changed.input, changed.output) == ({"n": 1}, {"total": 7})
        changed.status, changed.output = Status.FAILED, None
        tx.apply(Changes(executions={1: changed}))
    assert asked(store).executions([1, 2]) == {1: execution(1, status=Status.FAILED), 2: execution(2)}
