"""A schema of a Postgres server as tables of rows, for a copy: read and written by COPY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors as pg
from psycopg import sql

from sm_cli.store.copying.tables import Table
from sm_cli.store.locks import Lock
from sm_cli.store.postgres import migrate
from sm_cli.store.postgres.dialect import NUL
from sm_cli.store.postgres.waits import own_connection
from sm_cli.store.postgres.writing.own import lock_number

if TYPE_CHECKING:
    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.sql.rows import Row

_TYPES = {"INTEGER": "int8", "REAL": "float8", "TEXT": "text", "BLOB": "bytea"}
_IDENTITIES = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND is_identity = 'YES' AND table_name = ANY(%s)
"""
_COPYING = Lock("copying")
#: The next number of an identity column is one more than the highest.
_GO_ON_AFTER = "SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}), 0) + 1, false) FROM {}"


@contextmanager
def open_schema(url: PostgresUrl) -> Iterator[PostgresTables]:
    """A schema that is made. Raises DatabaseError, also for what the driver says inside the block."""
    with own_connection(url) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(url.schema)))
        yield PostgresTables(connection, url)


class PostgresTables:
    """What `Tables` asks of a schema."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], url: PostgresUrl) -> None:
        self.place = url.place
        self._connection = connection
        self._schema = url.schema
        self._commits = 0

    def schema(self) -> int:
        """The number in sm_schema."""
        return migrate.version(self._connection, self._schema) or 0

    def begin_reading(self) -> None:
        """A snapshot."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._commits = self._count_commits()

    def end_reading(self) -> bool:
        """Whether there were commits since."""
        self._connection.execute("ROLLBACK")
        return self._count_commits() != self._commits

    def _count_commits(self) -> int:
        return self._number(sql.SQL("SELECT coalesce(sum(number), 0)::bigint FROM sm_writes"))

    def count(self, table: Table) -> int:
        """How many rows it has."""
        return self._number(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name)))

    def _number(self, question: sql.SQL | sql.Composed) -> int:
        row = self._connection.execute(question).fetchone()
        assert row is not None, "an aggregate has a row"
        return int(row[0])

    def rows(self, table: Table) -> Iterator[Row]:
        """In the order of the primary key."""
        question = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT BINARY)").format(
            _names(table), sql.Identifier(table.name), _key(table)
        )
        with self._connection.cursor() as cursor, cursor.copy(question) as copy:
            copy.set_types(_types(table))
            yield from copy.rows()

    def last_key(self, table: Table) -> Row | None:
        """The highest primary key."""
        order = sql.SQL(", ").join(
            sql.SQL("{} DESC").format(sql.Identifier(table.columns[place])) for place in table.key
        )
        question = sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT 1").format(
            _key(table), sql.Identifier(table.name), order
        )
        return self._connection.execute(question).fetchone()

    def storable(self, row: Row) -> Row:
        """No text of Postgres holds U+0000: its picture stands for it."""
        for value in row:
            if type(value) is str and "\0" in value:
                return tuple(each.replace("\0", NUL) if type(each) is str else each for each in row)
        return row

    def append(self, table: Table, rows: Sequence[Row]) -> None:
        """In one transaction."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table.name), _names(table))
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(_types(table))
            for row in rows:
                copy.write_row(row)

    def claim(self) -> bool:
        """By a lock of the session; the server has a moment to see that one who was killed is gone."""
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL lock_timeout = '3s'")
                self._connection.execute("SELECT pg_advisory_lock(%s)", (lock_number(self._schema, _COPYING),))
        except pg.LockNotAvailable:
            return False
        return True

    def begin_copy(self, schema: int) -> None:
        """Its number is one that nobody opens."""
        self._connection.execute("UPDATE sm_schema SET number = %s", (schema,))

    def finish(self, ids: Table, rows: Sequence[Row], schema: int, tables: Sequence[Table]) -> None:
        """Identity columns go on after the highest id."""
        names = [table.name for table in tables]
        with self._connection.transaction():
            self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(ids.name)))
            self.append(ids, rows)
            for table, column in self._connection.execute(_IDENTITIES, (self._schema, names)).fetchall():
                self._connection.execute(
                    sql.SQL(_GO_ON_AFTER).format(
                        sql.Literal(f'"{self._schema}"."{table}"'), sql.Literal(column), sql.Identifier(column),
                        sql.Identifier(table),
                    )
                )  # fmt: skip
            self.begin_copy(schema)

    def settle(self, tables: Sequence[Table]) -> None:
        """The planner learns what is there."""
        for table in tables:
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))


def _names(table: Table) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _key(table: Table) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(table.columns[place]) for place in table.key)


def _types(table: Table) -> list[str]:
    return [_TYPES[each] for each in table.types]
