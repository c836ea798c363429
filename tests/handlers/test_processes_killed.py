"""Processes for handlers are killed at random while a Map runs: every item is done, and nothing is left."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.store.records import HistoryEvent, Status
from sm_cli.worker.processes.processes import Processes
from sm_cli.worker.worker import Worker
from tests.engine.workers import workflow
from tests.handlers.places import SAMPLES
from tests.store.asking import asked

ITEMS = 80
RETRY = [{"ErrorEquals": ["Runtime.ExitError"], "MaxAttempts": 1000, "MaxDelaySeconds": 1}]


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Retry": RETRY, "ResultPath": "$.n", "InputPath": "$.n", **more}


MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "A",
                "States": {"A": task("echo", Next="B"), "B": task("echo_async", OutputPath="$.n", End=True)},
            },
            "End": True,
        }
    },
}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_map_is_done_whatever_processes_are_killed(tmp_path: Path, seed: int) -> None:
    store, drawn, killed = open_store(str(tmp_path / "sm.db")), random.Random(seed), []
    with Processes(SAMPLES, keep=3, recycle_after=20) as processes:

        def kill(events: list[HistoryEvent]) -> None:
            """After about every third commit."""
            there = [*processes._idle, *processes._busy.values()]
            if there and drawn.random() < 0.3:
                process = drawn.choice(there)
                process.kill()
                killed.append(process)

        loop = Worker(Engine(store), processes.load(), concurrency=3, observe=kill)
        items: list[Any] = [{"n": number} for number in range(ITEMS)]
        execution, _ = loop.start(workflow(MAP), items)
        loop.run(lambda: asked(store).execution(execution.id).closed is not None)  # type: ignore[union-attr]
        loop.let_go()
    ended = asked(store).execution(execution.id)
    assert ended is not None
    assert (ended.status, ended.output) == (Status.SUCCEEDED, list(range(ITEMS)))
    assert killed
    assert [*processes._idle, *processes._busy, *processes._ending] == []
    assert not any(os.path.exists(f"/proc/{process.pid}") for process in killed)  # noqa: PTH110 - of a number
    loop.pool.close()
    store.close()
