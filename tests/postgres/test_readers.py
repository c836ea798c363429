"""Connections that read: bounded, lent to one thread at a time, made anew when they are dead."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import psycopg
import pytest

from sm_cli.errors import ConfigurationError, DatabaseBusy
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.readers import ReadConnections
from sm_cli.store.postgres.url import parse_url
from sm_cli.store.sql.questions import Questions
from sm_cli.store.waiting import Patience
from tests.engine.workers import soon
from tests.postgres.server import server, with_option
from tests.store.samples import apply, execution


def pid_of(questions: Questions) -> int:
    connection = questions.session.connection
    assert isinstance(connection, psycopg.Connection)
    return connection.info.backend_pid


def hold(store: PostgresStore, entered: list[int], leave: threading.Event) -> threading.Thread:
    def read() -> None:
        with store.read() as questions:
            entered.append(pid_of(questions))
            assert leave.wait(60)

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_threads_that_read_at_once_have_connections_of_their_own_and_no_more_than_the_bound(url: str) -> None:
    store = PostgresStore(parse_url(with_option(url, "pool=2")), patience=Patience(lambda: 0.05))
    entered: list[int] = []
    leave = threading.Event()
    threads = [hold(store, entered, leave) for _ in range(2)]
    soon(lambda: len(entered) == 2)
    try:
        with (
            pytest.raises(DatabaseBusy, match=r"^all 2 connections that read .* were in use for 0\.05 s$"),
            store.read(),
        ):
            pass
    finally:
        leave.set()
        for thread in threads:
            thread.join(30)
    assert len(set(entered)) == 2
    with store.read() as questions:
        assert pid_of(questions) in entered, "it made one more"
    store.close()


def test_who_waits_for_a_reader_has_it_when_another_is_done(url: str) -> None:
    store = PostgresStore(parse_url(with_option(url, "pool=1")))
    entered: list[int] = []
    first, then = threading.Event(), threading.Event()
    threads = [hold(store, entered, first)]
    soon(lambda: len(entered) == 1)
    threads.append(hold(store, entered, then))
    first.set()
    soon(lambda: len(entered) == 2)
    then.set()
    for thread in threads:
        thread.join(30)
    assert entered[0] == entered[1]
    store.close()


def test_a_thread_that_reads_inside_a_read_does_not_wait_for_itself(url: str) -> None:
    store = PostgresStore(parse_url(with_option(url, "pool=1")), patience=Patience(lambda: 0.05))
    with ExitStack() as stack:
        pids = {pid_of(stack.enter_context(store.read())) for _ in range(3)}
    assert len(pids) == 3
    with store.read() as questions:
        assert pid_of(questions) in pids
    store.close()


def test_who_is_asked_how_long_it_waits_may_read_meanwhile(url: str) -> None:
    """A worker waits until an execution has ended, and looks whether it has."""
    store = PostgresStore(parse_url(with_option(url, "pool=1")))
    asked = []

    def limit() -> float:
        with store.read() as questions:
            asked.append(questions.latest())
        return 0.01

    store.patience = Patience(limit)
    entered: list[int] = []
    leave = threading.Event()
    thread = hold(store, entered, leave)
    soon(lambda: len(entered) == 1)
    try:
        with pytest.raises(DatabaseBusy), store.read():
            pass
    finally:
        leave.set()
        thread.join(30)
    assert asked
    store.close()


def test_connections_that_died_while_they_were_idle_are_made_anew_all_at_once(url: str) -> None:
    store = PostgresStore(parse_url(url))
    apply(store, new_executions=[execution(1)])
    with ExitStack() as stack:
        dead = [pid_of(stack.enter_context(store.read())) for _ in range(3)]
    with psycopg.connect(server(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", (dead,))
    for _ in range(2):
        with store.read() as questions:
            assert pid_of(questions) not in dead
            assert questions.execution(1) == execution(1)
    assert len(store._readers._idle) == 1
    store.close()


def test_a_connection_that_dies_in_use_is_not_lent_again_and_gives_its_place_back(url: str) -> None:
    store = PostgresStore(parse_url(with_option(url, "pool=1")), patience=Patience(lambda: 0.05))
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError) as died, store._readers.lend() as questions:
            connection = questions.session.connection
            assert isinstance(connection, psycopg.Connection)
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        assert died.value is not None
    with store.read() as questions:
        assert questions.latest() is None
    store.close()


def test_what_nobody_needed_for_five_minutes_is_given_back(url: str) -> None:
    store = PostgresStore(parse_url(url))
    now = [0.0]
    readers = ReadConnections(store._new_reader, store.url, lambda: store.patience, now=lambda: now[0])
    with ExitStack() as stack:
        lent = [stack.enter_context(readers.lend()).session.connection for _ in range(3)]
    now[0] = 299.0
    with readers.lend():
        pass
    assert len(readers._idle) == 3
    now[0] = 301.0
    with readers.lend():
        pass
    assert len(readers._idle) == 1
    assert sum(not connection.closed for connection in lent) == 1
    readers.close()
    assert all(connection.closed for connection in lent)
    store.close()


def test_a_connection_that_is_lent_when_the_store_closes_is_closed_when_it_comes_back(url: str) -> None:
    store = PostgresStore(parse_url(url))
    with store.read() as questions:
        connection = questions.session.connection
        store.close()
        assert not connection.closed
    assert connection.closed


@pytest.mark.parametrize("pool", ["0", "-1", "many", "", "10000", "٣"])
def test_a_pool_that_is_no_number_is_one_sentence(pool: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no number of connections from 1 to 9999$") as told:
        parse_url(f"postgresql://me:secret@host/db?pool={pool}")
    assert "secret" not in str(told.value)
