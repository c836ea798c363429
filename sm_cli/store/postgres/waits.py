"""Waiting for locks on a server: for how long, and for whom, as far as the server shows it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import errors as pg
from psycopg import sql

from sm_cli.store.postgres import errors
from sm_cli.store.waiting import TELL_AFTER, Holder, LockWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.sql.rows import Row

#: Seconds that somebody waits for others before he gives up, unless he is told otherwise.
WAIT = 30.0
#: Seconds that the question for a holder itself waits for locks, of a table that is held, say.
_PATIENCE = 0.5
#: A row that is locked names the transaction that has it.
_OF_PARTS = (
    " OR l.locktype = 'transactionid' AND l.transactionid IN (SELECT e.xmax FROM {}.executions e WHERE e.id = ANY(%s))"
)
_HOLDER = """
SELECT a.pid, a.application_name, (extract(epoch FROM a.xact_start) * 1000000)::bigint
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND a.pid <> pg_backend_pid() AND (
    l.locktype = 'advisory' AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = ANY(%s)
    OR l.locktype = 'relation' AND l.relation IN (
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND (c.relname = %s::text
            OR l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
    ){}
) ORDER BY a.xact_start LIMIT 1
"""


class Wish(NamedTuple):
    """What is waited for."""

    #: Keys of advisory locks.
    keys: list[int]
    #: Parts of trees, by the executions at their tops.
    parts: list[int]
    #: A table that nobody else may use.
    table: str | None = None


#: Something of the tables.
ANYTHING_THERE = Wish([], [])


class Turns:
    """Waiting for what keeps all others waiting behind who waits for it: for a while, then as long a pause, and both
    twice as long. Most transactions are over sooner, and one that stands still holds the others up half of the time."""

    def __init__(self, wait: LockWait) -> None:
        self._wait = wait
        #: How long to wait now.
        self.seconds = 0.2

    def end(self) -> None:
        """It was in vain: let others go on. Raises TimeoutError when it was the last one."""
        end = time.monotonic() + self.seconds
        while (left := min(self._wait.time_left(), end - time.monotonic())) > 0:
            time.sleep(left)
        self.seconds = min(2 * self.seconds, TELL_AFTER)


def find_holder(connect: Callable[[], psycopg.Connection[Row]], schema: str, wish: Wish) -> Holder | None:
    """Who has it, longest of all if there are several, or who has a table of the schema locked; None when that cannot
    be seen."""
    of_parts = sql.SQL(_OF_PARTS).format(sql.Identifier(schema)) if wish.parts else sql.SQL("")
    question = sql.SQL(_HOLDER).format(of_parts)
    arguments = [wish.keys, schema, wish.table, *([wish.parts] if wish.parts else [])]
    try:
        with connect() as connection:
            connection.execute(f"SET lock_timeout = {milliseconds(_PATIENCE)}".encode())
            row = connection.execute(question, arguments).fetchone()
    except psycopg.Error:
        return None
    if row is None:
        return None
    pid, program, since = row
    # Of another role's session a role is not told since when.
    return Holder(pid, program, since or time.time_ns() // 1000, is_session=True)


@contextmanager
def own_connection(url: PostgresUrl, limit: float | None = WAIT) -> Iterator[psycopg.Connection[Row]]:
    """A connection for who does one thing, which waits for a lock so many seconds at most. Raises DatabaseError, also
    for what the driver says inside the block."""
    connect: Callable[[], psycopg.Connection[Row]]
    connect = partial(psycopg.connect, url.driver_text(), autocommit=True)
    try:
        with connect() as connection:
            errors.check_encoding(connection, url.place)
            if url.prepare:  # else it may be somebody else's after the next transaction
                connection.execute(f"SET lock_timeout = {milliseconds(limit)}".encode())
            yield connection
    except pg.LockNotAvailable as e:
        raise errors.busy(url.place, limit, find_holder(connect, url.schema, ANYTHING_THERE), reads=True) from e
    except psycopg.Error as e:
        raise errors.explain_error(e, url.place, limit) from e


def milliseconds(limit: float | None) -> int:
    """Seconds as the server has them; None: as long as anybody waits who is not told otherwise."""
    return max(1, round(1000 * (WAIT if limit is None else limit)))
