"""Batches live through kill -9: of who starts them, of workers, of who pauses, resumes, cancels and tries again.

Processes that start a batch over a file are killed, at once or in the middle; then workers die that work on it, while
others pause, resume, cancel and try it again and die at it. In the end every item has one row, and no name two.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.commands import Project
from bench.report import Figure

ITEMS, KILLS = 6000, 60
SHORT_ITEMS, SHORT_KILLS = 600, 8
ORDER = "StartAt: T\nStates:\n  T: {Type: Task, Resource: work, End: true}\n"
HANDLERS = """
import random
from sm_cli import handler
@handler
def work(input, context):
    if random.random() < 0.02:
        raise ValueError("now and then")
    return input["n"]
"""
ACTS = ("pause", "resume", "resume", "cancel", "retry-failed", "retry-failed")
#: Options of the batch: portions are larger than a round.
OPTIONS = ("--name-prefix", "P", "--micro-batch", "250", "--pause-at", "5%", "--concurrency", "100")


def short(folder: Path) -> Iterator[Figure]:
    """A few seconds of it."""
    yield from run(folder, SHORT_ITEMS, SHORT_KILLS)


def run(folder: Path, items: int = ITEMS, kills: int = KILLS) -> Iterator[Figure]:
    project, draw = Project(folder), random.Random(1)
    project.write("workflows/order.yaml", ORDER)
    project.write("handlers/work.py", HANDLERS)
    project.write("items.jsonl", "".join(f'{{"n": {n}}}\n' for n in range(items)))
    start = ("batch", "run", "order", "--inputs", "items.jsonl", *OPTIONS)
    batches = begin(project, draw, start, kills)
    workers = {name: project.worker(name) for name in ("w1", "w2")}
    for _ in range(kills):
        name = draw.choice(["w1", "w2"])
        died(project.start("batch", draw.choice(ACTS), draw.choice(batches), **_QUIET), draw.uniform(0.2, 1.2))
        workers[name].kill()
        workers[name].wait()
        workers[name] = project.worker(name)
    finish(project, batches)
    for name, worker in workers.items():
        said = project.end(worker, name)
        assert "bug" not in said, said
    yield Figure("kills of a worker, and of a command", 2 * kills, "")
    yield Figure("batches over the same items", len(batches), "", ">= 1")
    yield from judge(project, batches, items)


_QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def died(process: subprocess.Popen[str], seconds: float) -> None:
    """Kill a process after so long, wherever it is."""
    time.sleep(seconds)
    process.kill()
    process.wait()


def begin(project: Project, draw: random.Random, start: tuple[str, ...], kills: int) -> list[str]:
    """Start the batch until it is there, by processes that are killed; the ids of all that came to be."""
    for _ in range(max(2, kills // 10)):
        died(project.start(*start, **_QUIET), draw.uniform(0.3, 2.5))
    project.run(*start, "--detach")
    return [batch["id"] for batch in json.loads(project.run("batch", "list", "--json"))]


def finish(project: Project, batches: list[str]) -> None:
    """Resume and try again until all has succeeded."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        shown = [json.loads(project.run("batch", "show", batch, "--json")) for batch in batches]
        for batch in shown:
            act = {"PAUSED": "resume", "RUNNING": None}.get(batch["status"], "retry-failed")
            if act is not None:
                project.start("batch", act, batch["id"], **_QUIET).wait()  # refused when there is nothing to do
        if all(b["status"] == "SUCCEEDED" and not b["item_counts"]["failed"] for b in shown):
            return
        time.sleep(0.3)
    raise AssertionError("it did not come to its end")


def judge(project: Project, batches: list[str], items: int) -> Iterator[Figure]:
    """What came of it."""
    wrong_rows = 0
    for batch in batches:
        rows = [json.loads(line) for line in project.run("batch", "results", batch).splitlines()]
        wrong_rows += [row["index"] for row in rows] != list(range(items))
        wrong_rows += sum(row["status"] != "SUCCEEDED" or row["output"] != row["index"] for row in rows)
        wrong_rows += sum(row["name"] != f"P-{row['index']}" for row in rows)
    query = "SELECT name FROM executions WHERE workflow = 'order'"
    names = Counter(row["name"] for row in json.loads(project.run("db", "query", query, "--json")))
    yield Figure("rows that are missing, wrong or double", wrong_rows, "", "<= 0")
    yield Figure("items without an execution", items - len(names), "", "<= 0")
    yield Figure("names that two executions have", sum(count > 1 for count in names.values()), "", "<= 0")
