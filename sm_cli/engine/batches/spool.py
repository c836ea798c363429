"""Items that come from no file: what stdin or an iterator gives is kept beside the database until it has been read.

A batch begins only when all of it is on the disk, so that nothing is lost when its starter is killed. What a starter
left that was killed before that is deleted later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sm_cli.engine.stepping.batch.origins import is_of_executions
from sm_cli.engine.stepping.batch.plan import plan_of
from sm_cli.errors import DatabaseError, UsageError
from sm_cli.jsonvalue import Json, as_json, dumps
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store

_CHUNK = 1 << 20
#: Microseconds after which a file that no batch names was left by somebody who was killed.
_LEFT_OVER = 86_400 * MICROSECONDS


def spool_stream(store: Store, ref: str, stream: BinaryIO) -> Path:
    """Keep all bytes of a stream. ref: the public id that the batch will have. Raises DatabaseError."""
    return _spool(store, ref, iter(lambda: stream.read(_CHUNK), b""))


def spool_items(store: Store, ref: str, items: Iterable[Json]) -> Path:
    """Keep the items of an iterable as JSON Lines. Raises UsageError for one that is not JSON, DatabaseError."""
    return _spool(store, ref, _lines(items))


def _lines(items: Iterable[Json]) -> Iterator[bytes]:
    for number, item in enumerate(items):
        value, problem = as_json(item)
        if problem is not None:
            raise UsageError(f"item {number} is not JSON: {problem}")
        yield dumps(value).encode() + b"\n"


def _spool(store: Store, ref: str, pieces: Iterable[bytes]) -> Path:
    path = store.spool() / ref
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", _CHUNK)
        try:
            with file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise
    except OSError as e:
        raise DatabaseError(f"the items cannot be kept in {path}: {e.strerror}") from e
    return path


def sweep_spool(store: Store, now: int) -> None:
    """Delete what no batch will read any more: of batches that are gone, or over with every item read. now:
    microseconds since 1970 UTC."""
    folder = store.spool()
    for path in folder.iterdir():
        if not _is_needed(store, path, now):
            with suppress(FileNotFoundError):  # another starter sweeps too
                path.unlink()


def _is_needed(store: Store, path: Path, now: int) -> bool:
    with store.read() as questions:
        batch = next((each for each in questions.find(path.name) if each.ref == path.name), None)
        run = None if batch is None else next(iter(questions.map_runs(batch.id, 1)), None)
    if batch is None:
        with suppress(FileNotFoundError):
            return now - path.stat().st_mtime_ns // 1000 < _LEFT_OVER
        return False
    plan = plan_of(batch)
    if plan is not None and is_of_executions(plan.source):
        return True  # its results tell whose data an item was
    return batch.closed is None or run is None or run.join.read_items < run.join.total
