"""Large values, kept once and outside the rows that hold them.

Rule: a blob never changes and its id is never used again, so a decoded one stays right for ever. A parent
frame with a large input, updated for each of its children, neither writes nor parses it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from sm_cli.jsonvalue import Json
from sm_cli.store.sql import rows

if TYPE_CHECKING:
    from sm_cli.store.sql.session import Session

#: What a writer keeps decoded, in bytes of JSON text.
CACHE = 32 << 20


class BlobCache:
    """Decoded blobs, those used last kept longest. Belongs to one writing connection."""

    def __init__(self, limit: int = CACHE) -> None:
        self._limit = limit
        self._size = 0
        self._kept: dict[int, tuple[Json, int]] = {}

    def get(self, id: int) -> tuple[Json, int] | None:
        found = self._kept.pop(id, None)
        if found is not None:
            self._kept[id] = found
        return found

    def put(self, id: int, value: Json, size: int) -> None:
        if size > self._limit:
            return
        self.drop(id)
        self._kept[id] = (value, size)
        self._size += size
        while self._size > self._limit:
            self.drop(next(iter(self._kept)))

    def drop(self, id: int) -> None:
        found = self._kept.pop(id, None)
        if found is not None:
            self._size -= found[1]

    def clear(self) -> None:
        self._kept.clear()
        self._size = 0


def reference(id: int) -> str:
    return f"@{id}"


def referred(text: str | None) -> int | None:
    """The blob that a column's text stands for; JSON text never begins with @."""
    return int(text[1:]) if text is not None and text[0] == "@" else None


def reader(session: Session, cache: BlobCache | None = None) -> rows.Decode:
    """A function from a column's text to its value."""

    def value(text: str | None) -> Json:
        if text is None:
            return None
        if text[0] != "@":
            inline: Json = orjson.loads(text)
            return inline
        id = int(text[1:])
        kept = cache.get(id) if cache is not None else None
        if kept is not None:
            return kept[0]
        row = session.one("blob", (id,))
        if row is None:
            raise LookupError(f"blob {id} is referred to and not there")
        large: Json = orjson.loads(row[0])
        if cache is not None:
            cache.put(id, large, len(row[0]))
        return large

    return value
