"""What every route asks: the engine, off the event loop.

Reads have threads of their own, so that none waits for who writes; what changes something takes its turn in one
thread, for an engine steps for one thread at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request

from sm_cli.errors import DatabaseAway, DatabaseBusy
from sm_cli.server.event_streams import Places
from sm_cli.server.metrics.exporting import Metrics

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine, NewExecution
    from sm_cli.handlers.handler import Handler
    from sm_cli.project.library import Library
    from sm_cli.project.project import ProjectSettings
    from sm_cli.server.feed import Feed
    from sm_cli.views.records import Execution, Store

T = TypeVar("T")

#: Threads that read at once.
_READERS = 8
#: Executions that run within requests, at once.
_RUNNERS = 64
#: Executions that are started in one transaction, at most.
_MOST_TOGETHER = 64
#: Seconds that a change may wait for its turn behind others.
_LONGEST_QUEUE = 10.0


class Backend:
    """The engine of a server, the project whose workflows it starts, and who tells followers."""

    def __init__(self, engine: Engine, project: ProjectSettings, library: Library, feed: Feed) -> None:
        self.engine = engine
        self.project = project
        self.library = library
        self.feed = feed
        #: For what runs within a request, in no worker: whoever loads handlers puts them here.
        self.handlers: Mapping[str, Handler] = {}
        #: For streams of events.
        self.places = Places()
        self.metrics = Metrics(engine)
        self.metrics.watch_streams(self.places)
        self._readers = ThreadPoolExecutor(_READERS, "sm-read")
        self._writer = ThreadPoolExecutor(1, "sm-write")
        #: What is to be started, by whom it is waited for, and since when.
        self._starts: deque[tuple[Callable[[], NewExecution], Future[tuple[Execution, bool]], float]] = deque()
        self._runners = ThreadPoolExecutor(_RUNNERS, "sm-run")

    @property
    def store(self) -> Store:
        """The database, for views that need no engine."""
        return self.engine.store

    async def read(self, question: Callable[[], T]) -> T:
        """The answer to a question that changes nothing. Raises what the question raises."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, question)

    def read_ahead(self, question: Callable[[], object]) -> None:
        """Begin with what somebody is about to ask for. Nobody is told what becomes of it: who asks then is."""
        self._readers.submit(question)

    async def change(self, act: Callable[[], T]) -> T:
        """What an act that changes something returns, in its turn. Raises what the act raises, and DatabaseBusy when
        its turn does not come soon; then nothing was changed."""
        return await asyncio.wrap_future(self._in_turn(act))

    def change_from_thread(self, act: Callable[[], T]) -> T:
        """As `change`, for a thread that runs work of a request, and waits."""
        return self._in_turn(act).result()

    def _in_turn(self, act: Callable[[], T]) -> Future[T]:
        begin = time.monotonic()

        def in_turn() -> T:
            if time.monotonic() - begin > _LONGEST_QUEUE:
                raise _too_busy()
            return act()

        return self._writer.submit(in_turn)

    async def start(self, make: Callable[[], NewExecution]) -> tuple[Execution, bool]:
        """Start an execution, in its turn: (it, whether it is new). Those that wait for their turn at the same time
        share a transaction. make: what is to be started. Raises what `make` and `Engine.start` raise, DatabaseBusy."""
        start: Future[tuple[Execution, bool]] = Future()
        self._starts.append((make, start, time.monotonic()))
        self._writer.submit(self._start_waiting)
        return await asyncio.wrap_future(start)

    def _start_waiting(self) -> None:
        """Start what waits by now; what comes meanwhile waits for the next turn."""
        several: list[tuple[NewExecution, Future[tuple[Execution, bool]]]] = []
        while self._starts and len(several) < _MOST_TOGETHER:
            make, start, since = self._starts.popleft()
            if not start.set_running_or_notify_cancel():
                continue  # nobody waits for it, and it has not begun
            try:
                if time.monotonic() - since > _LONGEST_QUEUE:
                    raise _too_busy()
                new = make()
                if new.source is not None:
                    start.set_result(self.start_alone(new))
                else:
                    several.append((new, start))
            except Exception as e:
                start.set_exception(e)
        self._start_together(several)

    def _start_together(self, several: list[tuple[NewExecution, Future[tuple[Execution, bool]]]]) -> None:
        try:
            outcomes = self.engine.start_several([new for new, _ in several]) if several else []
        except Exception as e:
            if len(several) == 1 or isinstance(e, DatabaseBusy | DatabaseAway):
                for _, start in several:
                    start.set_exception(e)
                return
            for each in several:  # whosever fault it is, it is not that of all
                self._start_together([each])
            return
        for (_, start), outcome in zip(several, outcomes, strict=True):
            if isinstance(outcome, Exception):
                start.set_exception(outcome)
            else:
                start.set_result(outcome)

    def start_alone(self, new: NewExecution) -> tuple[Execution, bool]:
        """Start it in a transaction of its own, in the thread that changes things. Raises as `Engine.start`."""
        return self.engine.answer(lambda tick: new.start_in(tick, self.engine.programs))[0]

    async def run(self, work: Callable[[], T]) -> T:
        """What work gives that touches no database and takes its time. Raises what the work raises."""
        return await asyncio.get_running_loop().run_in_executor(self._runners, work)

    def close(self) -> None:
        """Let what was begun end. The database stays open: it is whose who opened it."""
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        self._runners.shutdown(wait=False, cancel_futures=True)


def _too_busy() -> DatabaseBusy:
    return DatabaseBusy("too many changes wait for the database; nothing was changed")


async def backend_of(request: Request) -> Backend:
    """The backend of the server that was asked. A coroutine: for what is none, FastAPI goes through a thread."""
    backend: Backend = request.app.state.backend
    return backend


#: A route's parameter: `backend: TheBackend`.
TheBackend = Annotated[Backend, Depends(backend_of)]
