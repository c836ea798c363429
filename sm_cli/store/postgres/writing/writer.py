"""The connection that writes: begins a transaction when it may, commits, and finds out what became of a commit.

Transactions go side by side under a lock of the schema that all share; one that is alone has it for itself. What an
attempt before missed is waited for here, in one order, while nothing else is held.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Collection

import psycopg
from psycopg import errors as pg

from sm_cli.errors import SmError
from sm_cli.store.locks import ALONE, Contended, Locks
from sm_cli.store.postgres import dialect, errors
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.postgres.url import PostgresUrl
from sm_cli.store.postgres.waits import ANYTHING_THERE, Turns, Wish, find_holder, milliseconds
from sm_cli.store.postgres.writing.ids import Ids
from sm_cli.store.postgres.writing.offers import ANYTHING, Offers
from sm_cli.store.postgres.writing.own import Own, lock_number
from sm_cli.store.postgres.writing.transaction import PostgresTransaction, waited_for
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.waiting import TELL_AFTER, Holder, LockWait, Patience

log = logging.getLogger("sm.store")

#: For the names of a transaction, how long it waits for a lock, and who marks what it writes. Who writes beside others
#: goes by ids, and the server by what it has counted last and by a hundred rows in any JSON: it would read a whole
#: table of some 10,000 rows to change 8.
_SETTINGS = b"""
SELECT set_config('search_path', $1, true), set_config('lock_timeout', $2, true), set_config('sm.writer', $3, true),
    set_config('enable_hashjoin', $4, true), set_config('enable_mergejoin', $4, true)
