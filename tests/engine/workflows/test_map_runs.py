"""A map run that runs is given other limits."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.workflows.map_runs import update_map_run
from sm_cli.errors import Conflict
from sm_cli.store.records import Execution, MapRun
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from tests.engine.workers import workflow
from tests.store.asking import asked

MAP: dict[str, Any] = {
    "Type": "Map", "End": True, "MaxConcurrency": 1, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}},
    },
}  # fmt: skip


@pytest.fixture
def started() -> tuple[Engine, Execution]:
    engine = Engine(MemoryStore(), clock=FakeClock())
    execution, _, _ = engine.start(workflow({"StartAt": "M", "States": {"M": MAP}}, "order"), [1, 2, 3, 4])
    while not asked(engine.store).map_runs(execution.id) or the_run(engine, execution).join.started < 1:
        engine.transact(lambda _: None)
    return engine, execution


def the_run(engine: Engine, execution: Execution) -> MapRun:
    (run,) = asked(engine.store).map_runs(execution.id)
    return run


def test_more_children_start_at_once(started: tuple[Engine, Execution]) -> None:
    engine, execution = started
    assert the_run(engine, execution).join.started == 1
    update_map_run(engine, the_run(engine, execution), 3, None, None)
    join = the_run(engine, execution).join
    assert (join.limit, join.started) == (3, 3)


@pytest.mark.parametrize(("failures", "percentage", "tolerated"), [(2, None, 2), (None, 50.0, 2), (None, None, 0)])
def test_a_threshold_is_a_count_of_items(
    started: tuple[Engine, Execution], failures: int | None, percentage: float | None, tolerated: int
) -> None:
    engine, execution = started
    update_map_run(engine, the_run(engine, execution), None, failures, percentage)
    assert the_run(engine, execution).join.tolerated == tolerated


def test_a_map_run_that_has_ended_is_not_changed(started: tuple[Engine, Execution]) -> None:
    engine, execution = started
    run = the_run(engine, execution)
    engine.stop(execution)
    with pytest.raises(Conflict, match="ended"):
        update_map_run(engine, run, 4, None, None)
    assert the_run(engine, execution).join.limit == 1
