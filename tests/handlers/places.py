"""Where handlers run, for tests that have to find the same in both places: this process, and processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sm_cli.handlers.handler import Context
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.store.records import Job
from sm_cli.worker.pool import Pool
from sm_cli.worker.processes.processes import Processes
from tests.engine.workers import soon

SAMPLES = Path(__file__).parent / "sample_handlers"
PLACES = ("threads", "processes")


@dataclass
class Place:
    """The sample handlers, and a pool that runs them."""

    handlers: Registry
    pool: Pool
    processes: Processes | None

    def submit(self, name: str, input: Any = None, frame: int = 1, beat: Callable[[], None] | None = None) -> Context:
        handler = self.handlers.find(name)
        assert handler is not None
        context = Context(
            "ref", "name", "w", "S", 1, f"ref-{frame}-1", "token", resource=name, beat=beat or (lambda: None)
        )
        self.pool.submit(Job(frame * 100, 1, frame, 1, "S", name, input), handler, lambda: context)
        return context

    def results(self, count: int) -> list[tuple[int, Any]]:
        found: list[Any] = []
        soon(lambda: len(found.extend(self.pool.drain()) or found) >= count)  # type: ignore[func-returns-value]
        return [(done.job.frame, done.outcome) for done in found]

    def run(self, name: str, input: Any = None) -> Any:
        """What one task comes to."""
        self.submit(name, input)
        ((_, outcome),) = self.results(1)
        return outcome


@contextmanager
def place(name: str, size: int = 2, patience: float = 60.0) -> Iterator[Place]:
    """`patience`: seconds; the tests end what they begin, so that nothing depends on it unless it is 0."""
    pool = Pool(size, lambda: None, patience)
    if name == "threads":
        yield Place(load_handlers(SAMPLES), pool, None)
    else:
        with Processes(SAMPLES, patience=patience) as processes:
            yield Place(processes.load(), pool, processes)
            pool.cancel_all()
    pool.close()
