"""Workers die by kill -9 while schedules fire, and every time starts one execution, once.

Three workers on one file, and two schedules of every second: one whose executions may overlap and that catches up
with all that it missed, and one whose executions wait for one another. In between no worker is there for a while.
"""

from __future__ import annotations

import calendar
import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bench.commands import Project
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution, Status
from sm_cli.store.schedules import CatchUp, FiringOutcome, Overlap
from sm_cli.timestamps import MICROSECONDS
from tests.store.asking import asked

WORKERS = ("w1", "w2", "w3")
KILLS, SHORT_KILLS = 120, 15
TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "note", "End": True}}}
HANDLERS = """
import random, time
from sm_cli import handler
@handler
def note(input):
    time.sleep(random.uniform(0, 0.3))
    return input
"""


def short(folder: Path) -> Iterator[Figure]:
    """A quarter of a minute of it."""
    yield from run(folder, SHORT_KILLS)


def run(folder: Path, kills: int = KILLS) -> Iterator[Figure]:
    project = Project(folder)
    project.write("handlers/note.py", HANDLERS)
    store = open_store(str(project.database))
    engine, workflow, draw = Engine(store), prepared(TASK), random.Random(1)
    for name, overlap in (("all", Overlap.ALLOW), ("line", Overlap.QUEUE)):
        engine.schedules.add(name, workflow, {"n": 1}, every=1, overlap=overlap, catch_up=CatchUp.ALL)
    workers = {name: project.worker(name) for name in WORKERS}
    for number in range(kills):
        time.sleep(draw.uniform(0.1, 0.9))
        name = draw.choice(WORKERS)
        workers[name].kill()
        workers[name].wait()
        if number == kills // 2:
            for other in set(WORKERS) - {name}:
                workers[other].kill()
                workers[other].wait()
            time.sleep(3)
            workers = {each: project.worker(each) for each in WORKERS}
        else:
            workers[name] = project.worker(name)
    engine.schedules.pause("all")
    yield Figure("kills of a worker", kills, "")
    yield from judge(engine, settle(engine))
    for name, worker in workers.items():
        said = project.end(worker, name)
        assert "error" not in said, said
    store.close()


def settle(engine: Engine) -> list[Execution]:
    """All executions, when none runs and nothing waits in line any more; oldest first."""
    end = time.monotonic() + 120
    while True:
        if not engine.schedules.find("line").waiting:
            engine.schedules.pause("line")
        executions = asked(engine.store).list_executions(ExecutionFilter(), ExecutionPage(limit=10_000))[::-1]
        line = engine.schedules.find("line")
        if line.waiting and line.paused_at is not None:  # one came in between
            engine.schedules.resume("line")
        elif not line.waiting and not any(e.status is Status.RUNNING for e in executions):
            return executions
        assert time.monotonic() < end, "it did not settle"
        time.sleep(0.2)


def judge(engine: Engine, executions: list[Execution]) -> Iterator[Figure]:
    """What came of it."""
    for name in ("all", "line"):
        mine = [each for each in executions if each.name.startswith(f"{name}-")]
        anchor = engine.schedules.find(name).anchor
        times = sorted(time_of(each.name) for each in mine)
        expected = [anchor + second * MICROSECONDS for second in range(1, len(times) + 1)]
        # A line that is paused for a moment at the end leaves out what comes then.
        holes = len(set(expected) - set(times)) if name == "all" else 0
        yield Figure(f"{name}: executions", len(mine), "", ">= 5")
        yield Figure(f"{name}: times that started none", holes, "", "<= 0")
        yield Figure(f"{name}: times that started two", len(times) - len(set(times)), "", "<= 0")
        yield Figure(f"{name}: not SUCCEEDED", sum(e.status is not Status.SUCCEEDED for e in mine), "", "<= 0")
        refused = [f for f in engine.schedules.find(name).firings if f.outcome is FiringOutcome.REFUSED]
        yield Figure(f"{name}: refused", len(refused), "", "<= 0")
    line = sorted((e.started, e.closed or 0) for e in executions if e.name.startswith("line-"))
    together = sum(later[0] < earlier[1] for earlier, later in pairwise(line))
    yield Figure("line: two that ran at once", together, "", "<= 0")


def time_of(name: str) -> int:
    """The time in the name of an execution, microseconds since 1970 UTC."""
    text = name.rpartition("-")[2]
    return calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ")) * MICROSECONDS
