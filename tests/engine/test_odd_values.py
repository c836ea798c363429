"""Whatever a field that is found or computed gives, the state goes on or fails: nothing of it is a bug of ours.

A simulation does not contain bugs: what is not a failure of the state is raised out of it.
"""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import TaskError
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate

State = dict[str, Any]
SERVICE = "arn:aws:states:::"
INNER: State = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
APART: State = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}

#: What a path may find.
VALUES: list[Json] = [
    -1, 0, 0.5, 1e308, 2**64 - 1, -(2**63), "", None, [], {"a": {"b": []}}, True, "9" * 30, "a\u0000b", "NaN",
    "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z",
]  # fmt: skip
#: What an expression may give.
EXPRESSIONS = ["-1", "0.5", "1e308", "null", "[]", "{}", "true", "'x'", "$nothing", "function($x){$x}", "/a/", "1e18"]


def task(resource: str, **parameters: Any) -> State:
    return {"Type": "Task", "Resource": SERVICE + resource, "Parameters": parameters}


def mapping(processor: State = APART, **fields: Any) -> State:
    return {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, **fields}


def reading(**parameters: Any) -> State:
    return {"Resource": SERVICE + "s3:getObject", "Parameters": parameters}


#: The field -> a state that finds it at $.v.
FOUND: dict[str, State] = {
    "ResultPath": {"Type": "Pass", "Result": 1, "ResultPath": "$.v.a"},
    "HeartbeatSecondsPath": {"Type": "Task", "Resource": "work", "HeartbeatSecondsPath": "$.v"},
    "SecondsPath": {"Type": "Wait", "SecondsPath": "$.v"},
    "TimestampPath": {"Type": "Wait", "TimestampPath": "$.v"},
    "ItemsPath": mapping(ItemsPath="$.v"),
    "ItemsPath of an inline Map": mapping(INNER, ItemsPath="$.v"),
    "MaxConcurrencyPath": mapping(INNER, MaxConcurrencyPath="$.v"),
    "ToleratedFailureCountPath": mapping(ToleratedFailureCountPath="$.v"),
    "ToleratedFailurePercentagePath": mapping(ToleratedFailurePercentagePath="$.v"),
    "MaxItemsPerBatchPath": mapping(ItemBatcher={"MaxItemsPerBatchPath": "$.v"}),
    "MaxInputBytesPerBatchPath": mapping(ItemBatcher={"MaxInputBytesPerBatchPath": "$.v"}),
    "MaxItemsPath": mapping(ItemReader={**reading(Bucket="b", Key="k"),
                                        "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.v"}}),
    "Bucket and Key": mapping(ItemReader=reading(**{"Bucket.$": "$.v", "Key.$": "$.v"})),
    "a correlation value": {
        "Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "TimeoutSecondsPath": "$.v",
    },
    "the cause of an error": {"Type": "Task", "Resource": "raise",
                              "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "ResultPath": "$.v.e"}]},
    "a nested execution": task("states:startExecution.sync", StateMachineArn="child",
                               **{"Name.$": "$.v", "Input.$": "$.v"}),
    "a list of executions": task("aws-sdk:sfn:listExecutions", StateMachineArn="child",
                                 **{"MaxResults.$": "$.v", "NextToken.$": "$.v"}),
    "a function's name": task("lambda:invoke", **{"FunctionName.$": "$.v", "Payload.$": "$.v"}),
}  # fmt: skip


def raising(data: Any) -> None:
    raise TaskError(data["v"], data["v"])


def run(state: State, input: Json) -> str:
    last = {} if state["Type"] == "Fail" else {"End": True}
    definition = {"StartAt": "S", "States": {"S": {**state, **last}, "Z": {"Type": "Pass", "End": True}}}
    handlers = {"work": lambda data: data, "raise": raising, "*": lambda data: data}
    return simulate(definition, input, handlers=handlers, workflows={"child": INNER}).status


@pytest.mark.parametrize("field", FOUND)
def test_an_odd_value_that_a_path_finds_is_taken_or_fails_the_state(field: str) -> None:
    for value in VALUES:
        assert run(FOUND[field], {"v": value, "items": [1, 2]}) in ("SUCCEEDED", "FAILED", "RUNNING"), value


