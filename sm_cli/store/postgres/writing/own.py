"""What one store has of its own, and what all stores of a schema call alike: keys of locks, counts of commits."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sm_cli.store.locks import Lock
from sm_cli.store.postgres.writing.ids import Ids
from sm_cli.store.sql.row_cache import RowCache

#: Counts of commits that wrote; each transaction adds to one of them.
SLOTS = 64
#: So many places are remembered.
_MOST_PLACES = 50_000


def lock_number(schema: str, lock: Lock) -> int:
    """The key of an advisory lock: the same in every process, different for every schema."""
    digest = hashlib.sha256(f"{lock.kind} {lock.key} in {schema}, for us".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Own:
    """What one store has of its own, from transaction to transaction.

    number: marks the parts of trees that it wrote last. transactions: how many it began. places: execution to part,
    which never changes; parts_of_frames: the same of frames that wait for executions. cached_parts: those of which the
    row cache may know something."""

    def __init__(self, schema: str, number: int, ids: Ids) -> None:
        self.schema = schema
        self.number = number
        self.ids = ids
        self.row_cache = RowCache()
        self.transactions = 0
        self.places: dict[int, int] = {}
        self.parts_of_frames: dict[int, int] = {}
        self.cached_parts: set[int] = set()

    def begin(self) -> None:
        """A transaction begins."""
        self.ids.begin()
        self.transactions += 1
        if len(self.places) > _MOST_PLACES:
            self.places.clear()
            self.parts_of_frames.clear()
        if len(self.cached_parts) > _MOST_PLACES:
            self.row_cache.forget_rows()
            self.cached_parts.clear()

    def forget(self, parts: Collection[int]) -> None:
        """Another store wrote in these parts: forget what is remembered of their rows."""
        known_parts = self.cached_parts.intersection(parts)
        if known_parts:
            self.row_cache.forget_parts(known_parts, self.places)
            self.cached_parts -= known_parts

    @property
    def slot(self) -> int:
        """The count that this store adds to."""
        return self.number % SLOTS

    @property
    def mark(self) -> str:
        """What the newest transaction leaves there, and no other one."""
        return f"{self.number} {self.transactions}"
