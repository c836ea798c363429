"""Batches: children that are executions of the target, names, results without holes, control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches import control
from sm_cli.engine.batches.control import NewLimits
from sm_cli.engine.batches.options import BatchOptions, check_prefix
from sm_cli.engine.stepping.batch.plan import DIGEST, parent_document
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.jsonvalue import digest
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Status
from sm_cli.views.actions import Action, Do
from sm_cli.views.batches.batch import find_batch
from sm_cli.views.why import why
from tests.engine.batches.batching import Batching, Work
from tests.store.asking import asked


def is_bad(item: Any) -> bool:
    return bool(item.get("bad"))


def items(count: int, *bad: int) -> list[Any]:
    return [{"n": n, "bad": n in bad} for n in range(count)]


def test_the_digest_of_the_parents_definition_is_what_it_says() -> None:
    assert digest(parent_document().value) == DIGEST


def test_children_are_executions_of_the_target_like_all_others(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    batch = batches.run(items(3))
    assert batches.now(batch).status == "SUCCEEDED"
    child = batches.execution("P-1")
    assert (child.workflow, child.digest, child.machine) == ("order", batches.target.program.digest, "")
    assert (child.input, child.output) == ({"n": 1, "bad": False}, {"did": {"n": 1, "bad": False}})
    listed = asked(batches.simulation.store).list_executions(ExecutionFilter(workflow="order"))
    assert [execution.name for execution in listed] == ["P-2", "P-1", "P-0"]
    history = asked(batches.simulation.store).history(child.id)
    assert [event.type for event in history][:2] == ["ExecutionStarted", "TaskStateEntered"]
    assert batches.engine.find("P-1").id == child.id


def test_a_childs_own_timeout_holds_from_its_own_start(tmp_path: Path) -> None:
    wait = {"StartAt": "W", "TimeoutSeconds": 5, "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    batches = Batching(tmp_path, definition=wait)
    batch = batches.run(items(2), concurrency=1)
    assert batches.statuses(batch) == ["TIMED_OUT", "TIMED_OUT"]
    first, second = (batches.execution(name) for name in ("P-0", "P-1"))
    assert second.started - first.started == 5_000_000


@pytest.mark.parametrize("concurrency", [0, 1])
def test_one_at_a_time_goes_in_the_order_of_the_items(tmp_path: Path, concurrency: int) -> None:
    work = Work()
    batches = Batching(tmp_path, work)
    batches.run(items(7), concurrency=concurrency)
    assert [call["n"] for call in work.calls] == list(range(7))


def test_never_more_run_at_once_than_the_concurrency(tmp_path: Path) -> None:
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": True}}}
    batches = Batching(tmp_path, definition=wait)
    batch = batches.start(batches.write(items(7)), concurrency=3)
    begun = batches.simulation.clock.now()
    batches.go_on(batch)
    assert batches.simulation.clock.now() - begun == 30_000_000


def test_failures_do_not_end_a_batch_that_has_no_brake(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    batch = batches.run(items(5, 1, 3))
    found = batches.now(batch)
    assert (found.status, found.succeeded, found.join.failed_items) == ("SUCCEEDED", 3, 2)
    assert batches.statuses(batch) == ["SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_stop_on_error_marks_the_rest_as_skipped(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    batch = batches.run(items(1500, 1), concurrency=1, stop_on_error=True)
    found = batches.now(batch)
    assert (found.status, found.execution.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    results = batches.results(batch)
    assert [result.number for result in results] == list(range(1500))
    assert [result.status for result in results] == ["SUCCEEDED", "FAILED", *["SKIPPED"] * 1498]
    assert results[1400].input == {"n": 1400, "bad": False}  # also of an item that was never read


def test_a_rate_fails_the_batch_only_above_it_and_with_enough_samples(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    exactly = batches.run(items(20, 0, 19), max_failure_rate=10, min_samples=20, concurrency=1)
    assert batches.now(exactly).status == "SUCCEEDED"
    above = batches.run(items(21, 0, 1, 19), prefix="Q", max_failure_rate=10, min_samples=20, concurrency=1)
    assert batches.now(above).status == "FAILED"
    assert batches.now(above).execution.cause == "3 of 20 items failed, which is above 10 %"
    assert batches.statuses(above)[-1] == "SKIPPED"


def test_the_same_prefix_again_starts_nothing_twice(tmp_path: Path) -> None:
    work = Work()
    batches = Batching(tmp_path, work)
    batches.run(items(3))
    batch = batches.run(items(5))
    found = batches.now(batch)
    assert (found.status, found.brake.existing, found.succeeded) == ("SUCCEEDED", 3, 2)
    assert [call["n"] for call in work.calls] == [0, 1, 2, 3, 4]
    assert [(r.name, r.is_existing) for r in batches.results(batch)] == [
        ("P-0", True), ("P-1", True), ("P-2", True), ("P-3", False), ("P-4", False),
    ]  # fmt: skip
    all_there = batches.run(items(5))
    assert batches.now(all_there).status == "SUCCEEDED"
    assert len(work.calls) == 5


def test_two_batches_of_one_prefix_at_once_share_the_names(tmp_path: Path) -> None:
    work = Work()
    batches = Batching(tmp_path, work)
    file = batches.write(items(50))
    one, two = batches.start(file), batches.start(file)
    batches.go_on(one)
    batches.go_on(two)
    assert sorted(call["n"] for call in work.calls) == list(range(50))
    assert batches.now(one).brake.existing + batches.now(two).brake.existing == 50
    assert batches.statuses(one) == batches.statuses(two) == ["SUCCEEDED"] * 50


def test_a_paused_batch_starts_nothing_and_resumes_once(tmp_path: Path) -> None:
    work = Work()
    batches = Batching(tmp_path, work)
    batch = batches.start(batches.write(items(5)))
    control.pause(batches.engine, batch)
    assert batches.go_on(batch).status == "RUNNING"
    assert work.calls == []
    assert batches.now(batch).status == "PAUSED"
    with pytest.raises(Conflict, match="paused already"):
        control.pause(batches.engine, batch)
    (reason,) = why(batches.engine, batch, time_text=str)
    assert reason.text == "The batch was paused by a person: 0 ended, 0 under way."
    control.resume(batches.engine, batch)
    with pytest.raises(Conflict, match="is not paused"):
        control.resume(batches.engine, batch)
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert len(work.calls) == 5
    with pytest.raises(Conflict, match="SUCCEEDED already"):
        control.pause(batches.engine, batch)


def test_other_limits_hold_from_now_on(tmp_path: Path) -> None:
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": True}}}
    batches = Batching(tmp_path, definition=wait)
    batch = batches.start(batches.write(items(9)), concurrency=1)
    simulation = batches.simulation
    while batches.now(batch).join.started == 0:
        simulation.move()
    control.update(batches.engine, batch, NewLimits(concurrency=5))
    assert batches.now(batch).join.running == 5
    begun = simulation.clock.now()
    batches.go_on(batch)
    assert simulation.clock.now() - begun == 20_000_000


def test_a_tolerance_that_is_exceeded_already_ends_the_batch_at_once(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    batch = batches.start(batches.write(items(30, 0, 1)), micro_batch=10, pause_at=0)
    batches.go_on(batch)
    control.update(batches.engine, batch, NewLimits(tolerated=1))
    assert batches.now(batch).status == "FAILED"
    assert batches.statuses(batch).count("SKIPPED") == 20


def test_cancelling_stops_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": True}}}
    batches = Batching(tmp_path, definition=wait)
    batch = batches.start(batches.write(items(1200)), concurrency=2)
    while batches.now(batch).join.started == 0:
        batches.simulation.move()
    control.cancel(batches.engine, batch)
    assert batches.now(batch).status == "ABORTED"
    assert batches.statuses(batch) == ["ABORTED"] * 2 + ["SKIPPED"] * 1198
    with pytest.raises(Conflict, match="ABORTED already"):
        control.cancel(batches.engine, batch)


def test_what_failed_runs_again_from_where_it_failed_and_what_was_skipped_for_the_first_time(tmp_path: Path) -> None:
    work = Work(is_bad)
    batches = Batching(tmp_path, work)
    batch = batches.run(items(1500, 1), concurrency=1, stop_on_error=True)
    work.fails = lambda _: False
    assert control.try_again(batches.engine, batch) == 999  # the others were not read yet
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert batches.statuses(batch) == ["SUCCEEDED"] * 1500
    assert [call["n"] for call in work.calls] == [0, 1, *range(1, 1500)]
    assert batches.execution("P-1").redrives == 1
    assert batches.execution("P-2").redrives == 0


def test_what_failed_runs_again_in_a_batch_that_tolerated_it(tmp_path: Path) -> None:
    work = Work(is_bad)
    batches = Batching(tmp_path, work)
    batch = batches.run(items(5, 1, 3))
    work.fails = lambda _: False
    assert control.try_again(batches.engine, batch) == 2
    assert batches.now(batch).status == "RUNNING"
    with pytest.raises(Conflict, match="still RUNNING"):
        control.try_again(batches.engine, batch)
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert batches.statuses(batch) == ["SUCCEEDED"] * 5
    with pytest.raises(Conflict, match="nothing to try again"):
        control.try_again(batches.engine, batch)


def test_a_single_child_is_not_redriven_beside_its_batch(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    batches.run(items(2, 0))
    with pytest.raises(Conflict, match="belongs to a batch"):
        batches.engine.redrive(batches.execution("P-0"))


def test_why_sends_who_asks_for_a_failed_execution_to_its_batch(tmp_path: Path) -> None:
    batches = Batching(tmp_path, Work(is_bad))
    batch = batches.run(items(4, 0), micro_batch=2, pause_at=0)
    (reason,) = why(batches.engine, batches.execution("P-0"), time_text=str)
    assert reason.action == Action(Do.SHOW_BATCH, (batch.ref,))
    control.cancel(batches.engine, batch)
    (reason,) = why(batches.engine, batches.execution("P-0"), time_text=str)
    assert "which tries again all that did not succeed" in reason.text
    assert reason.action == Action(Do.RETRY_BATCH, (batch.ref,))


def test_a_line_that_is_not_json_fails_alone_where_it_was_not_seen_before(tmp_path: Path) -> None:
    work = Work()
    batches = Batching(tmp_path, work)
    wide = "x" * 4000
    lines = [f'{{"n": {n}, "wide": "{wide}"}}' for n in range(1200)]
    lines[1100] = '{"n": '
    file = tmp_path / "items.jsonl"
    file.write_text("\n".join(lines))
    batch = batches.start(file)
    assert batches.go_on(batch).status == "SUCCEEDED"
    bad = batches.results(batch)[1100]
    assert (bad.status, bad.execution is not None) == ("FAILED", True)
    assert "is not JSON: Expecting value at line 1101, " in str(bad.reason)
    assert len(work.calls) == 1199
    with pytest.raises(Conflict, match="1 items cannot be worked on"):
        control.try_again(batches.engine, batch)


def test_a_bad_line_among_the_first_refuses_the_batch(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"n": 1}\n{"n": \n')
    with pytest.raises(UsageError, match="line 2, "):
        batches.start(tmp_path / "x.jsonl")
    assert asked(batches.simulation.store).latest() is None


def test_a_file_that_changes_under_a_batch_is_noticed(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    file = batches.write(items(2500))
    batch = batches.start(file)
    file.write_text('{"n": 0}\n')
    assert batches.go_on(batch).status == "FAILED"
    assert "has changed since the batch began" in str(batches.now(batch).execution.cause)
    assert batches.statuses(batch) == ["SKIPPED"] * 2500


def test_a_batch_is_found_by_id_prefix_of_names_and_as_the_newest(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    batch = batches.run(items(1), prefix="nightly")
    for text in (batch.ref, batch.ref.lower(), "nightly", "@last"):
        assert find_batch(batches.engine, text).execution.id == batch.id
    with pytest.raises(NotFound, match="is no batch, but one of order"):
        find_batch(batches.engine, "nightly-0")
    with pytest.raises(NotFound, match="no batch is named 'weekly'"):
        find_batch(batches.engine, "weekly")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"concurrency": 10_001}, "concurrency is between 1 and 10,000"),
        ({"max_failure_rate": "ten"}, "max_failure_rate is a percentage between 0 and 100, not 'ten'"),
        ({"max_failure_rate": 100.5}, "between 0 and 100"),
        ({"max_failure_rate": "0.00001%"}, "at most four decimals"),
        ({"pause_at": 20}, "judge rounds"),
        ({"min_samples": 20}, "of no use without"),
        ({"micro_batch": -1}, "at least 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        BatchOptions(**options).limits()


def test_a_prefix_leaves_room_for_numbers() -> None:
    assert check_prefix("p" * 72) == "p" * 72
    with pytest.raises(UsageError, match="at most 72 characters"):
        check_prefix("p" * 73)
    with pytest.raises(UsageError, match="which a name may not"):
        check_prefix("a b")


def test_the_children_of_a_batch_outlive_its_parent(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    batch = batches.run(items(3))
    (run,) = asked(batches.simulation.store).map_runs(batch.id)
    children = asked(batches.simulation.store).list_executions(
        ExecutionFilter(run=run.id, statuses=(Status.SUCCEEDED,))
    )
    assert [child.name for child in children] == ["P-2", "P-1", "P-0"]
    assert asked(batches.simulation.store).count_executions() == ({"SUCCEEDED": 4}, 0)
