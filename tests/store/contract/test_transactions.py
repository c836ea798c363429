"""The contract of `sm_cli.store.protocol`: a transaction is whole, once and alone; ids are given once."""

from __future__ import annotations

import threading

import pytest

from sm_cli.errors import Conflict
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.messages import Consumed
from sm_cli.store.protocol import Store
from sm_cli.store.records import Reserved
from tests.store.asking import asked, listed_ids
from tests.store.samples import (
    T0,
    apply,
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
    apply(store, new_jobs=[job(1)])
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
    assert listed_ids(store, limit=1000) == list(range(80, 0, -1))


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
    second = reserve(store, table, 2)
    assert second >= 5
    assert reserve(store, table) >= second + 2


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
    assert listed_ids(store) == [kept]
