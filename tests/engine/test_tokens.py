"""Callbacks: a task that hands its work over ends when someone comes back with its token, once."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.text.source import from_value
from sm_cli.asl.validation.validate import validate
from sm_cli.engine.engine import prepare
from sm_cli.errors import Conflict, TaskError, TaskTimedOut, UsageError
from sm_cli.interpreter.tokens import ForgedToken, make_token, read_token
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, Status
from sm_cli.testing import FakeClock, Simulation, simulate, sleep
from tests.store.asking import asked

KEY = b"k" * 32


def waiting(**more: Any) -> tuple[Simulation, Execution, str]:
    """An execution that waits for a callback, and the token that its handler was given."""
    tokens: list[str] = []

    def hand_over(input: Any) -> Json:
        tokens.append(input["token"])
        return {"accepted": True}

    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"token.$": "$$.Task.Token", "body.$": "$"},
        "End": True,
        **more,
    }
    document = from_value({"StartAt": "T", "States": {"T": state}}).document
    assert document is not None
    simulation = Simulation(prepare(document, "callback"), {"sqs:sendMessage": hand_over}, FakeClock())
    execution = simulation.run_now({"n": 1})
    return simulation, execution, tokens[0]


def test_a_callback_brings_the_result() -> None:
    simulation, execution, token = waiting()
    assert [job.frame for job in asked(simulation.store).handed_over()] == [
        asked(simulation.store).open_frames(execution.id)[0].id
    ]
    assert simulation.engine.task_succeeded(token, {"paid": True}).id == execution.id
    outcome = simulation.resume(execution)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"paid": True})
    assert [e["type"] for e in outcome.history][2:7] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
    ]  # fmt: skip
    assert not asked(simulation.store).handed_over()
    assert not asked(simulation.store).jobs_of(execution.id)


def test_a_callback_may_bring_a_failure_that_is_caught() -> None:
    simulation, execution, token = waiting(Retry=[{"ErrorEquals": ["Refused"], "MaxAttempts": 0}])
    simulation.engine.task_failed(token, "Refused", "no money")
    outcome = simulation.resume(execution)
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "Refused", "no money")


def test_a_second_callback_is_refused_with_its_reason() -> None:
    simulation, _, token = waiting()
    simulation.engine.task_succeeded(token, 1)
    with pytest.raises(Conflict, match="stale: the task that it was made for has ended"):
        simulation.engine.task_succeeded(token, 2)
    with pytest.raises(Conflict, match="stale: the task that it was made for has ended"):
        simulation.engine.task_beat(token)


def test_a_token_of_an_attempt_that_timed_out_is_stale() -> None:
    simulation, execution, token = waiting(TimeoutSeconds=60)
    assert simulation.resume(execution).error == "States.Timeout"
    with pytest.raises(Conflict, match="FAILED"):
        simulation.engine.task_succeeded(token, 1)


def test_heartbeats_by_callback_keep_the_task_alive() -> None:
    simulation, execution, token = waiting(HeartbeatSeconds=60)
    start = simulation.clock.now()
    for minute in range(1, 4):
        simulation.clock.advance_to(start + minute * 50_000_000)
        assert simulation.engine.task_beat(token).id == execution.id
    simulation.engine.task_succeeded(token, "in time")
    assert simulation.resume(execution).output == "in time"
    simulation, execution, _ = waiting(HeartbeatSeconds=60)
    assert simulation.resume(execution).error == "States.Timeout"


@pytest.mark.parametrize("text", ["", "x", "not a token", "A" * 43, "A" * 42, "é" * 43, "A" * 5000])
def test_a_forged_token_is_refused(text: str) -> None:
    simulation, _, _ = waiting()
    with pytest.raises(UsageError, match="token"):
        simulation.engine.task_succeeded(text, 1)


def test_a_token_says_its_address_only_to_who_has_the_key() -> None:
    token = make_token(KEY, 7, 3)
    assert read_token(KEY, token) == (7, 3)
    with pytest.raises(ForgedToken, match="not made for this database"):
        read_token(b"other", token)
    for i in range(len(token)):
        changed = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        try:
            address = read_token(KEY, changed)
        except ForgedToken:
            continue
        # The last character holds bits that no byte needs: such a text is the same token.
        assert address == (7, 3)
        assert i == len(token) - 1


def test_an_activity_is_polled_by_a_worker_outside() -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:eu-west-1:123456789012:activity:approve", "End": True}
    document = from_value({"StartAt": "T", "States": {"T": state}}).document
    assert document is not None
    simulation = Simulation(prepare(document, "activity"), {}, FakeClock())
    engine = simulation.engine
    execution, _, _ = engine.start(simulation.workflow, {"n": 1})
    assert engine.poll_activity("other") is None
    polled = engine.poll_activity("approve")
    assert polled is not None
    token, input = polled
    assert input == {"n": 1}
    assert engine.poll_activity("approve") is None, "nobody else gets it"
    engine.task_succeeded(token, "yes")
    outcome = simulation.resume(execution)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", "yes")
    assert [e["type"] for e in outcome.history][2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


JOB = "arn:aws:states:::ecs:runTask"


@pytest.mark.parametrize("resource", [f"{JOB}.sync", "run:it.sync", "arn:aws:states:::glue:startJobRun.sync"])
@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_a_task_that_waits_for_a_job_has_a_token_and_a_callback_ends_it(resource: str, language: str) -> None:
    definition: dict[str, Any] = {
        "QueryLanguage": language,
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": resource, "End": True}},
    }
    arguments: dict[str, dict[str, Json]] = {
        "JSONPath": {"Parameters": {"token.$": "$$.Task.Token"}},
        "JSONata": {"Arguments": {"token": "{% $states.context.Task.Token %}"}},
    }
    definition["States"]["T"].update(arguments[language])
    document = from_value(definition).document
    assert document is not None
    assert [each.code for each in validate(document)] == []
    simulation = Simulation(prepare(document, "job"), {}, FakeClock())
    engine = simulation.engine
    execution, _, _ = engine.start(simulation.workflow, {})
    [job] = asked(simulation.store).jobs_of(execution.id)
    given: Any = job.input
    assert engine.task_succeeded(given["token"], {"ended": "by hand"}).id == execution.id
    ended: Any = asked(simulation.store).execution(execution.id)
    assert (ended.status, ended.output) == (Status.SUCCEEDED, {"ended": "by hand"})
    with pytest.raises(TaskTimedOut):
        engine.task_succeeded(given["token"], {})


def test_a_job_whose_handler_returns_first_ends_by_that() -> None:
    state = {"Type": "Task", "Resource": f"{JOB}.sync", "Parameters": {"token.$": "$$.Task.Token"}, "End": True}
    seen: list[str] = []

    def run(input: Any) -> Json:
        seen.append(input["token"])
        return {"exit": 0}

    outcome = simulate({"StartAt": "T", "States": {"T": state}}, {}, handlers={"ecs:runTask": run})
    assert (outcome.status, outcome.output, len(seen)) == ("SUCCEEDED", {"exit": 0}, 1)


def test_a_callback_ends_a_job_while_its_handler_is_at_work() -> None:
    def run(_input: Any) -> Json:
        sleep(60)
        return {"exit": 0}

    state = {"Type": "Task", "Resource": f"{JOB}.sync", "End": True}
    definition = {"StartAt": "T", "States": {"T": state}}
    outcome = simulate(definition, {}, handlers={"ecs:runTask": run}, callbacks=[(5, "T", TaskError("Enough", "now"))])
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "Enough", "now")
    assert [e["type"] for e in outcome.history][2:5] == ["TaskScheduled", "TaskStarted", "TaskFailed"]


def test_a_callback_in_a_test_ends_a_job_that_nobody_runs() -> None:
    state = {"Type": "Task", "Resource": f"{JOB}.sync", "TimeoutSeconds": 60, "End": True}
    outcome = simulate({"StartAt": "T", "States": {"T": state}}, {}, callbacks=[(5, "T", {"exit": 3})])
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"exit": 3})


@pytest.mark.parametrize("resource", [JOB, "arn:aws:states:::lambda:invoke", "arn:aws:lambda:us-east-1:1:function:f"])
def test_a_task_that_waits_for_nothing_has_no_token(resource: str) -> None:
    parameters = {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    outcome = simulate({"StartAt": "T", "States": {"T": state}}, {}, stub=True)
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
