"""Closed executions are deleted beside the work of others: nobody waits for it, and it takes nothing from anybody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import CLOSED, SMALL, Portion, Pruned, delete_execution, prune
from sm_cli.errors import Conflict, DatabaseBusy, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.locks import NOTHING, OLD_MESSAGES, STATE_LOG, Lock, Locks
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sql.upkeep.state_log import fold_state_times
from sm_cli.store.waiting import Patience
from sm_cli.views.upkeep import database_problems
from tests.engine.waiting import now, order
from tests.engine.waiting import start as start_order
from tests.engine.workers import one_task, soon, workflow
from tests.postgres.server import stores
from tests.postgres.test_many_workers import LARGE, is_over, together, working
from tests.store.asking import asked

#: Later than anything here is closed.
LATER = 10**17
_WAITS = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
PASS = workflow({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, "pass")
FAIL = workflow({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "No"}}}, "fail")
EACH = workflow(
    {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map", "End": True,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "P",
                    "States": {"P": {"Type": "Pass", "End": True}},
                },
            }
        },
    }, "each",
)  # fmt: skip


class Halting:
    """A store whose transactions stop before their commit, one after the other, until each is let go on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_there, self.may_go_on = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self, locks: Locks | None = None) -> Iterator[Transaction]:
        with self._store.write(locks) as tx:
            yield tx
            self.is_there.set()
            assert self.may_go_on.wait(60)


@contextmanager
def in_the_middle(store: Store, before: int) -> Iterator[list[Pruned]]:
    """A removal of all that was closed before this time stands before its first commit while the block runs; then: how
    much went."""
    halting: Any = Halting(store)
    totals: list[Pruned] = []
    thread = threading.Thread(target=lambda: totals.append(prune(halting, before, portion=SMALL)))
    thread.start()
    try:
        assert halting.is_there.wait(60)
        yield totals
    finally:
        halting.may_go_on.set()
        thread.join(60)


def closed(engine: Engine, count: int, input: Json = None) -> list[Execution]:
    return [engine.start(PASS, input)[0] for _ in range(count)]


def are_there(store: Store, executions: list[Execution]) -> list[bool]:
    return [asked(store).execution(each.id) is not None for each in executions]


def waits_for_a_lock(looking: Store, other: Store) -> bool:
    """Whether the other store's transaction waits for somebody."""
    assert isinstance(other, PostgresStore)
    with looking.read() as questions:
        return bool(questions.session.connection.execute(_WAITS, (other._writer.process,)).fetchall())


def test_while_a_removal_is_in_the_middle_another_worker_s_ticks_commit(url: str) -> None:
    with stores(url, 3) as (mine, removing, going):
        engine = Engine(mine)
        old = closed(engine, 5)
        running = [engine.start(one_task(), n)[0] for n in range(5)]
        waiting = start_order(engine, order(), {"orderId": "O-1"})
        with in_the_middle(removing, engine.clock.now() + 1) as totals, working([going]):
            more = [engine.start(one_task(), n)[0] for n in range(5)]  # and others are started
            engine.publish("orderId", "O-1", {"approved": True})
            soon(lambda: is_over(mine, [*running, *more, waiting]))
            assert are_there(mine, old) == [True] * 5
            assert totals == []
        assert totals == [Pruned(5, 0, sum(each.events for each in old))]
        assert are_there(mine, old) == [False] * 5
        assert database_problems(mine) == []


def test_while_another_worker_is_in_the_middle_a_removal_ends(url: str) -> None:
    with stores(url, 3) as (mine, held_up, removing):
        engine = Engine(mine)
        old = closed(engine, 5)
        running = engine.start(one_task())[0]
        with held_up.write(NOTHING) as tx:
            assert tx.hold([running.tree]) == {running.tree}
            changed = tx.frames([asked(mine).root(running.id).id])
            tx.apply(Changes(frames={id: frame.copy() for id, frame in changed.items()}))
            assert prune(removing, LATER).executions == 5
            delete_execution(removing, closed(engine, 1)[0])
            assert are_there(mine, old) == [False] * 5
        assert database_problems(mine) == []


