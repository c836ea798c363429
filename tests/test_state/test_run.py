"""One state alone: how it ends, what it reports of its data, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.test_state import run as single
from sm_cli.test_state.run import StateTestRefused

TASK = {
    "Type": "Task",
    "Resource": "work",
    "InputPath": "$.order",
    "Parameters": {"id.$": "$.id"},
    "ResultSelector": {"ok.$": "$.done"},
    "ResultPath": "$.work",
    "OutputPath": "$.work",
    "Assign": {"last.$": "$.done"},
    "Next": "After",
    "Retry": [
        {"ErrorEquals": ["Slow"], "IntervalSeconds": 3, "MaxAttempts": 2},
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "MaxAttempts": 4, "BackoffRate": 3},
    ],
    "Catch": [
        {"ErrorEquals": ["Never"], "Next": "Nowhere"},
        {"ErrorEquals": ["States.ALL"], "Next": "Rescue", "ResultPath": "$.error"},
    ],
}
INPUT: dict[str, Any] = {"order": {"id": 7}, "rest": True}
MAP = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"item.$": "$$.Map.Item.Value", "all.$": "$.factor"},
    "MaxConcurrency": 2,
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Inner",
        "States": {"Inner": {"Type": "Pass", "End": True}},
    },
    "ToleratedFailurePercentage": 50,
    "End": True,
}


def failing(error: str, cause: str = "because") -> dict[str, Any]:
    return {"errorOutput": {"error": error, "cause": cause}}


def test_every_stage_of_a_task_is_shown_in_its_order() -> None:
    answer = single.test_state(TASK, INPUT, inspection_level="DEBUG", mock={"result": {"done": 1, "more": 2}})
    assert answer == {
        "status": "SUCCEEDED",
        "output": {"ok": 1},
        "nextState": "After",
        "inspectionData": {
            "input": INPUT,
            "afterInputPath": {"id": 7},
            "afterParameters": {"id": 7},
            "result": {"done": 1, "more": 2},
            "afterResultSelector": {"ok": 1},
            "afterResultPath": {**INPUT, "work": {"ok": 1}},
            "variables": {"last": 1},
        },
    }
    stages = answer["inspectionData"]
    assert isinstance(stages, dict)
    assert list(stages)[:3] == ["input", "afterInputPath", "afterParameters"]


def test_info_shows_no_stages() -> None:
    assert "inspectionData" not in single.test_state(TASK, INPUT, mock={"result": {"done": 1}})


@pytest.mark.parametrize(
    ("retries", "status", "details"),
    [
        (0, "RETRIABLE", {"retryIndex": 1, "retryBackoffIntervalSeconds": 5}),
        (3, "RETRIABLE", {"retryIndex": 1, "retryBackoffIntervalSeconds": 135}),
        (4, "CAUGHT_ERROR", {"catchIndex": 1}),
    ],
)
def test_an_error_is_retried_until_its_own_retrier_is_used_up(
    retries: int, status: str, details: dict[str, Any]
) -> None:
    answer: Any = single.test_state(
        TASK, INPUT, inspection_level="TRACE", mock=failing("Busy"), state_configuration={"retrierRetryCount": retries}
    )
    assert (answer["status"], answer["error"], answer["cause"]) == (status, "Busy", "because")
    assert answer["inspectionData"]["errorDetails"] == details
    assert ("output" in answer) == (status == "CAUGHT_ERROR")


def test_a_caught_error_goes_to_its_catcher_with_the_error_output() -> None:
    answer = single.test_state(TASK, INPUT, mock=failing("Boom"))
    assert answer["nextState"] == "Rescue"
    assert answer["output"] == {**INPUT, "error": {"Error": "Boom", "Cause": "because"}}


def test_an_error_that_nobody_takes_fails_the_state() -> None:
    state = {"Type": "Task", "Resource": "work", "End": True}
    answer = single.test_state(state, {}, inspection_level="DEBUG", mock=failing("Boom"))
    assert answer == {
        "status": "FAILED",
        "error": "Boom",
        "cause": "because",
        "inspectionData": {"input": {}, "afterInputPath": {}, "afterParameters": {}},
    }


def test_without_a_mock_a_task_calls_its_handler() -> None:
    seen = []

    def work(input: Any, context: Any) -> dict[str, Any]:
        seen.append((input, context.state, context.attempt))
        return {"done": True}

    answer = single.test_state(TASK, INPUT, handlers={"work": work}, name="Work")
    assert answer["output"] == {"ok": True}
    assert seen == [({"id": 7}, "Work", 1)]


def test_an_async_handler_is_awaited_and_what_it_raises_is_the_error() -> None:
    async def work(input: Any) -> None:
        raise LookupError("no such order")

    answer = single.test_state({"Type": "Task", "Resource": "work", "End": True}, {}, handlers={"work": work})
    assert answer == {"status": "FAILED", "error": "LookupError", "cause": "no such order"}


def test_a_task_without_a_handler_fails_and_says_so() -> None:
    answer = single.test_state({"Type": "Task", "Resource": "work", "End": True}, {})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.TaskFailed")
    assert answer["cause"] == "No handler is registered for 'work'."


def test_a_wait_is_not_waited_for() -> None:
    state = {"Type": "Wait", "Seconds": 86_400, "Next": "Later"}
    assert single.test_state(state, {"a": 1}) == {"status": "SUCCEEDED", "output": {"a": 1}, "nextState": "Later"}


def test_the_inputs_of_the_iterations_of_a_map_are_shown() -> None:
    answer: Any = single.test_state(
        MAP, {"items": [1, 2], "factor": 9}, inspection_level="DEBUG", mock={"result": "[3, 4]"}
    )
    stages = answer["inspectionData"]
    assert answer["output"] == [3, 4]
    assert stages["afterItemsPath"] == [1, 2]
    assert stages["afterItemSelector"] == [{"item": 1, "all": 9}, {"item": 2, "all": 9}]
    assert (stages["maxConcurrency"], stages["toleratedFailurePercentage"]) == (2, 50.0)
    assert "result" not in stages


@pytest.mark.parametrize(("failures", "status"), [(0, "SUCCEEDED"), (1, "SUCCEEDED"), (2, "FAILED")])
def test_a_map_fails_when_more_iterations_failed_than_are_tolerated(failures: int, status: str) -> None:
    answer = single.test_state(
        MAP,
        {"items": [1, 2], "factor": 9},
        mock={"result": [3, 4]},
        state_configuration={"mapIterationFailureCount": failures},
    )
    assert answer["status"] == status
    assert answer.get("error") == ("States.ExceedToleratedFailureThreshold" if status == "FAILED" else None)


def test_an_item_reader_reads_what_the_configuration_holds() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/data/rows"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    state = {**MAP, "ItemReader": reader}
    del state["ItemsPath"]
    answer: Any = single.test_state(
        state,
        {"factor": 1},
        inspection_level="DEBUG",
        mock={"result": []},
        state_configuration={"mapItemReaderData": '{"data": {"rows": ["a"]}}'},
    )
    assert answer["inspectionData"]["afterItemSelector"] == [{"item": "a", "all": 1}]


def test_a_message_state_takes_its_mock_as_the_message() -> None:
    state = {
        "Type": "Message",
        "CorrelationKey": "orderId",
        "CorrelationValuePath": "$.orderId",
        "TimeoutSeconds": 60,
        "TimeoutPath": "TooLate",
        "Next": "InTime",
    }
    answer = single.test_state(state, {"orderId": 1}, mock={"result": {"paid": True}})
    assert (answer["nextState"], answer["output"]) == ("InTime", {"orderId": 1, "paid": True})
    assert single.test_state(state, {"orderId": 1}, mock=failing("States.Timeout"))["nextState"] == "TooLate"


def test_a_state_is_found_inside_of_a_branch_and_speaks_the_language_of_the_definition() -> None:
    inner = {"Type": "Pass", "Output": "{% $states.input.a + $b %}", "Next": "Deep2"}
    branch = {"StartAt": "Deep", "States": {"Deep": inner, "Deep2": {"Type": "Succeed"}}}
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": [branch], "End": True}},
    }
    answer = single.test_state(machine, {"a": 1}, state_name="Deep", variables='{"b": 2}')
    assert answer == {"status": "SUCCEEDED", "output": 3, "nextState": "Deep2"}


def test_a_given_context_replaces_the_one_that_is_made_up() -> None:
    state = {"Type": "Pass", "Parameters": {"who.$": "$$.Execution.Name", "state.$": "$$.State.Name"}, "End": True}
    given = {"Execution": {"Name": "mine"}, "State": {"Name": "here"}}
    assert single.test_state(state, context=given, strict=False)["output"] == {"who": "mine", "state": "here"}
    made: Any = single.test_state(state, name="Called")["output"]
    assert made["state"] == "Called"
    with pytest.raises(StateTestRefused, match="Context when a mock is not specified"):
        single.test_state(state, context=given)


def test_a_state_that_goes_back_to_itself_is_tested_like_any_other() -> None:
    assert single.test_state({"Type": "Pass", "Next": "StateName"})["nextState"] == "StateName"


@pytest.mark.parametrize(
    ("definition", "request_", "error", "message"),
    [
        ({"Type": "Pass", "End": True}, {"mock": {"result": 1}}, "ValidationException", "State type 'Pass' is not"),
        ({"Type": "Pass"}, {}, "InvalidDefinition", "SCHEMA_VALIDATION_FAILED"),
        ("{", {}, "InvalidDefinition", "Invalid State Machine Definition"),
        ({"Type": "Pass", "End": True}, {"state_name": "A"}, "ValidationException", "a whole state machine"),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}},
            {"state_name": "B"},
            "ValidationException",
            "no state named 'B'",
        ),
        (MAP, {}, "InvalidDefinition", "does not support Map or Parallel states"),
        (MAP, {"mock": {"result": 1}}, "ValidationException", "must be an array"),
        (MAP, {"mock": {"result": "{"}}, "ValidationException", "must be valid JSON"),
        (MAP, {"mock": {}}, "ValidationException", "only one of the following fields"),
        (MAP, {"mock": {"result": [], "fieldValidationMode": "SOME"}}, "ValidationException", "one of STRICT"),
        (
            MAP,
            {"mock": failing("E"), "state_configuration": {"errorCausedByState": "Outer"}},
            "ValidationException",
            "no state named 'Outer' inside",
        ),
        (
            MAP,
            {"mock": failing("E"), "state_configuration": {"mapIterationFailureCount": 3}},
            "ValidationException",
            "less than or equal to the number of Map iterations",
        ),
        (
            TASK,
            {"state_configuration": {"retrierRetryCount": 1}},
            "ValidationException",
            "RetrierRetryCount when a mock is not specified",
        ),
        (
            TASK,
            {"mock": failing("E"), "state_configuration": {"retrierRetryCount": -1}},
            "ValidationException",
            "from 0 on",
        ),
        (
            {"Type": "Task", "Resource": "ask.waitForTaskToken", "End": True},
            {},
            "InvalidDefinition",
            "waits for '.waitForTaskToken'",
        ),
        (TASK, {"state_configuration": [1]}, "ValidationException", "stateConfiguration must be a JSON object"),
        (TASK, {"mock": {"errorOutput": "E"}}, "ValidationException", "with the texts error and cause"),
        ({"Type": "Pass", "End": True}, {"variables": "[]"}, "ValidationException", "must be a JSON object"),
        ({"Type": "Pass", "End": True}, {"inspection_level": "ALL"}, "ValidationException", "one of INFO"),
    ],
)
def test_what_aws_refuses_is_refused_with_its_error(
    definition: Any, request_: dict[str, Any], error: str, message: str
) -> None:
    with pytest.raises(StateTestRefused) as refused:
        single.test_state(definition, {"items": [1, 2], "factor": 1}, **request_)
    assert refused.value.error == error
    assert message in refused.value.message
