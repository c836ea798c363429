"""Map, distributed: portions, batches, the jobs that read and write, and how a map run ends."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.model import Program
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import Child, Close, EndRun, RunTask, Spawn, StartRun, StartTimer, TimerKind
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import (
    BackoffElapsed,
    Entered,
    ItemsWanted,
    Joined,
    JoinFailed,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import FrameStatus, Join, Opens
from sm_cli.interpreter.states.distributed_map import IN_FLIGHT, PORTION, READ, WRITE
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import APART, details, enter, env, failure, follow, frame, program, types

JSONATA = {"QueryLanguage": "JSONata"}
PROCESSOR = "/States/S/ItemProcessor"
READER: dict[str, Any] = {
    "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    "Parameters": {"Bucket": "b", "Key.$": "$.key"},
}  # fmt: skip
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out", "Prefix.$": "$.key"}}
#: A processor that may read its item in the context object.
READS = {**APART, "States": {"In": {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item"}, "End": True}}}
INPUT: Json = {"key": "k.csv", "n": 2, "items": ["x", "y"]}
BOOM = "The specified tolerated failure threshold was exceeded"


def mapped(**fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": APART, "End": True, "Label": "L", **fields}


def numbers(count: int) -> list[Json]:
    return list(range(count))


def spawned(step: Step) -> list[Child]:
    (spawn,) = [command for command in step.commands if isinstance(command, Spawn)]
    return spawn.children


def asked(step: Step) -> RunTask:
    (job,) = [command for command in step.commands if isinstance(command, RunTask)]
    return job


def at_work(step: Step, **counts: Any) -> Step:
    """The step's frame as it is after children were made, started and closed."""
    assert step.frame.join is not None
    frame = step.frame.copy()
    frame.join = step.frame.join._replace(**counts)
    return Step(frame, step.events)


# -- the beginning ---------------------------------------------------------------------------------------


def test_a_map_run_begins_with_its_id_its_counts_and_a_child_for_each_item() -> None:
    _, step = enter(mapped(ItemsPath="$.items", MaxConcurrency=5), INPUT)
    join = Join(2, 5, 0, activation=1)
    assert step.commands == [
        StartRun("REF-1-1", "S", "L", "STANDARD", join),
        Spawn([Child(PROCESSOR, 0, "x"), Child(PROCESSOR, 1, "y")]),
    ]  # fmt: skip
    assert (step.frame.status, step.frame.opens, step.frame.join) == (FrameStatus.BLOCKED, Opens.EXECUTIONS, join)
    assert types(step) == ["MapStateEntered", "MapStateStarted", "MapRunStarted"]
    assert details(step, "MapStateStarted") == {"length": 2}
    assert details(step, "MapRunStarted") == {
        "mapRunArn": "arn:aws:states:us-east-1:111111111111:mapRun:workflow/L:REF-1-1"
    }