def test_what_somebody_else_holds_is_left_by_a_worker_and_waited_for_by_a_command(url: str) -> None:
    with stores(url, 3) as (mine, held_up, removing):
        old = closed(Engine(mine), 3)
        removing.patience = Patience(lambda: 0.05)
        with held_up.write(NOTHING) as tx:
            tx.hold([old[1].id])
            assert prune(removing, LATER, portion=SMALL).executions == 2
            assert are_there(mine, old) == [False, True, False]
            with pytest.raises(DatabaseBusy):
                prune(removing, LATER)
            with pytest.raises(DatabaseBusy):
                delete_execution(removing, old[1])
            removing.patience = Patience(lambda: 60.0)
            totals: list[Pruned] = []
            thread = threading.Thread(target=lambda: totals.append(prune(removing, LATER)))
            thread.start()
        thread.join(60)
        assert totals[0].executions == 1
        assert are_there(mine, old) == [False] * 3


@pytest.mark.parametrize("portion", [SMALL, Portion()])
def test_what_is_redriven_while_it_is_about_to_go_stays(url: str, portion: Portion) -> None:
    """It was looked for when it was closed, and is held when it runs again."""
    with stores(url, 3) as (mine, redriving, removing):
        engine = Engine(mine)
        failed = [engine.start(FAIL)[0] for _ in range(2)]
        fixed = workflow(
            {"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "nobody's", "End": True}}}, "fail"
        )

        class Late:
            """Redrives between the look and the first transaction."""

            def __getattr__(self, name: str) -> Any:
                return getattr(removing, name)

            def write(self, locks: Locks | None = None) -> Any:
                if now(mine, failed[0]).closed is not None:
                    Engine(redriving).redrive(failed[0], definition=fixed)
                return removing.write(locks)

        store: Any = Late()
        assert prune(store, LATER, portion=portion).executions == 1
        assert now(mine, failed[0]).status is Status.RUNNING
        assert are_there(mine, failed) == [True, False]
        with pytest.raises(Conflict, match="is RUNNING"):
            delete_execution(removing, failed[0])
        assert database_problems(mine) == []


@pytest.mark.parametrize("lock", [STATE_LOG, OLD_MESSAGES])
def test_a_worker_waits_for_no_lock_beside_executions_either(url: str, lock: Lock) -> None:
    with stores(url, 3) as (mine, held_up, removing):
        closed(Engine(mine), 3)
        with held_up.write(frozenset([lock])):
            prune(removing, LATER, portion=SMALL)
        prune(removing, LATER, portion=SMALL)
        assert asked(mine).list_executions(ExecutionFilter()) == []
        assert database_problems(mine) == []


def test_several_remove_at_once_and_all_goes_once(url: str) -> None:
    with stores(url, 4) as (mine, *removing):
        engine = Engine(mine)
        for n in range(30):
            closed(engine, 1, {**LARGE, "n": n % 3})
        for _ in range(3):
            engine.start(EACH, [LARGE, 1, 2, 3, 4])
        with working([mine]):
            soon(lambda: not asked(mine).list_executions(ExecutionFilter(statuses=(Status.RUNNING,))))
        totals: list[Pruned] = []
        portion = Portion(3, 1000)
        together([lambda store=each: totals.append(prune(store, LATER, portion=portion)) for each in removing])  # type: ignore[misc]
        assert sum(each.executions for each in totals) == 33
        assert sum(each.children for each in totals) == 15
        assert database_problems(mine) == []
        with mine.read() as questions:
            left = {
                name: questions.session.connection.execute(f"SELECT count(*) FROM {name}").fetchone()
                for name in (
                    "executions",
                    "frames",
                    "history",
                    "map_runs",
                    "blobs",
                    "blob_uses",
                    "state_times",
                    "state_log",
                )
            }
        assert set(left.values()) == {(0,)}, left


def test_the_link_of_two_that_are_deleted_side_by_side_goes_with_the_second(url: str) -> None:
    with stores(url, 3) as (mine, one, other):
        engine = Engine(mine)
        source = closed(engine, 1)[0]
        target = engine.start(PASS, source=Source(source))[0]
        with one.write(frozenset([STATE_LOG])) as tx:  # whose rows two removals would meet at
            fold_state_times(tx.session)
        done: list[Pruned] = []
        with one.write(NOTHING) as tx:
            tx.hold([source.id])
            tx.apply(Changes(executions_gone=[source.id]))
            thread = threading.Thread(target=lambda: done.append(delete_execution(other, target)))
            thread.start()
            soon(lambda: done or waits_for_a_lock(mine, other))
        thread.join(60)
        assert [total.executions for total in done] == [1]
        assert database_problems(mine) == []


def test_times_that_are_being_moved_from_the_log_to_the_table_go_with_their_execution(url: str) -> None:
    with stores(url, 3) as (mine, folding, removing):
        old = closed(Engine(mine), 1)[0]
        done: list[Pruned] = []
        with folding.write(NOTHING) as tx:
            assert tx._may_fold()
            fold_state_times(tx.session)
            thread = threading.Thread(target=lambda: done.append(delete_execution(removing, old)))
            thread.start()
            soon(lambda: done or waits_for_a_lock(mine, removing))
        thread.join(60)
        assert [total.executions for total in done] == [1]
        assert database_problems(mine) == []


def test_a_worker_that_remembers_a_tree_is_told_that_a_part_of_it_went(url: str) -> None:
    above = workflow(
        {
            "StartAt": "N",
            "States": {
                "N": {
                    "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Next": "F",
                    "Parameters": {"StateMachineArn": "fail", "Input": {}},
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "F"}],
                },
                "F": {"Type": "Fail"},
            },
        }, "above",
    )  # fmt: skip
    with stores(url, 2) as (mine, removing):
        engine = Engine(mine)
        top = engine.start(above, {}, targets=(FAIL,))[0]
        (nested,) = asked(mine).list_executions(ExecutionFilter(workflow="fail"))
        assert now(mine, top).status is now(mine, nested).status is Status.FAILED
        delete_execution(removing, nested)
        with pytest.raises(NotFound):
            engine.redrive(nested)
        assert now(mine, top).status is Status.FAILED
        assert database_problems(mine) == []


