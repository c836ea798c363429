"""Somebody's own SELECT, on a connection that can only read and never sees the key of the task tokens.

sqlite-utils answers it: rows as dictionaries, and what returns no rows is refused before it has happened.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sm_cli.errors import DatabaseError, UsageError
from sm_cli.store.sqlite import errors
from sm_cli.store.sqlite.database import SqliteStore

#: Steps of SQLite's machine between two looks whether Ctrl-C was pressed.
_STEPS = 200_000
#: What SQLite says of a question that it cannot read or answer; with an authorizer some of it comes as SCHEMA.
_WRONG_QUESTION = (
    None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)  # fmt: skip


def select_rows(store: SqliteStore, sql: str) -> Iterator[dict[str, Any]]:
    """The rows, each as column to value (None, number, text or bytes), as they are asked for.

    Raises UsageError for what SQLite cannot read or what is no question, DatabaseError for a damaged file."""
    try:
        with closing(_connect(store)) as connection:
            from sqlite_utils import Database  # 90 ms, which no other command waits for

            database = Database(connection, recursive_triggers=False, execute_plugins=False)
            yield from database.query(sql)
    except sqlite3.Error as e:
        raise _explain(e, store.path) from e
    except ValueError:
        raise UsageError("only what returns rows can be asked here: SELECT, EXPLAIN, PRAGMA") from None


def count_rows(store: SqliteStore) -> dict[str, int]:
    """Every table, and how many rows it has. Raises DatabaseError."""
    try:
        with closing(_connect(store)) as connection:
            from sqlite_utils import Database

            database = Database(connection, recursive_triggers=False, execute_plugins=False)
            return {table.name: table.count for table in database.tables}
    except sqlite3.Error as e:
        raise _explain(e, store.path) from e


def _connect(store: SqliteStore) -> sqlite3.Connection:
    from urllib.parse import quote

    path = quote(os.path.realpath(store.path))
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    connection.set_authorizer(_allow)
    connection.set_progress_handler(lambda: 0, _STEPS)  # Python looks at signals then
    return connection


def _allow(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_READ and first == "secrets" and second == "value":
        return sqlite3.SQLITE_IGNORE  # which reads as NULL
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _explain(error: sqlite3.Error, path: Path) -> BaseException:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary == sqlite3.SQLITE_INTERRUPT:
        return KeyboardInterrupt()  # while SQLite was at work
    if primary == sqlite3.SQLITE_READONLY:
        return UsageError("the database is only read here: nothing was changed")
    if primary == sqlite3.SQLITE_AUTH:
        return UsageError("another database cannot be attached here")
    if primary in _WRONG_QUESTION:
        return UsageError(f"SQLite cannot answer this: {error}")
    explanation = errors.explain_error(error, path)
    return explanation if isinstance(explanation, DatabaseError) else UsageError(str(error))
