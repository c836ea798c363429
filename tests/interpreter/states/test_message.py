"""Message: what is waited for, where a message goes, and what happens when none comes."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import AwaitMessage, StartTimer, TimerKind
from sm_cli.interpreter.events import BackoffElapsed, DeadlinePassed, MessageReceived
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import details, enter, failure, follow, only, types

SECOND = 1_000_000
INPUT: Json = {"id": "A-1", "n": 7, "wait": 20, "deep": {"id": "inner"}, "nothing": None}
JSONATA = {"QueryLanguage": "JSONata"}


def message(**fields: Any) -> dict[str, Any]:
    more = {} if {"CorrelationValue", "CorrelationValuePath"} & set(fields) else {"CorrelationValuePath": "$.id"}
    return {"Type": "Message", "CorrelationKey": "orderId", "End": True, **more, **fields}


def received(data: Json, input: Json = INPUT, **fields: Any) -> Step:
    compiled, step = enter(message(**fields), input)
    return follow(compiled, step, MessageReceived(step.frame.seq, data))


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"CorrelationValuePath": "$.id"}, "A-1"),
        ({"CorrelationValuePath": "$.n"}, 7),
        ({"CorrelationValue": True}, True),
        ({"CorrelationValue": "constant"}, "constant"),
        ({"InputPath": "$.deep", "CorrelationValuePath": "$.id"}, "inner"),
        ({"CorrelationValuePath": "States.Format('{}!', $.id)"}, "A-1!"),
        ({"CorrelationValuePath": "$$.Execution.Name"}, "name"),
        ({**JSONATA, "CorrelationValue": "{% $states.input.n + 0.5 %}"}, 7.5),
    ],
)
def test_the_value_that_is_waited_for_is_a_constant_or_found(fields: dict[str, Any], value: Json) -> None:
    _, step = enter(message(**fields), INPUT)
    assert only(step, AwaitMessage) == AwaitMessage("orderId", value, None)
    assert details(step, "MessageSubscribed") == {"correlationKey": "orderId", "correlationValue": value}
    assert step.frame.status is FrameStatus.BLOCKED


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"CorrelationValuePath": "$.deep"}, '{"id":"inner"}'),
        ({"CorrelationValuePath": "$.nothing"}, "null"),
        ({**JSONATA, "CorrelationValue": "{% [1, 2] %}"}, "[1,2]"),
    ],
)
def test_a_value_that_no_message_can_have_fails_the_state(fields: dict[str, Any], shown: str) -> None:
    error, cause = failure(enter(message(**fields), INPUT)[1])
    assert error == "States.Runtime"
    assert cause is not None
    assert cause.endswith(f"The correlation value for 'orderId' must be a string, a number or a boolean: {shown}")


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [({"TimeoutSeconds": 60}, 60), ({"TimeoutSecondsPath": "$.wait"}, 20),
     ({**JSONATA, "CorrelationValue": 1, "TimeoutSeconds": "{% $states.input.wait / 2 %}"}, 10)],
)  # fmt: skip
def test_a_timeout_is_a_deadline_of_the_wait_and_a_timer(fields: dict[str, Any], seconds: int) -> None:
    _, step = enter(message(**fields), INPUT, now=5 * SECOND)
    deadline = (5 + seconds) * SECOND
    awaits, timer = step.commands
    assert isinstance(awaits, AwaitMessage) and awaits.deadline == deadline
    assert timer == StartTimer(TimerKind.DEADLINE, deadline)
    assert details(step, "MessageSubscribed")["timeoutInSeconds"] == seconds


@pytest.mark.parametrize(
    ("fields", "input", "data", "output"),
    [
        ({}, {"id": "A", "x": 1}, {"x": 2, "y": 3}, {"id": "A", "x": 2, "y": 3}),
        ({}, {"id": "A"}, [1], [1]),
        ({}, {"id": "A"}, None, None),
        ({"ResultPath": "$.got"}, {"id": "A"}, {"y": 3}, {"id": "A", "got": {"y": 3}}),
        ({"MessagePath": "$.got"}, {"id": "A"}, 5, {"id": "A", "got": 5}),
        ({"ResultPath": None}, {"id": "A"}, {"y": 3}, {"id": "A"}),
        ({"ResultPath": "$"}, {"id": "A"}, {"y": 3}, {"id": "A", "y": 3}),
        ({"ResultSelector": {"z.$": "$.y"}}, {"id": "A"}, {"y": 3}, {"id": "A", "z": 3}),
        ({"OutputPath": "$.y"}, {"id": "A"}, {"y": 3}, 3),
        ({"CorrelationValue": 1}, [4], {"y": 3}, {"y": 3}),
        ({**JSONATA, "CorrelationValue": 1}, {"id": "A"}, {"y": 3}, {"id": "A", "y": 3}),
        ({**JSONATA, "CorrelationValue": 1, "Output": "{% $states.result.y + 1 %}"}, {"id": "A"}, {"y": 3}, 4),
    ],
)
def test_where_the_message_goes(fields: dict[str, Any], input: Json, data: Json, output: Json) -> None:
    step = received(data, input, **fields)
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, output)
    assert types(step) == ["MessageReceived", "MessageStateExited"]
    assert details(step, "MessageReceived") == {"output": data}


@pytest.mark.parametrize(
    "fields",
    [{"Assign": {"v.$": "$.y"}}, {**JSONATA, "CorrelationValue": 1, "Assign": {"v": "{% $states.result.y %}"}}],
)
def test_variables_are_assigned_from_the_message(fields: dict[str, Any]) -> None:
    assert received({"y": 3}, **fields).frame.vars == {"v": 3}


def test_a_message_that_cannot_be_placed_fails_the_state() -> None:
    error, cause = failure(received({"y": 3}, ResultPath="$.n.deeper"))
    assert error == "States.ResultPathMatchFailure"
    assert cause is not None and "Unable to apply ReferencePath $.n.deeper to input" in cause


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, {"id": "A", "status": "TIMEOUT", "message": "No message for orderId came in time."}),
        (
            {"ResultPath": "$.t"},
            {"id": "A", "t": {"status": "TIMEOUT", "message": "No message for orderId came in time."}},
        ),
    ],
)
def test_a_timeout_path_is_gone_to_with_a_note(fields: dict[str, Any], output: Json) -> None:
    compiled, step = enter(message(TimeoutSeconds=9, TimeoutPath="Z", **fields), {"id": "A"})
    step = follow(compiled, step, DeadlinePassed(step.frame.seq))
    assert (step.frame.state, step.frame.output) == ("Z", output)
    assert types(step) == ["MessageTimedOut", "MessageStateExited", "PassStateEntered", "PassStateExited"]


def test_without_a_timeout_path_the_state_fails_with_a_timeout_that_may_be_caught() -> None:
    compiled, step = enter(message(TimeoutSeconds=9), INPUT)
    assert failure(follow(compiled, step, DeadlinePassed(step.frame.seq))) == ("States.Timeout", None)
    caught = message(TimeoutSeconds=9, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Z"}])
    compiled, step = enter(caught, INPUT)
    step = follow(compiled, step, DeadlinePassed(step.frame.seq))
    assert (step.frame.state, step.frame.output) == ("Z", {"Error": "States.Timeout", "Cause": ""})


def test_a_retry_waits_anew_with_a_deadline_of_its_own() -> None:
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 2, "MaxAttempts": 1}]
    compiled, step = enter(message(TimeoutSeconds=9, Retry=retry), INPUT)
    step = follow(compiled, step, DeadlinePassed(step.frame.seq), 9 * SECOND)
    assert only(step, StartTimer) == StartTimer(TimerKind.BACKOFF, 11 * SECOND)
    step = follow(compiled, step, BackoffElapsed(step.frame.seq), 11 * SECOND)
    assert step.commands == [
        AwaitMessage("orderId", "A-1", 20 * SECOND), StartTimer(TimerKind.DEADLINE, 20 * SECOND),
    ]  # fmt: skip
    assert failure(follow(compiled, step, DeadlinePassed(step.frame.seq), 20 * SECOND)) == ("States.Timeout", None)
