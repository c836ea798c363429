"""Where handlers run: threads for sync ones, one event-loop thread for async ones.

Rule: results come back through a queue, and only there. Threads are daemons and are replaced when a handler
hangs beyond its cancellation, so that a stuck handler holds up neither the engine nor the end of the process.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sm_cli.engine.handlers import Context, Failure, Handler, Success, run, run_async
from sm_cli.store.base import Job


@dataclass(frozen=True, slots=True)
class Done:
    """A handler ended: its job and what came of it."""

    job: Job
    outcome: Success | Failure


@dataclass(slots=True)
class _Running:
    handler: Handler
    context: Context
    task: asyncio.Task[None] | None = None
    given_up: bool = False


class Pool:
    """`size` handlers at once. `wake` is called, from a handler's thread, when a result is there."""

    def __init__(self, size: int, wake: Callable[[], None]) -> None:
        self.size = size
        self.wake = wake
        self.done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self.running: dict[tuple[int, int], _Running] = {}
        self._todo: queue.SimpleQueue[tuple[Job, _Running] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def free(self) -> int:
        """How many more handlers may start now; a given-up one does not count."""
        with self._lock:
            return self.size - sum(not r.given_up for r in self.running.values())

    def submit(self, job: Job, handler: Handler, context: Context) -> None:
        running = _Running(handler, context)
        with self._lock:
            self.running[job.frame, job.seq] = running
            if handler.is_async:
                spawn = False
            else:
                spawn = self._idle == 0
                if spawn:
                    self._threads += 1
                else:
                    self._idle -= 1
        if handler.is_async:
            loop = self._event_loop()
            loop.call_soon_threadsafe(self._start_async, job, running)
            return
        if spawn:
            threading.Thread(target=self._work, name="sm-handler", daemon=True).start()
        self._todo.put((job, running))

    def cancel(self, frame: int, seq: int) -> None:
        """Nobody waits for this result any more: tell the handler, and give its slot to others."""
        with self._lock:
            running = self.running.get((frame, seq))
            if running is None or running.given_up:
                return
            running.given_up = True
        running.context.cancelled.set()
        if running.task is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(running.task.cancel)

    def drain(self) -> list[Done]:
        """Results that are there now."""
        results = []
        while True:
            try:
                results.append(self.done.get_nowait())
            except queue.Empty:
                return results

    # -- inside the threads ------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            item = self._todo.get()
            if item is None:
                return
            job, running = item
            self._finish(job, run(running.handler, job.input, running.context))

    def _finish(self, job: Job, outcome: Success | Failure) -> None:
        with self._lock:
            running = self.running.pop((job.frame, job.seq), None)
            if running is not None and not running.handler.is_async:
                self._idle += 1
        if running is not None and not running.given_up:
            self.done.put(Done(job, outcome))
        self.wake()

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="sm-async", daemon=True).start()
        return self._loop

    def _start_async(self, job: Job, running: _Running) -> None:
        async def call() -> None:
            self._finish(job, await run_async(running.handler, job.input, running.context))

        assert self._loop is not None
        running.task = self._loop.create_task(call())

    def close(self) -> None:
        """Let idle threads end; those in a handler end with the process."""
        with self._lock:
            idle = self._idle
        for _ in range(idle):
            self._todo.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
