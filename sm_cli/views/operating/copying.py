"""Copying a database into another one, for front ends."""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.errors import ConfigurationError, Conflict
from sm_cli.store.copying.copy import CopyProgress, CopyTotals, copy_tables
from sm_cli.store.open import file_of, open_store, open_tables, schema_number, table_layout
from sm_cli.store.scripts import UNFINISHED
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.membership import is_alive, is_dead

__all__ = ["CopyProgress", "CopyTotals", "copy_database"]

#: A worker of another machine that was seen so long ago works no more, as far as a copy is concerned.
_SILENT = 60 * MICROSECONDS


def copy_database(
    source: str, target: str, *, now: int, snapshot: bool, tell: Callable[[CopyProgress], None] = lambda _: None
) -> CopyTotals:
    """Copy the database of one URL into that of another one, or go on with a copy that was killed. now: microseconds
    since 1970 UTC. snapshot: copy one moment of it, though others write.

    Raises Conflict for a target that is not empty and for a source that others work on, DatabaseError,
    ConfigurationError for one in memory or the same twice."""
    for url in (source, target):
        if url == "memory:":
            raise ConfigurationError("a database in memory is gone with its process: it is no source and no target")
    _refuse_same(source, target)
    store = open_store(source, create=False)
    try:
        store.token_key()  # by it a copy is known again
        if not snapshot:
            beacons = store.liveness()
            with store.read() as questions:
                workers = [worker for worker in questions.workers() if not is_dead(worker, beacons)]
            busy = [each.name for each in workers if is_alive(each, beacons) or now - each.seen < _SILENT]
            if busy:
                names = ", ".join(busy[:3]) + (f" and {len(busy) - 3} more" if len(busy) > 3 else "")
                raise Conflict(f"workers run on the source ({names}), so nothing was copied", topic="copy source")
    finally:
        store.close()
    number = schema_number(target)
    if number is None or number < UNFINISHED:
        open_store(target).close()
    with open_tables(source) as source_tables, open_tables(target) as target_tables:
        return copy_tables(source_tables, target_tables, table_layout(), snapshot=snapshot, tell=tell)


def _refuse_same(source: str, target: str) -> None:
    files = file_of(source), file_of(target)
    if source == target or (files[0] and files[1] and files[1].exists() and files[0].samefile(files[1])):
        raise ConfigurationError("source and target are the same database")