@pytest.mark.parametrize(
    ("fields", "limit"),
    [({}, IN_FLIGHT), ({"MaxConcurrency": 0}, IN_FLIGHT), ({"MaxConcurrency": 3}, 3),
     ({"MaxConcurrency": 20_000}, IN_FLIGHT), ({"MaxConcurrencyPath": "$.n"}, 2)],
)  # fmt: skip
def test_no_more_children_run_at_once_than_aws_lets(fields: dict[str, Any], limit: int) -> None:
    join = enter(mapped(ItemsPath="$.items", **fields), INPUT)[1].frame.join
    assert join is not None and join.limit == limit


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_the_children_s_type_and_the_label_come_from_the_definition(kind: str) -> None:
    processor = {**APART, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    state = mapped(ItemProcessor=processor, ItemsPath="$.items")
    del state["Label"]
    start = enter(state, INPUT)[1].commands[0]
    assert isinstance(start, StartRun)
    assert (start.type, start.label) == (kind, "S")


def test_a_run_over_no_items_is_over_at_once() -> None:
    _, step = enter(mapped(), [])
    start, end, close = step.commands
    assert isinstance(start, StartRun)
    assert end == EndRun(True, Join(0, IN_FLIGHT, 0, activation=1))
    assert isinstance(close, Close) and close.output == []
    assert types(step)[2:] == ["MapRunStarted", "MapRunSucceeded", "MapStateSucceeded", "MapStateExited"]


def test_children_that_may_ask_for_their_item_are_told_its_source() -> None:
    _, step = enter(mapped(ItemProcessor=READS), ["x"])
    assert spawned(step) == [Child(PROCESSOR, 0, "x", {"Index": 0, "Value": "x", "Source": "STATE_DATA"})]


# -- portions --------------------------------------------------------------------------------------------


def test_items_are_taken_a_portion_at_a_time_and_numbered_on() -> None:
    compiled, step = enter(mapped(), numbers(PORTION + 3))
    assert len(spawned(step)) == PORTION
    step = at_work(step, made_children=PORTION, read_items=PORTION)
    step = follow(compiled, step, ItemsWanted(step.frame.seq))
    assert spawned(step) == [Child(PROCESSOR, PORTION + i, PORTION + i) for i in range(3)]
    assert (step.frame.status, step.frame.opens, types(step)) == (FrameStatus.BLOCKED, Opens.EXECUTIONS, [])


@pytest.mark.parametrize(("most", "taken"), [(10, PORTION), (PORTION + 7, PORTION + 7)])
def test_a_portion_holds_a_whole_batch(most: int, taken: int) -> None:
    _, step = enter(mapped(ItemBatcher={"MaxItemsPerBatch": most}), numbers(2 * PORTION))
    assert sum(child.items for child in spawned(step)) == taken


# -- batches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batcher", "items", "batches"),
    [
        ({"MaxItemsPerBatch": 2}, [1, 2, 3, 4, 5], [[1, 2], [3, 4], [5]]),
        ({"MaxItemsPerBatch": 9}, [1, 2], [[1, 2]]),
        ({"MaxItemsPerBatch": 1}, [1, 2], [[1], [2]]),
        # {"Items":[…]} is 12 bytes without items; each digit and its comma are 2.
        ({"MaxInputBytesPerBatch": 15}, [1, 2, 3], [[1, 2], [3]]),
        ({"MaxInputBytesPerBatch": 17}, [1, 2, 3], [[1, 2, 3]]),
        ({"MaxInputBytesPerBatch": 14}, [1, 2, 3], [[1], [2], [3]]),
        ({"MaxInputBytesPerBatch": 1}, ["much too long", 2], [["much too long"], [2]]),
        ({"MaxItemsPerBatch": 1, "MaxInputBytesPerBatch": 100}, [1, 2], [[1], [2]]),
        ({"MaxInputBytesPerBatch": 17}, ["é", "é"], [["é"], ["é"]]),
    ],
)
def test_items_are_put_together_up_to_a_number_and_a_size(
    batcher: dict[str, Json], items: list[Json], batches: list[list[Json]]
) -> None:
    made = spawned(enter(mapped(ItemBatcher=batcher), items)[1])
    assert [child.input for child in made] == [{"Items": batch} for batch in batches]
    assert [child.items for child in made] == [len(batch) for batch in batches]
    assert [child.index for child in made] == list(range(len(batches)))


def test_the_batch_input_goes_to_every_child_beside_its_items() -> None:
    batcher = {"MaxItemsPerBatchPath": "$.n", "BatchInput": {"key.$": "$.key"}}
    made = spawned(enter(mapped(ItemsPath="$.items", ItemBatcher=batcher), INPUT)[1])
    assert [child.input for child in made] == [{"BatchInput": {"key": "k.csv"}, "Items": ["x", "y"]}]


