"""Workers in the process of a server, each in a thread of its own with a connection of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

from sm_cli.cli.run.following import own_name
from sm_cli.cli.run.stubbing import stubbed_engine, telling_stub
from sm_cli.cli.run.work_log import WorkLog
from sm_cli.cli.terminal.logs import tell_state
from sm_cli.errors import DatabaseError, SmError
from sm_cli.views.endings import Endings
from sm_cli.worker.outlasting import Away

if TYPE_CHECKING:
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.handler import Handler
    from sm_cli.worker.worker import Worker


class Workers:
    """So many workers, from `start` to `end`. told_to_end: called when one of them cannot go on, and the server with it
    has to end. watch: told of each engine. grace: seconds that handlers have to end."""

    def __init__(
        self, number: int, project: Project, db: str | None, buckets: str | None, *, grace: float, stub: bool,
        told_to_end: Callable[[], None], watch: Callable[[Engine], None],
    ) -> None:  # fmt: skip
        self._number, self._project, self._db, self._buckets = number, project, db, buckets
        self._grace, self._stub, self._told_to_end, self._watch = grace, stub, told_to_end, watch
        self._stack = ExitStack()
        self._loops: list[Worker] = []
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None
        #: What `load` has found, with those of `sm` below; a server that works on nothing has none.
        self.handlers: Mapping[str, Handler] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *details: object) -> None:
        for loop in self._loops:
            loop.stop()
        for thread in self._threads:
            thread.join()
        self._stack.close()

    def load(self, handlers: str | None, concurrency: str | None) -> None:
        """Load the handlers, and open a connection for each worker. Raises HandlerLoadError, ConfigurationError."""
        from sm_cli.cli.project.opening import opened_engine
        from sm_cli.cli.run.processes import loader_for
        from sm_cli.handlers.builtin import builtins
        from sm_cli.handlers.registry import Registry
        from sm_cli.worker.worker import Worker

        if self._number == 0:
            return
        load = self._stack.enter_context(loader_for(self._project, concurrency, None))
        directory, is_explicit = self._project.handlers(handlers)
        registry = load(directory) if is_explicit or directory.is_dir() else Registry()
        ours = builtins(self._project.http())
        self.handlers = {**ours, **registry}
        log = WorkLog(self._project.root)
        for number in range(1, self._number + 1):
            name = own_name() if self._number == 1 else f"{own_name()}/{number}"
            all_handlers = telling_stub(name).under(registry) if self._stub else {**ours, **registry}
            engine = self._stack.enter_context(opened_engine(self._db, self._project, buckets=self._buckets))
            loop = Worker(stubbed_engine(engine, self._stub), all_handlers, concurrency=load.slots, name=name)
            engine.observe(Endings(engine.store, log.attempt, log.execution).observe)
            self._watch(engine)
            self._loops.append(loop)

    def start(self) -> None:
        """Begin to work."""
        self._threads = [threading.Thread(target=self._work, args=(loop,), name="sm-worker") for loop in self._loops]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let the handlers end; what does not is given back. Raises what a worker could not go on for."""
        for loop in self._loops:
            loop.stop()
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self, loop: Worker) -> None:
        """Until it is stopped. A database that is gone or damaged is back perhaps, or repaired: requests are told so
        meanwhile, and the worker begins anew. Raises what it cannot go on for."""
        away = Away()
        while True:
            rounds = count()

            def is_over(rounds: Iterator[int] = rounds) -> bool:
                if next(rounds):  # the first round has done its work
                    away.over()
                return False

            try:
                loop.run(is_over)
                return
            except DatabaseError as e:
                if loop.stopping.is_set():
                    raise
                loop.stopping.wait(away.pause(e))

    def _work(self, loop: Worker) -> None:
        try:
            self._run(loop)
            if handlers := loop.quarantine.at_work:
                text = f"worker {loop.name} waits up to {self._grace:g} s for {handlers} handlers"
                tell_state("worker.stopping", text, {"worker": loop.name, "handlers": handlers})
            loop.finish(self._grace)
        except SmError as e:
            self._give_up(e)
        except Exception as e:
            logging.getLogger("sm.worker").exception("worker %s ended by a bug", loop.name)
            self._give_up(e)

    def _give_up(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._told_to_end()
