"""The schema in Postgres: the same numbered migrations, each in a transaction, under an advisory lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import errors as pg
from psycopg import sql

from sm_cli.store import scripts
from sm_cli.store.postgres import dialect, errors

if TYPE_CHECKING:
    from sm_cli.store.sql.rows import Row

#: Made before the first migration: at which schema the database is, and (until 11) a count of commits that wrote.
_FOUNDATION = (
    'CREATE TABLE sm_schema (number BIGINT NOT NULL)',
    "INSERT INTO sm_schema (number) VALUES (0)",
    "CREATE TABLE sm_commits (number BIGINT NOT NULL)",
    "INSERT INTO sm_commits (number) VALUES (0)",
)  # fmt: skip
#: What Postgres needs beside the script of a number.
_BESIDE = {
    # Counts of commits that wrote: each transaction adds to one of them, so that hardly two wait for each other, and
    # leaves its mark there. Who inserts the execution at the top of a tree is the one that wrote in it last.
    11: (
        "DROP TABLE sm_commits",
        "CREATE TABLE sm_writes (slot BIGINT PRIMARY KEY, number BIGINT NOT NULL, mark TEXT)",
        "INSERT INTO sm_writes (slot, number) SELECT slot, 0 FROM generate_series(0, 63) slot",
        "ALTER TABLE executions ALTER COLUMN writer SET DEFAULT nullif(current_setting('sm.writer', true), '')::bigint",
    ),
    # In SQLite an index ends with the id of the row, and a column that IS NULL keeps the order of those behind it.
    # Here neither holds, and a list of the newest would sort all executions that there are.
    15: (
        "DROP INDEX executions_listed, executions_by_status, executions_by_workflow, executions_by_error,"
        " executions_running",
        "CREATE INDEX executions_listed ON executions (started, id) WHERE run IS NULL",
        "CREATE INDEX executions_by_status ON executions (status, started, id) WHERE run IS NULL",
        "CREATE INDEX executions_by_workflow ON executions (workflow, started, id) INCLUDE (status, closed, version)"
        " WHERE run IS NULL",
        "CREATE INDEX executions_by_error ON executions (error, started, id) WHERE run IS NULL AND error IS NOT NULL",
        "CREATE INDEX executions_running ON executions (workflow, started, id) WHERE status = 'RUNNING'",
    ),
}


def version(connection: psycopg.Connection[Row], schema: str) -> int | None:
    """The schema's number; None when nothing of ours is there. Raises psycopg.Error."""
    table = connection.execute("SELECT to_regclass(%s)", (f'"{schema}".sm_schema',)).fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute(sql.SQL("SELECT number FROM {}.sm_schema").format(sql.Identifier(schema))).fetchone()
    return None if row is None else int(row[0])


def migrate(connection: psycopg.Connection[Row], schema: str, place: str, lock: int) -> None:
    """Bring the database to the newest schema. Several processes may do this at once: they take turns, and each step
    looks again. lock: the key of the advisory lock. Raises DatabaseError for a newer one, or when the role may not;
    psycopg.Error."""
    schema_number = version(connection, schema) or 0
    try:
        for number in range(schema_number + 1, scripts.newest_schema() + 1):
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
                if (now := version(connection, schema)) is not None and now >= number:
                    continue
                _step(connection, schema, number, first=now is None)
    except pg.InsufficientPrivilege as e:
        why = e.diag.message_primary or str(e)
        raise errors.may_not_migrate(place, schema_number, scripts.newest_schema(), why) from e


def _step(connection: psycopg.Connection[Row], schema: str, number: int, *, first: bool) -> None:
    place = sql.Identifier(schema)
    if first:
        there = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
        if there is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(place))
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(place))
    if first:
        for statement in _FOUNDATION:
            connection.execute(statement)
    for text in scripts.statements(scripts.migrations()[number - 1]):
        connection.execute(dialect.table_definition(text).encode())
    for statement in _BESIDE.get(number, ()):
        connection.execute(statement.encode())
    connection.execute("UPDATE sm_schema SET number = %s", (number,))
