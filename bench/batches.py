"""What an execution of a batch costs beside one that is started by itself, and how soon the first one begins."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution
from sm_cli.worker.worker import Worker
from tests.store.asking import asked

COUNT = 100_000
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def engine_over(folder: Path, name: str) -> Engine:
    # Without waiting for the disk: a batch shares its commits, and a start by itself would only wait longer.
    return Engine(open_store(f"sqlite:{folder}/{name}.db?sync=normal", create=True))


def items(count: int) -> Iterator[Json]:
    for number in range(count):
        yield {"n": number, "name": f"customer {number}"}


def started_one_by_one(folder: Path) -> tuple[float, float]:
    """(processor seconds, seconds) of COUNT starts; each is one transaction, in which it also ends."""
    engine, workflow = engine_over(folder, "starts"), prepared(PASS)
    begun, clock = time.process_time(), time.perf_counter()
    for number, item in enumerate(items(COUNT)):
        engine.start(workflow, item, name=f"P-{number}")
    spent = time.process_time() - begun, time.perf_counter() - clock
    engine.store.close()
    return spent


def in_a_batch(folder: Path) -> tuple[float, float, float]:
    """(processor seconds, seconds, seconds until the first execution had begun) of a batch of COUNT."""
    engine, workflow = engine_over(folder, "batch"), prepared(PASS)
    loop = Worker(engine, {}, concurrency=2)
    first: list[float] = []
    begun, clock = time.process_time(), time.perf_counter()

    def note(_: Execution) -> None:
        if not first:
            first.append(time.perf_counter() - clock)

    batch = engine.batch(workflow, items(COUNT), name_prefix="P", on_start=note)
    loop.tree = batch.tree

    def is_over() -> bool:
        found = asked(engine.store).short_execution(batch.id)
        return found is None or found.closed is not None

    loop.run(is_over)
    spent = time.process_time() - begun, time.perf_counter() - clock
    assert asked(engine.store).count_executions()[0] == {"SUCCEEDED": COUNT + 1}
    loop.let_go()
    engine.store.close()
    return *spent, first[0]


def run(folder: Path) -> Iterator[Figure]:
    processor, seconds, first = in_a_batch(folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    processor_by_one, seconds_by_one = started_one_by_one(folder)
    yield Figure(f"{COUNT:,} starts, each", seconds_by_one / COUNT * 1e6, "µs")
    yield Figure(f"a batch of {COUNT:,}, each", seconds / COUNT * 1e6, "µs")
    yield Figure("a batch against starts, seconds", seconds / seconds_by_one, "", "<= 1.2")
    yield Figure("a batch against starts, processor seconds", processor / processor_by_one, "", "<= 1.2")
    yield Figure("until the first begins, its items kept on the disk before", first, "s")
    yield Figure("the process at its largest, with the batch", memory, "MB")
