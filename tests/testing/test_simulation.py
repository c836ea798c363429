"""`simulate`: what a test of a workflow is given, in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sm_cli.errors import HandlerLoadError, InvalidDefinition, TaskError
from sm_cli.handlers.handler import Context
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate, sleep
from sm_cli.testing.simulation import Outcome

TASK: dict[str, Any] = {"Type": "Task", "Resource": "work", "End": True}


def one(**state: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": state}}


def seconds(outcome: Outcome) -> float:
    """How long it took, in virtual time."""
    first, last = (datetime.fromisoformat(outcome.history[i]["timestamp"]) for i in (0, -1))
    return (last - first).total_seconds()


@pytest.mark.parametrize(
    "definition",
    [
        {"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}},
        '{"StartAt": "S", "States": {"S": {"Type": "Pass", "End": true}}}',
        b"StartAt: S\nStates:\n  S: {Type: Pass, End: true}\n",
    ],
)
def test_a_definition_is_a_dict_or_text_in_either_format(definition: Any) -> None:
    outcome = simulate(definition, {"a": 1})
    assert (outcome.status, outcome.output, outcome.error, outcome.cause) == ("SUCCEEDED", {"a": 1}, None, None)
    assert [event["type"] for event in outcome.history] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
    ]  # fmt: skip


@pytest.mark.parametrize("definition", [{"StartAt": "S", "States": {}}, "{", one(Type="Pass")])
def test_a_definition_with_errors_is_refused_with_all_of_them(definition: Any) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        simulate(definition)
    assert [d.severity for d in refused.value.diagnostics if d.severity == "error"]


@pytest.mark.parametrize(
    ("input", "says"),
    [
        ({"n": 10**20}, "the input is not JSON: $.n is an integer beyond 64 bits"),
        ([float("nan")], "the input is not JSON: $[0] is nan, which JSON does not have"),
        ({"s": {1, 2}}, "the input is not JSON: $.s is of type set"),
        ({1: 2}, "the input is not JSON: $ has the key 1 of type int; JSON keys are strings"),
    ],
)
def test_an_input_that_is_not_json_is_refused_in_a_sentence(input: Any, says: str) -> None:
    with pytest.raises(TypeError) as refused:
        simulate(one(Type="Pass", End=True), input)
    assert str(refused.value) == says


def test_a_message_that_is_not_json_is_refused_in_a_sentence() -> None:
    with pytest.raises(TypeError, match="the message k is not JSON: "):
        simulate(one(Type="Pass", End=True), messages=[(1, "k", 1, {1})])  # type: ignore[list-item]


def test_the_caller_s_input_is_left_as_it_is() -> None:
    given: Any = {"list": [1]}

    def change(data: Any) -> Any:
        data["list"].append(2)
        return data

    assert simulate(one(**TASK), given, handlers={"work": change}).output == {"list": [1, 2]}
    assert given == {"list": [1]}


def test_waits_and_backoffs_cost_virtual_time_only() -> None:
    state = {**TASK, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "BackoffRate": 3, "MaxAttempts": 2}]}
    attempts: list[int] = []

    def fail(_: Json, context: Context) -> None:
        attempts.append(context.attempt)
        raise TaskError("E", "no")

    outcome = simulate({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "Next": "S"}, "S": state}},
                       handlers={"work": fail})  # fmt: skip
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "E", "no")
    assert attempts == [1, 2, 3]
    assert seconds(outcome) == 3600 + 100 + 300


@pytest.mark.parametrize(
    ("fields", "slept", "status", "took"),
    [
        ({"TimeoutSeconds": 10}, 9.5, "SUCCEEDED", 9.5),
        ({"TimeoutSeconds": 10}, 11, "FAILED", 10),
        ({"TimeoutSeconds": 60, "HeartbeatSeconds": 5}, 6, "FAILED", 5),
        ({}, 86_400, "SUCCEEDED", 86_400),
    ],
)
def test_a_handler_that_sleeps_runs_into_its_timeout(
    fields: dict[str, Any], slept: float, status: str, took: float
) -> None:
    def handler(_: Json) -> None:
        sleep(slept)

    outcome = simulate(one(**TASK, **fields), handlers={"work": handler})
    assert (outcome.status, seconds(outcome)) == (status, took)
    assert outcome.error == (None if status == "SUCCEEDED" else "States.Timeout")


def test_a_handler_that_beats_lives_longer_than_one_heartbeat_and_no_longer() -> None:
    def work(last: float) -> Any:
        def call(_: Json, context: Context) -> str:
            for _step in range(3):
                sleep(4)
                context.heartbeat()
            sleep(last)
            return "done"

        return call

    state = one(**TASK, TimeoutSeconds=60, HeartbeatSeconds=5)
    lived = simulate(state, handlers={"work": work(5)})
    assert (lived.status, lived.output, seconds(lived)) == ("SUCCEEDED", "done", 17)
    fell_silent = simulate(state, handlers={"work": work(6)})
    assert (fell_silent.status, fell_silent.error, seconds(fell_silent)) == ("FAILED", "States.Timeout", 17)


def test_sleep_outside_of_a_simulated_handler_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="for handlers that simulate"):
        sleep(1)


def test_a_coroutine_is_a_handler_too() -> None:
    async def work(data: Any) -> Any:
        return data + 1

    assert simulate(one(**TASK), 1, handlers={"work": work}).output == 2


def test_a_task_without_a_handler_ends_the_simulation_whatever_catches_it_and_with_stub_it_succeeds() -> None:
    caught = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}]}
    with pytest.raises(HandlerLoadError) as refused:
        simulate(one(**caught), 1, handlers={"worker": print, "other": print})
    told = "no handler answers 'work', which the state 'S' of simulated calls; near names: 'worker'"
    assert (str(refused.value), refused.value.exit_code) == (told, 8)
    assert simulate(one(**caught), 1, stub=True).output == {}


def test_messages_come_at_their_time_and_an_execution_that_none_comes_for_goes_on_waiting() -> None:
    wait = one(Type="Message", CorrelationKey="k", CorrelationValuePath="$.v", ResultPath="$.got", End=True)
    outcome = simulate(wait, {"v": 7}, messages=[(30, "k", 8, "other"), (90.5, "k", 7, {"n": 1})])
    assert (outcome.output, seconds(outcome)) == ({"v": 7, "got": {"n": 1}}, 90.5)
    waiting = simulate(wait, {"v": 7}, messages=[(30, "k", 8, "other")])
    assert (waiting.status, waiting.output) == ("RUNNING", None)


@pytest.mark.parametrize(
    ("now", "started"),
    [
        (None, "2026-01-01T00:00:00.000Z"),
        (datetime(2030, 5, 1, 12, tzinfo=UTC), "2030-05-01T12:00:00.000Z"),
        (datetime(2030, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2030-05-01T10:00:00.000Z"),
        (datetime(2030, 5, 1, 12), "2030-05-01T12:00:00.000Z"),
    ],
)
def test_it_starts_when_it_is_told_to(now: datetime | None, started: str) -> None:
    state = one(Type="Pass", Parameters={"at.$": "$$.Execution.StartTime"}, End=True)
    assert simulate(state, now=now).output == {"at": started}


def test_two_runs_of_the_same_agree_to_the_last_event() -> None:
    state = one(Type="Pass", Parameters={"id.$": "States.UUID()", "n.$": "States.MathRandom(1, 999999)"}, End=True)
    first, second = simulate(state), simulate(state)
    assert (first.output, first.history) == (second.output, second.history)


def test_workflows_by_name_are_started_by_tasks() -> None:
    parent = one(
        Type="Task", Resource="arn:aws:states:::states:startExecution.sync:2", OutputPath="$.Output", End=True,
        Parameters={"StateMachineArn": "child", "Input": {"n.$": "$.n"}},
    )  # fmt: skip
    child = one(Type="Pass", Parameters={"twice.$": "States.MathAdd($.n, $.n)"}, End=True)
    assert simulate(parent, {"n": 4}, workflows={"child": child}).output == {"twice": 8}


def test_aws_s_limits_hold_where_they_are_asked_for() -> None:
    large = {"work": lambda _: "x" * 300_000}
    assert simulate(one(**TASK), handlers=large).status == "SUCCEEDED"
    assert simulate(one(**TASK), handlers=large, aws_limits=True).error == "States.DataLimitExceeded"


@pytest.mark.parametrize(("type", "part"), [("STANDARD", ":execution:"), ("EXPRESS", ":express:")])
def test_the_type_is_what_it_is_told(type: str, part: str) -> None:
    outcome = simulate(one(Type="Pass", Parameters={"id.$": "$$.Execution.Id"}, End=True), type=type)
    assert part in outcome.output["id"]
