"""The key beside the database: made once, whole or not at all, readable by its owner only."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sm_cli.errors import DatabaseError

_BYTES = 32


def read_or_make(path: Path, shown: str) -> bytes:
    """The key in this file, whose name is `shown` to people; the first process that asks makes it, and the others
    find that one. Raises DatabaseError."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as e:
        raise DatabaseError(f"the key of the task tokens at {shown} cannot be used: {e.strerror}") from None
    if len(key) != _BYTES:
        raise DatabaseError(
            f"{shown} is not a key of {_BYTES} bytes; task tokens cannot be checked with it",
            hint="Restore it, or delete it: a new one is made, and tokens that were given out are known no more.",
        )
    return key


def _make(path: Path) -> None:
    # A name that no other process has, not even one that was killed here and left its draft behind.
    draft = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(os.urandom(_BYTES))  # what `secrets` gives too; importing that costs 5 ms
            opened.flush()
            os.fsync(file)
        # A link appears whole, and only where nothing is: of two processes, the second finds the first one's key.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