def test_who_is_deleted_between_its_row_and_its_large_input_is_not_found_by_its_name(url: str) -> None:
    with stores(url, 3) as (mine, reading, removing):
        old = Engine(mine).start(PASS, LARGE, name="n")[0]
        with reading.write(NOTHING) as transaction:
            read, asked_for = transaction.session.blob, list[int]()

            def read_late(id: int, before: Callable[[], None]) -> bytes | None:
                asked_for.append(id)
                delete_execution(removing, old)
                return read(id, before)

            transaction.session.blob = read_late  # type: ignore[method-assign]
            assert transaction.find_execution("pass", "n") is None
            transaction.session.blob = read  # type: ignore[method-assign]
        assert len(asked_for) == 1


def test_hunted_for_deadlocks_between_removals_and_work_nobody_finds_one(url: str) -> None:
    """Executions that share names, large values and links are started, ended and deleted, all at once."""
    with stores(url, 6) as (mine, *theirs), working(theirs[:1]):
        engine = Engine(mine)
        for each in (PASS, EACH, one_task()):
            engine.start(each, [LARGE] * 2)

        def begin(store: Store) -> None:
            own = Engine(store)
            for n in range(25):
                with suppress(Conflict, NotFound):  # the name is taken; it was deleted meanwhile
                    first = own.start(PASS, {**LARGE, "n": n % 2}, name=f"n{n}")[0]
                    own.start(PASS, source=Source(first))
                own.start(one_task(), LARGE)
                own.start(EACH, [LARGE] * 3)

        def remove(store: Store, portion: Portion) -> None:
            for _ in range(15):
                prune(store, LATER, CLOSED, portion=portion)

        together(
            [
                partial(begin, theirs[1]), partial(begin, theirs[2]),
                partial(remove, theirs[3], SMALL), partial(remove, theirs[4], Portion(7)),
            ]
        )  # fmt: skip
        soon(lambda: not asked(mine).list_executions(ExecutionFilter(statuses=(Status.RUNNING,))))
        prune(mine, LATER)
        assert asked(mine).list_executions(ExecutionFilter()) == []
        assert database_problems(mine) == []
