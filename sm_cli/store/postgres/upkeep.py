"""A schema of a Postgres server as a whole: its size, whether it is sound, making it smaller.

What takes long, or is somebody's own, has a connection of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from psycopg import errors as pg
from psycopg import sql

from sm_cli.errors import DatabaseError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.postgres import errors, migrate
from sm_cli.store.postgres.hazards import ServerFacts, state_of_server
from sm_cli.store.postgres.waits import Turns, Wish, find_holder, milliseconds, own_connection
from sm_cli.store.sql.session import not_text
from sm_cli.store.upkeep import soundness
from sm_cli.store.upkeep.answers import DatabaseFacts, DatabaseProblem, DatabaseState
from sm_cli.store.waiting import LockWait

if TYPE_CHECKING:
    from sm_cli.store.postgres.database import PostgresStore
    from sm_cli.store.sql.rows import Row

#: Without partitions, whose rows are those of their table.
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
"""
_FACTS = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint, coalesce(sum(s.n_dead_tup), 0)::bigint,
    current_setting('server_version')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE n.nspname = %s AND c.relkind = 'r'
"""
_STATE = """
SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(),
    current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int,
    current_setting('max_connections')::int
"""
#: Nobody else writes while it is put right.
_LOCK = (
    "LOCK TABLE executions, execution_data, frames, jobs, timers, subscriptions, messages, history, links, schedules, "
    "blobs, blob_uses, ids IN SHARE ROW EXCLUSIVE MODE"
)
#: Nobody goes on with what it remembers of before.
_FORGET = "UPDATE executions SET writer = NULL WHERE writer IS NOT NULL"
#: A view that hides the table of the same name: the key of the task tokens is shown to nobody.
_HIDE = "CREATE TEMP VIEW secrets AS SELECT name, NULL::bytea AS value FROM {}.secrets"

#: What names that table, by letters or by their numbers, or may put its name together.
_NAMES_SECRETS = re.compile(r"secrets|u&|_to_xml|pg_read|pg_temp|\bcursor", re.IGNORECASE)


class PostgresUpkeep:
    """What `Upkeep` asks of a schema."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    def facts(self) -> DatabaseFacts:
        """Size and schema. Raises DatabaseError."""
        url = self._store.url
        with self._connection() as connection:
            row = connection.execute(_FACTS, (url.schema,)).fetchone()
            number = migrate.version(connection, url.schema)
        assert row is not None, "an aggregate has a row"
        details: dict[str, Json] = {"url": url.place, "server_version": row[2], "dead_rows": row[1]}
        return DatabaseFacts(url.place, row[0], None, None, number or 0, details)

    def state(self) -> DatabaseState:
        """What its settings promise, and how many connections are left. Raises DatabaseError."""
        with self._connection() as connection:
            row = connection.execute(_STATE).fetchone()
        assert row is not None, "a SELECT without FROM has a row"
        return state_of_server(ServerFacts(*row))

    def count_rows(self) -> dict[str, int]:
        """Every table, and how many rows it has. Raises DatabaseError."""
        counts = {}
        with self._connection() as connection:
            for (table,) in connection.execute(_TABLES, (self._store.url.schema,)).fetchall():
                row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(self._identifier(table))).fetchone()
                assert row is not None, "a count has a row"
                counts[str(table)] = int(row[0])
        return counts

    def find_problems(self) -> list[DatabaseProblem]:
        """What is wrong in it by our checks; pages are the server's to check. Raises DatabaseError."""
        with self._store.read() as questions:
            try:
                return soundness.find_problems(questions.session)
            except orjson.JSONDecodeError as e:
                return [DatabaseProblem(f"a value is not JSON: {e}")]

    def repair(self) -> list[DatabaseProblem]:
        """Put right what can be without losing anything; nobody writes meanwhile. Raises DatabaseError."""
        problems = self.find_problems()
        if any(problem.is_repairable for problem in problems):
            with self._store.write() as transaction:
                transaction.session.connection.execute(_LOCK)
                soundness.repair_rows(transaction.session)
                transaction.session.connection.execute(_FORGET)
        return problems

    def compact(self) -> tuple[int, int]:
        """VACUUM FULL, table by table: (bytes before, bytes after). Raises DatabaseError."""
        before = self.facts().size
        warnings: list[str] = []
        with self._connection() as connection:
            connection.add_notice_handler(lambda note: warnings.append(note.message_primary or "it did not say why"))
            tables = connection.execute(_TABLES, (self._store.url.schema,)).fetchall()
            for (table,) in tables:
                self._vacuum(connection, table)
                if warnings:  # a table of another role is skipped, and that is no error of the server's
                    raise DatabaseError(f"{self._store.url.place} was not compacted: {warnings[0]}")
        return before, self.facts().size

    def _vacuum(self, connection: psycopg.Connection[Row], table: str) -> None:
        store = self._store
        wish = Wish([], [], table)
        turns = Turns(LockWait(store.patience, lambda: find_holder(store.connect, store.url.schema, wish)))
        while True:
            connection.execute(f"SET lock_timeout = {milliseconds(turns.seconds)}".encode())
            try:
                connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(self._identifier(table)))
                return
            except pg.LockNotAvailable as e:
                try:
                    turns.end()
                except TimeoutError:
                    holder = find_holder(store.connect, store.url.schema, wish)
                    raise errors.busy(store.url.place, store.patience.limit(), holder) from e

    def select_rows(self, sql_text: str) -> Iterator[dict[str, Any]]:
        """The rows that a SELECT answers, as they come. Raises UsageError, DatabaseError."""
        schema = self._store.url.schema
        with self._connection() as connection:
            self._hide_secrets(connection, sql_text)
            connection.execute(sql.SQL("SET search_path TO pg_temp, {}").format(sql.Identifier(schema)))
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if "secrets" in sql_text and f"{schema}.secrets" in sql_text.replace('"', "").replace(" ", "").lower():
                raise UsageError(
                    f"the table secrets of {schema} is shown to nobody; ask for it without the schema's name"
                )
            if not sql_text.strip():
                raise UsageError("only what returns rows can be asked here: SELECT, EXPLAIN, SHOW")
            with connection.cursor() as cursor:
                try:
                    for row in cursor.stream(sql_text.encode()):
                        yield dict(zip(_names(cursor), map(_value, row), strict=True))
                except UnicodeEncodeError as e:
                    raise not_text(e) from None
                except pg.ReadOnlySqlTransaction:
                    raise UsageError("the database is only read here: nothing was changed") from None
                except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as e:
                    if e.diag.message_primary is None:  # the driver's own
                        raise UsageError("only what returns rows can be asked here: SELECT, EXPLAIN, SHOW") from None
                    raise UsageError(f"Postgres cannot answer this: {e.diag.message_primary}") from None

    def _hide_secrets(self, connection: psycopg.Connection[Row], sql_text: str) -> None:
        """Where no view can be made, on a standby and for a role that may make none, what could name the table is
        refused. Raises UsageError."""
        try:
            connection.execute(sql.SQL(_HIDE).format(sql.Identifier(self._store.url.schema)))
        except (pg.ReadOnlySqlTransaction, pg.InsufficientPrivilege):
            if _NAMES_SECRETS.search(sql_text):
                raise UsageError(
                    "the table secrets is shown to nobody, and here, where no view can hide it,"
                    " nothing can be asked that may name it"
                ) from None

    def _identifier(self, table: str) -> sql.Identifier:
        return sql.Identifier(self._store.url.schema, table)

    def _connection(self) -> AbstractContextManager[psycopg.Connection[Row]]:
        return own_connection(self._store.url, self._store.patience.limit())


def _names(cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[str]:
    """The columns' names, each once: `count`, `count_2`."""
    names: list[str] = []
    for column in cursor.description or ():
        name, number = column.name, 2
        while name in names:
            name, number = f"{column.name}_{number}", number + 1
        names.append(name)
    return names


def _value(value: Any) -> Any:
    """What JSON and tables can show; a number with a point is a float, other types their text."""
    from decimal import Decimal

    if value is None or isinstance(value, (int, float, str, bytes, bool, list, dict)):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