def test_a_selector_makes_the_items_that_are_put_together() -> None:
    selector = {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"}
    state = mapped(ItemsPath="$.items", ItemSelector=selector, ItemBatcher={"MaxItemsPerBatch": 5})
    (child,) = spawned(enter(state, INPUT)[1])
    assert child.input == {"Items": [{"v": "x", "i": 0}, {"v": "y", "i": 1}]}


def test_a_batch_that_may_still_grow_is_left_to_the_next_portion() -> None:
    compiled, step = enter(mapped(ItemBatcher={"MaxItemsPerBatch": 300}), numbers(1400))
    assert [child.items for child in spawned(step)] == [300, 300, 300]
    step = at_work(step, made_children=3, read_items=900)
    step = follow(compiled, step, ItemsWanted(step.frame.seq))
    assert [(child.index, child.items) for child in spawned(step)] == [(3, 300), (4, 200)]
    assert spawned(step)[0].input == {"Items": numbers(1200)[900:]}


@pytest.mark.parametrize(
    ("batcher", "error", "says"),
    [
        ({"MaxItemsPerBatchPath": "$.minus"}, "States.Runtime", "MaxItemsPerBatch cannot be negative."),
        ({"MaxInputBytesPerBatchPath": "$.minus"}, "States.Runtime", "MaxInputBytesPerBatch cannot be negative."),
        ({"MaxItemsPerBatchPath": "$.none"}, "States.Runtime", "Invalid path '$.none'"),
        ({"MaxItemsPerBatch": 1, "BatchInput": {"x.$": "$.none"}}, "States.Runtime", "'$.none'"),
    ],
)
def test_a_batch_that_cannot_be_made_fails_the_state_before_a_run_begins(
    batcher: dict[str, Json], error: str, says: str
) -> None:
    _, step = enter(mapped(ItemsPath="$.items", ItemBatcher=batcher), {"items": [1], "minus": -1})
    found, cause = failure(step)
    assert found == error
    assert cause is not None and says in cause
    assert types(step) == ["MapStateEntered", "MapStateStarted"]


# -- items that a job reads ------------------------------------------------------------------------------


def reading(**fields: Any) -> tuple[Program, Step]:
    return enter(mapped(ItemReader=READER, **fields), INPUT)


def test_a_reader_s_job_is_told_where_from_and_which_portion() -> None:
    _, step = reading()
    assert asked(step) == RunTask(READ, {
        "resource": "s3:getObject", "arguments": {"Bucket": "b", "Key": "k.csv"},
        "config": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "mark": None, "start": 0, "limit": PORTION,
    }, 1, None, None)  # fmt: skip
    assert details(step, "MapStateStarted") == {}, "how many there are is not known yet"
    assert (step.frame.status, step.frame.opens) == (FrameStatus.BLOCKED, Opens.EXECUTIONS)


@pytest.mark.parametrize(
    ("config", "most"), [({"MaxItems": 9}, 9), ({"MaxItemsPath": "$.n"}, 2), ({"MaxItems": 9, "InputType": "JSON"}, 9)]
)
def test_the_most_items_that_are_read_are_a_number_for_the_job(config: dict[str, Json], most: int) -> None:
    _, step = enter(mapped(ItemReader={**READER, "ReaderConfig": config}), INPUT)
    request: Any = asked(step).input
    assert request["config"]["MaxItems"] == most
    assert "MaxItemsPath" not in request["config"]


@pytest.mark.parametrize(
    "batcher",
    [
        {"MaxItemsPerBatch": 0},
        {"MaxItemsPerBatchPath": "$.zero"},
        {"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 0},
        {"MaxInputBytesPerBatchPath": "$.zero"},
    ],
)
def test_batches_that_nothing_limits_are_as_large_as_an_input_can_be(batcher: dict[str, Json]) -> None:
    items: list[Json] = ["x" * 100_000] * 5
    _, step = enter(mapped(ItemsPath="$.items", ItemBatcher=batcher), {"items": items, "zero": 0})
    assert [child.items for child in spawned(step)] == [2, 2, 1]


def test_of_two_limits_the_one_that_is_zero_means_nothing() -> None:
    _, step = enter(mapped(ItemBatcher={"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 19}), numbers(9))
    assert [child.items for child in spawned(step)] == [4, 4, 1]
    _, step = enter(mapped(ItemBatcher={"MaxItemsPerBatch": 3, "MaxInputBytesPerBatch": 0}), numbers(9))
    assert [child.items for child in spawned(step)] == [3, 3, 3]


def test_a_negative_number_of_items_fails_the_state() -> None:
    state = mapped(ItemReader={**READER, "ReaderConfig": {"MaxItemsPath": "$.most"}})
    _, step = enter(state, {"key": "k", "most": -3})
    assert failure(step) == ("States.ItemReaderFailed", "field MaxItems must be positive")


@pytest.mark.parametrize("config", [{"MaxItems": 0}, {"MaxItemsPath": "$.most"}, {"MaxItemsPath": "$.text"}])
def test_no_most_items_means_all_of_them(config: dict[str, Json]) -> None:
    state = mapped(ItemReader={**READER, "ReaderConfig": config})
    _, step = enter(state, {"key": "k", "most": 0, "text": "0"})
    request: Any = asked(step).input
    assert request["config"] == {}


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (
            {"ItemReader": {"Resource": READER["Resource"], "ReaderConfig": {"MaxItems": "{% $states.input.n %}"}}},
            "MaxItems",
        ),
        ({"ItemBatcher": {"MaxItemsPerBatch": "{% $states.input.n %}"}}, "MaxItemsPerBatch"),
    ],
)
def test_a_negative_number_that_an_expression_gives_is_the_expression_s_fault(
    part: dict[str, Json], field: str
) -> None:
    state = mapped(QueryLanguage="JSONata", Items=[1], **part)
    _, step = enter(state, {"n": -1})
    error, cause = failure(step)
    assert (error, f"The {field} field must not be negative but was: -1" in str(cause)) == (
        "States.QueryEvaluationError",
        True,
    )


def test_a_reader_without_arguments_gives_none() -> None:
    request: Any = asked(enter(mapped(ItemReader={"Resource": READER["Resource"]}), INPUT)[1]).input
    assert (request["arguments"], request["config"]) == ({}, {})


def test_the_first_portion_tells_how_many_there_are_and_the_next_is_asked_for_with_its_mark() -> None:
    compiled, step = reading(ToleratedFailurePercentage=10)
    answer: Json = {"total": 30, "mark": "m1", "items": [{"a": "1"}, {"a": "2"}]}
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, answer))
    assert step.frame.join == Join(30, IN_FLIGHT, 3, activation=1, mark="m1")
    assert [child.input for child in spawned(step)] == [{"a": "1"}, {"a": "2"}]
    step = at_work(step, made_children=2, read_items=2)
    step = follow(compiled, step, ItemsWanted(step.frame.seq))
    request: Any = asked(step).input
    assert (request["mark"], request["start"]) == ("m1", 2)
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"items": [{"a": "3"}]}))
    assert spawned(step) == [Child(PROCESSOR, 2, {"a": "3"})]


