"""Numbered migrations: `sql/migrations/0001_initial.sql` brings an empty file to schema 1.

Each runs in one transaction together with the new `user_version`, so a file is always at exactly one
schema. `application_id` distinguishes our files from those of other programs.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sm_cli.store import scripts
from sm_cli.store.sqlite import errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: "smcl" as four bytes.
APPLICATION_ID = 0x736D636C

#: One statement, so one moment: another process may be making the schema while this one looks.
_IDENTITY = """
SELECT (SELECT application_id FROM pragma_application_id),
       (SELECT user_version FROM pragma_user_version),
       EXISTS (SELECT 1 FROM sqlite_schema)
"""


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


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str] | None = None) -> None:
    """Bring the file to the newest schema, one transaction a step.

    Two processes may do this at once: each step looks again at the version, inside its transaction.
    Raises DatabaseError for a file that is newer or not ours, and sqlite3.Error.
    """
    steps = scripts.migrations() if steps is None else steps
    current = version(connection, path)
    if current > len(steps):
        raise errors.too_new(path, current, len(steps))
    for number, script in enumerate(steps[current:], current + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection, path) < number:
                for statement in scripts.statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
