"""Statements that go to the server together: their answers, what one that fails leaves, and interruptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.types.numeric import Int8BinaryDumper

from sm_cli.errors import DatabaseAway, DatabaseError
from sm_cli.store.changes import Changes
from sm_cli.store.locks import NOTHING
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.exchange import Exchange
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.postgres.url import parse_url
from tests.postgres.server import server
from tests.store.samples import execution

NUMBER = b"SELECT $1::bigint"


@pytest.fixture
def connection() -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(parse_url(server()).driver_text(), autocommit=True)) as connection:
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.execute("CREATE TEMP TABLE t (id bigint PRIMARY KEY, text text)")
        yield connection


@pytest.fixture(params=[True, False], ids=["prepared", "unprepared"])
def exchange(connection: psycopg.Connection, request: pytest.FixtureRequest) -> Exchange:
    return Exchange(connection, prepare=request.param)


def test_answers_come_in_the_order_of_their_statements(exchange: Exchange) -> None:
    with exchange.together():
        answers = [exchange.send(NUMBER, (number,)) for number in range(5)]
        made = exchange.send(b"INSERT INTO t VALUES ($1, $2)", (1, "ä"))
        exchange.settle()
    assert [answer.rows for answer in answers] == [[(number,)] for number in range(5)]
    assert (made.rows, made.tag) == ([], b"INSERT 0 1")
    assert exchange.ask(b"SELECT id, text FROM t") == [(1, "ä")]


def test_what_stands_behind_a_statement_that_fails_is_passed_over_and_the_next_ones_are_not(exchange: Exchange) -> None:
    with exchange.together():
        exchange.send(b"INSERT INTO t VALUES ($1, $2)", (1, "a"))
        exchange.send(b"SELECT 1 / $1::bigint", (0,))
        exchange.send(b"INSERT INTO t VALUES ($1, $2)", (2, "b"))
        with pytest.raises(pg.DivisionByZero):
            exchange.settle()
    assert exchange.ask(b"SELECT id FROM t") == []  # what goes together outside of a transaction is one
    assert exchange.ask(b"SELECT 1 / $1::bigint", (1,)) == [(1,)]


def test_a_statement_whose_preparation_was_passed_over_can_be_asked_again(exchange: Exchange) -> None:
    with exchange.together():
        exchange.send(b"SELECT missing")
        exchange.send(NUMBER, (1,))
        with pytest.raises(pg.UndefinedColumn):
            exchange.settle()
    assert exchange.ask(NUMBER, (2,)) == [(2,)]
    assert exchange.ask(NUMBER, (3,)) == [(3,)]


def test_an_error_of_somebody_else_leaves_nothing_unread(exchange: Exchange) -> None:
    with pytest.raises(ZeroDivisionError), exchange.together():
        exchange.send(NUMBER, (1,))
        raise ZeroDivisionError
    assert not exchange.is_open
    assert exchange.ask(NUMBER, (2,)) == [(2,)]


def test_after_an_interruption_the_connection_is_of_no_use(exchange: Exchange) -> None:
    with pytest.raises(KeyboardInterrupt), exchange.together():
        exchange.send(NUMBER, (1,))
        raise KeyboardInterrupt
    assert exchange.is_open


def test_long_texts_go_both_ways_at_once(exchange: Exchange) -> None:
    texts = [letter * 3_000_000 for letter in "abcdefgh"]
    with exchange.together():
        answers = [exchange.send(b"SELECT $1::text", (text,)) for text in texts]
        exchange.settle()
    assert [answer.rows for answer in answers] == [[(text,)] for text in texts]


def test_more_statements_than_are_left_unanswered(exchange: Exchange) -> None:
    with exchange.together():
        answers = [exchange.send(NUMBER, (number,)) for number in range(2_500)]
        exchange.settle()
    assert [answer.rows for answer in answers] == [[(number,)] for number in range(2_500)]


def test_what_is_no_text_is_not_sent(exchange: Exchange) -> None:
    with exchange.together():
        before = exchange.send(NUMBER, (1,))
        with pytest.raises(UnicodeEncodeError):
            exchange.send(b"SELECT $1::text", ("\ud800",))
        exchange.settle()
    assert before.rows == [(1,)]


def test_two_that_speak_over_one_connection_do_not_meet_in_names(connection: psycopg.Connection) -> None:
    for _ in range(2):
        assert Exchange(connection, prepare=True).ask(NUMBER, (7,)) == [(7,)]


def test_a_commit_of_what_has_failed_is_none(connection: psycopg.Connection) -> None:
    session = PostgresSession(connection, lambda error: DatabaseError(str(error)))
    connection.execute("BEGIN")
    with pytest.raises(pg.DivisionByZero):
        connection.execute("SELECT 1 / 0")
    assert not session.commit(None)
    connection.execute("BEGIN")
    assert session.commit(b"NOTIFY somebody")


def test_what_was_written_aside_is_not_undone_by_what_fails_after_it(connection: psycopg.Connection) -> None:
    session = PostgresSession(connection, lambda error: DatabaseError(str(error)))
    connection.execute("BEGIN")
    session.aside("INSERT INTO t VALUES ($1, $2)", (1, "a"))
    session.lingers = True
    with session.together():
        session.exchange.send(b"INSERT INTO t VALUES (1, 'twice')")
    with pytest.raises(DatabaseError, match="duplicate key"):  # and not Undone: these rows are not another program's
        session.aside("INSERT INTO t VALUES ($1, $2)", (2, "b"))


def test_a_connection_that_is_gone_before_the_commit_commits_nothing(url: str) -> None:
    """What is written lingers until then: the store must not commit over another connection."""
    store = PostgresStore(parse_url(url))
    try:
        with pytest.raises(DatabaseAway), store.write(NOTHING) as transaction:
            process = store._writer.process
            id = transaction.reserve("executions", 1)
            transaction.apply(Changes(new_executions=[execution(id)]))
            with store.read() as questions:
                questions.session.connection.execute("SELECT pg_terminate_backend(%s::int, 5000)", (process,))
        with store.read() as questions:
            assert questions.execution(id) is None
        assert store.commits == 0
    finally:
        store.close()
