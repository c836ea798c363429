"""EXPRESS state machines that start and ask for others, run within a call: what they start is in the database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.aws.calling import FAIL, PASS, WAIT, ended, machine, refused
from tests.server.serving import Served

START = "arn:aws:states:::states:startExecution"
SDK = "arn:aws:states:::aws-sdk:sfn:"


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow of one task."""
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}
    return {"StartAt": "T", "States": {"T": state}}


def answer_of(aws: Any, definition: dict[str, Any], input: Any = None, name: str = "quick") -> Any:
    arn = machine(aws, name, definition, type="EXPRESS")
    return aws.start_sync_execution(stateMachineArn=arn, input=json.dumps({} if input is None else input))


def test_what_it_starts_is_an_execution_like_all_others(here: Served, aws_here: Any) -> None:
    child = machine(aws_here, "child")
    parameters = {"StateMachineArn": child, "Name": "c1", "Input": {"n.$": "$.n"}}
    answer = answer_of(aws_here, task(START, parameters), {"n": 7})
    assert answer["status"] == "SUCCEEDED", answer
    output = json.loads(answer["output"])
    assert output["ExecutionArn"] == "arn:aws:states:us-east-1:000000000000:execution:child:c1"
    with here.worker():
        end = ended(aws_here, output["ExecutionArn"])
    assert (end["status"], end["input"]) == ("SUCCEEDED", '{"n":7}')
    assert output["StartDate"] == round(end["startDate"].timestamp() * 1000)


def test_the_sdk_integration_starts_describes_and_stops(aws: Any) -> None:
    child = machine(aws, "child", WAIT)
    states = {
        "S": {
            "Type": "Task", "Resource": f"{SDK}startExecution", "Next": "D", "ResultPath": "$.started",
            "Parameters": {"StateMachineArn": child, "Input": {"a": 1}},
        },
        "D": {
            "Type": "Task", "Resource": f"{SDK}describeExecution", "Next": "X", "ResultPath": "$.described",
            "Parameters": {"ExecutionArn.$": "$.started.ExecutionArn"},
        },
        "X": {
            "Type": "Task", "Resource": f"{SDK}stopExecution", "End": True, "ResultPath": None,
            "Parameters": {"ExecutionArn.$": "$.started.ExecutionArn", "Error": "Enough"},
        },
    }  # fmt: skip
    output = json.loads(answer_of(aws, {"StartAt": "S", "States": states})["output"])
    described = output["described"]
    assert (described["Status"], described["Input"]) == ("RUNNING", '{"a":1}')
    assert described["StartDate"] == output["started"]["StartDate"]
    assert described["StartDate"].endswith("Z")
    end = aws.describe_execution(executionArn=output["started"]["ExecutionArn"])
    assert (end["status"], end["error"]) == ("ABORTED", "Enough")


@pytest.mark.parametrize(
    ("resource", "error"),
    [(START, "StepFunctions.StateMachineDoesNotExistException"),
     (f"{SDK}startExecution", "Sfn.StateMachineDoesNotExistException")],
)  # fmt: skip
def test_what_is_refused_fails_the_task_under_the_name_of_its_integration(aws: Any, resource: str, error: str) -> None:
    none = "arn:aws:states:us-east-1:000000000000:stateMachine:none"
    catch = [{"ErrorEquals": [error], "Next": "C", "ResultPath": "$.error"}]
    definition = task(resource, {"StateMachineArn": none}, Catch=catch)
    definition["States"]["C"] = {"Type": "Pass", "End": True}
    answer = answer_of(aws, definition)
    assert json.loads(answer["output"])["error"]["Cause"].startswith("State Machine Does Not Exist")


def test_one_that_runs_another_express_machine_waits_for_it(aws: Any) -> None:
    inner = machine(aws, "inner", FAIL, type="EXPRESS")
    output = json.loads(answer_of(aws, task(f"{SDK}startSyncExecution", {"StateMachineArn": inner}))["output"])
    assert (output["Status"], output["Error"], output["Cause"]) == ("FAILED", "Broken", "on purpose")


def test_one_that_runs_itself_and_waits_comes_to_an_end(aws: Any) -> None:
    me = "arn:aws:states:us-east-1:000000000000:stateMachine:quick"
    answer = answer_of(aws, task(f"{SDK}startSyncExecution", {"StateMachineArn": me}))
    depth = 0
    while answer.get("output") is not None:
        depth += 1
        answer = {name[:1].lower() + name[1:]: value for name, value in json.loads(answer["output"]).items()}
    assert depth == 9
    assert answer["error"] == "Sfn.ExecutionLimitExceededException"


def test_what_no_express_machine_may_have_is_still_refused(aws: Any) -> None:
    child = machine(aws, "child", PASS)
    definition = task(f"{START}.sync:2", {"StateMachineArn": child})
    try:
        arn = machine(aws, "quick", definition, type="EXPRESS")
    except aws.exceptions.InvalidDefinition:
        return
    assert refused(aws.start_sync_execution, stateMachineArn=arn)[0] == "StateMachineTypeNotSupported"
