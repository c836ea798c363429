"""Task: what is asked of whom, what comes back, and what each kind of resource calls its events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import CallSfn, RunTask, StartExecution
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import (
    BackoffElapsed,
    DeadlinePassed,
    Entered,
    HeartbeatMissed,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import FrameStatus, Opens
from sm_cli.interpreter.states.task import payload_of
from sm_cli.interpreter.step import PAYLOAD_LIMIT, Step
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import INPUT, details, enter, env, failure, follow, frame, only, program, types

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:charge"
INVOKE = "arn:aws:states:::lambda:invoke"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:pick"
SQS = "arn:aws:states:::sqs:sendMessage"
START = "arn:aws:states:::states:startExecution"
SFN = "arn:aws:states:::aws-sdk:sfn:"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:child:3"
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **fields}


def ended(state: dict[str, Any], result: Json) -> Step:
    compiled, step = enter(state)
    return follow(compiled, step, TaskSucceeded(step.frame.seq, result))


# -- what is asked of a handler --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "handler", "input"),
    [
        (task("do:it"), "do:it", INPUT),
        (task("do:it", Parameters={"x.$": "$.a"}), "do:it", {"x": 1}),
        (task("do:it", InputPath="$.items"), "do:it", [10, 20]),
        (task(LAMBDA), "charge", INPUT),
        (task(LAMBDA + ":PROD"), "charge", INPUT),
        (task(ACTIVITY), "pick", INPUT),
        (task(SQS, Parameters={"QueueUrl": "q"}), "sqs:sendMessage", {"QueueUrl": "q"}),
        (task("arn:aws:states:::ecs:runTask.sync"), "ecs:runTask", INPUT),
        (task(INVOKE, Parameters={"FunctionName": "charge", "Payload.$": "$"}), "charge", INPUT),
        (task(INVOKE, Parameters={"FunctionName": LAMBDA}), "charge", {}),
        (task(INVOKE, Parameters={"FunctionName": "charge:7", "Payload": '{"j": 1}'}), "charge", {"j": 1}),
        (task(INVOKE, Parameters={"FunctionName": "charge", "Payload": "plain"}), "charge", "plain"),
    ],
)
def test_a_job_is_made_for_the_handler_that_the_resource_names(
    state: dict[str, Any], handler: str, input: Json
) -> None:
    _, step = enter(state)
    assert only(step, RunTask) == RunTask(handler, input, 1, None, None)
    assert (step.frame.status, step.frame.opens) == (FrameStatus.BLOCKED, Opens.NOTHING)


@pytest.mark.parametrize(
    ("payload", "input"),
    [(None, {}), ({}, {}), (0, 0), (False, False), ("", ""), ("[1", "[1"), ("[1]", [1]), ("1e999", "1e999"), ([], [])],
)
def test_a_payload_that_is_text_is_read_as_json_where_it_is_some(payload: Json, input: Json) -> None:
    assert payload_of(payload) == input


def test_the_times_of_an_attempt_stand_in_the_job_and_in_its_event() -> None:
    _, step = enter(task("do:it", TimeoutSeconds=9, HeartbeatSecondsPath="$.a"))
    assert only(step, RunTask) == RunTask("do:it", INPUT, 1, 9, 1)
    assert details(step, "TaskScheduled") == {
        "resource": "do:it", "resourceType": "handler", "region": "us-east-1", "parameters": INPUT,
        "timeoutInSeconds": 9, "heartbeatInSeconds": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields", [{}, {"Parameters": {"Payload": 1}}, {"Parameters": {"FunctionName": 7}}, {"InputPath": "$.items"}]
)
def test_an_invocation_that_names_no_function_fails_the_state(fields: dict[str, Any]) -> None:
    error, cause = failure(enter(task(INVOKE, **fields))[1])
    assert error == "States.Runtime"
    assert cause is not None and cause.endswith("The parameters of lambda:invoke name no FunctionName.")


def test_each_retry_is_an_attempt_more() -> None:
    state = task("do:it", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}])
    compiled, step = enter(state)
    for attempt in (2, 3):
        step = follow(compiled, step, TaskFailed(step.frame.seq, "E", None))
        step = follow(compiled, step, BackoffElapsed(step.frame.seq))
        assert only(step, RunTask).attempt == attempt


# -- executions of other workflows -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "opens"), [("", Opens.NOTHING), (".sync", Opens.EXECUTIONS), (".sync:2", Opens.EXECUTIONS),
                           (".waitForTaskToken", Opens.NOTHING)],
)  # fmt: skip
def test_an_execution_is_asked_for_under_its_workflow_s_name(pattern: str, opens: int) -> None:
    parameters = {"StateMachineArn": MACHINE, "Name": "n-1", "Input": {"x.$": "$.a"}}
    _, step = enter(task(START + pattern, Parameters=parameters, TimeoutSeconds=5))
    asked = only(step, StartExecution)
    given: Json = {"StateMachineArn": MACHINE, "Name": "n-1", "Input": {"x": 1}}
    assert asked == StartExecution("child", "n-1", {"x": 1}, pattern.removeprefix("."), 5, None, given, "3")
    assert step.frame.opens == opens
    assert details(step, "TaskScheduled")["resource"] == f"startExecution{pattern}"


@pytest.mark.parametrize(
    ("parameters", "workflow", "name", "input"),
    [
        ({"StateMachineArn": "child"}, "child", None, {}),
        ({"StateMachineArn": "child", "Input": '{"text": true}'}, "child", None, {"text": True}),
        ({"StateMachineArn": "child", "Input": [1], "Name": None}, "child", None, [1]),
    ],
)
def test_what_is_left_out_of_a_start_is_made_up(parameters: Json, workflow: str, name: str | None, input: Json) -> None:
    asked = only(enter(task(START, Parameters=parameters))[1], StartExecution)
    assert (asked.workflow, asked.name, asked.input) == (workflow, name, input)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"Input": 1}, '[The field "StateMachineArn" is required]'),
        ({"StateMachineArn": 7}, "[StateMachineArn and Name are text]"),
        ({"StateMachineArn": "child", "Name": 7}, "[StateMachineArn and Name are text]"),
    ],
)
def test_a_start_that_names_no_workflow_fails_the_state(parameters: Json, says: str) -> None:
    error, cause = failure(enter(task(START, Parameters=parameters))[1])
    assert error == "States.Runtime"
    assert cause is not None and cause.endswith(f"could not be used to start the Task: {says}")


# -- Step Functions' own actions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "parameters", "opens"),
    [
        ("sendTaskSuccess", {"TaskToken": "t", "Output": {"x": 1}}, Opens.NOTHING),
        ("sendTaskFailure", {"TaskToken": "t", "Error": "E"}, Opens.NOTHING),
        ("listStateMachines", {}, Opens.NOTHING),
        ("startSyncExecution", {"StateMachineArn": "child"}, Opens.EXECUTIONS),
        ("stopExecution", {"ExecutionArn": "e", "Cause": "enough"}, Opens.NOTHING),
    ],
)
def test_an_action_of_step_functions_is_called_with_its_parameters(
    action: str, parameters: dict[str, Json], opens: int
) -> None:
    _, step = enter(task(SFN + action, Parameters=parameters))
    assert only(step, CallSfn) == CallSfn(action, parameters, "", None, None)
    assert step.frame.opens == opens


@pytest.mark.parametrize(
    ("action", "parameters", "says"),
    [
        ("sendTaskSuccess", {"TaskToken": "t"}, 'The field "Output" is required but was missing'),
        ("sendTaskSuccess", {}, 'The field "TaskToken" is required but was missing'),
        (
            "sendTaskSuccess",
            {"TaskToken": "t", "Output": 1, "output": 1},
            'The field "output" is not supported by Step Functions',
        ),
        ("sendTaskHeartbeat", {"TaskToken": 7}, 'The value for the field "TaskToken" must be a STRING'),
        ("stopExecution", {"ExecutionArn": ["e"]}, 'The value for the field "ExecutionArn" must be a STRING'),
        ("startExecution", {"StateMachineArn": "m", "Name": 1}, 'The value for the field "Name" must be a STRING'),
    ],
)
def test_an_action_with_other_parameters_fails_the_state(action: str, parameters: Json, says: str) -> None:
    error, cause = failure(enter(task(SFN + action, Parameters=parameters))[1])
    assert error == "States.Runtime"
    assert cause is not None and cause.endswith(f"could not be used to start the Task: [{says}]")


def test_an_action_without_an_object_of_parameters_lacks_what_it_needs() -> None:
    _, cause = failure(enter(task(SFN + "sendTaskHeartbeat", InputPath="$.items"))[1])
    assert cause is not None and "The Parameters '[10,20]'" in cause and '"TaskToken" is required' in cause


# -- results ---------------------------------------------------------------------------------------------


def test_what_a_function_answers_by_invoke_comes_wrapped() -> None:
    step = ended(task(INVOKE, Parameters={"FunctionName": "charge"}), {"paid": True})
    wrapped = {
        "ExecutedVersion": "$LATEST", "Payload": {"paid": True}, "SdkHttpMetadata": {"HttpStatusCode": 200},
        "SdkResponseMetadata": {"RequestId": "REF-1-2"}, "StatusCode": 200,
    }  # fmt: skip
    assert step.frame.output == wrapped
    assert details(step, "TaskSucceeded") == {"resource": "invoke", "resourceType": "lambda", "output": wrapped}


@pytest.mark.parametrize(
    "state", [task(LAMBDA), task(INVOKE + ".waitForTaskToken", Parameters={"FunctionName": "charge"}), task("do:it")]
)
def test_other_results_come_as_they_are(state: dict[str, Any]) -> None:
    assert ended(state, {"paid": True}).frame.output == {"paid": True}


def test_a_mocked_answer_is_the_whole_of_it() -> None:
    compiled, step = enter(task(INVOKE, Parameters={"FunctionName": "charge"}))
    probe = Probe(is_mock=True)
    step = advance(compiled, step.frame, TaskSucceeded(1, {"Payload": 1}), env(events=step.events, probe=probe))
    assert step.frame.output == {"Payload": 1}
    assert probe.stages["result"] == {"Payload": 1}


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        (LAMBDA, ["LambdaFunctionScheduled", "LambdaFunctionSucceeded"]),
        (ACTIVITY, ["ActivityScheduled", "ActivitySucceeded"]),
        (SQS, ["TaskScheduled", "TaskSucceeded"]),
        ("do:it", ["TaskScheduled", "TaskSucceeded"]),
    ],
)
def test_each_kind_of_resource_has_its_own_events(resource: str, names: list[str]) -> None:
    compiled, first = enter(task(resource))
    second = follow(compiled, first, TaskSucceeded(1, {}))
    assert types(first)[1:] + types(second)[:1] == names


def test_the_token_of_an_attempt_is_its_address() -> None:
    state = task("do:it.waitForTaskToken", Parameters={"token.$": "$$.Task.Token"})
    step = advance(program(state), frame(), Entered(0), env(token_key=b"key"))
    assert only(step, RunTask).input == {"token": make_token(b"key", 1, 1)}


@pytest.mark.parametrize("limits", [True, False])
def test_a_result_beyond_aws_s_limit_fails_the_state_only_where_the_limits_hold(limits: bool) -> None:
    compiled, step = enter(task("do:it", Catch=CATCH))
    event = TaskSucceeded(1, "x" * PAYLOAD_LIMIT)
    step = advance(compiled, step.frame, event, env(events=step.events, limits=limits))
    if not limits:
        assert step.frame.output == event.result
        return
    assert types(step)[:2] == ["TaskFailed", "TaskStateExited"]
    assert step.frame.output == {
        "Error": "States.DataLimitExceeded",
        "Cause": "The state/task 'do:it' returned a result with a size exceeding the maximum number of bytes "
        "service limit.",
    }


@pytest.mark.parametrize(("size", "succeeds"), [(PAYLOAD_LIMIT - 2, True), (PAYLOAD_LIMIT - 1, False)])
def test_the_limit_counts_the_bytes_of_the_json_text(size: int, succeeds: bool) -> None:
    compiled, step = enter(task("do:it", ResultPath=None))
    event = TaskSucceeded(1, "x" * size)  # with its quotes two bytes more
    step = advance(compiled, step.frame, event, env(events=step.events, limits=True))
    assert (step.frame.status is FrameStatus.SUCCEEDED) is succeeds


def test_a_result_that_is_larger_than_anything_may_be_fails_the_state() -> None:
    compiled, step = enter(task(SQS))
    step = advance(compiled, step.frame, TaskSucceeded(1, "x" * 99), env(events=step.events, max_payload=100))
    error, cause = failure(step)
    assert error == "States.DataLimitExceeded"
    assert cause is not None and cause.startswith("The state/task 'sqs' returned")
    assert details(step, "TaskFailed")["error"] == "States.DataLimitExceeded"


def test_without_a_history_a_result_is_counted_all_the_same() -> None:
    compiled, step = enter(task("do:it"))
    step = advance(compiled, step.frame, TaskSucceeded(1, 7), env(events=step.events, history=False))
    assert (step.frame.output, step.records) == (7, [])


# -- failures --------------------------------------------------------------------------------------------


def fails(state: dict[str, Any], event: TaskFailed) -> Step:
    compiled, step = enter(state)
    return follow(compiled, step, replace(event, seq=step.frame.seq))


@pytest.mark.parametrize(
    ("cause", "detail"),
    [
        ("why", {"error": "E", "cause": "why"}),
        ("", {"error": "E"}),
        (None, {"error": "E"}),
    ],
)
def test_a_failure_is_recorded_with_what_is_known_of_it(cause: str | None, detail: dict[str, Json]) -> None:
    step = fails(task("do:it"), TaskFailed(0, "E", cause))
    assert details(step, "TaskFailed") == {"resource": "do:it", "resourceType": "handler", **detail}
    assert failure(step) == ("E", cause)


@pytest.mark.parametrize("state", [task(LAMBDA), task(INVOKE, Parameters={"FunctionName": "charge"})])
def test_a_function_that_raises_has_lambda_s_text_as_its_cause(state: dict[str, Any]) -> None:
    step = fails(state, TaskFailed(0, "ValueError", "no", ["line 1", "line 2"]))
    assert failure(step) == (
        "ValueError",
        '{"errorMessage":"no","errorType":"ValueError","requestId":"REF-1-2","stackTrace":["line 1","line 2"]}',
    )


def test_a_function_that_raises_without_a_word_has_an_empty_message() -> None:
    _, cause = failure(fails(task(LAMBDA), TaskFailed(0, "KeyError", None, [])))
    assert cause == '{"errorMessage":"","errorType":"KeyError","requestId":"REF-1-2","stackTrace":[]}'


def test_a_plain_handler_that_raises_has_its_own_text_as_its_cause() -> None:
    assert failure(fails(task("do:it"), TaskFailed(0, "ValueError", "no", ["line 1"]))) == ("ValueError", "no")


@pytest.mark.parametrize(
    ("event", "name", "taken"),
    [
        (DeadlinePassed(1), "States.Timeout", True),
        (DeadlinePassed(1), "States.HeartbeatTimeout", False),
        (HeartbeatMissed(1), "States.HeartbeatTimeout", True),
        (HeartbeatMissed(1), "States.Timeout", True),
        (DeadlinePassed(1), "States.TaskFailed", False),
        (HeartbeatMissed(1), "States.TaskFailed", False),
    ],
)
def test_a_timeout_is_caught_under_its_names(event: DeadlinePassed | HeartbeatMissed, name: str, taken: bool) -> None:
    state = task(LAMBDA, TimeoutSeconds=9, HeartbeatSeconds=3, Catch=[{"ErrorEquals": [name], "Next": "Z"}])
    compiled, step = enter(state)
    step = follow(compiled, step, event)
    assert types(step)[0] == "LambdaFunctionTimedOut"
    assert details(step, "LambdaFunctionTimedOut") == {"error": "States.Timeout"}
    assert (step.frame.state == "Z") is taken
    assert step.frame.output == ({"Error": "States.Timeout", "Cause": ""} if taken
                                 else {"Error": "States.Timeout", "Cause": None})  # fmt: skip
