"""Where handlers run: threads for sync ones, one event-loop thread for async ones.

Results come back through a queue, and only there; that of a cancelled handler does not come back at all.
A cancelled handler keeps its slot until it ends, but not for longer than the pool's patience: a handler that
hangs holds up neither the engine nor the end of the process.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.handlers.handler import Context, Failure, Handler, Success, run_async, run_handler
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Job

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("sm.engine")

#: Seconds that a cancelled handler keeps its slot.
PATIENCE = 5.0


@dataclass(slots=True, eq=False)
class Done:
    """A handler ended: its job, what came of it, and when."""

    #: As it was leased.
    job: Job
    #: What the handler returned or raised.
    outcome: Success | Failure
    #: Microseconds, by the pool's clock.
    at: int = 0


@dataclass(slots=True, eq=False)
class _Running:
    job: Job
    handler: Handler
    make_context: Callable[[], Context]
    context: Context | None = None  # until the handler begins, and for one that wants none
    task: asyncio.Task[Success | Failure] | None = None
    cancelled_at: float | None = None  # time.monotonic
    given_up: bool = False

    def take_input(self) -> Json:
        """What the handler is called with. Nobody else needs it, so a large one is not kept beside the result."""
        input, self.job.input = self.job.input, None
        return input


class Pool:
    """`size` handlers at once. `wake` is called, from a handler's thread, when a slot is free again, and `now` for the
    time that a handler ended at: microseconds that only grow."""

    def __init__(
        self, size: int, wake: Callable[[], None], patience: float = PATIENCE, now: Callable[[], int] = lambda: 0
    ) -> None:
        self.now = now
        self.size = size
        self.wake = wake
        self.patience = patience
        self._results: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._running: set[_Running] = set()
        self._fresh: list[_Running] = []
        self._active: dict[tuple[int, int], _Running] = {}
        self._todo: queue.SimpleQueue[_Running | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def free(self) -> int:
        """How many more handlers may start now."""
        with self._lock:
            return self.size - sum(not self._is_given_up(running) for running in self._running)

    def runs_fresh(self) -> bool:
        """Whether a handler has not ended that was started since results were drained last."""
        with self._lock:
            return not self._running.isdisjoint(self._fresh)

    def _is_given_up(self, running: _Running) -> bool:
        if running.handler.elsewhere is not None:
            return False  # it is ended there
        if running.cancelled_at is None or time.monotonic() - running.cancelled_at < self.patience:
            return False
        if not running.given_up:
            running.given_up = True
            log.warning(
                "the handler %r goes on although its task was cancelled %g s ago; another one gets its place",
                running.handler.name, self.patience,
            )  # fmt: skip
        return True

    def submit(self, job: Job, handler: Handler, context: Callable[[], Context]) -> None:
        """Start the job's handler in a thread, or in the event loop when it is async; never waits. `context` is called
        in that thread, for a handler that wants one."""
        running = _Running(job, handler, context)
        spawn = False
        with self._lock:
            self._running.add(running)
            self._fresh.append(running)
            self._active[job.frame, job.seq] = running
            if not handler.is_async:
                spawn = self._idle == 0
                self._idle -= not spawn
        if handler.is_async:
            loop = self._event_loop()
            loop.call_soon_threadsafe(self._start_async, loop, running)
            return
        if spawn:
            threading.Thread(target=self._work, name="sm-handler", daemon=True).start()
        self._todo.put(running)

    def cancel(self, frame: int, seq: int) -> None:
        """Nobody waits for this result any more: tell the handler."""
        with self._lock:
            running = self._active.pop((frame, seq), None)
            if running is None:
                return
            running.cancelled_at = time.monotonic()
            if running.context is not None:
                running.context.cancel()
        if self._loop is not None and running.handler.is_async:
            self._loop.call_soon_threadsafe(self._cancel_async, running)

    def cancel_all(self) -> None:
        """Tell every running handler that nobody waits for it; one in a process of its own ends at once, so that who
        takes its job next does not run beside it."""
        for frame, seq in list(self._active):
            self.cancel(frame, seq)
        with self._lock:
            elsewhere = [(r.handler.elsewhere, r.context) for r in self._running]
        for place, context in elsewhere:
            if place is not None and context is not None:  # else it has not begun, and will not
                place.kill(context)

    def drain(self) -> list[Done]:
        """Results that are there now: of every handler that has ended by `now`."""
        results = []
        with self._lock:  # or a handler may have looked at the clock and not come to say so
            self._fresh.clear()
            while True:
                try:
                    results.append(self._results.get_nowait())
                except queue.Empty:
                    return results

    def close(self) -> None:
        """Let idle threads end, and those in a handler when it returns."""
        with self._lock:
            self._closed = True
            idle = self._idle
        for _ in range(idle):
            self._todo.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    # -- inside the threads ------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            running = self._todo.get()
            if running is None:
                return
            self._finish(running, run_handler(running.handler, running.take_input(), self._context(running)))
            if self._closed:
                return

    def _context(self, running: _Running) -> Context | None:
        """What the handler is told, if it wants to know; and whether it was cancelled before it began."""
        if not running.handler.wants_context:
            return None
        context = running.make_context()
        with self._lock:
            running.context = context
            if running.cancelled_at is not None:
                context.cancelled.set()
        return context

    def _finish(self, running: _Running, outcome: Success | Failure) -> None:
        with self._lock:
            self._running.discard(running)
            if not running.handler.is_async:
                self._idle += 1
            if running.cancelled_at is None:
                self._active.pop((running.job.frame, running.job.seq), None)
                self._results.put(Done(running.job, outcome, self.now()))
        self.wake()

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            import asyncio  # 20 ms, a fifth of the start of a process for handlers; most have no async one

            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_run_loop, args=(self._loop,), name="sm-async", daemon=True).start()
        return self._loop

    def _start_async(self, loop: asyncio.AbstractEventLoop, running: _Running) -> None:
        running.task = loop.create_task(run_async(running.handler, running.take_input(), self._context(running)))
        # By a callback: a task that is cancelled before its first step runs nothing of its own.
        running.task.add_done_callback(lambda task: self._finish(running, _result(task)))
        if running.cancelled_at is not None:
            running.task.cancel()

    def _cancel_async(self, running: _Running) -> None:
        if running.task is not None:
            running.task.cancel()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _result(task: asyncio.Task[Success | Failure]) -> Success | Failure:
    return Failure("Cancelled", "The handler was cancelled before it began.") if task.cancelled() else task.result()