def test_a_data_set_of_nothing_ends_the_run() -> None:
    compiled, step = reading()
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"total": 0, "mark": "m", "items": []}))
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, [])


def test_more_items_than_there_were_at_first_are_not_taken() -> None:
    compiled, step = reading()
    answer: Json = {"total": 1, "mark": "m", "items": [1, 2, 3]}
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, answer))
    assert [child.input for child in spawned(step)] == [1]


def test_a_data_set_that_became_shorter_fails_the_run() -> None:
    compiled, step = reading()
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"total": 9, "mark": "m", "items": [1]}))
    step = at_work(step, made_children=1, read_items=1)
    step = follow(compiled, step, ItemsWanted(step.frame.seq))
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"items": []}))
    cause = "The data set has fewer items than it had at first."
    assert failure(step) == ("States.ItemReaderFailed", cause)
    assert types(step) == ["MapRunFailed", "MapStateFailed"]
    assert isinstance(step.commands[0], EndRun) and not step.commands[0].succeeded


def test_members_of_an_object_that_is_read_have_keys() -> None:
    compiled, step = reading(ItemSelector={"k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value"})
    answer: Json = {"total": 1, "mark": "m", "keyed": True, "items": [{"Key": "a", "Value": 1}]}
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, answer))
    assert [child.input for child in spawned(step)] == [{"k": "a", "v": 1}]


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        ({"Bucket": "b", "Key": "deep/k.csv"}, "S3://b/deep/k.csv"),
        ({"Bucket": "b", "Prefix": "deep"}, "S3://b"),
        ({"Bucket": "b"}, "S3://b"),
    ],
)
def test_an_item_that_was_read_knows_where_it_comes_from(arguments: dict[str, Json], source: str) -> None:
    state = mapped(ItemReader={**READER, "Parameters": arguments}, ItemProcessor=READS)
    compiled, step = enter(state, INPUT)
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"total": 1, "mark": "m", "items": [5]}))
    assert spawned(step)[0].item == {"Index": 0, "Value": 5, "Source": source}


def test_items_that_cannot_be_read_fail_the_run_and_a_retry_begins_another() -> None:
    retry = [{"ErrorEquals": ["States.ItemReaderFailed"], "IntervalSeconds": 2, "MaxAttempts": 1}]
    compiled, step = reading(Retry=retry)
    step = follow(compiled, step, TaskFailed(step.frame.seq, "States.ItemReaderFailed", "no such file"))
    assert step.commands == [
        EndRun(False, Join(0, IN_FLIGHT, 0, activation=1)), StartTimer(TimerKind.BACKOFF, 2_000_000),
    ]  # fmt: skip
    assert types(step) == ["MapRunFailed"]
    assert step.frame.opens is Opens.NOTHING
    step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    start = step.commands[0]
    assert isinstance(start, StartRun) and start.ref == "REF-1-3", "another map run, with an id of its own"
    step = follow(compiled, step, TaskFailed(step.frame.seq, "States.ItemReaderFailed", "no such file"))
    assert failure(step) == ("States.ItemReaderFailed", "no such file")


# -- the end ---------------------------------------------------------------------------------------------


def test_the_outputs_are_the_result() -> None:
    compiled, step = enter(mapped(ItemsPath="$.items", ResultPath="$.out"), INPUT)
    step = at_work(step, made_children=2, read_items=2, started=2, succeeded=2, settled_items=2)
    step = follow(compiled, step, Joined(step.frame.seq, ["X", "Y"], 0))
    assert step.frame.output == {"key": "k.csv", "n": 2, "items": ["x", "y"], "out": ["X", "Y"]}
    assert types(step) == ["MapRunSucceeded", "MapStateSucceeded", "MapStateExited"]
    end = step.commands[0]
    assert isinstance(end, EndRun) and end.succeeded and end.join.succeeded == 2


