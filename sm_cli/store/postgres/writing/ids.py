"""Ids in ranges: taken on a connection of their own, at once, so that no transaction waits for another one's end.

An id that a transaction took and did not write is never given out again. Nothing is lost when the server is killed
before such an update is on disk: whoever wrote a row with the id waited for all that was logged before it.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import errors as pg

from sm_cli.store.postgres.waits import milliseconds
from sm_cli.store.sql.rows import Row
from sm_cli.store.waiting import TELL_AFTER

#: Kept for later transactions: their order is not the order of time.
_BLOCKS = {"jobs": 256, "blobs": 16}
#: In one transaction, so many more than are asked for when frames are asked for again.
_MORE_FRAMES = 64

_BEGIN = "SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = {milliseconds}"
_TAKE = "UPDATE \"{schema}\".ids SET next = next + {count} WHERE name = '{table}' RETURNING next"


class Ids:
    """Unused ids of one schema. connect: opens a connection that commits each statement."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Row]], schema: str) -> None:
        self._connect = connect
        self._schema = schema
        self._connection: psycopg.Connection[Row] | None = None
        #: table -> (the next unused one, the end of the range).
        self._ranges: dict[str, tuple[int, int]] = {}

    def begin(self) -> None:
        """A transaction begins: what it makes is younger than all that is there, and has higher ids in its tree."""
        self._ranges.pop("frames", None)

    def reserve(self, table: str, count: int) -> int:
        """The first of `count` consecutive unused ids. Raises psycopg.Error."""
        first, end = self._ranges.get(table, (0, 0))
        if end - first < count:
            more = max(count, _BLOCKS.get(table, 0))
            if table == "frames" and end:
                more = count + _MORE_FRAMES
            if table == "executions":  # each has a frame
                end, last = self._take(("executions", more), ("frames", more))
                self._ranges["frames"] = last - more, last
            else:
                (end,) = self._take((table, more))
            first = end - more
        if table in _BLOCKS or table == "frames":
            self._ranges[table] = first + count, end
        return first

    def _take(self, *requests: tuple[str, int]) -> list[int]:
        """The ends of ranges of so many, taken in this order, which is the same for all."""
        fresh = self._connection is None or self._connection.closed
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = self._connect()
        try:
            texts = [_TAKE.format(schema=self._schema, count=count, table=table) for table, count in requests]
            begin = _BEGIN.format(milliseconds=milliseconds(TELL_AFTER))
            answers = connection.execute("; ".join([begin, *texts]).encode(), prepare=False)
            ends = []
            while answers.nextset():
                if answers.description is not None:
                    ends.append(int(answers.fetchall()[0][0]))
        except pg.LockNotAvailable:
            raise
        except psycopg.OperationalError:  # it was idle, and the server has gone and come since
            connection.close()
            if fresh:
                raise
            return self._take(*requests)
        return ends

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
