"""The key beside the database: made once, whole or not at all, readable by its owner only."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sm_cli.errors import DatabaseError

_BYTES = 32


def read_or_make(path: Path) -> bytes:
    """The key in this file; the first process that asks makes it, and the others find that one."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as e:
        raise DatabaseError(f"the key of the task tokens at {path} cannot be used: {e.strerror}") from None
    if len(key) != _BYTES:
        raise DatabaseError(f"{path} is not a key of {_BYTES} bytes; task tokens cannot be checked with it")
    return key


def _make(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, os.urandom(_BYTES))  # what `secrets` gives too; importing that costs 5 ms
        os.fsync(file)
    finally:
        os.close(file)
    # A link appears whole, and only where nothing is: of two processes, the second finds the first one's key.
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