def test_a_failed_join_is_a_threshold_that_was_exceeded() -> None:
    catch = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "Z"}]
    compiled, step = enter(mapped(ItemsPath="$.items", Catch=catch), INPUT)
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 0))
    assert step.frame.output == {"Error": "States.ExceedToleratedFailureThreshold", "Cause": BOOM}
    assert types(step)[:2] == ["MapRunFailed", "MapStateFailed"]


def writing() -> tuple[Program, Step]:
    compiled, step = enter(mapped(ItemsPath="$.items", ResultWriter=WRITER), INPUT)
    return compiled, at_work(step, made_children=2, read_items=2, started=2, succeeded=2, settled_items=2)


def test_results_are_written_by_a_job_before_the_run_ends() -> None:
    compiled, step = writing()
    step = follow(compiled, step, Joined(step.frame.seq, ["X", "Y"], 0))
    assert step.commands == [RunTask(WRITE, {
        "resource": "s3:putObject", "arguments": {"Bucket": "out", "Prefix": "k.csv"}, "config": {}, "run": "REF-1-1",
        "arn": "arn:aws:states:us-east-1:111111111111:mapRun:workflow/L:REF-1-1",
    }, 1, None, None)]  # fmt: skip
    assert (step.frame.status, step.frame.opens, types(step)) == (FrameStatus.BLOCKED, Opens.EXECUTIONS, [])
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"written": {"ResultWriterDetails": {"Key": "m"}}}))
    assert (step.frame.status, step.frame.output) == (
        FrameStatus.SUCCEEDED, {"ResultWriterDetails": {"Key": "m"}},
    )  # fmt: skip


def test_results_of_a_run_that_failed_are_written_too_and_then_it_fails() -> None:
    compiled, step = writing()
    step = at_work(step, succeeded=1, failed=1, failed_items=1)
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", None, 0))
    assert asked(step).handler == WRITE
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {"written": {"ResultWriterDetails": {}}}))
    assert failure(step) == ("States.ExceedToleratedFailureThreshold", BOOM)


def test_a_writer_without_a_resource_is_a_job_of_its_configuration() -> None:
    writer = {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"}}
    compiled, step = enter(mapped(ItemsPath="$.items", ResultWriter=writer), INPUT)
    step = follow(compiled, step, Joined(step.frame.seq, [1, 2], 0))
    request: Any = asked(step).input
    assert (request["resource"], request["arguments"], request["config"]) == (None, {}, writer["WriterConfig"])


def test_results_that_cannot_be_written_fail_the_run() -> None:
    compiled, step = writing()
    step = follow(compiled, step, Joined(step.frame.seq, ["X", "Y"], 0))
    step = follow(compiled, step, TaskFailed(step.frame.seq, "States.ResultWriterFailed", "no such bucket"))
    assert failure(step) == ("States.ResultWriterFailed", "no such bucket")
    assert types(step) == ["MapRunFailed", "MapStateFailed"]


# -- a state that is tested alone ------------------------------------------------------------------------


def test_a_probe_s_items_stand_for_what_would_be_read_and_nothing_is_written() -> None:
    state = mapped(ItemReader=READER, ResultWriter=WRITER, ItemBatcher={"MaxItemsPerBatch": 1}, ItemProcessor=READS)
    compiled, probe = program(state), Probe(items=["p", "q"])
    step = advance(compiled, frame(INPUT), Entered(0), env(probe=probe))
    assert [child.input for child in spawned(step)] == [{"Items": ["p"]}, {"Items": ["q"]}]
    assert probe.stages["afterItemBatcher"] == [{"Items": ["p"]}, {"Items": ["q"]}]
    for event in (Joined(1, [1, 2], 0), JoinFailed(1, "E", None, 0)):
        ended = advance(compiled, step.frame, event, env(events=step.events, probe=probe))
        assert ended.frame.status.closed
        assert not [command for command in ended.commands if isinstance(command, RunTask)]


def test_a_probe_s_items_are_not_from_a_bucket() -> None:
    state = mapped(ItemReader=READER, ItemProcessor=READS)
    step = advance(program(state), frame(INPUT), Entered(0), env(probe=Probe(items=["p"])))
    assert spawned(step)[0].item == {"Index": 0, "Value": "p", "Source": "STATE_DATA"}
