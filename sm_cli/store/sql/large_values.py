"""Large values, kept once by the sha256 of their text and outside the rows and events that refer to them.

A blob never changes and its id is never used again, so a decoded one stays right for ever. A parent
frame with a large input, updated for each of its children, neither writes nor parses it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from sm_cli.jsonvalue import Json
from sm_cli.store.sql import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sm_cli.store.sql.session import Session

#: What a writer keeps decoded between two transactions, in bytes of JSON text.
CACHE = 32 << 20
#: Bytes of JSON text from which on a copy of it is worth some milliseconds.
_LONG = 16 << 20


class BlobCache:
    """Decoded blobs, those used last kept longest. Belongs to one writing connection."""

    def __init__(self, limit: int = CACHE) -> None:
        self._limit = limit
        self._size = 0
        self._entries: dict[int, tuple[Json, int]] = {}

    def get(self, id: int) -> tuple[Json, int] | None:
        """The value and its size in bytes, and it counts as used; None when it is not kept."""
        entry = self._entries.pop(id, None)
        if entry is not None:
            self._entries[id] = entry
        return entry

    def put(self, id: int, value: Json, size: int) -> None:
        """Keep a value of `size` bytes, however long it is, until `trim`: the rows of a transaction that refer to one
        value share it."""
        self.drop(id)
        self._entries[id] = (value, size)
        self._size += size

    def trim(self) -> None:
        """The transaction is over: those unused for longest go until all together are below the limit. The one used
        last stays, however long: it is what the next transaction is most likely to need."""
        while self._size > self._limit:
            self.drop(next(iter(self._entries)))

    def drop(self, id: int) -> None:
        """Keep it no longer."""
        entry = self._entries.pop(id, None)
        if entry is not None:
            self._size -= entry[1]

    def clear(self) -> None:
        """Keep nothing."""
        self._entries.clear()
        self._size = 0


def reference(id: int) -> str:
    """What stands in a row in place of a large value."""
    return f"@{id}"


def blob_id(text: str | None) -> int | None:
    """The blob that a column's text stands for; JSON text never begins with @."""
    return int(text[1:]) if text is not None and text[0] == "@" else None


class BlobWriter:
    """The values that one transaction writes: each object is encoded once, each text stored once.

    A JSON value is never changed in place, so the object stands for its text as long as the transaction lives.
    keep: called, with ids in ascending order, before it is counted anew how often these are referred to.
    """

    def __init__(
        self, session: Session, cache: BlobCache, reserve: Callable[[], int], keep: Callable[[list[int]], None]
    ) -> None:
        self._session = session
        self._cache = cache
        self._reserve = reserve
        self._keep = keep
        #: id of the object to it (so that the id stays its own) and its column's text.
        self._texts: dict[int, tuple[Json, str]] = {}
        self._digests: dict[bytes, int] = {}
        self._new: dict[int, bytes] = {}
        self._uses: dict[int, int] = {}
        #: Texts that stand for blobs longer than `rows.HISTORY_ROW`, in bytes.
        self.long: set[str] = set()

    def text(self, value: Json, before: str | None = None) -> str | None:
        """The column's text for a value; what the text that it replaces stood for is let go."""
        if before is not None:
            self.free(before)
        if value is None:
            return None
        if self._texts and (entry := self._texts.get(id(value))) is not None:
            self._use(entry[1])
            return entry[1]
        body = orjson.dumps(value)
        if len(body) <= rows.INLINE:
            return body.decode()
        return self._large(value, body)

    def payload(self, value: Json) -> str:
        """As `text`, for data that is not None and not `is_small`; a short one is remembered as well."""
        text = self.text(value)
        assert text is not None
        self._texts[id(value)] = (value, text)
        return text

    def free(self, text: str | None) -> None:
        """One row fewer refers to the value that this text stands for; nothing for a text of its own."""
        id = blob_id(text)
        if id is not None:
            self._uses[id] = self._uses.get(id, 0) - 1

    def free_all(self, texts: list[rows.Row]) -> None:
        """`free` for each row's one text."""
        for (text,) in texts:
            self.free(text)

    def is_idle(self) -> bool:
        """Whether nothing is to be counted anew, as far as is known."""
        return not self._uses

    def write(self) -> None:
        """How often each blob is referred to now; what nobody refers to goes."""
        if not self._uses:
            return
        by_digest = sorted(self._new.items(), key=lambda item: item[1])
        if by_digest:
            self._session.many("insert_blob_uses", [(id, digest, self._uses.pop(id)) for id, digest in by_digest])
        changes = sorted(((by, id) for id, by in self._uses.items() if by), key=lambda row: row[1])
        if changes:
            self._keep([id for _, id in changes])
            self._session.many("use_blob", changes)
        fewer = [id for by, id in changes if by < 0]
        if fewer:
            unused_ids = self._session.all("unused_blobs", (orjson.dumps(fewer).decode(),))
            self._session.many("delete_blob", unused_ids)
            for (id,) in unused_ids:
                self._cache.drop(id)
        self._texts.clear()
        self._uses.clear()

    def _large(self, value: Json, body: bytes) -> str:
        import hashlib  # who only reads, or writes little, need not wait for it

        digest = hashlib.sha256(body).digest()
        blob = self._digests.get(digest)
        if blob is None:
            row = self._session.one("blob_of_digest", (digest,))
            if row is None:
                blob = self._reserve()
                self._new[blob] = digest
                # At once, so that no two texts of a transaction are in memory together.
                self._session.insert_blob(blob, body)
            else:
                blob = int(row[0])
            self._digests[digest] = blob
            self._cache.put(blob, value, len(body))
        text = reference(blob)
        if len(body) > rows.HISTORY_ROW:
            self.long.add(text)
        self._texts[id(value)] = (value, text)
        self._use(text)
        return text

    def _use(self, text: str) -> None:
        id = blob_id(text)
        if id is not None:
            self._uses[id] = self._uses.get(id, 0) + 1


def _give_back() -> None:
    """What earlier values have left goes back to the system before a long one is read: the C library keeps it, in
    pieces between what is still used, where no long text has room."""
    import ctypes  # who reads no long value does not wait for it

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _read(body: list[bytes]) -> Json:
    """The value of a body that is handed over in a list, which is empty afterwards: of a long text, its bytes and its
    value no two more are in memory than must be."""
    value: Json
    if len(body[0]) < _LONG or not body[0].isascii():  # other text takes up to four bytes a character when decoded
        value = orjson.loads(body.pop())
        return value
    import json

    # orjson works on a copy of the text, and a list of all that is in it; this takes the text and the value alone.
    try:
        value = json.loads(body.pop().decode("ascii"))
    except json.JSONDecodeError as e:
        raise orjson.JSONDecodeError(e.msg, "", 0) from None
    return value


class NotThere(LookupError):
    """A large value is referred to and not there."""


def reader(session: Session, cache: BlobCache | None = None) -> rows.Decode:
    """A function from a column's text to its value. What it returns raises NotThere."""

    def value(text: str | None) -> Json:
        if text is None:
            return None
        if text[0] != "@":
            inline: Json = orjson.loads(text)
            return inline
        id = int(text[1:])
        entry = cache.get(id) if cache is not None else None
        if entry is not None:
            return entry[0]
        body = session.blob(id, _give_back)
        if body is None:
            raise NotThere(f"blob {id} is referred to and not there")
        handed_over, size = [body], len(body)
        del body
        large = _read(handed_over)
        if cache is not None:
            cache.put(id, large, size)
        return large

    return value
