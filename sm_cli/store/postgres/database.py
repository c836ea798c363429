"""The store in a Postgres database.

One connection writes, under this object's lock (`writer`), beside those of other processes: each transaction changes
what it holds (`transaction`). Readers have connections of their own, in snapshots, and never wait for it. Isolation:
READ COMMITTED for who writes and holds what it reads; REPEATABLE READ, read-only, for questions.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import psycopg
from psycopg import errors as pg
from psycopg.adapt import Buffer, Loader
from psycopg.types.numeric import Int8BinaryDumper

from sm_cli.errors import DatabaseError, SmError
from sm_cli.store import scripts
from sm_cli.store.joining import Joinable
from sm_cli.store.locks import Lock
from sm_cli.store.postgres import errors, migrate
from sm_cli.store.postgres.exchange import Exchange
from sm_cli.store.postgres.readers import ReadConnections
from sm_cli.store.postgres.session import PostgresSession, closed_if_it_fails
from sm_cli.store.postgres.waits import ANYTHING_THERE, WAIT, Wish, find_holder, milliseconds
from sm_cli.store.postgres.writing.own import lock_number
from sm_cli.store.postgres.writing.writer import Writer
from sm_cli.store.sql import large_values
from sm_cli.store.sql.questions import Questions
from sm_cli.store.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from psycopg.pq.abc import PGconn

    from sm_cli.store.liveness import Liveness
    from sm_cli.store.locks import Locks
    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.sql.rows import Row
    from sm_cli.store.sql.transaction import Transaction

#: Seconds after which a worker looks itself whether others wrote: so long a lost announcement costs at most.
_LOOK = 1.0
_COMMITS = 'SELECT sum(number)::bigint FROM "{}".sm_writes'
#: No count of commits: what another server counts is news.
_ELSEWHERE = -(2**63)
_MIGRATING = Lock("migrating")
#: More statements than there are.
_PREPARED = 1_000


class _SumLoader(Loader):
    """What a sum of integers is: Postgres makes a numeric of it, for which JSON has no type of its own."""

    def load(self, data: Buffer) -> int | float:
        """An int; a float for what has a point, or is none."""
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class PostgresStore(Joinable):
    """A schema of a Postgres database; made when it is not there and `create` is true.

    patience: how to wait for other writers; 30 s unless given. Raises DatabaseError from every method."""

    _is_shared = True
    is_on_server = True

    def __init__(self, url: PostgresUrl, *, create: bool = True, patience: Patience | None = None) -> None:
        self.url = url
        self.commits = 0
        self.patience = patience or Patience(lambda: WAIT)
        self._lock = threading.RLock()
        self._closed = False
        self._ear: psycopg.Connection[Row] | None = None
        self._asking: Exchange | None = None
        self._how_many = _COMMITS.format(url.schema).encode()
        self._next_look = 0.0
        self._count_seen: int | None = None
        # Who reads is not asked how long it may wait: a worker reads to answer that.
        self._limit = self.patience.limit() or WAIT
        self._lock_timeout = milliseconds(self._limit)
        self._readers = ReadConnections(self._new_reader, url, lambda: self.patience, lock_timeout=self._lock_timeout)
        self._beacons: list[Liveness] = []
        self._channel = f"sm_{url.schema}"
        self._conninfo = url.driver_text()
        self._writer = Writer(url, self.connect, lambda: self.patience)
        with self._translate_errors():
            self._set_up(create)

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            self._closed = True
            for beacons in self._beacons:
                beacons.close()
            self._readers.close()
            self._writer.close()
            if self._ear is not None:
                self._ear.close()
                self._ear = None

    # Writing

    @contextmanager
    def _write(self, locks: Locks | None, executions: Collection[int] = (), jobs: int = 0) -> Iterator[Transaction]:
        with self._as_only_writer(), self._translate_errors(self._writer.explain):
            yield from self._transaction(locks, executions, jobs)

    def _transaction(self, locks: Locks | None, executions: Collection[int], jobs: int) -> Iterator[Transaction]:
        writer = self._writer
        try:
            transaction = writer.begin(locks, executions, jobs)
            yield transaction
            if transaction.broken:
                writer.roll_back()
                return
            transaction.finish()
            id = transaction.count()
            writer.commit(id)
        except BaseException as e:
            writer.roll_back()
            if isinstance(e, pg.ReadOnlySqlTransaction) or isinstance(e.__cause__, pg.ReadOnlySqlTransaction):
                self._leave()
            raise
        self.commits += id is not None

    def _leave(self) -> None:
        """The server that these connections lead to does not write (any more): the next ones are made anew, to
        whichever of the hosts does, or to the one that has its name now."""
        self._writer.close()
        self._readers.leave()
        with self._lock:
            self._count_seen = _ELSEWHERE
            if self._ear is not None:
                self._ear.close()
                self._ear = None

    # Reading

    @contextmanager
    def _read(self) -> Iterator[Questions]:
        """A reader that nobody else uses, inside one snapshot."""
        with self._translate_errors(), self._readers.lend() as questions:
            yield questions

    @contextmanager
    def _glance(self) -> Iterator[Questions]:
        """A reader that nobody else uses; each of its questions sees what is committed then."""
        with self._translate_errors(), self._readers.lend(snapshot=False) as questions:
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
            self._ear = self.connect()
            self._asking = Exchange(self._ear, prepare=False)
            if self.url.prepare:  # else the next statement may go over another connection
                self._ear.execute(f"SET lock_timeout = {self._lock_timeout}".encode())
            if self.url.notify:
                self._ear.execute(f"LISTEN {self._channel}".encode())
            self._next_look = 0.0
        is_announced = self.url.notify and self._is_announced(self._ear.pgconn)
        if is_announced or time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK
            assert self._asking is not None  # over it, for the driver reads announcements that come with an answer
            row = self._asking.ask(self._how_many)[0]
            before, self._count_seen = self._count_seen, row[0] - self.commits
            return is_announced or before not in (None, self._count_seen)
        return is_announced

    def _is_announced(self, ear: PGconn) -> bool:
        """Whether another connection has said that it wrote. This looks and does not wait, dozens of times a second."""
        own, is_news = self._writer.process, False
        ear.consume_input()
        while (note := ear.notifies()) is not None:
            is_news |= note.be_pid != own
        return is_news

    def token_key(self) -> bytes:
        """The key that task tokens are signed with; made when there is none."""
        with self.read() as questions:
            row = questions.session.one("token_key")
        if row is None:
            with self.write() as transaction:
                session = transaction.session
                session.many("set_token_key", [(os.urandom(32),)])
                row = session.one("token_key")
        assert row is not None
        return bytes(row[0])

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

    def connect(self) -> psycopg.Connection[Row]:
        """A connection of the caller's own. Raises DatabaseError when the store was closed, psycopg.Error."""
        if self._closed:
            raise DatabaseError(f"{self.url.place} was closed")
        connection: psycopg.Connection[Row] = psycopg.connect(self._conninfo, autocommit=True)
        # Every integer, a bool too, as a bigint: one prepared statement for all of them.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.adapters.register_dumper(bool, Int8BinaryDumper)
        connection.adapters.register_loader("numeric", _SumLoader)
        connection.prepare_threshold = 5 if self.url.prepare else None
        connection.prepared_max = _PREPARED
        return connection

    def _session(self) -> PostgresSession:
        return PostgresSession(self.connect(), self._explain, self.url.prepare)

    def _new_reader(self) -> Questions:
        session = self._session()
        if self.url.prepare:  # else the next transaction of this session may have another connection
            settings = f'SET search_path TO "{self.url.schema}"; SET lock_timeout = {self._lock_timeout}'
            with closed_if_it_fails(session.connection):
                session.connection.execute(settings.encode(), prepare=False)
        return Questions(session, large_values.reader(session))

    def _set_up(self, create: bool) -> None:
        with self.connect() as connection:
            errors.check_encoding(connection, self.url.place)
            if self.url.prepare:
                connection.execute(f"SET lock_timeout = {self._lock_timeout}".encode())
            number = migrate.version(connection, self.url.schema)
            newest = scripts.newest_schema()
            if number is None and not create:
                raise errors.no_schema(self.url.place)
            if number is not None and number > newest:
                raise errors.too_new(self.url.place, number, newest)
            if number != newest:
                lock = lock_number(self.url.schema, _MIGRATING)
                try:
                    migrate.migrate(connection, self.url.schema, self.url.place, lock)
                except pg.LockNotAvailable as e:
                    holder = find_holder(self.connect, self.url.schema, Wish([lock], []))
                    raise errors.busy(self.url.place, self._limit, holder) from e

    @contextmanager
    def _translate_errors(self, explain: Callable[[psycopg.Error], SmError] | None = None) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as e:
            raise (explain or self._explain)(e) from e
        except orjson.JSONDecodeError as e:
            raise DatabaseError(f"{self.url.place} is damaged (a value is not JSON: {e})") from e

    def _explain(self, error: psycopg.Error) -> SmError:
        if isinstance(error, pg.LockNotAvailable):
            holder = find_holder(self.connect, self.url.schema, ANYTHING_THERE)
            return errors.busy(self.url.place, self._limit, holder, reads=True)
        return errors.explain_error(error, self.url.place, self._limit)
