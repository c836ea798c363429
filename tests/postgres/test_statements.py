"""Every statement of the store, as Postgres reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from sm_cli.errors import DatabaseError
from sm_cli.store.filters import NEWEST_FIRST, OLDEST_FIRST, ExecutionFilter, ExecutionPage, Order, SortKey
from sm_cli.store.open import open_store
from sm_cli.store.postgres import dialect
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.records import Status
from sm_cli.store.sql import queries
from sm_cli.store.sql.choosing import question, state_question, statistics_question
from sm_cli.store.statistics import By
from tests.postgres.server import schema
from tests.store.test_choosing import EVERY, ORDERS

#: What begins a statement; other blocks are parts of statements.
_BEGINNINGS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection]:
    with schema() as url, closing(open_store(url)) as store, store.read() as questions:
        connection = questions.session.connection
        yield connection


#: Without the heads of questions that are put together from parts (`choosing`).
STATEMENTS = [
    name for name, text in queries.all_queries().items()
    if text.startswith(_BEGINNINGS) and ("FROM" in text or not text.startswith("SELECT"))
]  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_postgres_accepts_every_statement(connection: psycopg.Connection, name: str) -> None:
    """A statement that only SQLite understands needs another form, or an override in sql/postgres/."""
    with connection.transaction():
        connection.execute(f"PREPARE a AS {dialect.statement_of(name).text}".encode())
        connection.execute("DEALLOCATE a")


@pytest.mark.parametrize("order", ORDERS)
def test_postgres_accepts_every_list_in_every_order(connection: psycopg.Connection, order: Order) -> None:
    session = PostgresSession(connection, lambda error: DatabaseError(str(error)))
    after = ("a", "b") if order.key is SortKey.NAME else (5, 5)
    for filter in EVERY:
        for page in (
            ExecutionPage(5, order),
            ExecutionPage(5, order, after),
        ):
            asking = question(session, "listed_columns", filter, order).page(page, of_run=filter.run is not None)
            assert session.all_of(asking.parts, asking.parameters) == []


@pytest.mark.parametrize("order", [NEWEST_FIRST, OLDEST_FIRST])
@pytest.mark.parametrize(
    "filter",
    [
        ExecutionFilter(), ExecutionFilter((Status.FAILED,)), ExecutionFilter(workflow="w"), ExecutionFilter(error="E"),
        ExecutionFilter((Status.RUNNING,), "w"), ExecutionFilter((Status.SUCCEEDED,), "w"),
        ExecutionFilter(since=5, until=9), ExecutionFilter((Status.FAILED, Status.ABORTED)),
    ],
)  # fmt: skip
def test_by_the_time_of_start_an_index_has_the_order(
    connection: psycopg.Connection, filter: ExecutionFilter, order: Order
) -> None:
    """What has to be sorted first costs more with every execution that there is."""
    session = PostgresSession(connection, lambda error: DatabaseError(str(error)))
    for page in (ExecutionPage(5, order), ExecutionPage(5, order, (5, 5))):
        asking = question(session, "listed_columns", filter, order).page(page, of_run=False)
        statement = dialect.statement_of(*asking.parts)
        with connection.transaction(force_rollback=True):
            for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                connection.execute(f"SET LOCAL enable_{way} = off".encode())
            cursor = psycopg.RawCursor(connection)
            cursor.execute(f"EXPLAIN {statement.text}".encode(), statement.arguments(asking.parameters))
            plan = "\n".join(line for (line,) in cursor)
        assert "Index Scan" in plan
        assert "Sort" not in plan, plan


@pytest.mark.parametrize("by", By)
def test_postgres_accepts_all_statistics(connection: psycopg.Connection, by: By) -> None:
    session = PostgresSession(connection, lambda error: DatabaseError(str(error)))
    for filter in (*EVERY, ExecutionFilter(state="A"), ExecutionFilter(state="A", workflow="w", since=5)):
        is_of_states = by is By.STATE
        asking = state_question(session, filter) if is_of_states else statistics_question(session, filter, by)
        assert session.all_of(asking.parts, asking.parameters) == []


@pytest.mark.parametrize(
    ("text", "translated", "names"),
    [
        ("SELECT 1 FROM a WHERE b = ? AND c = ?", "SELECT 1 FROM a WHERE b = $1 AND c = $2", ()),
        ("VALUES (?1, ?2, coalesce(?2, ?1), ?)", "VALUES ($1, $2, coalesce($2, $1), $3)", ()),
        ("b = :now AND c = :key OR d = :now", "b = $1 AND c = $2 OR d = $1", ("now", "key")),
        ("(:since IS NULL OR b > :since)", "($1::bigint IS NULL OR b > $1)", ("since",)),
        ("(:name IS NULL OR b = :name)", "($1::text IS NULL OR b = $1)", ("name",)),
        ("SELECT ':now ?', b::text", "SELECT ':now ?', b::text", ()),
        ("FROM a INDEXED BY i WHERE b LIKE ?", "FROM a WHERE b ILIKE $1", ()),
        ("FROM a CROSS JOIN b ON c = d", "FROM a JOIN b ON c = d", ()),
        ("LIMIT ?", "LIMIT nullif($1::bigint, -1)", ()),
        (
            "FROM json_each(?) w JOIN a ON a.id = w.value",
            "FROM unnest(translate($1::text, '[]', '{}')::bigint[]) AS w(value) JOIN a ON a.id = w.value",
            (),
        ),
        (
            "(SELECT value FROM json_each(:skip))",
            "(SELECT value FROM unnest(translate($1::text, '[]', '{}')::bigint[]) AS ids(value))",
            ("skip",),
        ),
    ],
)
def test_a_statement_is_rewritten(text: str, translated: str, names: tuple[str, ...]) -> None:
    assert dialect.statement(text) == dialect.Statement(translated, names)


def test_a_character_that_no_text_can_hold_becomes_its_picture() -> None:
    statement = dialect.statement("VALUES (?, ?)")
    assert statement.arguments(["a\0b", 1]) == ["a\u2400b", 1]
    assert dialect.statement("VALUES (:a, :now)").arguments({"now": 1, "a": "\0"}) == ["\u2400", 1]
