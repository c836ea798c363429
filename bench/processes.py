"""Handlers in threads and in processes of their own: what a task costs more, and what computing tasks gain."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.report import Figure
from sm_cli.handlers.handler import Context, Failure, Handler, Success
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.store.records import Job
from sm_cli.worker.pool import Pool
from sm_cli.worker.processes.processes import Processes

#: Tasks that do nothing, one after the other; tasks that compute, and how long each counts.
TASKS, COMPUTING, COUNT = 2_000, 16, 2_000_000
HANDLERS = f"""
import os
from sm_cli import handler

@handler
def echo(value):
    return value

@handler
def compute(value):
    total = 0
    for number in range({COUNT}):
        total += number * number
    return total

@handler
def crash(value):
    os._exit(1)
"""


class Bench:
    """A pool of either kind, and who waits for its results."""

    def __init__(self, handlers: Registry, slots: int) -> None:
        self.handlers = handlers
        self.woken = threading.Semaphore(0)
        self.pool = Pool(slots, self.woken.release)

    def submit(self, name: str, value: Any, frame: int) -> None:
        handler: Handler = self.handlers[name]
        context = Context("r", "n", "w", "S", 1, "k", resource=name)
        self.pool.submit(Job(frame, 1, frame, 1, "S", name, value), handler, lambda: context)

    def call(self, name: str, value: Any, frame: int = 1) -> Success | Failure:
        self.submit(name, value, frame)
        while not (done := self.pool.drain()):
            self.woken.acquire()
        return done[0].outcome

    def seconds(self, name: str, value: Any, times: int) -> float:
        """Of one of so many tasks, one after the other."""
        begun = time.perf_counter()
        for frame in range(times):
            assert isinstance(self.call(name, value, frame), Success)
        return (time.perf_counter() - begun) / times

    def together(self, name: str, times: int) -> float:
        """Seconds for so many tasks, as many at once as there are slots."""
        begun = time.perf_counter()
        for frame in range(times):
            while not self.pool.free:
                self.woken.acquire()
            self.submit(name, None, frame)
        left = times
        while left := left - len(self.pool.drain()):
            self.woken.acquire()
        return time.perf_counter() - begun


@contextmanager
def threads(folder: Path, slots: int) -> Iterator[Bench]:
    bench = Bench(load_handlers(folder), slots)
    yield bench
    bench.pool.close()


@contextmanager
def processes(folder: Path, slots: int) -> Iterator[Bench]:
    with Processes(folder, keep=slots) as made:
        bench = Bench(made.load(), slots)
        yield bench
        bench.pool.close()


def median(times: int, measure: Callable[[], float]) -> float:
    return statistics.median([measure() for _ in range(times)])


def started(folder: Path) -> float:
    """Seconds until a process has loaded its handlers."""
    begun = time.perf_counter()
    with Processes(folder) as made:
        made.load()
        return time.perf_counter() - begun


def run(folder: Path) -> Iterator[Figure]:
    (folder / "h.py").write_text(HANDLERS, encoding="utf-8")
    cores = len(os.sched_getaffinity(0))
    yield Figure("a process starts and has loaded its handlers", 1000 * median(7, lambda: started(folder)), "ms")
    with threads(folder, cores) as here, processes(folder, cores) as there:
        for bench in (here, there):  # warm
            bench.seconds("echo", {"n": 1}, 100)
        for name, value, times in (
            ("a small object", {"n": 1}, TASKS),
            ("1 MB", ["x" * 1000] * 1000, 50),
            ("30 MB", ["x" * 1000] * 30_000, 3),
        ):
            in_threads = median(5, partial(here.seconds, "echo", value, times))
            in_processes = median(5, partial(there.seconds, "echo", value, times))
            yield Figure(f"a task that returns its input, {name}: threads", 1e6 * in_threads, "us")
            yield Figure(f"a task that returns its input, {name}: processes", 1e6 * in_processes, "us")
        one_after_the_other = median(3, lambda: here.together("compute", COMPUTING))
        at_once = median(3, lambda: there.together("compute", COMPUTING))
        yield Figure(f"{COMPUTING} tasks that compute, {cores} at once: threads", one_after_the_other, "s")
        yield Figure(f"{COMPUTING} tasks that compute, {cores} at once: processes", at_once, "s")
        target = ">= 1.5" if cores > 1 else None
        yield Figure(f"processes against threads on {cores} cores", one_after_the_other / at_once, "times", target)

        def replaced() -> float:
            begun = time.perf_counter()
            assert isinstance(there.call("crash", None), Failure)
            return time.perf_counter() - begun

        yield Figure("a process ends, and its task has failed", 1000 * median(5, replaced), "ms")
