"""What every route asks: the engine, off the event loop.

Reads have threads of their own, so that none waits for who writes; what changes something takes its turn in one
thread, for an engine steps for one thread at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request

from sm_cli.errors import DatabaseBusy
from sm_cli.server.event_streams import Places
from sm_cli.server.metrics.exporting import Metrics

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.handler import Handler
    from sm_cli.project.library import Library
    from sm_cli.project.project import ProjectSettings
    from sm_cli.server.feed import Feed
    from sm_cli.views.records import Store

T = TypeVar("T")

#: Threads that read at once.
_READERS = 8
#: Executions that run within requests, at once.
_RUNNERS = 64
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
        self._runners = ThreadPoolExecutor(_RUNNERS, "sm-run")

    @property
    def store(self) -> Store:
        """The database, for views that need no engine."""
        return self.engine.store

    async def read(self, question: Callable[[], T]) -> T:
        """The answer to a question that changes nothing. Raises what the question raises."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, question)

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
                raise DatabaseBusy("too many changes wait for the database; nothing was changed")
            return act()

        return self._writer.submit(in_turn)

    async def run(self, work: Callable[[], T]) -> T:
        """What work gives that touches no database and takes its time. Raises what the work raises."""
        return await asyncio.get_running_loop().run_in_executor(self._runners, work)

    def close(self) -> None:
        """Let what was begun end. The database stays open: it is whose who opened it."""
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        self._runners.shutdown(wait=False, cancel_futures=True)


def backend_of(request: Request) -> Backend:
    """The backend of the server that was asked."""
    backend: Backend = request.app.state.backend
    return backend


#: A route's parameter: `backend: TheBackend`.
TheBackend = Annotated[Backend, Depends(backend_of)]
