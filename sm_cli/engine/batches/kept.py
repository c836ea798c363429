"""Items that come from no file which every worker can read: they are kept in the database until they have been read.

In portions of bounded size, each in a transaction of its own, so that memory holds one of them and nobody waits long
for another. A batch begins only when all of it is there, so that nothing is lost when its starter is killed; what such
a starter left is deleted later. What has been read goes while the batch runs: its executions have it as their input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from sm_cli.buckets import LARGEST_ITEM, ItemReaderFailed, Opened, Unreadable
from sm_cli.engine.stepping.batch.origins import is_of_executions
from sm_cli.engine.stepping.batch.plan import plan_of
from sm_cli.errors import DatabaseError, UsageError
from sm_cli.jsonvalue import Json, as_json, dumps, loads
from sm_cli.store.changes import Changes
from sm_cli.store.locks import NOTHING
from sm_cli.store.records import KeptItems
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store

#: Items and bytes of a row, and bytes of a transaction.
_ITEMS, _BYTES, _COMMIT = 500, 128 << 10, 2 << 20
#: Before a line that tells why there is no item.
_UNREADABLE = b"!"
#: Microseconds after which items that no batch names were left by somebody who was killed.
_LEFT_OVER = 86_400 * MICROSECONDS
#: Behind every item of a batch.
_ALL = 2**62


def kept_source(ref: str) -> dict[str, Json]:
    """The source of a batch whose items are kept under this public id."""
    return {"kept": ref}


def is_kept(source: dict[str, Json]) -> bool:
    """Whether the items of this source are kept in the database."""
    return "kept" in source


def checked_items(items: Iterable[Json]) -> Iterator[Json]:
    """The items of an iterable. Raises UsageError for one that is not JSON, or larger than an item may be."""
    for number, item in enumerate(items):
        value, problem = as_json(item)
        if problem is not None:
            raise UsageError(f"item {number} is not JSON: {problem}")
        if len(dumps(value)) > LARGEST_ITEM:
            limit = f"{LARGEST_ITEM >> 20} MiB, the limit for an item"
            raise UsageError(f"item {number} of what the iterable gave is larger than {limit}")
        yield value


def keep_items(store: Store, ref: str, now: int, items: Iterable[Json], first: int, short: int) -> Opened:
    """Keep these items for the batch that will have this public id. now: microseconds since 1970 UTC. first: so many
    are told; an Unreadable among them, or anywhere in less than `short` bytes, is refused. Raises ItemReaderFailed for
    such a one, DatabaseError, and what `items` raises; nothing stays then."""
    sweep_kept_items(store, now)
    seen = _Seen(first)
    try:
        waiting: list[KeptItems] = []
        size = 0
        for row in _rows(ref, now, seen.note(items)):
            waiting.append(row)
            size += len(row.lines)
            if size >= _COMMIT:
                _write(store, Changes(kept_items=waiting))
                waiting, size = [], 0
        if seen.unreadable is not None and seen.size < short:
            raise ItemReaderFailed(seen.unreadable)
        _write(store, Changes(kept_items=waiting))
    except BaseException:
        with suppress(DatabaseError):
            forget_items(store, ref)
        raise
    return Opened(str(seen.count), seen.count, seen.first)


def read_kept_items(store: Store, source: dict[str, Json], mark: str, start: int, limit: int) -> list[Json]:
    """The items from number `start` on, `limit` at most; fewer are the last. An Unreadable for what was none. Raises
    ItemReaderFailed for what is not there any more."""
    end = min(start + limit, int(mark))
    with store.read() as questions:
        rows = questions.kept_items(str(source["kept"]), start, end) if start < end else []
    items: list[Json] = []
    for first, count, text in rows:
        if first <= start + len(items) < first + count:
            lines = bytes(text).split(b"\n")[start + len(items) - first : end - first]
            items += map(_item, lines)
    if len(items) < end - start:
        raise ItemReaderFailed(f"item {start + len(items):,} is not kept in the database any more")
    return items


def forget_read_items(store: Store, source: dict[str, Json], start: int) -> None:
    """Delete what a batch that asks for the items from `start` on has read, a few rows; what goes through executions
    stays: its results tell whose data an item was. Raises DatabaseError."""
    if is_of_executions(source):
        return
    ref = str(source["kept"])
    with store.read() as questions:
        first = questions.first_kept(ref)
    if first is not None and first < start:
        _write(store, Changes(kept_items_gone=[(ref, start)]))


def forget_items(store: Store, ref: str) -> None:
    """Delete all that is kept under this public id. Raises DatabaseError."""
    _write(store, Changes(kept_items_gone=[(ref, _ALL)]))


def sweep_kept_items(store: Store, now: int) -> None:
    """Delete what no batch will read any more: of batches that are gone, or over with every item read. now:
    microseconds since 1970 UTC. Raises DatabaseError."""
    with store.read() as questions:
        batches = questions.kept_batches()
    for ref, created in batches:
        forget_unless_needed(store, ref, now - created)


def forget_unless_needed(store: Store, ref: str, age: int = 0) -> None:
    """Delete what is kept under this public id, unless somebody may read it. age: since when, in microseconds. Raises
    DatabaseError."""
    if not _is_needed(store, ref, age):
        with store.read() as questions:
            is_kept = questions.first_kept(ref) is not None
        if is_kept:
            forget_items(store, ref)


def _is_needed(store: Store, ref: str, age: int) -> bool:
    with store.read() as questions:
        batch = next((each for each in questions.find(ref) if each.ref == ref), None)
        run = None if batch is None else next(iter(questions.map_runs(batch.id, 1)), None)
    if batch is None:
        return age < _LEFT_OVER
    plan = plan_of(batch)
    if plan is not None and is_of_executions(plan.source):
        return True  # its results tell whose data an item was
    return batch.closed is None or run is None or run.join.read_items < run.join.total


class _Seen:
    """What was seen of the items that went by."""

    def __init__(self, most: int) -> None:
        self.count = self.size = 0
        self.first: list[Json] = []
        #: Why the first of them that is none cannot be read.
        self.unreadable: str | None = None
        self._most = most

    def note(self, items: Iterable[Json]) -> Iterator[bytes]:
        """A line of text for each."""
        for item in items:
            is_first = self.count < self._most
            if isinstance(item, Unreadable):
                if is_first:
                    raise ItemReaderFailed(str(item))
                self.unreadable = self.unreadable or str(item)
                line = _UNREADABLE + dumps(str(item)).encode()
            else:
                line = dumps(item).encode()
            if is_first:
                self.first.append(item)
            self.count += 1
            self.size += len(line) + 1
            yield line


def _rows(ref: str, now: int, lines: Iterable[bytes]) -> Iterator[KeptItems]:
    first = size = 0
    portion: list[bytes] = []
    for line in lines:
        portion.append(line)
        size += len(line)
        if len(portion) >= _ITEMS or size >= _BYTES:
            yield KeptItems(ref, first, len(portion), now, b"\n".join(portion))
            first, portion, size = first + len(portion), [], 0
    if portion:
        yield KeptItems(ref, first, len(portion), now, b"\n".join(portion))


def _item(line: bytes) -> Json:
    if line.startswith(_UNREADABLE):
        return Unreadable(loads(line.removeprefix(_UNREADABLE)))
    value: Json = loads(line)
    return value


def _write(store: Store, changes: Changes) -> None:
    with store.write(NOTHING) as tx:
        tx.apply(changes)
