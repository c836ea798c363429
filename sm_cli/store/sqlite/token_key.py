"""The key that task tokens are signed with: a row of the database, so that a copy of the file knows it too.

Databases of schema 1 kept it in a file beside them, `sm.db.key`; it moves into the row when it is first asked for.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sm_cli.errors import DatabaseError
from sm_cli.store.records import HANDED_OVER

_BYTES = 32
_READ = "SELECT value FROM secrets WHERE name = 'task tokens'"
_WRITE = "INSERT INTO secrets (name, value) VALUES ('task tokens', ?)"
#: Tasks whose work was handed over: the one that does it has the token.
_TOKENS_OUT = "SELECT count(*) FROM jobs WHERE leased_until = ?"


def read_key(connection: sqlite3.Connection) -> bytes | None:
    """The key, 32 bytes; None when the database has none yet. Raises sqlite3.Error."""
    row = connection.execute(_READ).fetchone()
    return None if row is None else bytes(row[0])


def move_or_make(connection: sqlite3.Connection, beside: Path, display_path: str) -> bytes:
    """Inside a writing transaction: the key of another process that was quicker, the one in the file `beside`, which
    people know as `display_path`, or a new one. The caller deletes the file after the commit.

    Raises DatabaseError for a file that is no key, or when executions run whose tokens only a lost file could check.
    """
    key = read_key(connection)
    if key is not None:
        return key
    key = _in_file(beside, display_path)
    if key is None:
        (waiting,) = connection.execute(_TOKENS_OUT, (HANDED_OVER,)).fetchone()
        if waiting:
            tasks = "1 task waits for its token" if waiting == 1 else f"{waiting} tasks wait for their tokens"
            raise DatabaseError(
                f"{tasks}, and {display_path}, the key that checks these, is not there",
                hint="Copy it from where the database came from; it then moves into the database.",
            )
        key = os.urandom(_BYTES)  # what `secrets` gives too; importing that costs 5 ms
    connection.execute(_WRITE, (key,))
    return key


def _in_file(beside: Path, display_path: str) -> bytes | None:
    try:
        key = beside.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise DatabaseError(f"the key of the task tokens at {display_path} cannot be used: {e.strerror}") from None
    if len(key) != _BYTES:
        raise DatabaseError(
            f"{display_path} is not a key of {_BYTES} bytes; task tokens cannot be checked with it",
            hint="Restore it, or delete it when no task waits for its token.",
        )
    return key
