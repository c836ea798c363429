"""The kinds of database that tests are run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from tests.postgres.server import schema

#: All of them; `opened` knows each by its name.
KINDS = ("memory", "sqlite", "postgres")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind. folder: where a file may stand."""
    if kind == "postgres":
        os.environ.setdefault("XDG_STATE_HOME", str(folder.parent))  # where workers of one machine see each other
        with schema() as url:
            yield url
    else:
        yield "memory:" if kind == "memory" else f"sqlite:{folder}/sm.db?sync=normal"


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    """A store over such a database, closed at the end."""
    with database(kind, folder) as url:
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()