"""
_ALONE, _SHARED = b"SELECT pg_advisory_xact_lock($1)", b"SELECT pg_advisory_xact_lock_shared($1)"
_LOCK_TIMEOUT = b"SELECT set_config('lock_timeout', $1, true)"
_MARK = "SELECT 1 FROM {}.sm_writes WHERE mark = %s"
#: What another transaction that wrote beside this one explains: it is done again.
_COLLISIONS = (pg.UniqueViolation, pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)


class Writer:
    """One store's. connect: opens a connection. patience: asked how to wait. Raises psycopg.Error from every method."""

    def __init__(
        self, url: PostgresUrl, connect: Callable[[], psycopg.Connection[Row]], patience: Callable[[], Patience]
    ) -> None:
        self._url = url
        self._connect = connect
        self._patience = patience
        self._session: PostgresSession | None = None
        self._is_alone = True
        self.own = Own(url.schema, secrets.randbits(62), Ids(connect, url.schema))
        self._turn = lock_number(url.schema, ALONE)
        self._notify = f"NOTIFY sm_{url.schema}".encode()
        #: What was waited for last, and for how many seconds at most.
        self._wish = ANYTHING_THERE
        self._lock_timeout = TELL_AFTER

    @property
    def process(self) -> int | None:
        """The server's process of this connection; None without one."""
        return None if self._session is None else self._session.wire.info.backend_pid

    def close(self) -> None:
        """Give the connections back."""
        self._drop()
        self.own.ids.close()

    def begin(self, locks: Locks | None, executions: Collection[int] = (), jobs: int = 0) -> PostgresTransaction:
        """A transaction that has these locks; None: it is alone. executions: those that it is about to hold; jobs: how
        many it is about to take. Raises
        DatabaseBusy when that takes too long; who may wait without limit gets Contended when somebody keeps more than
        the whole schema from it."""
        first = frozenset([ALONE]) if locks is None else locks
        self._is_alone = ALONE in first
        wait = LockWait(self._patience(), self.find_holder)
        turns = Turns(wait) if self._is_alone else None
        while True:
            fresh = self._session is None
            try:
                return self._begin(self._open(), first, executions, jobs, time.monotonic() - wait.start, turns)
            except pg.LockNotAvailable:
                self.roll_back()
                try:
                    wait.time_left() if turns is None else turns.end()
                except TimeoutError:
                    limit = self._patience().limit()
                    raise errors.busy(self._url.place, limit, self.find_holder()) from None
                if not self._is_alone and self._wish.keys != [self._turn] and self._patience().limit() is None:
                    raise Contended(first, errors.busy(self._url.place, TELL_AFTER)) from None
            except psycopg.OperationalError:  # nothing was done; it was idle, and the server has gone and come since
                self._drop()
                if fresh:
                    raise

    def _begin(
        self, session: PostgresSession, locks: Locks, executions: Collection[int], jobs: int, wait_time: float,
        turns: Turns | None,
    ) -> PostgresTransaction:  # fmt: skip
        """In one round trip: the lock of the schema, these executions and so many jobs as far as they can be had, and
        what there is to do. What others lock is waited for after it."""
        limit = self._patience().limit()
        rest = TELL_AFTER if limit is None else max(0.001, limit - wait_time)
        seconds = min(TELL_AFTER if turns is None else turns.seconds, rest)
        self._lock_timeout = seconds
        self._wish = Wish([self._turn], [])
        advisory, parts = ([], []) if self._is_alone else waited_for(locks)
        exchange = session.exchange
        session.forget_ahead()
        with exchange.together():
            exchange.command(b"BEGIN")
            exchange.send(_SETTINGS, (
                f'"{self._url.schema}"', f"{milliseconds(seconds)}ms", str(self.own.number),
                "on" if self._is_alone else "off",
            ))  # fmt: skip
            exchange.send(_ALONE if self._is_alone else _SHARED, (self._turn,))
            ahead = []
            if self._is_alone:  # which does it once, and waits for tables that others hold as long as it may
                self._lock_timeout = rest
                exchange.send(_LOCK_TIMEOUT, (f"{milliseconds(rest)}ms",))
            elif not (advisory or parts):  # who waits holds nothing
                ahead = session.send_ahead(self.own.questions_of(executions, jobs))
            promise = exchange.send(dialect.statement_of("offers").text.encode())
            exchange.settle()
        offers = Offers._make(promise.rows[0])
        self.own.last_offers = offers
        row_cache = self.own.row_cache
        row_cache.no_losses, row_cache.no_schedules = not offers.losses, not offers.schedules
        row_cache.no_ended_children = not offers.ended_children
        for each in advisory:
            key = lock_number(self._url.schema, each)
            self._wish = Wish([key], [])
            session.wait("wait_for_lock", (key,))
        if parts:
            self._wish = Wish([], parts)
            session.wait("wait_for_parts", (id_list(parts),))
        self._wish = ANYTHING_THERE
        transaction = PostgresTransaction(session, self.own, locks, ANYTHING if advisory or parts else offers)
        if ahead:
            session.keep_ahead(ahead)
            transaction.hold_at_begin(executions)
        return transaction

    def commit(self, transaction: str | None) -> None:
        """Commit. Who listens is told after it, for NOTIFY inside it would make commits wait for each other.

        transaction: its id; None when nothing was written."""
        session = self._session
        assert session is not None
        try:
            is_committed = session.commit(self._notify if self._url.notify and transaction is not None else None)
        except psycopg.OperationalError:
            # What the server has refused is not committed; of what broke with the connection nobody knows.
            if not session.wire.closed or transaction is None or not self._was_committed(transaction):
                raise
            return
        if not is_committed:
            raise errors.not_committed(self._url.place)

    def _was_committed(self, transaction: str) -> bool:
        """The connection broke after COMMIT was sent: what the server knows of it, as soon as it answers.

        A server that was killed gives a number again that is on no disk: `committed` may be said of another transaction
        then, so the mark has to be there, too. Raises DatabaseAway when that cannot be told."""
        self._drop()
        wait = LockWait(self._patience(), lambda: None)
        while True:
            try:
                with self._connect() as connection:
                    row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
                    mark = connection.execute(_MARK.format(self._url.schema).encode(), (self.own.mark,)).fetchone()
                if row == ("aborted",):
                    return False
                if row == ("committed",):
                    if mark is not None:
                        return True
                    raise errors.unknown_commit(self._url.place)
            except pg.InvalidParameterValue:  # a number that was not given yet
                return False
            except psycopg.OperationalError:
                log.debug("the server does not answer yet", exc_info=True)
            try:
                time.sleep(wait.time_left())
            except TimeoutError:
                raise errors.unknown_commit(self._url.place) from None

    def roll_back(self) -> None:
        """Undo what is not committed."""
        self.own.row_cache.forget_all()
        session = self._session
        if session is not None:
            session.exchange.close()
        if session is None or session.is_unsure or session.wire.closed or session.wire.broken:
            self._drop()
            return
        # Past the driver: it forgets all that is prepared at a ROLLBACK, for the tables may have been made in it.
        with contextlib.suppress(psycopg.Error):
            session.wire.pgconn.exec_(b"ROLLBACK")

    def explain(self, error: psycopg.Error) -> SmError:
        """The driver's error in our words: Contended where others explain it."""
        explanation: SmError
        if isinstance(error, pg.LockNotAvailable):
            explanation = errors.busy(self._url.place, self._lock_timeout, self.find_holder())
        else:
            explanation = errors.explain_error(error, self._url.place, self._patience().limit())
        if not self._is_alone and isinstance(error, _COLLISIONS):
            return Contended(error=explanation)
        return explanation

    def find_holder(self) -> Holder | None:
        """Who has what was waited for last; None when that cannot be seen."""
        return find_holder(self._connect, self._url.schema, self._wish)

    def _open(self) -> PostgresSession:
        if self._session is None or self._session.wire.closed:
            connection = self._connect()
            self._session = PostgresSession(connection, self.explain, self._url.prepare)
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.wire.close()
            self._session = None
