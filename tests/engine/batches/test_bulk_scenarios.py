"""The scenarios of batches and micro-batches: 41 and 46."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches import control
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.errors import Conflict
from tests.engine.batches.batching import Batching, Work

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}


def items(count: int) -> list[Any]:
    return [{"n": n} for n in range(count)]


def some_fail(percent: int) -> Callable[[Any], bool]:
    """Of each ten items in a row so many."""
    return lambda item: bool(item["n"] % 10 < percent // 10)


@pytest.mark.parametrize("concurrency", [0, 1, 3])
def test_41_five_results_without_holes_and_never_more_in_flight_than_allowed(tmp_path: Path, concurrency: int) -> None:
    batches = Batching(tmp_path, definition=WAIT)
    in_flight: set[str] = set()
    most: list[int] = []
    begun: list[str] = []
    ended: list[str] = []

    def start(execution: Any) -> None:
        begun.append(execution.name)
        in_flight.add(execution.name)

    def complete(execution: Any) -> None:
        most.append(len(in_flight))
        ended.append(execution.name)
        in_flight.discard(execution.name)

    batch = batches.engine.batch(
        batches.target, items(5), name_prefix="P", options=BatchOptions(concurrency=concurrency), on_start=start,
        on_complete=complete,
    )  # fmt: skip
    batches.go_on(batch)
    names = [f"P-{n}" for n in range(5)]
    assert [result.name for result in batches.results(batch)] == names
    assert batches.statuses(batch) == ["SUCCEEDED"] * 5
    assert begun == names
    assert sorted(ended) == names
    if concurrency <= 1:
        assert ended == names
        assert batches.simulation.clock.now() - batch.started == 5_000_000
    else:
        assert batches.simulation.clock.now() - batch.started == 2_000_000  # three at once, then two


def test_41_stop_on_error_stops_after_the_first_failure_and_marks_the_rest_as_skipped(tmp_path: Path) -> None:
    work = Work(lambda item: item["n"] == 1)
    batches = Batching(tmp_path, work)
    batch = batches.run(items(5), concurrency=1, stop_on_error=True)
    assert batches.statuses(batch) == ["SUCCEEDED", "FAILED", "SKIPPED", "SKIPPED", "SKIPPED"]
    assert len(work.calls) == 2
    assert batches.now(batch).status == "FAILED"


def test_46_three_rounds_when_all_goes_well(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work())
    batch = batches.run(items(60), micro_batch=20, pause_at=20, fail_at=50)
    found = batches.now(batch)
    assert (found.status, found.brake.round, found.succeeded) == ("SUCCEEDED", 3, 60)


def test_46_a_threshold_of_20_percent_pauses_at_30_and_a_resume_continues_once(tmp_path: Path) -> None:
    work = Work(some_fail(30))
    batches = Batching(tmp_path, work)
    batch = batches.run(items(60), micro_batch=20, pause_at=20, fail_at=50)
    found = batches.now(batch)
    assert (found.status, found.brake.round, len(work.calls)) == ("PAUSED", 1, 20)
    assert batches.go_on(batch).status == "RUNNING"
    assert len(work.calls) == 20  # nothing goes on by itself
    work.fails = lambda _: False  # the person has mended what was wrong
    control.resume(batches.engine, batch)
    with pytest.raises(Conflict):
        control.resume(batches.engine, batch)
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert (len(work.calls), batches.now(batch).brake.round) == (60, 3)


def test_46_at_the_threshold_it_does_not_pause(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(some_fail(20)))
    batch = batches.run(items(60), micro_batch=20, pause_at=20, fail_at=50)
    assert (batches.now(batch).status, batches.now(batch).join.failed_items) == ("SUCCEEDED", 12)


def test_46_a_limit_of_50_percent_ends_the_batch_as_failed_at_60(tmp_path: Path) -> None:
    work = Work(some_fail(60))
    batches = Batching(tmp_path, work)
    batch = batches.run(items(60), micro_batch=20, pause_at=20, fail_at=50)
    found = batches.now(batch)
    assert (found.status, len(work.calls)) == ("FAILED", 20)
    assert found.execution.cause == "12 of 20 items of a round failed, which is above 50 %"
    assert batches.statuses(batch)[20:] == ["SKIPPED"] * 40
