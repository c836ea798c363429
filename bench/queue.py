"""No-op jobs through `sm worker` on SQLite, synchronous=FULL: how many a second one worker process does."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.commands import Project
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from tests.store.asking import asked

JOBS = 5_000
TASK: dict[str, Any] = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "no:op", "End": True}}}
NO_OP = "from sm_cli import handler\n@handler('no:op')\ndef no_op(input): return None\n"


def finished(store: Store, ids: list[int], worker: subprocess.Popen[str]) -> None:
    """Wait until all of these executions are closed."""
    left = list(ids)
    while left:
        execution = asked(store).execution(left[-1])
        if execution is None or execution.closed is None:
            assert worker.poll() is None
            time.sleep(0.01)
        else:
            left.pop()


def rate(folder: Path, concurrency: int) -> float:
    """Jobs that wait when the worker begins, done a second; its start is not counted."""
    project = Project(folder)
    project.write("workflows/one.json", json.dumps(TASK))
    project.write("handlers/no_op.py", NO_OP)
    store, workflow = open_store(str(project.database)), prepared(TASK)
    engine = Engine(store)
    ids = [engine.start(workflow, None)[0].id for _ in range(JOBS)]
    worker = project.worker("w1", "--concurrency", str(concurrency))
    finished(store, ids, worker)
    ends = sorted(execution.closed or 0 for execution in map(asked(store).execution, ids) if execution is not None)
    assert len(ends) == JOBS
    said = project.end(worker, "w1")
    store.close()
    assert "error" not in said, said
    return (JOBS - 1) / ((ends[-1] - ends[0]) / 1e6)


def run(folder: Path) -> Iterator[Figure]:
    for concurrency, target in ((8, None), (32, ">= 2660")):
        name = f"no-op jobs, {concurrency} at once"
        yield Figure(name, rate(folder / str(concurrency), concurrency), "a second", target)
