"""Connections that read: as many as are in use at once, up to a bound, each lent to one thread at a time.

Why not psycopg_pool, measured against it: a client of that pool is not told why no connection can be made, but waits
for its whole timeout (3,000 ms where the refusal is here after 1.5 ms), and it makes a broken connection anew in the
background after pauses that double, so that a reader went on 3.0 s after an outage of 4 s and 6.6 s after one of 9 s.
Workers have growing pauses of their own, and who asks after them is served at once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import TransactionStatus

from sm_cli.store.postgres import errors
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.waiting import LockWait, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.sql.questions import Questions

#: Nobody is waited for who writes, but who has a whole table is.
_BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO "{schema}";
SET LOCAL lock_timeout = {milliseconds}
"""
#: Seconds for which a connection that was used is taken to be there.
_LATE = 1.0
#: Seconds after which a connection that nobody needed is given back to the server.
_UNUSED = 300.0


class ReadConnections:
    """Connections for readers. make: a new one. patience: how to wait for one when all are in use. lock_timeout: how
    long one waits for a table that somebody else has, in milliseconds."""

    def __init__(
        self, make: Callable[[], Questions], url: PostgresUrl, patience: Callable[[], Patience],
        now: Callable[[], float] = time.monotonic, lock_timeout: int = 0,
    ) -> None:  # fmt: skip
        self._make = make
        self._url = url
        self._patience = patience
        self._now = now
        self._begin = _BEGIN.format(schema=url.schema, milliseconds=lock_timeout).encode()
        self._idle: list[tuple[Questions, float]] = []  # with the time since when; the last is the one used last
        self._in_use = 0
        self._is_given_back = threading.Condition()
        self._closed = False
        self._of_thread = threading.local()

    @contextmanager
    def lend(self, *, snapshot: bool = True) -> Iterator[Questions]:
        """A reader, in a snapshot of its own unless that is not asked for. Raises DatabaseBusy when none comes free,
        psycopg.Error."""
        depth = getattr(self._of_thread, "depth", 0)
        self._of_thread.depth = depth + 1
        try:
            # Who has one already would wait for itself; so would who is asked, while it waits, how long it may.
            with contextlib.nullcontext() if depth else self._place():
                questions = (None if snapshot else self._of_late()) or self._in_snapshot()
                try:
                    yield questions
                finally:
                    self._give_back(questions)
        finally:
            self._of_thread.depth = depth

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._is_given_back:
            self._closed = True
        self._drop_idle()

    def leave(self) -> None:
        """Those that are lent from now on have connections of their own time."""
        self._drop_idle()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places that there are."""
        wait: LockWait | None = None
        while not self._is_taken(0 if wait is None else self._time_left(wait)):
            wait = wait or LockWait(self._patience(), lambda: None)
        try:
            yield
        finally:
            with self._is_given_back:
                self._in_use -= 1
                self._is_given_back.notify()

    def _is_taken(self, seconds: float) -> bool:
        with self._is_given_back:
            if not self._is_given_back.wait_for(lambda: self._in_use < self._url.readers, seconds):
                return False
            self._in_use += 1
            return True

    def _time_left(self, wait: LockWait) -> float:
        try:
            return wait.time_left()
        except TimeoutError:
            raise errors.no_reader(self._url.place, self._url.readers, wait.patience.limit()) from None

    def _of_late(self) -> Questions | None:
        """One that needs no beginning: it was used a moment ago, so the server is there."""
        with self._is_given_back:
            if self._url.prepare and self._idle and self._idle[-1][1] > self._now() - _LATE:
                return self._idle.pop()[0]
        return None

    def _in_snapshot(self) -> Questions:
        with self._is_given_back:
            questions = self._idle.pop()[0] if self._idle else None
        if questions is not None:
            with contextlib.suppress(psycopg.OperationalError):
                questions.session.connection.execute(self._begin, prepare=False)
                return questions
            # It was idle, and the server has gone and come since: what else is idle is of that time too.
            questions.session.connection.close()
            self._drop_idle()
        questions = self._make()
        try:
            questions.session.connection.execute(self._begin, prepare=False)
        except BaseException:
            questions.session.connection.close()
            raise
        return questions

    def _give_back(self, questions: Questions) -> None:
        session = questions.session
        assert isinstance(session, PostgresSession)
        connection = session.wire
        if session.is_unsure:
            connection.close()
        if not connection.closed and connection.info.transaction_status is not TransactionStatus.IDLE:
            with contextlib.suppress(psycopg.OperationalError):
                connection.execute("END")  # on ROLLBACK the driver forgets all that is prepared
        with self._is_given_back:
            keep = not (self._closed or connection.closed)
            surplus = [] if keep else [connection]
            if keep:
                self._idle.append((questions, self._now()))
                while self._idle[0][1] < self._now() - _UNUSED:
                    surplus.append(self._idle.pop(0)[0].session.connection)
        for each in surplus:
            each.close()

    def _drop_idle(self) -> None:
        with self._is_given_back:
            idle, self._idle = self._idle, []
        for questions, _ in idle:
            questions.session.connection.close()
