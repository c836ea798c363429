"""What schedules cost: a start while a thousand of them wait, a firing against a start; and how late they fire."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.commands import Project
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.engine.schedules.firing import fire_schedules
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.schedules import Overlap
from sm_cli.testing import FakeClock
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.worker import Worker
from tests.store.asking import asked

SCHEDULES, STARTS, ROUNDS, SECONDS = 1000, 400, 9, 20
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


class Side:
    """One database, with the executions that it is asked to start."""

    def __init__(self, file: Path, schedules: int, every: int, sync: str = "normal") -> None:
        self.clock = FakeClock()
        self.engine = Engine(open_store(f"sqlite:{file}?sync={sync}"), clock=self.clock)
        self.workflow = prepared(PASS)
        for number in range(schedules):
            self.engine.schedules.add(
                f"s{number}", self.workflow, {"n": 1}, every=every, overlap=Overlap.ALLOW
            )  # fmt: skip
        self.worker = Worker(self.engine, {})
        self.work()

    def work(self) -> None:
        """The worker does what there is to do."""
        while self.worker.tick():
            pass

    def start(self) -> None:
        """One execution, from the command line."""
        self.clock.time += MICROSECONDS
        self.engine.start(self.workflow, {"n": 1})

    def start_and_look(self) -> None:
        """One execution, and a worker that notices it."""
        self.start()
        self.work()

    def fire(self) -> None:
        """One firing."""
        self.clock.time += MICROSECONDS
        self.engine.transact(fire_schedules)

    def close(self) -> None:
        """The database goes."""
        self.worker.pool.close()
        self.engine.store.close()


def ratio(
    one: Callable[[], None], other: Callable[[], None], clock: Callable[[], float] = time.process_time
) -> tuple[float, float]:
    """(what `one` costs in units of `other`, microseconds of `other`): the median of rounds in turn."""
    shares, costs = [], []
    for _ in range(ROUNDS):
        spent = []
        for act in (one, other):
            begun = clock()
            for _ in range(STARTS):
                act()
            spent.append(clock() - begun)
        shares.append(spent[0] / spent[1])
        costs.append(spent[1] / STARTS * MICROSECONDS)
    return statistics.median(shares), statistics.median(costs)


def costs(folder: Path) -> Iterator[Figure]:
    """By the processor's clock: the machine's other work is none of it."""
    calm, many = Side(folder / "calm.db", 0, 0), Side(folder / "many.db", SCHEDULES, 10**8)
    share, cost = ratio(many.start, calm.start)
    yield Figure("a start where there are no schedules", cost, "us of CPU")
    yield Figure(f"a start while {SCHEDULES:,} schedules wait", share, "x", "<= 1.05")
    share, cost = ratio(many.start_and_look, calm.start_and_look)
    yield Figure("a start that a worker notices, without schedules", cost, "us of CPU")
    yield Figure(f"the same while {SCHEDULES:,} schedules wait", share, "x", "<= 1.05")
    one = Side(folder / "one.db", 1, 1)
    share, _ = ratio(one.fire, calm.start)
    yield Figure("a firing against a start", share, "x")
    durable, fired = Side(folder / "durable.db", 0, 0, "full"), Side(folder / "fired.db", 1, 1, "full")
    share, cost = ratio(fired.fire, durable.start, time.perf_counter)
    yield Figure("a start, written to the disk, by the clock on the wall", cost, "us")
    yield Figure("a firing against it", share, "x", "<= 1.05")
    for side in (calm, many, one, durable, fired):
        side.close()


def lateness(folder: Path) -> Iterator[Figure]:
    """A schedule of every second, fired by a worker in a process of its own."""
    project = Project(folder)
    project.write("handlers/echo.py", "from sm_cli import handler\n@handler\ndef echo(input): return input\n")
    store = open_store(str(project.database))
    engine = Engine(store)
    engine.schedules.add("second", prepared(PASS), every=1, overlap=Overlap.ALLOW)
    anchor = engine.schedules.find("second").anchor
    worker = project.worker("w1")
    time.sleep(SECONDS)
    said = project.end(worker, "w1")
    executions = asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    late = sorted((e.started - anchor) % MICROSECONDS / 1000 for e in executions[:-2])
    store.close()
    assert "error" not in said, said
    yield Figure("times of a schedule of every second: fired", len(executions), f"of {SECONDS}")
    yield Figure("the same: how late, p50", statistics.median(late), "ms", "<= 20")
    yield Figure("the same: how late, longest", late[-1], "ms")


def run(folder: Path) -> Iterator[Figure]:
    yield from costs(folder)
    yield from lateness(folder)
