"""Batches over executions: which ones, what of each, links, and none of them twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches.executions import OfExecutions
from sm_cli.engine.chaining.transform import jsonata_transform
from sm_cli.errors import NotFound, UsageError
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.links import LinkFilter
from sm_cli.store.records import Execution, Status
from tests.engine.batches.batching import Batching, Work
from tests.engine.workers import workflow
from tests.store.asking import asked

SOURCE = workflow(
    {
        "StartAt": "P1",
        "States": {
            "P1": {"Type": "Pass", "Parameters": {"p1.$": "$.n"}, "Next": "P2"},
            "P2": {"Type": "Pass", "Parameters": {"p2.$": "$.p1"}, "End": True},
        },
    },
    "source",
)
ALL = ExecutionFilter(workflow="source", statuses=(Status.SUCCEEDED,))


def batches_over(folder: Path, count: int = 5) -> Batching:
    """So many executions that have ended, P2's outputs theirs."""
    batches = Batching(folder, Work())
    for n in range(count):
        batches.engine.start(SOURCE, {"n": n}, name=f"s{n}")
    return batches


def inputs(batches: Batching, batch: Execution) -> list[Any]:
    return [result.input for result in batches.results(batch)]


def links(batches: Batching) -> list[tuple[str, str]]:
    """(name of the source, name of the target), in the order of the targets."""
    found = asked(batches.simulation.store).links(LinkFilter())
    return [(str(ends.source_name), str(ends.target_name)) for ends in reversed(found)]


def test_41_a_batch_goes_through_executions_oldest_first_and_links_each(tmp_path: Path) -> None:
    batches = batches_over(tmp_path)
    batch = batches.engine.batch(batches.target, OfExecutions(ALL), name_prefix="P")
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert inputs(batches, batch) == [{"p2": n} for n in range(5)]
    assert links(batches) == [(f"s{n}", f"P-{n}") for n in range(5)]


def test_41_a_filter_chooses_by_status_workflow_start_and_number(tmp_path: Path) -> None:
    batches = batches_over(tmp_path)
    since = batches.simulation.clock.now()
    batches.simulation.clock.advance_to(since + 60_000_000)
    for n in (7, 8, 9):
        batches.engine.start(SOURCE, {"n": n}, name=f"s{n}")
    batches.engine.start(SOURCE, {"wrong": 1}, name="failed")
    filter = ALL._replace(since=since + 1)
    batch = batches.engine.batch(batches.target, OfExecutions(filter, limit=2), name_prefix="P")
    batches.go_on(batch)
    assert inputs(batches, batch) == [{"p2": 7}, {"p2": 8}]


def test_the_output_of_a_state_goes_through_an_expression(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 2)
    twice = jsonata_transform('{"twice": $states.input.p1 * 2}')
    batch = batches.engine.batch(batches.target, OfExecutions(ALL, state="P1", transform=twice))
    batches.go_on(batch)
    assert inputs(batches, batch) == [{"twice": 0}, {"twice": 2}]


def test_an_item_whose_transform_fails_fails_alone(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 3)
    odd = jsonata_transform('$states.input.p2 = 1 ? $error("not this one") : $states.input')
    batch = batches.engine.batch(batches.target, OfExecutions(ALL, transform=odd))
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert batches.statuses(batch) == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert "not this one" in str(batches.results(batch)[1].reason)
    assert len(links(batches)) == 2


def test_unique_takes_no_source_twice_and_its_results_show_where_it_led(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 2)
    over = OfExecutions(ALL, unique=True)
    batches.go_on(batches.engine.batch(batches.target, over, name_prefix="P"))
    batches.engine.start(SOURCE, {"n": 2}, name="s2")
    again = batches.engine.batch(batches.target, over, name_prefix="Q")
    assert batches.go_on(again).status == "SUCCEEDED"
    assert [(r.name, r.is_existing) for r in batches.results(again)] == [("P-0", True), ("P-1", True), ("Q-2", False)]
    assert links(batches) == [("s0", "P-0"), ("s1", "P-1"), ("s2", "Q-2")]
    assert batches.now(again).brake.existing == 2


def test_two_batches_at_once_take_each_unique_source_once(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 20)
    over = OfExecutions(ALL, unique=True)
    one, two = (batches.engine.batch(batches.target, over, name_prefix=prefix) for prefix in "PQ")
    batches.go_on(one)
    batches.go_on(two)
    assert sorted(source for source, _ in links(batches)) == sorted(f"s{n}" for n in range(20))


def test_one_that_failed_is_an_item_that_fails_unless_it_is_allowed(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 1)
    batches.engine.start(SOURCE, {"wrong": 1}, name="failed")
    both = ExecutionFilter(workflow="source")
    batch = batches.engine.batch(batches.target, OfExecutions(both))
    batches.go_on(batch)
    assert batches.statuses(batch) == ["SUCCEEDED", "FAILED"]
    allowed = batches.engine.batch(batches.target, OfExecutions(both, allow_failed=True))
    batches.go_on(allowed)
    assert inputs(batches, allowed)[1]["Error"] == "States.Runtime"


def test_what_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    batches = batches_over(tmp_path, 1)
    with pytest.raises(NotFound, match="has no state 'P9'"):
        batches.engine.batch(batches.target, OfExecutions(ALL, state="P9"))
    with pytest.raises(UsageError, match="no execution is one of these"):
        batches.engine.batch(batches.target, OfExecutions(ExecutionFilter(workflow="nobody")))
    assert asked(batches.simulation.store).kept_batches() == []
