"""The connection that writes: begins a transaction when it may, commits, and finds out what became of a commit.

Transactions go side by side under a lock of the schema that all share; one that is alone has it for itself. What an
attempt before missed is waited for here, in one order, while nothing else is held.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable

import psycopg
from psycopg import errors as pg

from sm_cli.errors import SmError
from sm_cli.store.locks import ALONE, Contended, Locks
from sm_cli.store.postgres import dialect, errors
from sm_cli.store.postgres.session import PostgresSession, closed_if_it_fails
from sm_cli.store.postgres.url import PostgresUrl
from sm_cli.store.postgres.writing.ids import Ids
from sm_cli.store.postgres.writing.offers import ANYTHING, Offers
from sm_cli.store.postgres.writing.own import Own, lock_number
from sm_cli.store.postgres.writing.transaction import PostgresTransaction, waited_for
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.waiting import TELL_AFTER, Holder, LockWait, Patience

log = logging.getLogger("sm.store")

#: What begins a transaction, in one round trip. Its last answer is what there is to do.
_BEGIN = """
BEGIN; SET LOCAL search_path TO "{schema}"; SET LOCAL lock_timeout = {milliseconds}; SET LOCAL sm.writer = '{number}';
SELECT {lock}({key}); {question}
"""
#: The question is planned once a connection, where the server keeps statements prepared.
_PREPARED = "EXECUTE sm_offers"
_PREPARE = 'SET search_path TO "{schema}"; PREPARE sm_offers AS {question}; RESET search_path'
_HOLDER = """
SELECT a.pid, a.application_name, (extract(epoch FROM a.xact_start) * 1000000)::bigint
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start LIMIT 1
"""
_MARK = "SELECT mark FROM {}.sm_writes WHERE slot = %s"
#: What another transaction that wrote beside this one explains: it is done again.
_COLLISIONS = (pg.UniqueViolation, pg.DeadlockDetected, pg.SerializationFailure)


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

    @property
    def process(self) -> int | None:
        """The server's process of this connection; None without one."""
        return None if self._session is None else self._session.connection.info.backend_pid

    def close(self) -> None:
        """Give the connections back."""
        self._drop()
        self.own.ids.close()

    def begin(self, locks: Locks | None) -> PostgresTransaction:
        """A transaction that has these locks; None: it is alone. Raises DatabaseBusy when that takes too long."""
        first = frozenset([ALONE]) if locks is None else locks
        self._is_alone = ALONE in first
        wait = LockWait(self._patience(), self._holder)
        while True:
            fresh = self._session is None
            session = self._open()
            try:
                offers = self._begin(session, first, time.monotonic() - wait.start)
                return PostgresTransaction(session, self.own, first, offers)
            except pg.LockNotAvailable:
                self.roll_back()
                try:
                    wait.time_left()
                except TimeoutError:
                    raise errors.busy(self._url.place, self._patience().limit()) from None
            except psycopg.OperationalError:  # nothing was done; it was idle, and the server has gone and come since
                self._drop()
                if fresh:
                    raise

    def _begin(self, session: PostgresSession, locks: Locks, wait_time: float) -> Offers:
        limit = self._patience().limit()
        seconds = TELL_AFTER if limit is None else max(0.001, min(TELL_AFTER, limit - wait_time))
        lock = "pg_advisory_xact_lock" if self._is_alone else "pg_advisory_xact_lock_shared"
        begin = _BEGIN.format(
            schema=self._url.schema, milliseconds=round(1000 * seconds), number=self.own.number, lock=lock,
            key=self._turn, question=_PREPARED if self._url.prepare else dialect.statement_of("offers").text,
        )  # fmt: skip
        answers = session.connection.execute(begin.encode(), prepare=False)
        while answers.nextset():
            pass
        (offers,) = map(Offers._make, answers.fetchall())
        row_cache = self.own.row_cache
        row_cache.no_losses, row_cache.no_schedules = not offers.losses, not offers.schedules
        row_cache.no_ended_children = not offers.ended_children
        advisory, parts = ([], []) if self._is_alone else waited_for(locks)
        for each in advisory:
            session.wait("wait_for_lock", (lock_number(self._url.schema, each),))
        if parts:
            session.wait("wait_for_parts", (id_list(parts),))
        return ANYTHING if advisory or parts else offers

    def commit(self, transaction: str | None) -> None:
        """Commit. Who listens is told after it, for NOTIFY inside it would make commits wait for each other.

        transaction: its id; None when nothing was written."""
        notify = f"; NOTIFY sm_{self._url.schema}" if self._url.notify and transaction is not None else ""
        try:
            answer = self._open().connection.execute(f"COMMIT{notify}".encode(), prepare=False)
        except psycopg.OperationalError:
            if transaction is None or not self._was_committed(transaction):
                raise
            return
        if answer.statusmessage != "COMMIT":  # a statement had failed, and nobody who saw it has said so
            self._drop()  # at this ROLLBACK the driver has forgotten all that is prepared
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
                    mark = connection.execute(_MARK.format(self._url.schema).encode(), (self.own.slot,)).fetchone()
                if row == ("aborted",):
                    return False
                if row == ("committed",):
                    if mark == (self.own.mark,):
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
        if session is None or session.is_unsure or session.connection.closed or session.connection.broken:
            self._drop()
            return
        # Past the driver: it forgets all that is prepared at a ROLLBACK, for the tables may have been made in it.
        with contextlib.suppress(psycopg.Error):
            session.connection.pgconn.exec_(b"ROLLBACK")

    def explain(self, error: psycopg.Error) -> SmError:
        """The driver's error in our words: Contended where others explain it."""
        explanation = errors.explain_error(error, self._url.place, self._patience().limit())
        if not self._is_alone and isinstance(error, _COLLISIONS):
            return Contended(error=explanation)
        return explanation

    def _holder(self) -> Holder | None:
        with self._connect() as connection:
            row = connection.execute(_HOLDER.encode(), (self._turn & 0xFFFFFFFF,)).fetchone()
        return None if row is None or row[2] is None else Holder(*row)

    def _open(self) -> PostgresSession:
        if self._session is None or self._session.connection.closed:
            connection = self._connect()
            if self._url.prepare:
                question = _PREPARE.format(schema=self._url.schema, question=dialect.statement_of("offers").text)
                with closed_if_it_fails(connection):
                    connection.execute(question.encode(), prepare=False)
            self._session = PostgresSession(connection, self.explain, self._url.prepare)
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.connection.close()
            self._session = None
