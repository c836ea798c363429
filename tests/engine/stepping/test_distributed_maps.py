"""Distributed Maps: each item, or batch of items, is an execution of its own."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.map_items import MapItemJobs
from sm_cli.errors import Conflict
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.testing import Crash, FakeClock, Outcome, Simulation, crash_points, simulate
from sm_cli.views.actions import Action, Do
from sm_cli.views.why import why
from tests.engine.workers import workflow
from tests.store.asking import asked

WORK = {"Type": "Task", "Resource": "work", "End": True}
READ_CSV: dict[str, Any] = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Parameters": {"Bucket": "orders", "Key.$": "$.key"},
    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
}
WRITE = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "jobs"}}


def distributed(state: dict[str, Any] = WORK, type: str = "STANDARD", name: str = "W", **more: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": type}
    processor = {"ProcessorConfig": config, "StartAt": name, "States": {name: state}}
    return {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **more}}}


class Most:
    """A handler that notes what it gets."""

    def __init__(self, *bad: Json) -> None:
        self.bad = bad
        self.calls: list[Any] = []

    def __call__(self, input: Any) -> Json:
        self.calls.append(input)
        if input in self.bad:
            raise ValueError(f"{input} is bad")
        return {"did": input}


def simulation(definition: dict[str, Any], handler: Any, store: Store | None = None, **more: Any) -> Simulation:
    handlers = {} if handler is None else {"work": handler}
    return Simulation(workflow(definition, "order"), handlers, FakeClock(), store=store, **more)


def types(outcome: Outcome) -> list[str]:
    return [event["type"] for event in outcome.history]


def orders(folder: Path, rows: int) -> Path:
    (folder / "orders").mkdir()
    lines = ["id,amount", *(f"{n},{n * 10}" for n in range(rows))]
    (folder / "orders" / "all.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_every_item_is_an_execution_of_its_own_and_the_outputs_come_in_order() -> None:
    sim = simulation(distributed(MaxConcurrency=2), Most())
    outcome = sim.run([3, 1, 2])
    assert outcome.output == [{"did": 3}, {"did": 1}, {"did": 2}]
    assert types(outcome) == [
        "ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded",
        "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    (run,) = asked(sim.store).map_runs()
    assert (run.status, run.workflow, run.type, run.state) == (Status.SUCCEEDED, "order/M", "STANDARD", "M")
    assert (run.join.total, run.join.succeeded, run.join.failed, run.join.settled_items) == (3, 3, 0, 3)
    children = asked(sim.store).list_executions(ExecutionFilter(run=run.id))
    assert [child.status for child in children] == [Status.SUCCEEDED] * 3
    history = [event.type for event in asked(sim.store).history(children[0].id)]
    assert (history[0], history[-1]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert len(asked(sim.store).list_executions(ExecutionFilter())) == 1


def test_a_child_sees_itself_in_the_context_object_and_no_variables_of_its_parent() -> None:
    child = {"Type": "Pass", "Parameters": {"n.$": "$$.Execution.Name", "in.$": "$$.Execution.Input",
                                            "m.$": "$$.StateMachine.Name"}, "End": True}  # fmt: skip
    sim = simulation(distributed(child, Label="Each"), Most())
    (seen,) = sim.run([{"a": 1}]).output
    (run,) = asked(sim.store).map_runs()
    (made,) = asked(sim.store).run_results(run.id, -1, 9)
    assert seen == {"n": made.name, "in": {"a": 1}, "m": "order/Each"}


@pytest.mark.parametrize(("limit", "most"), [(1, 1), (3, 3), (0, 12)])
def test_no_more_children_run_at_once_than_max_concurrency(limit: int, most: int) -> None:
    pause = {"Type": "Wait", "Seconds": 5, "End": True}
    sim = simulation(distributed(pause, MaxConcurrency=limit), Most())
    execution = sim.run_now(list(range(12)))
    running: list[int] = []
    while True:
        (run,) = asked(sim.store).map_runs()
        running.append(len(asked(sim.store).list_executions(ExecutionFilter(run=run.id, statuses=(Status.RUNNING,)))))
        if not sim.move():
            break
    assert max(running) == most
    found = asked(sim.store).execution(execution.id)
    assert found is not None
    assert found.output == list(range(12))


def test_children_are_made_in_portions_and_all_items_are_worked_on_once() -> None:
    handler = Most()
    sim = simulation(distributed(MaxConcurrency=7), handler)
    outcome = sim.run(list(range(2600)))
    assert outcome.output == [{"did": n} for n in range(2600)]
    assert sorted(handler.calls) == list(range(2600))


@pytest.mark.parametrize(
    ("bounds", "bad", "status"),
    [
        ({}, 1, "FAILED"), ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"), ({"ToleratedFailureCount": 2}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 20}, 2, "SUCCEEDED"), ({"ToleratedFailurePercentage": 20}, 3, "FAILED"),
    ],
)  # fmt: skip
def test_failures_are_tolerated_up_to_the_threshold(bounds: dict[str, Any], bad: int, status: str) -> None:
    sim = simulation(distributed(**bounds), Most(*range(bad)))
    outcome = sim.run(list(range(10)))
    assert outcome.status == status
    (run,) = asked(sim.store).map_runs()
    if status == "SUCCEEDED":
        assert outcome.output == [{"did": n} for n in range(bad, 10)]
        assert (run.status, run.join.failed) == (Status.SUCCEEDED, bad)
    else:
        assert outcome.error == "States.ExceedToleratedFailureThreshold"
        assert types(outcome)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
        assert run.status is Status.FAILED
    open_ones = [e for e in asked(sim.store).run_results(run.id, -1, 99) if e.closed is None]
    assert open_ones == []


def test_a_map_that_failed_may_be_retried_and_then_has_a_second_run() -> None:
    calls: list[Json] = []

    def once(input: Json) -> Json:
        calls.append(input)
        if len(calls) == 1:
            raise ValueError("first")
        return input

    retry = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "IntervalSeconds": 9}]
    sim = simulation(distributed(MaxConcurrency=1, Retry=retry), once)
    outcome = sim.run([1, 2])
    assert (outcome.status, outcome.output, calls) == ("SUCCEEDED", [1, 2], [1, 1, 2])
    assert [run.status for run in asked(sim.store).map_runs()] == [Status.SUCCEEDED, Status.FAILED]


@pytest.mark.parametrize("last", [{"MaxItemsPerBatch": 4}, {"MaxInputBytesPerBatch": 45}])
def test_batches_hold_what_their_limits_let_them_and_the_shared_input(last: dict[str, Any]) -> None:
    handler = Most()
    batcher = {**last, "BatchInput": {"shop.$": "$.shop"}}
    sim = simulation(distributed(ItemsPath="$.items", ItemBatcher=batcher, MaxConcurrency=1), handler)
    outcome = sim.run({"shop": "s", "items": list(range(10))})
    assert outcome.status == "SUCCEEDED"
    assert [n for call in handler.calls for n in call["Items"]] == list(range(10))
    assert all(call["BatchInput"] == {"shop": "s"} for call in handler.calls)
    if "MaxItemsPerBatch" in last:
        assert [len(call["Items"]) for call in handler.calls] == [4, 4, 2]
    else:
        sizes = [len(json.dumps(call, separators=(",", ":"))) for call in handler.calls]
        assert max(sizes) <= 45
        assert len(sizes) < 10


def test_a_failed_batch_counts_as_many_failures_as_it_has_items() -> None:
    def work(input: Any) -> Json:
        if 0 in input["Items"]:
            raise ValueError("zero")
        return len(input["Items"])

    batcher = {"MaxItemsPerBatch": 3}
    passed = simulation(distributed(ItemBatcher=batcher, ToleratedFailureCount=3), work).run(list(range(7)))
    assert passed.output == [3, 1]
    failed = simulation(distributed(ItemBatcher=batcher, ToleratedFailureCount=2), work).run(list(range(7)))
    assert failed.error == "States.ExceedToleratedFailureThreshold"


def test_batches_go_across_portions() -> None:
    handler = Most()
    sim = simulation(distributed(ItemBatcher={"MaxItemsPerBatch": 300}), handler)
    assert sim.run(list(range(2500))).status == "SUCCEEDED"
    sizes = [len(call["Items"]) for call in handler.calls]
    assert sizes == [300] * 8 + [100]


def test_items_are_read_from_a_file_and_results_written_to_one(tmp_path: Path) -> None:
    definition = distributed(ItemReader=READ_CSV, ResultWriter=WRITE, MaxConcurrency=50, ToleratedFailureCount=1)
    handler = Most({"id": "7", "amount": "70"})
    sim = simulation(definition, handler, buckets=orders(tmp_path, 1500))
    outcome = sim.run({"key": "all.csv"})
    assert outcome.status == "SUCCEEDED"
    assert len(handler.calls) == 1500
    details = outcome.output["ResultWriterDetails"]
    manifest = json.loads((tmp_path / details["Bucket"] / details["Key"]).read_text())
    (written,) = manifest["ResultFiles"]["SUCCEEDED"]
    entries = json.loads((tmp_path / "results" / written["Key"]).read_text())
    assert len(entries) == 1499
    assert json.loads(entries[0]["Output"]) == {"did": {"id": "0", "amount": "0"}}
    (failed,) = manifest["ResultFiles"]["FAILED"]
    assert json.loads((tmp_path / "results" / failed["Key"]).read_text())[0]["Error"] == "ValueError"


@pytest.mark.parametrize(
    ("key", "config", "cause"),
    [
        ("none.csv", {}, "none.csv"),
        ("all.csv", {"MaxItemsPath": "$.most"}, "field MaxItems must be positive"),
        ("twice.csv", {}, "CSV headers cannot contain duplicates."),
    ],
)
def test_a_reader_that_fails_fails_the_map_with_its_own_error(
    tmp_path: Path, key: str, config: dict[str, Any], cause: str
) -> None:
    orders(tmp_path, 3)
    (tmp_path / "orders" / "twice.csv").write_text("a,a\n1,2\n")
    reader = {**READ_CSV, "ReaderConfig": {**READ_CSV["ReaderConfig"], **config}}
    caught: dict[str, Any] = {"Catch": [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "C", "ResultPath": "$.e"}]}
    definition = distributed(ItemReader=reader, **caught)
    definition["States"]["C"] = {"Type": "Succeed"}
    outcome = simulate(definition, {"key": key, "most": -1}, handlers={"work": Most()}, buckets=tmp_path)
    assert outcome.status == "SUCCEEDED"
    assert cause in outcome.output["e"]["Cause"]


def test_a_most_of_no_items_reads_all_of_them(tmp_path: Path) -> None:
    reader = {**READ_CSV, "ReaderConfig": {**READ_CSV["ReaderConfig"], "MaxItemsPath": "$.most"}}
    handler = Most()
    outcome = simulate(distributed(ItemReader=reader), {"key": "all.csv", "most": 0}, handlers={"work": handler},
                       buckets=orders(tmp_path, 7))  # fmt: skip
    assert (outcome.status, len(handler.calls)) == ("SUCCEEDED", 7)


def test_a_file_that_changes_while_it_is_mapped_is_not_mixed(tmp_path: Path) -> None:
    orders(tmp_path, 2500)

    def change(row: dict[str, str]) -> Json:
        if row["id"] == "5":
            (tmp_path / "orders" / "all.csv").write_text("id,amount\n" + "x,1\n" * 3000)
        return row["id"]

    outcome = simulate(distributed(ItemReader=READ_CSV, MaxConcurrency=5), {"key": "all.csv"},
                       handlers={"work": change}, buckets=tmp_path)  # fmt: skip
    assert (outcome.status, outcome.error) == ("FAILED", "States.ItemReaderFailed")


def test_express_children_keep_no_history() -> None:
    sim = simulation(distributed(type="EXPRESS"), Most())
    assert sim.run([1]).output == [{"did": 1}]
    (run,) = asked(sim.store).map_runs()
    (child,) = asked(sim.store).run_results(run.id, -1, 9)
    assert child.type == "EXPRESS"
    assert asked(sim.store).history(child.id) == []


def test_stopping_the_parent_stops_the_children_and_ends_the_run() -> None:
    sim = simulation(distributed({"Type": "Wait", "Seconds": 60, "End": True}, MaxConcurrency=2), Most())
    execution = sim.run_now([1, 2, 3])
    sim.engine.stop(execution)
    (run,) = asked(sim.store).map_runs()
    children = asked(sim.store).run_results(run.id, -1, 9)
    assert run.status is Status.ABORTED
    assert [child.status for child in children] == [Status.ABORTED] * 3
    assert [bool(child.events) for child in children] == [True, True, False]
    for child in children:
        assert asked(sim.store).open_frames(child.id) == []
        assert asked(sim.store).timers_of(child.id) == []
    assert "MapRunAborted" in [event.type for event in asked(sim.store).history(execution.id)]


def test_a_redrive_runs_the_children_again_that_did_not_succeed() -> None:
    handler = Most(2, 4)
    sim = simulation(distributed(MaxConcurrency=1), handler)
    assert sim.run(list(range(6))).status == "FAILED"
    assert handler.calls == [0, 1, 2]
    handler.bad = ()
    execution = asked(sim.store).latest()
    assert execution is not None
    (root,) = [e for e in asked(sim.store).list_executions(ExecutionFilter()) if e.workflow == "order"]
    again = sim.engine.redrive(root)
    assert ("W", ("M[2]",)) in [(a.state, a.where) for a in again]
    outcome = sim.resume(root)
    assert outcome.output == [{"did": n} for n in range(6)]
    assert handler.calls == [0, 1, 2, 2, 3, 4, 5]
    assert "MapRunRedriven" in types(outcome)
    (run,) = asked(sim.store).map_runs()
    assert (run.status, run.redrives, run.join.succeeded, run.join.failed) == (Status.SUCCEEDED, 1, 6, 0)
    assert [e["id"] for e in outcome.history] == list(range(1, len(outcome.history) + 1))


def test_a_distributed_map_inside_another_one() -> None:
    inner = distributed(WORK, ItemsPath="$.rows")["States"]["M"]
    sim = simulation(distributed(inner, name="I"), Most())
    outcome = sim.run([{"rows": [1, 2]}, {"rows": []}, {"rows": [3]}])
    assert outcome.output == [[{"did": 1}, {"did": 2}], [], [{"did": 3}]]
    assert sorted(run.workflow for run in asked(sim.store).map_runs()) == [
        "order/M",
        "order/M/I",
        "order/M/I",
        "order/M/I",
    ]


def calm(tmp_path: Path, name: str) -> tuple[dict[str, Any], Path]:
    folder = tmp_path / name
    folder.mkdir()
    batches = distributed(
        {"Type": "Pass", "Parameters": {"ids.$": "$.Items[*].id"}, "Next": "W2"}, ItemReader=READ_CSV,
        ItemBatcher={"MaxItemsPerBatch": 2}, MaxConcurrency=2, ToleratedFailureCount=2,
    )  # fmt: skip
    batches["States"]["M"]["ItemProcessor"]["States"]["W2"] = {
        **WORK, "Retry": [{"ErrorEquals": ["Boom"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    }  # fmt: skip
    return batches, orders(folder, 7)


class Boom(Exception):
    pass


def shaky(input: Any, context: Any) -> Any:
    if "2" in input["ids"] or (context.attempt == 1 and "4" in input["ids"]):
        raise Boom(input["ids"][0])
    return input["ids"]


@pytest.mark.parametrize("after", [False, True])
def test_a_process_may_die_at_any_commit_of_a_map_run(tmp_path: Path, after: bool) -> None:
    definition, buckets = calm(tmp_path, "data")
    expected = simulation(definition, shaky, buckets=buckets).run({"key": "all.csv"})
    assert expected.output == [["0", "1"], ["4", "5"], ["6"]]
    commit = 0
    while True:
        commit += 1
        path = tmp_path / f"{commit}-{after}.db"
        store = open_store(str(path), create=True)
        doomed = simulation(definition, shaky, crash_points(store).at(commit, after=after), buckets=buckets)
        try:
            assert doomed.run({"key": "all.csv"}).output == expected.output
            break
        except Crash:
            store.close()
        with closing(open_store(str(path))) as store:
            left = asked(store).latest()
            if left is not None:
                (root,) = asked(store).list_executions(ExecutionFilter())
                survivor = simulation(definition, shaky, store, buckets=buckets)
                survivor.clock.refs = 1000  # the names that the dead process gave are taken
                outcome = survivor.resume(root)
                assert (outcome.status, outcome.output) == ("SUCCEEDED", expected.output)
                (run,) = asked(store).map_runs()
                assert [e for e in asked(store).run_results(run.id, -1, 99) if e.closed is None] == []
                assert [event["type"] for event in outcome.history] == types(expected)
    assert commit > 6


def test_a_child_of_a_map_run_is_redriven_only_with_its_map() -> None:
    handler = Most(2)
    sim = simulation(distributed(MaxConcurrency=1, ToleratedFailureCount=1), handler)
    sim.run([1, 2, 3])
    (run,) = asked(sim.store).map_runs()
    (failed,) = [e for e in asked(sim.store).run_results(run.id, -1, 9) if e.status is Status.FAILED]
    with pytest.raises(Conflict, match="belongs to a map run"):
        sim.engine.redrive(failed)
    assert asked(sim.store).map_runs()[0].join == run.join


def test_a_child_that_waits_for_its_turn_can_be_asked_about_but_not_stopped() -> None:
    sim = simulation(distributed({"Type": "Wait", "Seconds": 60, "End": True}, MaxConcurrency=1), Most())
    execution = sim.run_now([1, 2])
    (run,) = asked(sim.store).map_runs()
    second = asked(sim.store).run_results(run.id, 0, 1)[0]
    assert second.status is Status.PENDING
    (reason,) = why(sim.engine, second, time_text=str)
    assert reason.text.startswith("It waits for its turn")
    assert reason.action == Action(Do.SHOW_REASONS, (execution.ref,))
    with pytest.raises(Conflict, match="has not begun"):
        sim.engine.stop(second)


def test_a_map_that_waits_for_its_results_to_be_written_says_so(tmp_path: Path) -> None:
    sim = simulation(distributed(ResultWriter=WRITE), Most(), buckets=tmp_path)
    execution, _, jobs = sim.engine.start(sim.workflow, [1], taker=sim.taker())
    sim.todo.extend(jobs)
    (going,) = [r for r in why(sim.engine, execution, time_text=str) if r.kind == "children"]
    assert going.text == "M waits for its 1 item: 0 ended, 1 under way."
    while not asked(sim.store).map_runs()[0].join.settled_items:
        sim.move()
    (reason,) = [r for r in why(sim.engine, execution, time_text=str) if r.kind == "children"]
    assert reason.text == "M waits for its results to be written."
    while sim.move():
        pass
    assert asked(sim.store).map_runs()[0].status is Status.SUCCEEDED


def bad(input: Json) -> Json:
    raise ValueError(input)


WAIT = {"Type": "Wait", "Seconds": 5, "End": True}
NEST = {
    "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True,
    "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:child", "Input.$": "$"},
}  # fmt: skip
MESSAGE = {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$", "TimeoutSeconds": 30, "End": True}
TOKEN = {
    "Type": "Task", "Resource": "work.waitForTaskToken", "TimeoutSeconds": 30, "End": True,
    "Parameters": {"token.$": "$$.Task.Token"},
}  # fmt: skip
CHILD = {"StartAt": "Pause", "States": {"Pause": WAIT}}
PORTIONS: dict[str, dict[str, Any]] = {
    "that wait": distributed(WAIT, MaxConcurrency=2),
    "that fail": distributed(WORK, ToleratedFailureCount=1),
    "that wait for messages": distributed(MESSAGE),
    "that wait for callbacks": distributed(TOKEN),
    "with nested executions": distributed(NEST, MaxConcurrency=2),
    "whose results are written": distributed(WAIT, ResultWriter=WRITE),
    "in another one": distributed(distributed(WAIT, ItemsPath="$.rows")["States"]["M"], name="I", ItemSelector={
        "rows": [1, 2]
    }),
}  # fmt: skip


def all_of_it(sim: Simulation) -> list[Any]:
    """Whatever is open: of the executions at the top and of every child of a run."""
    everything = asked(sim.store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    for run in asked(sim.store).map_runs(limit=1000):
        everything += asked(sim.store).run_results(run.id, -1, 1000)
    store, open = sim.store, [e for e in everything if e.closed is None]
    left = [
        [*asked(store).jobs_of(e.id), *asked(store).timers_of(e.id), *asked(store).subscriptions_of(e.id)]
        for e in everything
    ]
    frames = [frame for e in everything for frame in asked(store).open_frames(e.id)]
    return [*open, *frames, *(each for some in left for each in some)]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a Parallel"])
@pytest.mark.parametrize("kind", PORTIONS)
def test_nothing_is_left_over_of_a_map_run_whenever_it_is_stopped(tmp_path: Path, kind: str, inside: bool) -> None:
    definition = PORTIONS[kind]
    if inside:
        branches = [definition, {"StartAt": "Other", "States": {"Other": WAIT}}]
        definition = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
    moves = 0
    while True:
        sim = simulation(definition, bad, buckets=tmp_path, workflows={"child": CHILD})
        execution, _, jobs = sim.engine.start(sim.workflow, [1, 2, 3], taker=sim.taker())
        sim.todo.extend(jobs)
        for _ in range(moves):
            sim.move()
        found = asked(sim.store).execution(execution.id)
        assert found is not None
        if found.closed is None:
            sim.engine.stop(found)
        assert all_of_it(sim) == []
        assert {run.status for run in asked(sim.store).map_runs()} <= {Status.ABORTED, Status.FAILED, Status.SUCCEEDED}
        if found.closed is not None:
            assert moves > 0
            break
        moves += 1


@pytest.mark.parametrize("seconds", [1, 6, 31])
@pytest.mark.parametrize("kind", PORTIONS)
def test_nothing_is_left_over_when_the_execution_times_out(tmp_path: Path, kind: str, seconds: int) -> None:
    definition = {**PORTIONS[kind], "TimeoutSeconds": seconds}
    sim = simulation(definition, bad, buckets=tmp_path, workflows={"child": CHILD})
    sim.run([1, 2, 3])
    assert all_of_it(sim) == []


def test_five_thousand_items_one_at_a_time() -> None:
    outcome = simulate(distributed({"Type": "Pass", "End": True}, MaxConcurrency=1), list(range(5000)))
    assert outcome.output == list(range(5000))


@pytest.mark.parametrize("more", [{}, {"ItemBatcher": {"MaxItemsPerBatch": 2}}])
def test_a_map_of_nothing_has_a_run_and_an_empty_result(more: dict[str, Any]) -> None:
    sim = simulation(distributed(**more), Most())
    assert sim.run([]).output == []
    assert asked(sim.store).map_runs()[0].status is Status.SUCCEEDED


def test_all_items_may_fail_where_all_failures_are_tolerated() -> None:
    assert simulation(distributed(ToleratedFailurePercentage=100), bad).run([1, 2, 3]).output == []


def test_one_item_may_be_as_large_as_it_is() -> None:
    large = "x" * 10_000_000
    assert simulate(distributed({"Type": "Pass", "End": True}), [large]).output == [large]


LIST = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "orders"}}


@pytest.mark.parametrize(("reader", "expected"), [
    ({}, "STATE_DATA"), ({"ItemReader": READ_CSV}, "S3://orders/all.csv"), ({"ItemReader": LIST}, "S3://orders"),
])  # fmt: skip
def test_an_item_knows_its_place_and_where_it_was_read(tmp_path: Path, reader: Any, expected: str) -> None:
    selector = {"at.$": "$$.Map.Item.Index", "from.$": "$$.Map.Item.Source"}
    path = {} if reader else {"ItemsPath": "$.items"}
    definition = distributed({"Type": "Pass", "End": True}, ItemSelector=selector, **reader, **path)
    sim = simulation(definition, None, buckets=orders(tmp_path, 1))
    assert sim.run({"key": "all.csv", "items": [7]}).output == [{"at": 0, "from": expected}]


def test_writing_results_holds_few_of_them_at_a_time(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "sm.db"), create=True)
    definition = distributed({"Type": "Pass", "Result": "x" * 100_000, "End": True}, ResultWriter=WRITE)
    sim = simulation(definition, None, store, buckets=tmp_path)
    assert sim.run(list(range(400))).status == "SUCCEEDED"
    store.close()
    store = open_store(str(tmp_path / "sm.db"))
    (run,) = asked(store).map_runs()
    tracemalloc.start()
    try:
        assert sum(1 for _ in MapItemJobs(store, tmp_path).results(run, "arn:aws:states:r:a:mapRun:x")) == 400
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000  # of 40
