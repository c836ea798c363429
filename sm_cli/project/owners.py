"""Whose files a program obeys: its user's own and root's.

Who may write a file decides what it says, so the owner counts, and a link counts as its own and its target's.
What is writable by all but ours is ours: on many mounts every file is, and a file that another user puts there in its
place is his.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from sm_cli.errors import ConfigurationError

#: What lies beside a database and is read with it.
_BESIDE = ("", "-wal", "-shm", "-journal", ".key", ".lock")


def files_of_database(file: Path) -> list[Path]:
    """The database's file, what lies beside it, and its folder when that is the project's own, `.sm`."""
    if "\0" in str(file):
        return []  # no file: who opens it says so
    real = Path(os.path.realpath(file))
    folder = [file.parent] if file.parent.name == ".sm" else []
    where = [file] if str(real) == os.path.abspath(file) else [file, real]  # noqa: PTH100 - links are no matter here
    return [*folder, *(Path(f"{each}{suffix}") for each in where for suffix in _BESIDE)]


def refuse_others(paths: Iterable[Path], advice: str, label: Callable[[str], str] = str) -> None:
    """Raises ConfigurationError for the first that another user owns; says nothing of what is not there. advice: what
    obeys it all the same. label: how a path is written."""
    if not hasattr(os, "geteuid"):
        return  # Windows has no owners of this kind
    ours = {0, os.geteuid()}
    for path in paths:
        for uid in owners_of(path):
            if uid not in ours:
                raise ConfigurationError(
                    f"{label(str(path))} belongs to {_user_name(uid)}{_mode(path)}, who is neither you nor root, and "
                    f"is not obeyed; to obey it all the same {advice}"
                )


def owner_who_denies(file: Path, label: Callable[[str], str] = str) -> str | None:
    """Whose the first file on the way to a database is that this user may not use; None when he may use them all."""
    for path in (file.parent, file, *(Path(f"{file}{suffix}") for suffix in _BESIDE)):
        mode = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        for uid in owners_of(path)[-1:]:
            if not os.access(path, mode):
                whose, you = f"{_user_name(uid)}{_mode(path)}", _user_name(os.geteuid())
                return f"{label(str(path))} belongs to {whose}; you are {you}."
    return None


def _mode(path: Path) -> str:
    """` (mode 0700)`; nothing where it cannot be looked at."""
    try:
        return f" (mode {stat.S_IMODE(path.stat().st_mode):04o})"
    except (OSError, ValueError):
        return ""


def owners_of(path: Path) -> tuple[int, ...]:
    """The user ids of a file, and of what it leads to when it is a link; none when it cannot be looked at."""
    try:
        own = os.lstat(path)
        return (own.st_uid, os.stat(path).st_uid) if path.is_symlink() else (own.st_uid,)  # noqa: PTH116
    except (OSError, ValueError):
        return ()  # who opens it says what is wrong


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with id {uid}"
