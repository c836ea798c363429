"""Where workers of one machine keep what they show each other: a server's database has no file beside which it could
stand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sm_cli.errors import DatabaseError


def place_of_signs(database: str) -> Path | None:
    """A path whose neighbours (`.workers`, …) belong to this database and user; None where none can be written."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    folder = Path(home).expanduser() / "sm"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / hashlib.sha256(database.encode()).hexdigest()[:32]


def place_of_spool(database: str) -> Path:
    """A folder, only this user's, for files that belong to this database. Raises DatabaseError where there can be
    none."""
    place = place_of_signs(database)
    if place is None:
        raise DatabaseError("there is no folder to keep files of the database in: set XDG_STATE_HOME to one")
    folder = place.with_name(f"{place.name}.batches")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
