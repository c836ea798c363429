"""The store in a Postgres database.

One connection writes, under this object's lock and under an advisory lock of all processes that use the schema: as on
SQLite, a writing transaction sees what nobody else changes until it ends. Readers have connections of their own, in
snapshots, and never wait for it. Isolation: READ COMMITTED inside the lock, where nobody else writes; REPEATABLE READ,
read-only, for questions.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8BinaryDumper

from sm_cli.errors import DatabaseError, SmError
from sm_cli.store import scripts
from sm_cli.store.postgres import errors, migrate
from sm_cli.store.postgres.readers import ReadConnections
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.sql import large_values
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.row_cache import RowCache
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.waiting import TELL_AFTER, Holder, LockWait, Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sm_cli.store.liveness import Liveness
    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.sql.rows import Row

log = logging.getLogger("sm.store")

#: Seconds that a writer waits for other processes before it gives up.
WAIT = 30.0
#: Seconds after which a worker looks itself whether others wrote: so long a lost announcement costs at most.
_LOOK = 1.0


#: What begins a writing transaction, in one round trip. Its last answer is the count of commits.
_BEGIN = """
BEGIN; SET LOCAL search_path TO {schema}; SET LOCAL lock_timeout = {milliseconds};
SELECT pg_advisory_xact_lock({turn}); SELECT number FROM sm_commits
"""
#: Unless the URL says otherwise: a server that has gone is noticed within half a minute, also when no packet says so.
_CONNECTION = {
    "application_name": "sm", "connect_timeout": "10",
    "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000",
}  # fmt: skip


class _Integer(Int8BinaryDumper):
    """Every integer, a bool too, as a bigint: one prepared statement for all of them."""

    def dump(self, obj: int) -> bytes:
        return super().dump(int(obj))  # type: ignore[return-value]


class PostgresStore:
    """A schema of a Postgres database; made when it is not there and `create` is true.

    patience: how to wait for other writers; 30 s unless given. Raises DatabaseError from every method."""

    def __init__(self, url: PostgresUrl, *, create: bool = True, patience: Patience | None = None) -> None:
        self.url = url
        self.commits = 0
        self.patience = patience or Patience(lambda: WAIT)
        self._lock = threading.RLock()
        self._writing = False
        self._closed = False
        self._writer: PostgresSession | None = None
        self._ear: psycopg.Connection[Row] | None = None
        self._next_look = 0.0
        self._count_seen = -1
        self._row_cache = RowCache()
        self._commits_seen = -1
        self._readers = ReadConnections(self._new_reader, url, lambda: self.patience)
        self._beacons: list[Liveness] = []
        self._turn = _key(url.schema, "write")
        self._channel = f"sm_{url.schema}"
        self._conninfo = make_conninfo("", **{**_CONNECTION, **conninfo_to_dict(url.conninfo)})
        with self._translate_errors():
            self._set_up(create)

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            self._closed = True
            for beacons in self._beacons:
                beacons.close()
            self._readers.close()
            self._drop_writer()
            if self._ear is not None:
                self._ear.close()
                self._ear = None

    # Writing

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Waits its turn, commits at the end; an exception rolls back. Raises RuntimeError inside another one of this
        thread."""
        with self._lock:
            if self._writing:
                raise RuntimeError("this thread is already inside `with store.write()`")
            self._writing = True
            try:
                with self._translate_errors():
                    yield from self._transaction()
            finally:
                self._writing = False

    def _transaction(self) -> Iterator[Transaction]:
        session = self._begin()
        connection = session.connection
        try:
            before = session.written
            transaction = Transaction(session, self._row_cache)
            yield transaction
            if transaction.broken:
                self._roll_back(session)
                return
            transaction.finish()
            wrote = session.written != before
            self._commit(session, self._count(connection) if wrote else None)
        except BaseException:
            self._roll_back(session)
            raise
        self.commits += wrote

    def _begin(self) -> PostgresSession:
        """The writer, in a transaction, its turn taken."""
        wait: LockWait | None = None
        while True:
            fresh = self._writer is None
            session = self._opened_writer()
            limit = self.patience.limit()
            seconds = TELL_AFTER if wait is None else max(0.001, wait.time_left())
            try:
                wait_for = round(1000 * (seconds if limit is None else max(0.001, min(seconds, limit))))
                begin = _BEGIN.format(schema=self.url.schema, milliseconds=wait_for, turn=self._turn)
                rows = session.connection.execute(begin.encode(), prepare=False)
                while rows.nextset():
                    pass
                ((number,),) = rows.fetchall()
            except pg.LockNotAvailable:
                self._roll_back(session)
                wait = wait or LockWait(self.patience, self._holder)
                try:
                    wait.time_left()
                except TimeoutError:
                    raise errors.busy(self.url.place, limit) from None
                continue
            except psycopg.OperationalError:  # nothing was done; it was idle, and the server has gone and come since
                self._drop_writer()
                if fresh:
                    raise
                continue
            if number != self._commits_seen:
                self._row_cache.forget_rows()
                self._commits_seen = number
            return session

    def _count(self, connection: psycopg.Connection[Row]) -> str:
        """This commit is one that writes. Returns the transaction's id."""
        self._commits_seen += 1
        row = connection.execute(
            "UPDATE sm_commits SET number = number + 1 RETURNING pg_current_xact_id()::text"
        ).fetchone()
        assert row is not None
        return str(row[0])

    def _commit(self, session: PostgresSession, transaction: str | None) -> None:
        """transaction: its id; None when nothing was written. Who listens is told after the commit, for NOTIFY inside
        it would make commits wait for each other."""
        notify = f"; NOTIFY {self._channel}" if self.url.notify and transaction is not None else ""
        try:
            session.connection.execute(f"COMMIT{notify}".encode(), prepare=False)
        except psycopg.OperationalError:
            if transaction is None or not self._was_committed(transaction):
                raise

    def _was_committed(self, transaction: str) -> bool:
        """The connection broke after COMMIT was sent: what the server knows of it, as soon as it answers."""
        self._drop_writer()
        wait = LockWait(self.patience, lambda: None)
        while True:
            try:
                with self._connect() as connection:
                    row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
                if row is not None and row[0] in ("committed", "aborted"):
                    return bool(row[0] == "committed")
            except psycopg.OperationalError:
                log.debug("the server does not answer yet", exc_info=True)
            try:
                time.sleep(wait.time_left())
            except TimeoutError:
                raise errors.unknown_commit(self.url.place) from None

    def _roll_back(self, session: PostgresSession) -> None:
        self._row_cache.forget_all()
        self._commits_seen = -1
        if session.connection.closed or session.connection.broken:
            self._drop_writer()
            return
        with contextlib.suppress(psycopg.Error):
            session.connection.execute("ROLLBACK")

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.connection.close()
            self._writer = None

    def _holder(self) -> Holder | None:
        with self._connect() as connection:
            row = connection.execute(
                "SELECT a.pid, a.application_name, (extract(epoch FROM a.xact_start) * 1000000)::bigint "
                "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
                "WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s",
                (self._turn & 0xFFFFFFFF,),
            ).fetchone()
        return None if row is None or row[2] is None else Holder(*row)

    # Reading

    @contextmanager
    def read(self) -> Iterator[Questions]:
        """A reader that nobody else uses, inside one snapshot."""
        with self._translate_errors(), self._readers.lend() as questions:
            yield questions

    def server_time(self) -> int:
        """Microseconds since 1970 UTC by the server's clock."""
        with self._translate_errors(), self._readers.lend() as questions:
            # Of the statement, not of the transaction: that has begun a while ago.
            row = questions.session.connection.execute(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
            ).fetchone()
            return int(row[0])

    def changed(self) -> bool:
        """Whether another connection has committed since the last call."""
        with self._lock, self._translate_errors():
            try:
                return self._hear()
            except psycopg.Error:
                if self._ear is not None:
                    self._ear.close()
                    self._ear = None
                raise

    def _hear(self) -> bool:
        if self._ear is None or self._ear.closed:
            self._ear = self._connect()
            if self.url.notify:
                self._ear.execute(f"LISTEN {self._channel}".encode())
            self._next_look = 0.0
        is_announced = False
        if self.url.notify:
            own = None if self._writer is None else self._writer.connection.info.backend_pid
            is_announced = any(note.pid != own for note in self._ear.notifies(timeout=0))
        if is_announced or time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK
            row = self._ear.execute(
                sql.SQL("SELECT number FROM {}.sm_commits").format(sql.Identifier(self.url.schema))
            ).fetchone()
            assert row is not None
            before, self._count_seen = self._count_seen, row[0]
            return is_announced or before not in (-1, self._count_seen)
        return is_announced

    def token_key(self) -> bytes:
        """The key that task tokens are signed with; made when there is none."""
        with self.write() as transaction:
            session = transaction.session
            row = session.one("token_key")
            if row is None:
                session.many("set_token_key", [(os.urandom(32),)])
                row = session.one("token_key")
            assert row is not None
            return bytes(row[0])

    def spool(self) -> Path:
        """A folder of this machine and user: workers of others cannot read what is kept in it."""
        from sm_cli.store.postgres.local import place_of_spool

        return place_of_spool(self.url.place)

    def liveness(self) -> Liveness | None:
        """How a worker shows those of this machine and user that it lives; leases and heartbeats show it to others.
        None where no file can be kept for it."""
        from sm_cli.store.liveness import Liveness  # a worker's; who lists does not wait for this import
        from sm_cli.store.postgres.local import place_of_signs

        path = place_of_signs(self.url.place)
        if path is None:
            return None
        liveness = Liveness(path)
        self._beacons.append(liveness)
        return liveness

    # Connections

    def _connect(self) -> psycopg.Connection[Row]:
        if self._closed:
            raise DatabaseError(f"{self.url.place} was closed")
        connection: psycopg.Connection[Row] = psycopg.connect(self._conninfo, autocommit=True)
        connection.adapters.register_dumper(int, _Integer)
        connection.adapters.register_dumper(bool, _Integer)
        connection.prepare_threshold = 5 if self.url.prepare else None
        return connection

    def _session(self) -> PostgresSession:
        return PostgresSession(self._connect(), self._explain, self.url.prepare)

    def _new_reader(self) -> Questions:
        session = self._session()
        return Questions(session, large_values.reader(session))

    def _opened_writer(self) -> PostgresSession:
        if self._writer is None or self._writer.connection.closed:
            self._writer = self._session()
        return self._writer

    def _set_up(self, create: bool) -> None:
        with self._connect() as connection:
            number = migrate.version(connection, self.url.schema)
            newest = scripts.newest_schema()
            if number is None and not create:
                raise errors.no_schema(self.url.place)
            if number is not None and number > newest:
                raise errors.too_new(self.url.place, number, newest)
            if number != newest:
                migrate.migrate(connection, self.url.schema, self.url.place, _key(self.url.schema, "migrate"))

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as e:
            raise self._explain(e) from e
        except orjson.JSONDecodeError as e:
            raise DatabaseError(f"{self.url.place} is damaged (a value is not JSON: {e})") from e

    def _explain(self, error: psycopg.Error) -> SmError:
        return errors.explain_error(error, self.url.place, self.patience.limit())


def _key(schema: str, what: str) -> int:
    """The key of an advisory lock: the same in every process, different for every schema."""
    digest = hashlib.sha256(f"{what} in {schema}, for us".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
