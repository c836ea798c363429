"""Copy all rows of one database into another one, which must be empty, and check that they have arrived.

Portion by portion in the order of the primary keys, each in a transaction of its own: who is killed begins after the
last one. Until it is whole nobody can open the copy. What is checked is what is there at the end: all of the source
and all of the copy, by count and digest, so that nothing that an earlier attempt copied is taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.store import scripts
from sm_cli.store.copying.tables import Table, Tables
from sm_cli.store.sql.rows import Row

#: Rows, and bytes of texts, of one portion.
_ROWS, _BYTES = 5000, 8 << 20
#: The table that is copied last, and the one by which a copy is known again: it has the key of the task tokens.
_IDS, _SECRETS = "ids", "secrets"
#: Processes that have the source open; none of them has the copy open.
_NOT_COPIED = frozenset({"workers"})


class CopyProgress(NamedTuple):
    """How far a copy is."""

    #: What is done: "copy", "check", or "compare" with a copy that is whole already.
    step: str
    #: The table.
    table: str
    #: Rows of all tables, of this step.
    rows: int
    #: Of how many.
    total: int


class CopyTotals(NamedTuple):
    """What a copy has."""

    #: Rows by table.
    rows: dict[str, int]
    #: How many of them an earlier attempt had copied.
    rows_before: int
    #: Whether somebody wrote to the source meanwhile.
    was_written: bool
    #: Whether it was whole before, and nothing was done.
    was_whole: bool


def copy_tables(
    source: Tables, target: Tables, layout: Sequence[Table], *, snapshot: bool, tell: Callable[[CopyProgress], None]
) -> CopyTotals:
    """Copy everything, or go on with it; with a copy that is whole, and the same as the source, nothing is done.
    snapshot: whether one moment of a source that others write to will do.

    Raises Conflict for a target that holds something else and, without `snapshot`, for a source that was written
    meanwhile; DatabaseError when what has arrived is not what was there."""
    tables = sorted((table for table in layout if table.name not in _NOT_COPIED), key=_order)
    source.begin_reading()
    is_whole = _begin(source, target, tables)
    step = "compare" if is_whole else "copy"
    total = sum(source.count(table) for table in tables)
    digests: dict[str, tuple[int, bytes]] = {}
    count = before = 0
    ids: list[Row] = []
    for table in tables:
        digest, rows_of_table = blake2b(), 0
        last = None if is_whole or table.name == _IDS else target.last_key(table)
        for portion in _portions(map(target.storable, source.rows(table))):
            _update(digest, portion)
            new = portion if last is None else [row for row in portion if _key(table, row) > last]
            if is_whole:
                new = []
            elif table.name == _IDS:
                ids += portion
            elif new:
                target.append(table, new)
            rows_of_table += len(portion)
            before += len(portion) - len(new)
            tell(CopyProgress(step, table.name, count + rows_of_table, total))
        count += rows_of_table
        digests[table.name] = rows_of_table, digest.digest()
    was_written = source.end_reading()
    if was_written and not snapshot:
        raise Conflict(f"{source.place} was written while it was copied, so the copy is left unfinished", topic="copy")
    for table in _different(target, tables if is_whole else tables[:-1], digests, total, tell):
        if is_whole:
            raise Conflict(
                f"{target.place} is a copy of {source.place} already, and one of the two has changed since, so nothing"
                " was copied"
            )
        raise DatabaseError(
            f"{table.name} has other rows in the copy than in the source: the source was written between two attempts",
            topic="copy",
        )
    if not is_whole:
        target.finish(tables[-1], ids, scripts.newest_schema(), tables)
    target.settle(tables)
    return CopyTotals({name: rows for name, (rows, _) in digests.items()}, before, was_written, is_whole)


def _order(table: Table) -> tuple[bool, bool, str]:
    return table.name != _SECRETS, table.name == _IDS, table.name


def _begin(source: Tables, target: Tables, tables: Sequence[Table]) -> bool:
    """Whether the target is a copy of the source that is whole."""
    if not target.claim():
        raise Conflict(f"another copy into {target.place} is under way, so nothing was copied")
    newest = scripts.newest_schema()
    schema = target.schema()
    secrets = next(table for table in tables if table.name == _SECRETS)
    if schema == newest:
        names = [table.name for table in tables if table.name != _IDS and target.last_key(table) is not None]
        if names and (theirs := list(target.rows(secrets))) and theirs == list(source.rows(secrets)):
            return True
        if names:
            raise Conflict(f"{target.place} is not empty (there are {', '.join(names[:3])}), so nothing was copied")
        target.begin_copy(newest + scripts.UNFINISHED)
    elif schema != newest + scripts.UNFINISHED:
        raise DatabaseError(f"{target.place} is an unfinished copy that another version of sm has begun")
    elif (theirs := list(target.rows(secrets))) and theirs != list(source.rows(secrets)):
        raise Conflict(f"{target.place} is an unfinished copy of another database, so nothing was copied")
    return False


def _different(
    target: Tables, tables: Sequence[Table], digests: dict[str, tuple[int, bytes]], total: int,
    tell: Callable[[CopyProgress], None],
) -> Iterator[Table]:  # fmt: skip
    """Those that have not the rows that these digests, and counts, are of."""
    count = 0
    for table in tables:
        digest, rows_of_table = blake2b(), 0
        for portion in _portions(target.rows(table)):
            _update(digest, portion)
            rows_of_table += len(portion)
            tell(CopyProgress("check", table.name, count + rows_of_table, total))
        count += rows_of_table
        if (rows_of_table, digest.digest()) != digests[table.name]:
            yield table


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    size = 0
    for row in rows:
        portion.append(row)
        for value in row:
            if type(value) is str or type(value) is bytes:
                size += len(value)
        if len(portion) >= _ROWS or size >= _BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _key(table: Table, row: Row) -> Row:
    return tuple(row[place] for place in table.key)


def _update(digest: blake2b, rows: list[Row]) -> None:
    """The same whatever the portions are."""
    digest.update(orjson.dumps(rows, default=bytes.hex)[1:-1] + b",")
