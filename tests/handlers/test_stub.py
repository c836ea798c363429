"""The stub: every AWS definition can be walked through without a handler, and a real handler still wins."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import prepare
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.stub import Stub
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.records import HANDED_OVER
from sm_cli.test_state import run as single
from sm_cli.test_state.run import StateTestRefused
from sm_cli.testing import simulate
from sm_cli.worker import passes
from tests.engine.workers import Yard, soon

#: One of each kind of Resource, and what its stub's answer becomes.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("process:order", {}),
    "function": ("arn:aws:lambda:eu-west-1:123456789012:function:charge:PROD", {}),
    "service": ("arn:aws:states:::dynamodb:putItem", {}),
    "sdk": ("arn:aws:states:::aws-sdk:s3:getObject", {}),
    "sync": ("arn:aws:states:::glue:startJobRun.sync", {}),
    "callback": ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", {}),
    "activity": ("arn:aws:states:eu-west-1:123456789012:activity:by-hand", {}),
    "invoke": ("arn:aws:states:::lambda:invoke", {"FunctionName": "ship", "Payload.$": "$"}),
    "invoked later": ("arn:aws:states:::lambda:invoke.waitForTaskToken", {"FunctionName": "later"}),
}
ANSWERED = [
    "process:order", "charge", "dynamodb:putItem", "aws-sdk:s3:getObject", "glue:startJobRun", "sqs:sendMessage",
    "by-hand", "ship", "later",
]  # fmt: skip
CALLBACK = KINDS["callback"][0]


def state(kind: str, **more: Any) -> dict[str, Any]:
    resource, parameters = KINDS[kind]
    return {"Type": "Task", "Resource": resource, **({"Parameters": parameters} if parameters else {}), **more}


def walk() -> dict[str, Any]:
    """All kinds, one after the other; each result stands under the name of its state."""
    names = list(KINDS)
    states = {
        kind: {**state(kind, ResultPath=f"$['{kind}']"), **({"Next": after} if after else {"End": True})}
        for kind, after in zip(names, [*names[1:], None], strict=True)
    }
    return {"StartAt": names[0], "States": states}


def alone(kind: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": state(kind, End=True, **more)}}


def is_walked(output: Any) -> bool:
    assert list(output) == list(KINDS)
    wrapped = output.pop("invoke")
    assert (wrapped["Payload"], wrapped["StatusCode"]) == ({}, 200)
    assert set(map(str, output.values())) == {"{}"}
    return True


# In virtual time


def test_a_definition_of_every_kind_of_task_is_walked_through() -> None:
    outcome = simulate(walk(), {}, stub=True)
    assert outcome.status == "SUCCEEDED"
    assert is_walked(outcome.output)


def test_without_a_stub_a_task_without_a_handler_ends_the_simulation() -> None:
    with pytest.raises(HandlerLoadError, match="no handler answers 'process:order'"):
        simulate(walk(), {})


def test_a_handler_of_its_own_wins_over_the_stub() -> None:
    outcome = simulate(walk(), {}, handlers={"charge": lambda _: "own", "glue:*": lambda _: "wild"}, stub=True)
    assert (outcome.output["function"], outcome.output["sync"], outcome.output["sdk"]) == ("own", "wild", {})


def test_a_handler_of_everything_leaves_the_stub_nothing() -> None:
    assert simulate(alone("plain"), {}, handlers={"*": lambda _: "mine"}, stub=True).output == "mine"


def test_the_events_of_a_stubbed_callback_are_those_of_one_that_came_at_once() -> None:
    outcome = simulate(alone("callback"), {}, stub=True)
    assert [event["type"] for event in outcome.history] == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded",
        "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip


def test_a_handler_of_its_own_still_waits_for_its_callback() -> None:
    assert simulate(alone("callback"), {}, handlers={"sqs:*": lambda _: None}, stub=True).status == "RUNNING"


# In a worker


def test_a_worker_with_a_stub_walks_through_and_names_each_resource_once(here: Yard) -> None:
    document = from_value(walk()).document
    assert document is not None
    workflow = prepare(document, "walk")
    told: list[str] = []
    stub = Stub(told.append)
    waiting = here.start(workflow, {})
    loop = here.worker(stub.under({}))
    fresh, _ = loop.start(workflow, {})
    passes.drain(loop, lambda: False)
    for execution in (waiting, fresh):
        assert is_walked(here.now(execution).output)
        assert here.left_over(execution) == []
    assert sorted(told) == sorted(ANSWERED)
    assert stub.resources == told


def test_what_a_real_handler_handed_over_is_not_answered_by_a_stub(here: Yard) -> None:
    document = from_value(alone("callback")).document
    assert document is not None
    tokens: list[str] = []
    real = {"sqs:sendMessage": Handler("sqs:sendMessage", lambda _, context: tokens.append(context.task_token))}
    execution = here.start(prepare(document, "callback"), {})
    passes.drain(here.worker(real), lambda: False)
    soon(lambda: here.job(execution).leased_until == HANDED_OVER)
    passes.drain(here.worker(Stub().under({}), name="stub"), lambda: False)
    assert here.now(execution).closed is None
    job = here.job(execution)
    assert tokens == [make_token(here.engine.settings.token_key, job.frame, job.seq)]
    here.engine.task_succeeded(tokens[0], "called")
    assert here.now(execution).output == "called"


# One state alone


@pytest.mark.parametrize("kind", list(KINDS))
def test_one_state_is_answered_whatever_it_would_wait_for(kind: str) -> None:
    answer: dict[str, Any] = single.test_state(state(kind, End=True), {}, handlers=Stub().under({}))
    output = answer["output"]
    assert (answer["status"], output["Payload"] if kind == "invoke" else output) == ("SUCCEEDED", {})


@pytest.mark.parametrize("kind", ["sync", "callback", "activity", "invoked later"])
def test_one_state_with_a_handler_of_its_own_that_would_wait_is_refused_as_ever(kind: str) -> None:
    def own(_: Json) -> Json:
        raise AssertionError("it is not called")

    names = ("glue:startJobRun", "sqs:sendMessage", "by-hand", "later")
    with pytest.raises(StateTestRefused, match="waits for"):
        single.test_state(state(kind, End=True), {}, handlers={**Stub().under({}), **dict.fromkeys(names, own)})


def test_a_map_alone_needs_its_mock_also_with_a_stub() -> None:
    definition = {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}}
    with pytest.raises(StateTestRefused, match="Map or Parallel"):
        single.test_state({**definition, "End": True}, {}, handlers=Stub().under({}))
