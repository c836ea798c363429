"""A batch in a test's own time: a simulation over a file of items."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sm_cli.buckets import BatchItems
from sm_cli.engine.batches.endings import forget_items_of_ended
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.engine.batches.results import ItemResult, item_results
from sm_cli.engine.batches.starting import file_source, make_plan, open_source, parent_workflow
from sm_cli.engine.engine import Workflow
from sm_cli.jsonvalue import Json
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.testing import FakeClock, Outcome, Simulation
from sm_cli.views.batches.batch import Batch, batch_now
from tests.engine.workers import workflow
from tests.store.asking import asked

ONE_TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}


def target(definition: dict[str, Any] = ONE_TASK) -> Workflow:
    return workflow(definition, "order")


class Work:
    """A handler that notes what it gets, and fails for some of it."""

    def __init__(self, fails: Callable[[Any], bool] = lambda _: False) -> None:
        self.fails = fails
        self.calls: list[Any] = []

    def __call__(self, input: Any) -> Json:
        self.calls.append(input)
        if self.fails(input):
            raise ValueError(f"{input} is bad")
        return {"did": input}


class Batching:
    """Batches of one workflow over one store."""

    def __init__(
        self, folder: Path, work: Callable[..., Any] | None = None, store: Store | None = None,
        definition: dict[str, Any] = ONE_TASK, clock: FakeClock | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.target = target(definition)
        self.simulation = Simulation(self.target, {"work": work or Work()}, clock or FakeClock(), store=store)
        self.engine = self.simulation.engine
        self.engine.observe(forget_items_of_ended(self.engine.store))

    def write(self, items: Iterable[Json], name: str = "items.jsonl") -> Path:
        file = self.folder / name
        file.write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
        return file

    def start(self, file: Path, prefix: str = "P", **options: Any) -> Execution:
        source = file_source(file)
        opened = open_source(BatchItems(self.folder), source)
        plan = make_plan(self.target, source, opened, prefix, BatchOptions(**options))
        made, _, jobs = self.engine.start(
            parent_workflow(), plan.as_input(), targets=(self.target,), taker=self.simulation.taker()
        )
        self.simulation.todo.extend(jobs)
        return made

    def run(self, items: Iterable[Json], **options: Any) -> Execution:
        """Start a batch and go on as far as it goes."""
        batch = self.start(self.write(items), **options)
        self.go_on(batch)
        return batch

    def go_on(self, batch: Execution) -> Outcome:
        return self.simulation.resume(batch)

    def now(self, batch: Execution) -> Batch:
        return batch_now(self.engine, batch.id)

    def results(self, batch: Execution) -> list[ItemResult]:
        return [*item_results(self.engine.store, self.engine.buckets, self.now(batch).execution)]

    def statuses(self, batch: Execution) -> list[str]:
        return [result.status for result in self.results(batch)]

    def execution(self, name: str, of: str = "order") -> Execution:
        found = asked(self.simulation.store).find_execution(of, name)
        assert found is not None
        return found
