"""History events in AWS's names and shapes."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.resources import parse_resource
from sm_cli.interpreter.records import details_key, outcome_detail, scheduled_detail, task_detail, task_event, to_aws

LAMBDA = "arn:aws:lambda:us-east-1:111111111111:function:F"


@pytest.mark.parametrize(
    ("type", "key"),
    [
        ("PassStateEntered", "stateEnteredEventDetails"),
        ("MapStateExited", "stateExitedEventDetails"),
        ("LambdaFunctionFailed", "lambdaFunctionFailedEventDetails"),
        ("MapStateStarted", "mapStateStartedEventDetails"),
        ("ExecutionFailed", "executionFailedEventDetails"),
    ],
)
def test_details_stand_under_their_own_name(type: str, key: str) -> None:
    assert details_key(type) == key


def test_payloads_are_json_text_and_what_is_none_is_left_out() -> None:
    event: Any = to_aws(3, 2, "PassStateEntered", {"name": "P", "input": {"a": [1]}, "cause": None}, "T")
    assert event == {
        "id": 3, "previousEventId": 2, "timestamp": "T", "type": "PassStateEntered",
        "stateEnteredEventDetails": {"name": "P", "input": '{"a":[1]}', "inputDetails": {"truncated": False}},
    }  # fmt: skip
    event = to_aws(4, 3, "PassStateExited", {"output": None, "assignedVariables": {"v": [1]}}, "T")
    assert event["stateExitedEventDetails"] == {
        "output": "null", "outputDetails": {"truncated": False}, "assignedVariables": {"v": "[1]"},
    }  # fmt: skip


def test_an_event_without_details_has_no_member_for_them_but_a_failed_execution_has() -> None:
    assert set(to_aws(1, 0, "TaskStateAborted", {}, "T")) == {"id", "previousEventId", "timestamp", "type"}
    assert to_aws(1, 0, "ExecutionFailed", {}, "T")["executionFailedEventDetails"] == {}


@pytest.mark.parametrize(
    ("resource", "event", "detail"),
    [
        (LAMBDA, "LambdaFunctionFailed", {}),
        ("arn:aws:states:us-east-1:111111111111:activity:A", "ActivityFailed", {}),
        ("do:it", "TaskFailed", {"resource": "do:it", "resourceType": "handler"}),
        ("arn:aws:states:::lambda:invoke", "TaskFailed", {"resource": "invoke", "resourceType": "lambda"}),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "TaskFailed",
            {"resource": "sendMessage.waitForTaskToken", "resourceType": "sqs"},
        ),
    ],
)
def test_a_task_is_named_for_what_it_calls(resource: str, event: str, detail: dict[str, Any]) -> None:
    parsed = parse_resource(resource)
    assert task_event(parsed, "Failed") == event
    assert task_detail(parsed) == detail


def test_a_scheduled_task_says_what_it_is_given_and_how_long_it_has() -> None:
    assert scheduled_detail(parse_resource(LAMBDA), {"a": 1}, "r", 9, None) == {
        "resource": LAMBDA, "input": {"a": 1}, "timeoutInSeconds": 9,
    }  # fmt: skip
    assert scheduled_detail(parse_resource("arn:aws:states:::lambda:invoke"), 1, "r", None, 5) == {
        "resource": "invoke", "resourceType": "lambda", "region": "r", "parameters": 1, "heartbeatInSeconds": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [("E", "c", {"error": "E", "cause": "c"}), (None, None, {}), ("", "", {"error": ""}), (None, "c", {"cause": "c"})],
)
def test_an_outcome_has_the_members_that_there_are(error: str | None, cause: str | None, detail: Any) -> None:
    assert outcome_detail(error, cause) == detail
