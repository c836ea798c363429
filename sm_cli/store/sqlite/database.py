"""The store in one SQLite file.

One connection writes, under this object's lock and under the lock of all processes (`write_lock`); readers
have their own connections and never wait for it. A commit returns when it is on disk. Every sqlite3.Error becomes a
sentence of `errors`, in the session or here, and rolls back; only waiting is tried again.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import orjson

from sm_cli.errors import DatabaseError, SmError
from sm_cli.store import scripts
from sm_cli.store.joining import Joinable
from sm_cli.store.sql import large_values, queries
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.row_cache import RowCache
from sm_cli.store.sqlite import errors, migrate, token_key
from sm_cli.store.sqlite.create import HEADER, is_there, make
from sm_cli.store.sqlite.session import SqliteSession
from sm_cli.store.waiting import Holder, LockWait, Patience, poll

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sm_cli.store.liveness import Liveness
    from sm_cli.store.locks import Locks
    from sm_cli.store.sql.transaction import Transaction
    from sm_cli.store.sqlite.write_lock import WriteLock

T = TypeVar("T")

#: Seconds that a writer waits for other processes before it gives up.
WAIT = 30.0
#: Seconds between two looks of an idle process whether the file is still the one that it opened.
_LOOK = 0.5

#: Beyond SQLite's defaults, for the writing connection: 16 MB of pages; a log cut back to 64 MB after a
#: large transaction; freed pages are not overwritten with zeros (some builds do).
_WRITER_PRAGMAS = ("cache_size = -16000", "journal_size_limit = 67108864", "secure_delete = OFF")


class SqliteStore(Joinable):
    """`path` is made with mode 0600 when it is not there and `create` is true.

    sync: "full" survives a power cut, "normal" may lose the last moments before one and is quicker.
    wait: seconds to wait for another process that writes. patience: the same with more to say, instead of `wait`.
    Raises DatabaseError from every method.
    """

    server_time = None  # it has no clock but this machine's
    is_on_server = False

    def __init__(
        self, path: str | os.PathLike[str], *, sync: Literal["full", "normal"] = "full", create: bool = True,
        wait: float = WAIT, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.path = Path(path)
        # Without links: the key and the turn are the same through each, and a handler may change the directory.
        try:
            self._file = Path(os.path.realpath(path))
        except (OSError, ValueError) as e:
            raise errors.cannot_create(self.path, e if isinstance(e, OSError) else OSError(str(e))) from e
        self.commits = 0
        self._sync = sync
        self.patience = patience or Patience(lambda: wait)
        limit = self.patience.limit()
        self._wait = WAIT if limit is None else limit  # of readers, who hardly ever wait
        self._lock = threading.RLock()
        self._closed = False
        self._turn: WriteLock | None = None
        self._writer: SqliteSession | None = None
        self._data_version: int | None = None
        self._known_version = 0
        self._idle: list[Questions] = []
        self._row_cache = RowCache()
        self._beacons: list[Liveness] = []
        if not is_there(self.path, self._file, create=create):
            with self._translate_errors():
                self._under_lock(lambda: make(self.path, self._file))
        self._identity = self._file_facts()[:2]
        self._next_look = 0.0
        with self._translate_errors():
            self._idle.append(self._first_reader())

    def close(self) -> None:
        """Give back the file. A read that is under way in another thread may finish."""
        with self._lock, self._translate_errors():
            self._closed = True
            for beacons in self._beacons:
                beacons.close()
            while self._idle:
                self._idle.pop().session.connection.close()
            if self._writer is not None:
                self._writer.connection.close()
                self._writer = None
            if self._turn is not None:
                self._turn.close()
                self._turn = None

    # Writing

    @contextmanager
    def _write(  # SQLite has one writer
        self, locks: Locks | None, executions: Collection[int] = (), jobs: int = 0  # noqa: ARG002
    ) -> Iterator[Transaction]:  # fmt: skip
        with self._as_only_writer(), self._translate_errors():
            yield from self._transaction()

    def _transaction(self) -> Iterator[Transaction]:
        session = self._opened_writer()
        assert self._turn is not None
        try:
            self._begin(session.connection, self._turn)
            yield from self._in_transaction(session)
        finally:
            self._turn.give()

    def _in_transaction(self, session: SqliteSession) -> Iterator[Transaction]:
        connection = session.connection
        try:
            self._notice_others(connection)
            before = connection.total_changes
            from sm_cli.store.sql.transaction import Transaction  # who only reads does not wait for this import

            transaction = Transaction(session, self._row_cache)
            yield transaction
            if transaction.broken:
                self._roll_back(connection)
                return
            transaction.finish()
            wrote = connection.total_changes != before
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise
        self.commits += wrote

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        self._row_cache.forget_all()
        # Some errors (a full disk) have made SQLite roll back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _begin(self, connection: sqlite3.Connection, turn: WriteLock) -> None:
        def try_begin() -> bool:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as e:
                if errors.is_busy(e):
                    return False
                raise
            return True

        try:
            if turn.try_take():
                self._check_identity()
                if try_begin():
                    return
        except OSError as e:
            raise errors.cannot_lock(self.path, e) from e
        wait = LockWait(self.patience, turn.holder)
        try:
            if not turn.is_held:
                turn.take(wait.time_left)
            self._check_identity()
            if not try_begin():
                self._wait_for_stranger(turn, try_begin, wait)
        except TimeoutError:
            raise errors.busy(self.path, self.patience.limit()) from None
        except OSError as e:
            raise errors.cannot_lock(self.path, e) from e

    def _wait_for_stranger(self, turn: WriteLock, attempt: Callable[[], bool], wait: LockWait) -> None:
        """It is our turn, and a program that takes no turns is inside. Our note says so to those that wait for us."""
        since = time.time_ns() // 1000
        turn.note("waits")
        wait.holder = lambda: Holder(None, "", since)
        poll(attempt, wait.time_left)
        turn.note("writes")

    def _notice_others(self, connection: sqlite3.Connection) -> None:
        """Forget what others may have changed; one of them may be a newer sm that has migrated the file."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._known_version:
            return
        self._known_version = version
        self._row_cache.forget_rows()
        schema: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if schema > scripts.newest_schema():
            raise errors.too_new(self.path, schema, scripts.newest_schema())

    def changed(self) -> bool:
        """Whether another process wrote since this was asked last. Raises DatabaseError when the file is gone."""
        # An idle worker asks this all day, with cold caches: nothing on the way that it does not need.
        with self._lock:
            before, writer = self._data_version, self._writer
            if time.monotonic() >= self._next_look:
                self._check_identity()
            try:
                if writer is None:
                    with self._translate_errors():
                        self._opened_writer()
                else:
                    (self._data_version,) = writer.connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                with self._translate_errors():
                    self._data_version = self._read_data_version()
            return before not in (self._data_version, None)

    def _read_data_version(self) -> int:
        # The writer does not wait inside SQLite; being busy here is rare (another process recovers the log).
        writer = self._writer
        assert writer is not None
        version: int = self._patiently(lambda: writer.connection.execute("PRAGMA data_version").fetchone()[0])
        return version

    def _patiently(self, read: Callable[[], T]) -> T:
        """The answer of a connection that does not wait inside SQLite. A program that has the whole file to itself is
        reported as one that writes."""
        answers: list[T] = []

        def try_read() -> bool:
            try:
                answers.append(read())
            except sqlite3.OperationalError as e:
                if errors.is_busy(e):
                    return False
                raise
            return True

        since = time.time_ns() // 1000
        try:
            poll(try_read, LockWait(self.patience, lambda: Holder(None, "", since)).time_left)
        except TimeoutError:
            raise errors.busy(self.path, self.patience.limit()) from None
        return answers[0]

    def _file_facts(self) -> tuple[int, int, int]:
        """Which file stands at the path: (device, inode, bytes). Raises DatabaseError when there is none."""
        try:
            facts = self._file.stat()
        except OSError:
            raise errors.gone_error(self.path) from None
        return facts.st_dev, facts.st_ino, facts.st_size

    def _check_identity(self) -> None:
        """Raise DatabaseError when another file stands at the path, or none, or one that was emptied: what is committed
        would be lost."""
        *identity, size = self._file_facts()
        if tuple(identity) != self._identity:
            raise errors.replaced_error(self.path)
        if size < HEADER:
            raise errors.too_short(self.path, size)
        self._next_look = time.monotonic() + _LOOK

    def token_key(self) -> bytes:
        """The key that task tokens are signed with; made when there is none."""
        with self.read() as questions:
            key = token_key.read_key(questions.session.connection)
        if key is None:
            beside = self._file.with_name(f"{self._file.name}.key")
            with self.write() as transaction:
                key = token_key.move_or_make(transaction.session.connection, beside, f"{self.path}.key")
            beside.unlink(missing_ok=True)
        return key

    def liveness(self) -> Liveness:
        """How a worker shows others that it lives, and sees whether they do."""
        from sm_cli.store.liveness import Liveness  # a worker's; who lists does not wait for this import

        self._beacons.append(beacons := Liveness(self._file))
        return beacons

    @contextmanager
    def _read(self) -> Iterator[Questions]:
        """A reader that nobody else uses, inside one snapshot."""
        if time.monotonic() >= self._next_look:  # who follows an execution only reads
            self._check_identity()
        with self._translate_errors():
            try:
                reads = self._idle.pop()
            except IndexError:
                reads = self._new_reader()
            connection = reads.session.connection
            try:
                connection.execute("BEGIN")
                yield reads
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(reads)

    # Connections

    def _connect(self, wait: float) -> sqlite3.Connection:
        if self._closed:
            raise DatabaseError(f"{self.path} was closed")
        # Connections go from thread to thread, one at a time: the writer under the lock, readers by the pool.
        return sqlite3.connect(
            self._file, timeout=wait, isolation_level=None, check_same_thread=False, cached_statements=256
        )

    def _new_reader(self) -> Questions:
        session = SqliteSession(self._connect(self._wait), queries.query_text, self._explain)
        return Questions(session, large_values.reader(session))

    def _first_reader(self) -> Questions:
        reads = self._new_reader()
        connection = reads.session.connection
        try:
            # From the first answer on, nobody can have the file to themselves.
            connection.execute("PRAGMA busy_timeout = 0")
            schema = self._patiently(lambda: migrate.version(connection, self.path))
            connection.execute(f"PRAGMA busy_timeout = {round(self._wait * 1000)}")
            if schema != scripts.newest_schema():
                self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return reads

    def _set_up(self, connection: sqlite3.Connection) -> None:
        """Make or migrate the schema; other processes that want the same wait for their turn."""

        def try_migrate() -> None:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise errors.not_shareable(self.path)
            migrate.migrate(connection, self.path)

        self._under_lock(try_migrate)

    def _under_lock(self, work: Callable[[], None]) -> None:
        """Do what concerns the file as a whole, while no other process of ours writes."""
        turn = self._open_turn()
        try:
            wait = LockWait(self.patience, turn.holder)
            with turn.hold(wait.time_left):
                work()
        except TimeoutError:
            raise errors.busy(self.path, self.patience.limit()) from None
        except OSError as e:
            raise errors.cannot_lock(self.path, e) from e
        finally:
            turn.close()

    def _opened_writer(self) -> SqliteSession:
        if self._writer is None:
            connection = self._connect(0)
            for pragma in (f"synchronous = {self._sync.upper()}", *_WRITER_PRAGMAS):
                connection.execute(f"PRAGMA {pragma}")
            if self._turn is None:
                self._turn = self._open_turn()
            self._writer = SqliteSession(connection, queries.query_text, self._explain)
            self._data_version = self._read_data_version()
        return self._writer

    def _open_turn(self) -> WriteLock:
        from sm_cli.store.sqlite.write_lock import WriteLock  # and its queue and threads: who only reads takes no turn

        try:
            return WriteLock(self._file)
        except OSError as e:
            beside = Path(f"{self.path}.lock") if self._file.exists() else self.path
            raise errors.cannot_create(beside, e) from e

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as e:
            raise self._explain(e) from e
        except orjson.JSONDecodeError as e:  # of a column; text from people is checked where it is read
            raise errors.damaged_error(self.path, e) from e

    def _explain(self, error: sqlite3.Error) -> SmError:
        return errors.explain_error(error, self.path, self._wait)