#: The field -> a state, in which every X is an expression.
COMPUTED: dict[str, State] = {
    "Output": {"Type": "Pass", "Output": "X", "Assign": {"v": "X"}},
    "Arguments": {"Type": "Task", "Resource": "work", "Arguments": "X"},
    "TimeoutSeconds": {"Type": "Task", "Resource": "work", "TimeoutSeconds": "X"},
    "Seconds": {"Type": "Wait", "Seconds": "X"},
    "Timestamp": {"Type": "Wait", "Timestamp": "X"},
    "Error and Cause": {"Type": "Fail", "Error": "X", "Cause": "X"},
    "Items": {"Type": "Map", "Items": "X", "ItemProcessor": APART},
    "ItemSelector": {"Type": "Map", "Items": [1], "ItemSelector": {"a": "X"}, "ItemProcessor": INNER},
    "MaxConcurrency": {"Type": "Map", "Items": [1], "MaxConcurrency": "X", "ItemProcessor": INNER},
    "ToleratedFailureCount": {"Type": "Map", "Items": [1], "ToleratedFailureCount": "X", "ItemProcessor": APART},
    "MaxItemsPerBatch": {"Type": "Map", "Items": [1], "ItemBatcher": {"MaxItemsPerBatch": "X", "BatchInput": "X"},
                         "ItemProcessor": APART},
    "MaxInputBytesPerBatch": {"Type": "Map", "Items": [1], "ItemBatcher": {"MaxInputBytesPerBatch": "X"},
                              "ItemProcessor": APART},
    "MaxItems": {"Type": "Map", "ItemProcessor": APART, "ItemReader": {
        "Resource": SERVICE + "s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON", "MaxItems": "X"}}},
    "CorrelationValue": {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "X", "TimeoutSeconds": "X"},
    "a catcher's Output": {"Type": "Task", "Resource": "raise",
                           "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "Output": "X"}]},
    "a branch's input": {"Type": "Parallel", "Branches": [INNER], "Arguments": "X"},
}  # fmt: skip


def filled(part: Any, expression: str) -> Any:
    """The part with each X replaced by the expression."""
    if isinstance(part, dict):
        return {name: filled(inner, expression) for name, inner in part.items()}
    if isinstance(part, list):
        return [filled(inner, expression) for inner in part]
    return f"{{% {expression} %}}" if part == "X" else part


@pytest.mark.parametrize("field", COMPUTED)
def test_an_odd_value_of_an_expression_is_taken_or_fails_the_state(field: str) -> None:
    for expression in EXPRESSIONS:
        state = {**filled(COMPUTED[field], expression), "QueryLanguage": "JSONata"}
        assert run(state, {"v": "E"}) in ("SUCCEEDED", "FAILED", "RUNNING"), expression


# -- numbers that AWS lets be 0 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"JitterStrategy": "FULL"}, {"MaxDelaySeconds": 1}, {"BackoffRate": 10}])
def test_attempts_without_an_interval_follow_each_other_at_once(more: State) -> None:
    calls: list[Json] = []

    def busy(data: Json) -> Json:
        calls.append(data)
        raise TaskError("Busy", "not yet")

    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 0, "MaxAttempts": 4, **more}]
    state = {"Type": "Task", "Resource": "work", "Retry": retry, "End": True}
    outcome = simulate({"StartAt": "S", "States": {"S": state}}, 1, handlers={"work": busy})
    assert (outcome.status, outcome.error, len(calls)) == ("FAILED", "Busy", 5)
    times = {event["timestamp"] for event in outcome.history}
    assert len(times) == 1, "no time has passed"


def test_a_definition_without_time_has_no_limit() -> None:
    definition = {
        "TimeoutSeconds": 0,
        "StartAt": "S",
        "States": {"S": {"Type": "Wait", "Seconds": 86_400, "End": True}},
    }
    assert simulate(definition, 1).status == "SUCCEEDED"
    assert simulate({**definition, "TimeoutSeconds": 1}, 1).status == "TIMED_OUT"
