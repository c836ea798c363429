"""Where workers of one machine keep what they show each other: a server's database has no file beside which it could
stand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def place_of_signs(database: str) -> Path | None:
    """A path whose neighbours (`.workers`, …) belong to this database and user; None where none can be written."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    folder = Path(home).expanduser() / "sm"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / hashlib.sha256(database.encode()).hexdigest()[:32]
