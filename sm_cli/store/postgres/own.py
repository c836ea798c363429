"""What one store has of its own, and what all stores of a schema call alike: keys of locks, counts of commits."""

from __future__ import annotations

import hashlib

from sm_cli.store.locks import Lock
from sm_cli.store.postgres.ids import Ids
from sm_cli.store.sql.row_cache import RowCache

#: Counts of commits that wrote; each transaction adds to one of them.
SLOTS = 64


def lock_number(schema: str, lock: Lock) -> int:
    """The key of an advisory lock: the same in every process, different for every schema."""
    digest = hashlib.sha256(f"{lock.kind} {lock.key} in {schema}, for us".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Own:
    """What one store has of its own, from transaction to transaction.

    number: marks the trees that it wrote last. transactions: how many it began. places: execution to tree, which never
    changes."""

    def __init__(self, schema: str, number: int, ids: Ids) -> None:
        self.schema = schema
        self.number = number
        self.ids = ids
        self.row_cache = RowCache()
        self.transactions = 0
        self.places: dict[int, int] = {}

    @property
    def slot(self) -> int:
        """The count that this store adds to."""
        return self.number % SLOTS

    @property
    def mark(self) -> str:
        """What the newest transaction leaves there, and no other one."""
        return f"{self.number} {self.transactions}"
