"""Whoever waits on a server for what another one has waits for a while, and says for whom."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from sm_cli.engine import agenda
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.retention import delete_execution
from sm_cli.errors import DatabaseBusy
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.locks import ALONE, NOTHING, Lock, Locks, message_lock
from sm_cli.store.open import open_store
from sm_cli.store.postgres.upkeep import PostgresUpkeep
from sm_cli.store.postgres.waits import Turns
from sm_cli.store.postgres.writing import writer
from sm_cli.store.postgres.writing.own import lock_number
from sm_cli.store.protocol import Store
from sm_cli.store.waiting import Holder, LockWait, Patience
from sm_cli.views.upkeep import migrate_database
from sm_cli.worker.outlasting import outlasting
from tests.engine.waiting import WAIT, now, order, start
from tests.engine.workers import SECOND, one_task, soon, workflow
from tests.postgres.server import server, stores
from tests.postgres.test_many_workers import LARGE, is_over, working
from tests.postgres.test_retention import PASS, waits_for_a_lock
from tests.store.asking import asked

#: What the session is called that has what others need.
NAME = "somebody else"
SHORT = Patience(lambda: 0.1)


@contextmanager
def session(url: str, *statements: str) -> Iterator[int]:
    """A session in whose transaction these were done; its number on the server."""
    with psycopg.connect(server(), application_name=NAME) as connection:
        connection.execute(f"SET search_path TO {schema_of(url)}".encode())
        for statement in statements:
            connection.execute(statement.encode())
        yield connection.info.backend_pid
        connection.rollback()


def schema_of(url: str) -> str:
    return url.partition("schema=")[2]


def advisory(url: str, lock: Lock, how: str = "") -> str:
    return f"SELECT pg_advisory_xact_lock{how}({lock_number(schema_of(url), lock)})"


def publish(store: Store) -> object:
    return Engine(store).publish("orderId", "O-1", {"approved": True})


def write(locks: Locks | None) -> Callable[[Store], object]:
    def begin(store: Store) -> None:
        with store.write(locks):
            pass

    return begin


def stop(store: Store) -> object:
    return Engine(store).stop(asked(store).list_executions(ExecutionFilter(workflow="order"))[0])


@pytest.mark.parametrize(
    ("held", "act"),
    [
        (lambda url: advisory(url, ALONE), write(NOTHING)),
        (lambda url: advisory(url, ALONE, "_shared"), write(None)),
        (lambda url: advisory(url, message_lock("orderId", "O-1")), publish),
        (lambda _: "SELECT id FROM executions FOR NO KEY UPDATE", publish),
        (lambda _: "SELECT id FROM executions FOR NO KEY UPDATE", stop),
        (lambda _: "LOCK TABLE executions", lambda store: asked(store).list_executions(ExecutionFilter())),
        (lambda _: "LOCK TABLE executions", write(NOTHING)),
        (lambda _: "LOCK TABLE frames", write(None)),
        (lambda _: "LOCK TABLE frames", lambda store: PostgresUpkeep(store).compact()),
        (lambda _: "LOCK TABLE jobs IN SHARE MODE", lambda store: PostgresUpkeep(store).repair()),
        (lambda _: "LOCK TABLE sm_writes", lambda store: store.changed()),
    ],
)  # fmt: skip
def test_what_somebody_has_for_too_long_is_a_sentence_that_says_who(
    url: str, held: Callable[[str], str], act: Callable[[Any], object]
) -> None:
    with stores(url, 1) as (mine,):
        start(Engine(mine), order(), {"orderId": "O-1"})
        with mine.write() as tx:  # something to put right
            tx.session.insert_blob(999_999, b"")
    says = rf"is held by session {{}} of the server \({NAME}\)"
    with closing(open_store(url, patience=SHORT)) as other, session(url, held(url)) as number:
        with pytest.raises(DatabaseBusy, match=says.format(number)) as busy:
            act(other)
        assert busy.value.hint is not None
        assert f"pg_terminate_backend({number})" in busy.value.hint


@pytest.mark.parametrize("held", ["UPDATE ids SET next = next", "UPDATE blob_uses SET uses = uses"])
def test_rows_that_somebody_has_are_waited_for_no_longer_than_other_locks(url: str, held: str) -> None:
    with stores(url, 1) as (mine,):
        old = Engine(mine).start(PASS, LARGE)[0]
        mine.patience = SHORT

        def begin() -> object:
            return Engine(mine).start(PASS, LARGE)

        def delete() -> object:
            return delete_execution(mine, old)

        with session(url, held):
            for act in (begin, delete) if "blob" in held else (begin,):
                with pytest.raises(DatabaseBusy, match=r"is held by .* for more than 0.1 s"):
                    act()
        begin()
        delete()


def test_a_schema_that_another_process_is_making_is_waited_for_so_long(url: str) -> None:
    name = f"{schema_of(url)}_new"
    lock = lock_number(name, Lock("migrating"))
    with (
        session(url, f"SELECT pg_advisory_xact_lock({lock})") as number,
        pytest.raises(DatabaseBusy, match=f"session {number} of the server"),
    ):
        migrate_database(f"{server()}&schema={name}", SHORT)
    migrate_database(f"{server()}&schema={name}", SHORT)
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


def test_our_own_sessions_are_called_by_program_process_and_machine(url: str) -> None:
    with stores(url, 2) as (one, other):
        other.patience = SHORT
        ours = r"session \d+ of the server \(.*, process \d+ on .*\)"
        with one.write(), pytest.raises(DatabaseBusy, match=ours):
            write(NOTHING)(other)


def test_who_waits_to_be_alone_lets_others_go_on_meanwhile(url: str) -> None:
    with stores(url, 3) as (holding, alone, going):
        Engine(going).start(PASS)
        done: list[bool] = []

        def wait() -> None:
            with alone.write():
                done.append(True)

        thread = threading.Thread(target=wait)
        with holding.write(NOTHING):
            thread.start()
            soon(lambda: waits_for_a_lock(going, alone))
            for n in range(20):
                Engine(going).start(PASS, n)
            assert done == []
        thread.join(60)
        assert done == [True]


def test_a_turn_of_waiting_is_followed_by_as_long_a_pause_and_both_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    turns = Turns(LockWait(Patience(lambda: 7.0), lambda: None))
    spans = []
    with pytest.raises(TimeoutError):
        while True:
            spans.append(turns.seconds)
            before = clock[0]
            turns.end()
            assert clock[0] - before == pytest.approx(spans[-1])
    assert spans == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize("longest", [10**12, 200_000])
def test_a_worker_leaves_a_tree_whose_message_somebody_holds_and_goes_on(
    url: str, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    """Also when it has waited for that in vain."""
    monkeypatch.setattr(agenda, "_LONGEST", longest)
    monkeypatch.setattr(writer, "TELL_AFTER", 0.05)
    with stores(url, 2) as (mine, third):
        engine = Engine(mine)
        start(engine, order(), {"orderId": "first"})  # registers the definition
        with working([third]):
            with session(url, advisory(url, message_lock("orderId", "O-1"))):
                late = engine.start(order_after_a_task(), {"orderId": "O-1"})[0]
                for _ in range(3):
                    soon(lambda: longest > SECOND or waits_for_a_lock(mine, third))
                    others = [engine.start(one_task(), n)[0] for n in range(3)]
                    soon(lambda others=others: is_over(mine, others))  # type: ignore[misc]
                assert asked(mine).subscriptions_of(late.id) == []
            soon(lambda: asked(mine).subscriptions_of(late.id) != [])
        assert now(mine, late).closed is None


def order_after_a_task() -> Workflow:
    """It begins to wait in a worker's tick."""
    return workflow(
        {
            "StartAt": "Work",
            "States": {
                "Work": {"Type": "Task", "Resource": "work", "Next": "Wait"},
                "Wait": {**WAIT, "Next": "End", "TimeoutPath": "End"},
                "End": {"Type": "Succeed"},
            },
        }, "late",
    )  # fmt: skip


def test_a_worker_says_once_who_has_what_it_waits_for(caplog: pytest.LogCaptureFixture, url: str) -> None:
    with stores(url, 1) as (store,):
        with caplog.at_level(logging.WARNING, "sm.worker"), outlasting(store, lambda: False):
            tell = store.patience.tell
            assert tell is not None
            for holder in (Holder(7, "a", 1), Holder(7, "a", 1), Holder(8, "b", 1), Holder(8, "b", 2)):
                tell(holder)
        assert len(caplog.records) == 3
