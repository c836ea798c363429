"""What an item of a Map costs, from 1,000 items to 10,000: a Pass and a Task each, on SQLite FULL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench.engines import finish, looping, map_of_tasks, started
from bench.report import Figure


def cost(folder: Path, items: int, rounds: int) -> float:
    """Microseconds an item."""
    workflow = map_of_tasks()
    best = float("inf")
    for n in range(rounds):
        with looping(folder / f"map{items}-{n}.db") as (loop, store):
            begun = time.perf_counter()
            finish(loop, store, [started(loop, workflow, list(range(items)))])
            best = min(best, time.perf_counter() - begun)
    return best / items * 1e6


def run(folder: Path) -> Iterator[Figure]:
    small, large = cost(folder, 1_000, 5), cost(folder, 10_000, 2)
    yield Figure("an item of a Map of 1,000", small, "us")
    yield Figure("an item of a Map of 10,000", large, "us")
    yield Figure("growth of the cost of an item", large / small, "x", "<= 1.2")
