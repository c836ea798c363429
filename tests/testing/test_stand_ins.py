"""What stands in for the world around a workflow: callbacks, successive answers, other workflows, buckets."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import HandlerLoadError, StillRunning, TaskError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate, sleep

APPROVE: dict[str, Any] = {
    "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 3600,
    "Parameters": {"MessageBody": {"token.$": "$$.Task.Token"}}, "End": True,
}  # fmt: skip
ACTIVITY: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:eu-west-1:123456789012:activity:by-hand",
    "End": True,
}
CHECK: dict[str, Any] = {"Type": "Task", "Resource": "check", "End": True}


def one(name: str = "S", **state: Any) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def seconds(history: list[dict[str, Any]]) -> float:
    first, last = (datetime.fromisoformat(history[i]["timestamp"]) for i in (0, -1))
    return (last - first).total_seconds()


# -- callbacks ---------------------------------------------------------------------------------------------------------


def test_a_callback_ends_the_task_that_waits_for_its_token_at_its_time() -> None:
    outcome = simulate(one("Approve", **APPROVE), callbacks=[(90, "Approve", {"approved": True})])
    assert (outcome.status, outcome.output, seconds(outcome.history)) == ("SUCCEEDED", {"approved": True}, 90)


def test_a_callback_may_be_a_failure() -> None:
    failed = TaskError("Rejected", "too dear")
    outcome = simulate(one("Approve", **APPROVE), callbacks=[(5, "Approve", failed)], stub=True)
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "Rejected", "too dear")


def test_a_handler_is_called_first_and_the_callback_comes_even_before_it_has_returned() -> None:
    calls: list[Json] = []

    def send(given: Json) -> None:
        calls.append(given)
        sleep(10)

    outcome = simulate(one("Approve", **APPROVE), handlers={"sqs:sendMessage": send}, callbacks=[(20, "Approve", 1)])
    assert (outcome.output, seconds(outcome.history), len(calls)) == (1, 20, 1)
    early = simulate(one("Approve", **APPROVE), handlers={"sqs:sendMessage": send}, callbacks=[(4, "Approve", 1)])
    assert (early.output, seconds(early.history)) == (1, 4)


def test_a_callback_at_the_deadline_is_in_time_and_one_after_it_is_late() -> None:
    definition = one("Approve", **APPROVE)
    assert simulate(definition, callbacks=[(3600, "Approve", 1)]).output == 1
    late = simulate(definition, callbacks=[(3601, "Approve", 1)])
    assert (late.error, seconds(late.history)) == ("States.Timeout", 3600)
    retried = {**APPROVE, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 1}]}
    between = [(3605, "Approve", "late"), (3700, "Approve", "second")]
    assert simulate(one("Approve", **retried), callbacks=between).output == "second"


def test_each_callback_ends_the_task_that_waits_longest() -> None:
    each: dict[str, Any] = {"Type": "Map", "ItemProcessor": one("Approve", **APPROVE), "End": True}
    outcome = simulate(
        one(**each), [1, 2, 3], callbacks=[(3, "Approve", "c"), (1, "Approve", "a"), (2, "Approve", "b")]
    )
    assert outcome.output == ["a", "b", "c"]


def test_the_task_of_an_activity_and_one_in_another_workflow_are_called_back() -> None:
    assert simulate(one("Work", **ACTIVITY), callbacks=[(7, "Work", "done")]).output == "done"
    start = "arn:aws:states:::states:startExecution.sync:2"
    parent = one(
        "S", Type="Task", Resource=start, Parameters={"StateMachineArn": "child"}, OutputPath="$.Output", End=True
    )
    children = {"child": one("Approve", **APPROVE)}
    assert simulate(parent, workflows=children, callbacks=[(7, "Approve", "yes")]).output == "yes"


def test_a_callback_for_a_state_that_never_waited_is_an_error_with_a_near_name() -> None:
    with pytest.raises(UsageError, match=r"waiting are 'Approve'; did you mean 'Approve'\?"):
        simulate(one("Approve", **APPROVE), callbacks=[(5, "Aprove", 1), (10, "Approve", 1)])


def test_an_output_of_a_callback_that_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the output of callbacks\[0\] is not JSON"):
        simulate(one("Approve", **APPROVE), callbacks=[(5, "Approve", {1})])  # type: ignore[list-item]


def test_a_token_that_nobody_answers_is_waited_for_until_its_timeout() -> None:
    endless = {name: value for name, value in APPROVE.items() if name != "TimeoutSeconds"}
    outcome = simulate(one("Approve", **endless), handlers={"sqs:sendMessage": lambda _: None})
    assert (outcome.status, outcome.output) == ("RUNNING", None)


# -- successive answers ------------------------------------------------------------------------------------------------


def polling(wait: int = 60) -> dict[str, Any]:
    return {
        "StartAt": "Check",
        "States": {
            "Check": {**CHECK, "Next": "Ready?", "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1}]},
            "Ready?": {
                "Type": "Choice", "Default": "Wait",
                "Choices": [{"Variable": "$.ready", "BooleanEquals": True, "Next": "Done"}],
            },
            "Wait": {"Type": "Wait", "Seconds": wait, "Next": "Check"},
            "Done": {"Type": "Succeed"},
        },
    }  # fmt: skip


def without_end(definition: dict[str, Any]) -> dict[str, Any]:
    definition["States"]["Check"].pop("End")
    return definition


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_a_stub_gives_one_answer_after_the_other_and_raises_the_exceptions_among_them(kind: Any) -> None:
    answers = [{"ready": False}, TaskError("Busy"), {"ready": False}, {"ready": True}]
    outcome = simulate(without_end(polling()), stub={"check": kind(answers)})
    assert (outcome.status, outcome.output, seconds(outcome.history)) == ("SUCCEEDED", {"ready": True}, 121)


def test_a_stub_may_be_a_function_or_one_value_for_all() -> None:
    assert simulate(one(**CHECK), 4, stub={"check": lambda n: n + 1}).output == 5
    assert simulate(one(**CHECK), 4, stub={"check": {"n": 1}}).output == {"n": 1}
    assert simulate(one(**CHECK), 4, stub={"check": TaskError("Down", "no")}).error == "Down"
    assert simulate(one(**CHECK), 4, stub={"*": "all"}).output == "all"
    assert simulate(one(**CHECK), 4, stub={"check": "stub"}, handlers={"check": lambda _: "own"}).output == "own"


def test_a_stub_whose_answers_are_used_up_ends_the_simulation_whatever_catches_it() -> None:
    definition = without_end(polling())
    definition["States"]["Check"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
    with pytest.raises(UsageError, match="the stub of 'check' has 2 answers, and 'Check' asks for one more"):
        simulate(definition, stub={"check": [{"ready": False}] * 2})


def test_what_no_stub_answers_is_told() -> None:
    with pytest.raises(HandlerLoadError, match=r"no handler answers 'check', .* near names: 'checks'"):
        simulate(one(**CHECK), stub={"checks": {}})


# -- a loop that has no end --------------------------------------------------------------------------------------------


def test_a_polling_loop_without_an_end_is_ended_with_its_states() -> None:
    with pytest.raises(StillRunning) as ended:
        simulate(without_end(polling()), stub={"check": itertools.repeat({"ready": False})}, max_states=300)
    assert str(ended.value).startswith("the simulation ends after 30")
    assert "s of virtual time, and 'simulated' still runs: it entered 'Check' 10" in str(ended.value)
    assert str(ended.value).endswith("(max_states=300 is its bound)")


def test_a_loop_in_which_no_time_passes_is_ended_too() -> None:
    spin = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": True, "Next": "C"}], "Default": "A"},
            "C": {"Type": "Succeed"},
        },
    }
    with pytest.raises(StillRunning, match="0 s of virtual time"):
        simulate(spin, {}, max_states=2_000)


def test_the_bound_is_a_number_from_one_on_and_what_ends_below_it_is_not_touched() -> None:
    with pytest.raises(UsageError, match="max_states is a number from 1 on, not 0"):
        simulate(one(Type="Succeed"), max_states=0)
    assert simulate(one(Type="Succeed"), max_states=1).status == "SUCCEEDED"


# -- other workflows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["", ".sync", ".sync:2"])
def test_a_handler_answers_in_place_of_another_workflow(pattern: str) -> None:
    given = {"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:child", "Input": {"n": 1}}
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Parameters": given,
    }
    calls: list[Json] = []

    def child(arguments: Json) -> Json:
        calls.append(arguments)
        return {"Output": {"n": 2}}

    outcome = simulate(one(**state, End=True), handlers={"states:startExecution": child})
    assert (outcome.output, calls) == ({"Output": {"n": 2}}, [given])
    there = {"child": one(Type="Pass", Result="the workflow", End=True)}
    assert simulate(one(**state, End=True), workflows=there, stub={"states:startExecution": [7]}).output == 7
    types = [event["type"] for event in outcome.history]
    assert types[2:5] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]


def test_another_workflow_that_waits_for_a_token_is_answered_and_called_back() -> None:
    resource = "arn:aws:states:::states:startExecution.waitForTaskToken"
    given = {"StateMachineArn": "child", "Input": {"token.$": "$$.Task.Token"}}
    definition = one("Child", Type="Task", Resource=resource, Parameters=given, End=True)
    told = simulate(definition, handlers={"states:startExecution": lambda _: {}}, callbacks=[(5, "Child", "done")])
    assert (told.output, seconds(told.history)) == ("done", 5)


@pytest.mark.parametrize("resource", ["states:startExecution.sync", "aws-sdk:sfn:startExecution"])
def test_a_stub_answers_for_workflows_that_are_not_there_and_leaves_the_others(resource: str) -> None:
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": {"StateMachineArn": "child"},
    }
    definition = one(**state, End=True)
    assert simulate(definition, stub=True).output == {}
    assert simulate(definition, stub={"*": "stubbed"}).output == "stubbed"
    there = {"child": one(Type="Pass", Result=1, End=True)}
    assert "ExecutionArn" in simulate(definition, stub=True, workflows=there).output
    assert simulate(definition, handlers={"*": lambda _: 1}).status == "FAILED"


def test_an_action_of_step_functions_is_answered_by_the_handler_of_its_name() -> None:
    given = {"ExecutionArn": "arn:aws:states:us-east-1:111111111111:execution:child:1"}
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
        "Parameters": given,
    }
    answer = {"Status": "SUCCEEDED"}
    outcome = simulate(one(**state, End=True), stub={"aws-sdk:sfn:describeExecution": answer})
    assert outcome.output == answer


# -- buckets -----------------------------------------------------------------------------------------------------------

WRITES: dict[str, Any] = {
    "Type": "Map",
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "orders", "Key": "all.json"},
    },
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}},
    },
    "ResultWriter": {
        "Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "jobs"},
        "WriterConfig": {"OutputType": "JSON", "Transformation": "COMPACT"},
    },
    "End": True,
}  # fmt: skip


def filled(root: Path) -> Path:
    (root / "orders").mkdir(parents=True)
    (root / "orders" / "all.json").write_text('[{"id": 1}, {"id": 2}]')
    return root


def test_what_a_map_writes_is_in_the_outcome_and_not_in_the_buckets(tmp_path: Path) -> None:
    root = filled(tmp_path / "buckets")
    outcome = simulate(one(**WRITES), buckets=root)
    details = outcome.output["ResultWriterDetails"]
    manifest = outcome.written[f"{details['Bucket']}/{details['Key']}"]
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert outcome.written[f"results/{file['Key']}"] == [{"id": 1}, {"id": 2}]
    assert sorted(path.name for path in root.rglob("*")) == ["all.json", "orders"]


def test_json_lines_are_the_list_of_their_values(tmp_path: Path) -> None:
    writer = {**WRITES["ResultWriter"], "WriterConfig": {"OutputType": "JSONL", "Transformation": "COMPACT"}}
    outcome = simulate(one(**{**WRITES, "ResultWriter": writer}), buckets=filled(tmp_path))
    assert [value for key, value in outcome.written.items() if "SUCCEEDED" in key] == [[{"id": 1}, {"id": 2}]]


def test_a_later_state_reads_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    def reads(name: str, resource: str, **more: Any) -> dict[str, Any]:
        inner = {**WRITES["ItemProcessor"], "StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}
        reader = {"Resource": f"arn:aws:states:::s3:{resource}", **more}
        return {"Type": "Map", "ItemReader": reader, "ItemProcessor": inner}

    below = {"Bucket": "results", "Prefix": "jobs/"}
    root = filled(tmp_path)
    (root / "results" / "jobs").mkdir(parents=True)
    (root / "results" / "jobs" / "a.json").write_text("[]")
    first = {name: value for name, value in WRITES.items() if name != "End"}
    of_key = {"Bucket": "results", "Key.$": "States.ArrayGetItem($[?(@.Size == 19)].Key, 0)"}
    read = reads("R", "getObject", Parameters=of_key, ReaderConfig={"InputType": "JSON"})
    states = {
        "Write": {**first, "Next": "List"},
        "List": {**reads("L", "listObjectsV2", Parameters=below), "Next": "Read"},
        "Read": {**read, "End": True},
    }
    definition = {"StartAt": "Write", "States": states}
    outcome = simulate(definition, buckets=root)
    assert outcome.output == [{"id": 1}, {"id": 2}]
