"""What the benches have in common: definitions, and a loop over a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.worker.worker import Worker
from tests.store.asking import asked


def prepared(definition: dict[str, Any], name: str = "bench") -> Workflow:
    document = from_value(definition).document
    assert document is not None
    return prepare(document, name)


def tasks_in_a_row(count: int) -> Workflow:
    states: dict[str, Any] = {f"T{i}": {"Type": "Task", "Resource": "echo", "Next": f"T{i + 1}"} for i in range(count)}
    states[f"T{count - 1}"] = {"Type": "Task", "Resource": "echo", "End": True}
    return prepared({"StartAt": "T0", "States": states})


def map_of_tasks() -> Workflow:
    """A Pass and a Task for each item."""
    inner = {
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "Next": "T"}, "T": {"Type": "Task", "Resource": "echo", "End": True}},
    }
    return prepared({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}})


@contextmanager
def looping(path: Path, concurrency: int = 16) -> Iterator[tuple[Worker, Store]]:
    store = open_store(str(path))
    loop = Worker(Engine(store), {"echo": Handler("echo", lambda input: input)}, concurrency=concurrency)
    try:
        yield loop, store
    finally:
        loop.pool.close()
        store.close()


def finish(loop: Worker, store: Store, ids: list[int]) -> None:
    """Run the loop until all of these executions have succeeded."""
    left = list(ids)

    def done() -> bool:
        while left:
            execution = asked(store).execution(left[-1])
            assert execution is not None
            if execution.status is Status.RUNNING:
                return False
            assert execution.status is Status.SUCCEEDED, execution
            left.pop()
        return True

    loop.run(done)


def started(loop: Worker, workflow: Workflow, input: Json) -> int:
    return loop.start(workflow, input)[0].id
