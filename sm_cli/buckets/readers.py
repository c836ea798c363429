"""Readers that are kept open between calls, so that a data set is not read again from its beginning for each portion.

A reader belongs to one caller while it is used. Whoever finds none at the right place opens its own; nobody
waits for another thread's reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from threading import Lock

from sm_cli.buckets.sources import DataSet
from sm_cli.jsonvalue import Json

Key = tuple[bytes, str]  # the canonical request, the mark


class Reader:
    """A data set at a place: `position` items have been given."""

    def __init__(self, data: DataSet, most: int | None) -> None:
        self.position = 0
        self._data = data
        self._source = data.items()
        self._items: Iterator[Json] = islice(self._source, most)

    def take(self, start: int, limit: int) -> list[Json]:
        """The items from `start` on, which must not lie behind."""
        self.position += sum(1 for _ in islice(self._items, start - self.position))
        items = list(islice(self._items, limit))
        self.position += len(items)
        self._data.check()
        return items

    def close(self) -> None:
        """Close the data set that it reads."""
        self._source.close()


class Readers:
    """The readers that nobody uses, those used last kept longest."""

    def __init__(self, limit: int = 8) -> None:
        self._limit = limit
        self._lock = Lock()
        self._idle: dict[Key, Reader] = {}

    def read(self, key: Key, start: int, limit: int, open: Callable[[], Reader]) -> list[Json]:
        """At most `limit` items from number `start` on, with the reader that stands there, or a new one."""
        reader = self._borrow(key)
        if reader is not None and reader.position > start:
            reader.close()
            reader = None
        if reader is None:
            reader = open()
        try:
            items = reader.take(start, limit)
        except BaseException:
            reader.close()
            raise
        self._return(key, reader)
        return items

    def close(self) -> None:
        """Close all that nobody reads with."""
        with self._lock:
            idle = list(self._idle.values())
            self._idle.clear()
        for reader in idle:
            reader.close()

    def _borrow(self, key: Key) -> Reader | None:
        with self._lock:
            return self._idle.pop(key, None)

    def _return(self, key: Key, reader: Reader) -> None:
        with self._lock:
            # Another thread may have put one there meanwhile.
            readers = [self._idle.pop(key)] if key in self._idle else []
            self._idle[key] = reader
            while len(self._idle) > self._limit:
                readers.append(self._idle.pop(next(iter(self._idle))))
        for other in readers:
            other.close()
