"""What a link costs a start: by itself, with the reading of its source, and a thousand in one transaction."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.stepping.starting import begin
from sm_cli.engine.stepping.tick import Tick
from sm_cli.store.open import open_store

#: Of each kind in turn, so that what else the machine does falls on all of them.
ROUNDS, PORTION, PORTIONS = 800, 1000, 25
A = {
    "StartAt": "P1",
    "States": {
        "P1": {"Type": "Pass", "Result": {"p1": 1}, "Next": "P2"},
        "P2": {"Type": "Pass", "Result": {"p2": 2}, "End": True},
    },
}
B = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "work", "End": True}}}


def seconds(what: Callable[[], object], clock: Callable[[], float]) -> float:
    begun = clock()
    what()
    return clock() - begun


def portion(engine: Engine, workflow: Workflow, source: Source | None, count: int) -> None:
    """So many starts in one transaction, as a batch makes them."""

    def work(tick: Tick) -> None:
        version = engine.programs.version_to_start(workflow, tick.tx, tick.changes, tick.now)
        for _ in range(count):
            ref = tick.new_ref()
            begin(tick, version, {"p2": 2}, ref=ref, name=ref, source=source)

    engine.transact(work)


def medians(kinds: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, what in kinds.items():
            times[kind].append(seconds(what, clock))
    return {kind: statistics.median(each) for kind, each in times.items()}


def run(folder: Path) -> Iterator[Figure]:
    # Without waiting for the disk, of which the time says nothing about links.
    engine = Engine(open_store(f"sqlite:{folder}/sm.db?sync=normal", create=True))
    a, b = prepared(A), prepared(B)
    origin, _, _ = engine.start(a, {})
    output, state = Source(engine.find(origin.ref)), Source(engine.find(origin.ref), "P1")
    one = medians({
        "plain": partial(portion, engine, b, None, 1),
        "linked": partial(portion, engine, b, output, 1),
        "start": lambda: engine.start(b, {"p2": 2}),
        "output": lambda: engine.start(b, source=output),
        "state": lambda: engine.start(b, source=state),
    }, ROUNDS, time.perf_counter)  # fmt: skip
    yield Figure("a start", one["start"] * 1e6, "µs")
    yield Figure("a start with the row of a link, to one without", one["linked"] / one["plain"], "x", "<= 1.05")
    yield Figure("a start that reads another execution's output", one["output"] * 1e6, "µs")
    yield Figure("a start that reads a state's output", one["state"] * 1e6, "µs")
    many = medians({
        "plain": partial(portion, engine, b, None, PORTION), "linked": partial(portion, engine, b, output, PORTION),
    }, PORTIONS, time.process_time)  # fmt: skip
    row = (many["linked"] - many["plain"]) / PORTION
    yield Figure("a start among a thousand, processor time", many["plain"] / PORTION * 1e6, "µs")
    yield Figure("the row of a link among a thousand", row * 1e6, "µs")
    yield Figure("that row, to a start by itself", row / one["start"], "x", "<= 0.05")
    engine.store.close()
