"""Statements that go to the server together, and its answers, over the driver's C library.

The driver has a pipeline of its own. There each statement costs a cursor and a wait for the socket, although it is
only put into a buffer: eight of them 470 microseconds, of which the server needs less than fifty. Here the library
gathers them, sends them at once, and one wait brings all answers.
"""

from __future__ import annotations

import itertools
import selectors
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from sm_cli.store.sql.rows import Row

#: So many statements are kept prepared, one for each combination of types; what comes later is planned each time.
_PREPARED = 1_000
#: So many are sent before their answers are read: those wait in memory.
_UNANSWERED = 1_000
_TEXT = 0
#: Called with the rows of an answer.
Then: TypeAlias = Callable[[list[Row]], None]
#: Of names: several of these may speak over one connection.
_NUMBERS = itertools.count(1)
#: One that has no file of its own to be closed.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Promise:
    """What the server answers to one statement, known after `settle`."""

    __slots__ = ("preparing", "rows", "tag", "then")

    def __init__(self, then: Then | None = None, preparing: tuple[bytes, tuple[int, ...]] | None = None) -> None:
        self.rows: list[Row] = []
        #: What the server says it has done, if it has no rows to give.
        self.tag = b""
        #: Called with the rows.
        self.then = then
        #: What is prepared once this is answered without an error.
        self.preparing = preparing


class Exchange:
    """One connection's. prepare: whether the server keeps statements prepared. Raises psycopg.Error from every
    method, and UnicodeEncodeError for what is not text."""

    def __init__(self, connection: psycopg.Connection[Row], *, prepare: bool) -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepare = prepare
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._promises: deque[Promise] = deque()
        #: Whether statements are gathered, or somebody who waited for answers was interrupted.
        self.is_open = False
        self._is_settling = False
        self._selector = _Selector()
        self._selector.register(self._pgconn.socket, selectors.EVENT_READ)

    def ask(self, text: bytes, arguments: Sequence[object] = ()) -> list[Row]:
        """Every row that the statement answers with; waits for it, and for all that was sent before."""
        with self.together():
            answer = self.send(text, arguments)
            self.settle()
        return answer.rows

    @contextmanager
    def together(self) -> Iterator[None]:
        """Statements are sent inside such a block, inside another one as part of that; `settle` ends what goes
        together."""
        if self.is_open:
            yield
            return
        self.open()
        try:
            yield
        except BaseException as e:
            self.give_up(e)
            raise
        self.close()

    def open(self) -> None:
        """Gather statements from now on."""
        if not self.is_open:
            self._pgconn.enter_pipeline_mode()
            self.is_open = True

    def close(self) -> None:
        """Gather no more. What is still unanswered is read and dropped."""
        if self._promises and self._is_usable():
            with suppress(psycopg.Error):
                self.settle()
        if self.is_open and self._is_usable():
            self._pgconn.exit_pipeline_mode()
            self.is_open = False

    def give_up(self, error: BaseException) -> None:
        """Gather no more after this error. Where an interruption has come, nobody knows how far sending and reading
        were: it stays open, and the connection is of no use any more."""
        if not isinstance(error, Exception):
            self._is_settling = True
        self.close()

    def _is_usable(self) -> bool:
        return not self._is_settling and self._pgconn.status == ConnStatus.OK

    def command(self, text: bytes, arguments: Sequence[object] = ()) -> Promise:
        """Send a statement with the others that is not worth to be prepared: BEGIN, say."""
        values = self._dump(arguments)
        transformer = self._transformer
        types, formats = (transformer.types, transformer.formats) if arguments else (None, None)
        self._pgconn.send_query_params(text, values, types, formats, _TEXT)
        return self._promise(Promise())

    def send(self, text: bytes, arguments: Sequence[object] = (), then: Then | None = None) -> Promise:
        """Send a statement with the others; after `settle` its answer is known, and was handed to `then`."""
        values = self._dump(arguments)
        transformer = self._transformer
        types, formats = (transformer.types, transformer.formats) if arguments else ((), None)
        key = (text, types or ())
        name = self._names.get(key)
        if name is None and self._prepare and len(self._names) < _PREPARED:
            name = b"sm_%d" % next(_NUMBERS)
            self._pgconn.send_prepare(name, text, types)
            self._promise(Promise(preparing=key))
            self._names[key] = name
        if name is not None:
            self._pgconn.send_query_prepared(name, values, formats, _TEXT)
        else:
            self._pgconn.send_query_params(text, values, types, formats, _TEXT)
        return self._promise(Promise(then))

    def _dump(self, arguments: Sequence[object]) -> Sequence[Buffer | None]:
        """The arguments as they are sent; the transformer has their types and formats."""
        if len(self._promises) >= _UNANSWERED:
            self.settle()
        return self._transformer.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments)) if arguments else []

    def _promise(self, promise: Promise) -> Promise:
        self._promises.append(promise)
        return promise

    def settle(self) -> None:
        """Wait until all that was sent is answered. Raises what the first of it failed with; the server has passed over
        what came behind."""
        if not self.is_open:
            return
        self._is_settling = True
        self._pgconn.pipeline_sync()
        self._flush()
        error: psycopg.Error | None = None
        while self._promises:
            result = self._next_result()
            assert result is not None
            answer = self._promises.popleft()
            status = result.status
            if status == ExecStatus.TUPLES_OK:
                self._transformer.set_pgresult(result)
                answer.rows = self._transformer.load_rows(0, result.ntuples, tuple)
                if answer.then is not None:
                    answer.then(answer.rows)
            elif status == ExecStatus.COMMAND_OK:
                answer.tag = result.command_status or b""
            else:
                if error is None:
                    error = error_from_result(result, encoding="utf-8")
                if answer.preparing is not None:
                    del self._names[answer.preparing]
            self._next_result()  # none: the end of this answer
        self._next_result()  # that of the sync
        self._is_settling = False
        if error is not None:
            raise error

    def _flush(self) -> None:
        pgconn = self._pgconn
        while pgconn.flush():
            self._wait(selectors.EVENT_READ | selectors.EVENT_WRITE)
            pgconn.consume_input()

    def _next_result(self) -> PGresult | None:
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._selector.select()
            pgconn.consume_input()
        return pgconn.get_result()

    def _wait(self, events: int) -> None:
        """Until the socket is ready for any of these."""
        socket = self._pgconn.socket
        self._selector.modify(socket, events)
        try:
            self._selector.select()
        finally:
            self._selector.modify(socket, selectors.EVENT_READ)
