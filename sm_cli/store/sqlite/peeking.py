"""A look at a file before it is opened: opening it makes it, or brings it to the newest schema."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sm_cli.store.sqlite import errors


def file_schema(path: Path) -> int | None:
    """The number of its schema; None when there is no file, or an empty one. Raises DatabaseError."""
    real = os.path.realpath(path)
    if not Path(real).is_file() or not Path(real).stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(real)}?mode=rw", uri=True, timeout=30)) as connection:
            number: int = connection.execute("PRAGMA user_version").fetchone()[0]
            return number
    except sqlite3.Error as e:
        raise errors.explain_error(e, path) from e
