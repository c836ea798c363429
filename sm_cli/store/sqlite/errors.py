"""What can go wrong below the store, said in sm's words.

This is the one edge at which SQLite's errors become DatabaseErrors. Each sentence names the file and
says what a person can do; none says "database is locked".
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sm_cli.errors import Conflict, DatabaseAway, DatabaseBusy, DatabaseError, SmError
from sm_cli.store.scripts import UNFINISHED

#: No more of a path is shown, in characters.
_LONGEST_PATH = 200


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds what was asked for, so that trying again makes sense."""
    return _primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explain_error(error: sqlite3.Error, path: Path, wait_time: float | None = None) -> SmError:
    """The exception that a user sees instead of `error`. `wait_time` is in seconds."""
    code = sqlite3.SQLITE_FULL if _is_without_room(error) else _primary(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(path, wait_time)
    if code == sqlite3.SQLITE_CONSTRAINT and "executions." in str(error):
        return Conflict("an execution of this name or reference exists already, and nothing was written")
    if code == sqlite3.SQLITE_CANTOPEN:
        return DatabaseError(f"{path} cannot be opened: {_why_not_opened(path)}")
    entry = _SENTENCES.get(code)
    if entry is None:
        return DatabaseError(f"{path} refused what was asked of it and kept its state: {error}")
    sentence, hint = entry
    topic = "other path" if code == sqlite3.SQLITE_NOTADB else None
    kind = DatabaseAway if code == sqlite3.SQLITE_FULL else DatabaseError  # it can be written again when there is room
    return kind(sentence.format(path=path, detail=_detail(error)), hint=hint, topic=topic)


def busy(path: Path, wait_time: float | None) -> DatabaseBusy:
    """Another process held the file for too long."""
    long = "" if wait_time is None else f" for more than {wait_time:g} s"
    return DatabaseBusy(
        f"{path} is held by another process{long}, so nothing was written",
        hint=f"`fuser {path}` shows which processes have it open.",
    )


def not_ours(path: Path) -> DatabaseError:
    """A file that is an SQLite database, and none of `sm`."""
    return DatabaseError(f"{path} is a database of another program", topic="other path")


def damaged_error(path: Path, error: ValueError) -> DatabaseError:
    """A row that SQLite can read, and that holds what nobody of ours has written."""
    sentence, hint = _SENTENCES[sqlite3.SQLITE_CORRUPT]
    return DatabaseError(sentence.format(path=path, detail=f"a value is not JSON: {error}"), hint=hint)


def too_short(path: Path, size: int) -> DatabaseError:
    """A file that was a database once (its key is beside it), or that is too short to be one."""
    _, hint = _SENTENCES[sqlite3.SQLITE_CORRUPT]
    return DatabaseError(f"{path} is damaged: it has {size} byte{'' if size == 1 else 's'}", hint=hint)


def not_sqlite(path: Path) -> DatabaseError:
    """A file that is of another kind, and too short to be handed to SQLite."""
    sentence, hint = _SENTENCES[sqlite3.SQLITE_NOTADB]
    return DatabaseError(sentence.format(path=path), hint=hint, topic="other path")


def gone_error(path: Path) -> DatabaseError:
    """The file was deleted or moved while it was open."""
    return DatabaseError(
        f"{path} was deleted or moved while it was open, so nothing more is written to it",
        hint="What was committed before is in the file that was moved, or gone with the one that was deleted.",
    )


def replaced_error(path: Path) -> DatabaseError:
    """Another file stands in its place since it was opened."""
    return DatabaseError(f"{path} was replaced by another file while it was open, so nothing more is written to it")


def cannot_lock(path: Path, error: OSError) -> DatabaseError:
    """The lock beside the database is refused: a network file system, often."""
    return DatabaseError(
        f"{path} cannot be locked ({error.strerror or error}), so nothing was written", hint="Keep it on a local disk."
    )


def no_database(path: Path) -> DatabaseError:
    """The file does not exist, and the caller did not ask to create it."""
    return DatabaseError(f"there is no database at {path}", topic="no database")


def not_shareable(path: Path) -> DatabaseError:
    """The file system does not let processes share memory."""
    return DatabaseError(f"{path} is on a file system whose files processes cannot share; keep it on a local disk")


def too_new(path: Path, schema: int, newest: int) -> DatabaseError:
    """A schema that a later version wrote, or that a copy is under way into."""
    if schema >= UNFINISHED:
        return DatabaseError(f"{path} is an unfinished copy of another database", topic="unfinished copy")
    return DatabaseError(f"{path} was written by a newer sm (schema {schema}, this one knows {newest}); upgrade sm")


def cannot_create(path: Path, error: OSError) -> DatabaseError:
    """`path`, or a directory on the way to it, cannot be made or opened."""
    short_name = _short_name(path)
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return DatabaseError(f"{short_name} cannot be opened: {error.filename} is not a directory")
    return DatabaseError(f"{short_name} cannot be opened: {error.strerror or error}")


def _short_name(path: Path) -> str:
    """As much of a path as a sentence shows."""
    text = str(path)
    return text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}…"


_SENTENCES: dict[int | None, tuple[str, str | None]] = {
    sqlite3.SQLITE_NOTADB: ("{path} is not a database", None),
    sqlite3.SQLITE_CORRUPT: (
        "{path} is damaged ({detail})",
        "Restore a backup, or rescue what is left with `sqlite3 FILE .recover`.",
    ),
    sqlite3.SQLITE_FULL: (
        "there is no room left on the disk for {path}, so nothing was written",
        "Make room and start again; what was committed before is safe.",
    ),
    sqlite3.SQLITE_READONLY: ("{path} cannot be written: the file or its directory is read-only ({detail})", None),
    sqlite3.SQLITE_PERM: ("{path} cannot be used: access is denied", None),
    sqlite3.SQLITE_IOERR: (
        "reading or writing {path} failed ({detail}), so nothing was written",
        "The disk or its file system reports an error; what was committed before is safe.",
    ),
    sqlite3.SQLITE_PROTOCOL: ("{path} cannot be locked by its file system", "Keep it on a local disk."),
    sqlite3.SQLITE_NOLFS: ("{path} has grown beyond what its file system can hold", None),
    sqlite3.SQLITE_TOOBIG: ("a value is too large for {path} (the limit is 1 GB), so nothing was written", None),
}


def _is_without_room(error: sqlite3.Error) -> bool:
    """Whether the file that processes share could not be made as large as it has to be: a full disk, too."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHMSIZE


def _primary(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _detail(error: sqlite3.Error) -> str:
    name: str = getattr(error, "sqlite_errorname", "")
    return f"{error}, {name}" if name else str(error)


def _why_not_opened(path: Path) -> str:
    if path.is_dir():
        return "it is a directory"
    if not path.parent.is_dir():
        return f"{path.parent} is not a directory"
    return "access is denied, or its directory cannot be written"
