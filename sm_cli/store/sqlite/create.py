"""A new database file: it appears with its schema, or not at all, whatever is killed on the way."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sm_cli.store.sqlite import errors, migrate

#: A database has at least one page, whose header alone is so many bytes.
HEADER = 100


def is_there(path: Path, real: Path, *, create: bool) -> bool:
    """Whether there is a database at `path`, which leads to `real`; false: `create` is true and it can be made.

    Raises DatabaseError for what is no database, and when there is none and `create` is false.
    """
    try:
        if path.exists():
            _refuse_too_short(path, real)
            return True
    except (OSError, ValueError) as e:
        raise errors.cannot_create(path, e if isinstance(e, OSError) else OSError(str(e))) from e
    if "\0" in str(path):
        raise errors.cannot_create(path, OSError("its name holds a NUL character"))
    if not create:
        raise errors.no_database(path)
    try:
        _make_directory(path.parent)
    except OSError as e:
        raise errors.cannot_create(path, e) from e
    return False


def _refuse_too_short(path: Path, real: Path) -> None:
    """An empty file is a new database, unless its lock shows that there was one; one of a few bytes never is."""
    if not path.is_file():
        return
    size = path.stat().st_size
    if size >= HEADER:
        return
    if real.with_name(f"{real.name}.lock").exists():
        raise errors.too_short(path, size)
    if size > 0:
        raise errors.not_sqlite(path)


def make(path: Path, real: Path) -> None:
    """A database with mode 0600 at `real`, which people know as `path`; the caller holds its write lock.

    Raises OSError, sqlite3.Error, DatabaseError.
    """
    if real.exists():
        return  # another process was quicker
    # A name that no other process has, not even one that was killed here and left its draft behind.
    draft = real.with_name(f"{real.name}.{os.urandom(8).hex()}")
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise errors.not_shareable(path)
            migrate.migrate(connection, path)
        finally:
            connection.close()  # which writes the log into the file and syncs it
        draft.rename(real)
        _sync(real.parent)
    finally:
        for suffix in ("", "-wal", "-shm"):
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)


def _make_directory(directory: Path) -> None:
    if directory.is_dir():
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700 if directory.name == ".sm" else 0o777, exist_ok=True)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    """What is new in a directory has to survive a power cut as well as what is committed inside it."""
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
