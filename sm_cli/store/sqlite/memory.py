"""The store in memory: the SQL store over ':memory:', for `simulate`, for express executions and for tests.

One connection reads and writes, under one lock; nothing outlives the object.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sm_cli.store.joining import Joinable
from sm_cli.store.locks import Locks
from sm_cli.store.sql import large_values, queries
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.row_cache import RowCache
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite import errors, migrate
from sm_cli.store.sqlite.session import SqliteSession
from sm_cli.store.waiting import Patience

_WHERE = Path(":memory:")


@cache
def _empty() -> bytes:
    """A database with the schema and nothing else: to copy it is quicker than to make it."""
    connection = sqlite3.connect(_WHERE, isolation_level=None)
    migrate.migrate(connection, _WHERE)
    return connection.serialize()


class MemoryStore(Joinable):
    """A database in memory, for one process: SQLite's `:memory:`."""

    server_time = None  # it has no clock but this machine's
    is_on_server = False

    def __init__(self) -> None:
        self.commits = 0
        self.patience = Patience(lambda: None)
        self._lock = threading.RLock()
        connection = sqlite3.connect(_WHERE, isolation_level=None, check_same_thread=False, cached_statements=256)
        connection.deserialize(_empty())
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA cache_size = -16000")
        self._session = SqliteSession(connection, queries.query_text, lambda e: errors.explain_error(e, _WHERE, None))
        self._row_cache = RowCache()
        self._reads = Questions(self._session, large_values.reader(self._session))

    @contextmanager
    def _write(  # SQLite has one writer
        self, locks: Locks | None, executions: Collection[int] = (), jobs: int = 0  # noqa: ARG002
    ) -> Iterator[Transaction]:  # fmt: skip
        with self._as_only_writer():
            yield from self._transaction(self._session.connection)

    def _transaction(self, connection: sqlite3.Connection) -> Iterator[Transaction]:
        connection.execute("BEGIN")
        before = connection.total_changes
        try:
            transaction = Transaction(self._session, self._row_cache)
            yield transaction
            if transaction.broken:
                self._row_cache.forget_all()
                connection.execute("ROLLBACK")
                return
            transaction.finish()
            connection.execute("COMMIT")
        except BaseException:
            self._row_cache.forget_all()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.commits += connection.total_changes != before

    @contextmanager
    def _read(self) -> Iterator[Questions]:
        """The questions, while nobody writes."""
        with self._lock:
            yield self._reads

    def changed(self) -> bool:
        """Never: no other process can write."""
        return False

    def token_key(self) -> bytes:
        """Nothing outlives the process that could be forged: one key for all."""
        return b"sm keeps this store in memory..."

    def liveness(self) -> None:
        """None: no other process can see it."""

    def close(self) -> None:
        """The database goes with the object."""
