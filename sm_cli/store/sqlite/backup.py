"""A copy of the database while others write to it: SQLite's online backup, all of it from one snapshot.

The copy appears whole or not at all, whatever is killed on the way; with it goes the key of the task tokens.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.store.sqlite import errors
from sm_cli.store.sqlite.database import SqliteStore


def write_backup(store: SqliteStore, target: Path, *, force: bool) -> int:
    """Copy the database to `target`, mode 0600; returns its bytes. force: replace the file that is there.

    Raises Conflict for a file that is there, DatabaseError for one that cannot be written or is the database itself.
    """
    if target.is_dir():
        raise DatabaseError(f"{target} is a directory: name a file in it")
    if target.exists() and not target.is_file():  # a device or a pipe would be replaced by a file
        raise DatabaseError(f"{target} is no file, and nothing else is replaced by one")
    if target.exists() and target.samefile(store.path):
        raise DatabaseError(f"{target} is the database itself")
    if target.exists() and not force:
        raise Conflict(f"{target} is there already, so nothing was written", topic="backup")
    if Path(os.path.realpath(f"{store.path}.key")).exists():
        store.token_key()  # a database of schema 1 has it in this file until somebody asks
    real = Path(os.path.realpath(target))
    draft = real.with_name(f"{real.name}.{os.urandom(8).hex()}")
    try:
        _copy(store, draft, target)
        _place(draft, real, target, force=force)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)
    return real.stat().st_size


def _copy(store: SqliteStore, draft: Path, display_path: Path) -> None:
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as e:
        raise errors.cannot_create(display_path, e) from e
    copy = sqlite3.connect(draft, isolation_level=None)
    try:
        with store.read() as questions:
            # In one step: in several, each commit of a worker would start it again. In WAL mode it holds up nobody.
            questions.session.connection.backup(copy)
    except sqlite3.Error as e:
        raise errors.explain_error(e, display_path) from e
    finally:
        copy.close()
    _sync(draft)


def _place(draft: Path, real: Path, display_path: Path, *, force: bool) -> None:
    try:
        if force:
            draft.replace(real)
            # What a database that stood here left beside it must not be taken for the copy's.
            for suffix in ("-wal", "-shm"):
                real.with_name(f"{real.name}{suffix}").unlink(missing_ok=True)
        else:
            os.link(draft, real)  # fails when another process was quicker
    except FileExistsError:
        raise Conflict(f"{display_path} is there already, so nothing was written", topic="backup") from None
    except OSError as e:
        raise errors.cannot_create(display_path, e) from e
    _sync(real.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot sync a directory
            os.fsync(file)
    finally:
        os.close(file)
