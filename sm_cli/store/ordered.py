"""A set that gives its smallest members without sorting all of them.

Rule: removing costs nothing now; a removed key leaves the heap when it comes to its top, or when such keys
are the greater part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

#: Anything that can be compared with its like and hashed.
Key = TypeVar("Key", bound=Any)


class Ordered(Generic[Key]):
    def __init__(self) -> None:
        self._members: set[Key] = set()
        self._heap: list[Key] = []
        #: What the heap holds, members and not: a key that comes back is not pushed twice.
        self._queued: set[Key] = set()

    def __len__(self) -> int:
        return len(self._members)

    def add(self, key: Key) -> None:
        self._members.add(key)
        if key not in self._queued:
            self._queued.add(key)
            heappush(self._heap, key)

    def discard(self, key: Key) -> None:
        self._members.discard(key)
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._members):
            self._heap = self.all()  # a sorted list is a heap
            self._queued = set(self._heap)

    def first(self, limit: int, accept: Callable[[Key], bool] | None = None, bound: Key | None = None) -> list[Key]:
        """The smallest members, at most `limit`, in order; of those that `accept` answers True for."""
        seen: list[Key] = []
        found: list[Key] = []
        while self._heap and len(found) < limit and (bound is None or self._heap[0] < bound):
            key = heappop(self._heap)
            if key not in self._members:
                self._queued.discard(key)
                continue
            seen.append(key)
            if accept is None or accept(key):
                found.append(key)
        for key in seen:
            heappush(self._heap, key)
        return found

    def until(self, bound: Key, limit: int, accept: Callable[[Key], bool] | None = None) -> list[Key]:
        """As `first`, of the members that are below `bound`."""
        return self.first(limit, accept, bound)

    def all(self) -> list[Key]:
        return sorted(self._members)
