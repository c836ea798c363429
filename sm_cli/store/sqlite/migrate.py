"""Numbered migrations: `sql/migrations/0001_initial.sql` brings an empty file to schema 1.

Each runs in one transaction together with the new `user_version`, so a file is always at exactly one
schema. `application_id` distinguishes our files from those of other programs.
"""

from __future__ import annotations

import os
import sqlite3
from functools import cache
from typing import TYPE_CHECKING

from sm_cli.store.sql import queries
from sm_cli.store.sqlite import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: "smcl" as four bytes.
APPLICATION_ID = 0x736D636C

#: One statement, so one moment: another process may be making the schema while this one looks.
_IDENTITY = """
SELECT (SELECT application_id FROM pragma_application_id),
       (SELECT user_version FROM pragma_user_version),
       EXISTS (SELECT 1 FROM sqlite_schema)
"""


@cache
def migrations() -> tuple[str, ...]:
    """The scripts in their order; the first one's number is 1. Raises ValueError for a hole in the numbers."""
    names = sorted(_files())
    if [int(name.split("_")[0]) for name in names] != list(range(1, len(names) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, …: {names}")
    return tuple((queries.SQL / "migrations" / name).read_text(encoding="utf-8") for name in names)


@cache
def newest_schema() -> int:
    """The schema that this sm writes."""
    return len(_files())


def _files() -> list[str]:
    names = os.listdir(queries.SQL / "migrations")  # noqa: PTH208 - a third of what glob costs
    return [name for name in names if name[:1].isdecimal() and name.endswith(".sql")]


def version(connection: sqlite3.Connection, path: Path) -> int:
    """The file's schema, 0 for an empty one. Raises DatabaseError for a file that is not ours."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        application, number, anything = connection.execute(_IDENTITY).fetchone()
        if application != APPLICATION_ID:
            if number or anything:
                raise errors.not_ours(path)
            return 0
    number = connection.execute("PRAGMA user_version").fetchone()[0]
    return int(number)


def migrate(connection: sqlite3.Connection, path: Path, scripts: Sequence[str] | None = None) -> None:
    """Bring the file to the newest schema, one transaction a step.

    Two processes may do this at once: each step looks again at the version, inside its transaction.
    Raises DatabaseError for a file that is newer or not ours, and sqlite3.Error.
    """
    scripts = migrations() if scripts is None else scripts
    current = version(connection, path)
    if current > len(scripts):
        raise errors.too_new(path, current, len(scripts))
    for number, script in enumerate(scripts[current:], current + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection, path) < number:
                for statement in statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script, each with its semicolon; triggers stay whole. Raises ValueError for one without an
    end."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip() and not all(line.startswith("--") for line in statement.strip().splitlines()):
        raise ValueError(f"a migration ends in the middle of a statement: {statement.strip()[:60]}")
