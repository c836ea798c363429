"""What an execution stands still for, as who works on it sees it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.handlers.handler import Handler
from sm_cli.views.stalls import MOST, stalls
from sm_cli.views.why import Reason
from sm_cli.worker.worker import Worker
from tests.engine.workers import Yard, soon, workflow

MESSAGE: dict[str, Any] = {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "End": True}
CALLBACK: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
            "Parameters": {"FunctionName": "work", "Payload": {"token.$": "$$.Task.Token"}}}  # fmt: skip
NESTED: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True,
          "Parameters": {"StateMachineArn": "child", "Input": {}}}  # fmt: skip


def one(name: str = "order", **state: Any) -> Any:
    return workflow({"StartAt": "S", "States": {"S": state}}, name)


def each(mode: str, **state: Any) -> Any:
    processor = {"ProcessorConfig": {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode != "INLINE" else {})},
                 "StartAt": "T", "States": {"T": state}}  # fmt: skip
    return one(Type="Map", ItemProcessor=processor, End=True)


def told(here: Yard, machine: Any, loop: Worker | None = None, input: Any = None) -> list[Reason]:
    """After a worker, by default one with `work` alone, has done all that it can."""
    execution = here.start(machine, input)
    loop = loop or here.worker({"work": Handler("work", lambda x: x)})
    while loop.tick() or loop.jobs:
        pass
    return stalls(loop, execution, time_text=str)


def test_a_handler_that_is_not_there(here: Yard) -> None:
    (reason,) = told(here, one(Type="Task", Resource="absent", End=True))
    assert (reason.kind, reason.state) == ("job", "S")
    assert "no handler of that name is there; write one with @handler('absent')" in reason.text


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_items_of_a_map_that_wait_for_it(here: Yard, mode: str) -> None:
    found = told(here, each(mode, Type="Task", Resource="absent", End=True), input=[1] * 9)
    assert {(reason.kind, reason.state) for reason in found} == {("job", "T")}
    assert len(found) == MOST
    assert all(reason.text.startswith("In ") for reason in found) == (mode == "DISTRIBUTED")


def test_a_message_a_callback_a_time_and_a_retry(here: Yard) -> None:
    (reason,) = told(here, one(**MESSAGE))
    assert (reason.kind, reason.state) == ("message", "S")
    (reason,) = told(here, one(**CALLBACK))
    assert reason.kind == "callback"
    (reason,) = told(here, one(Type="Wait", Seconds=60, End=True))
    assert (reason.kind, reason.text) == ("timer", "S waits for its time and goes on in 60 s.")

    def broken(_: Any) -> None:
        raise ConnectionError("refused")

    retried = one(Type="Task", Resource="broken", Retry=[{"ErrorEquals": ["States.ALL"]}], End=True)
    (reason,) = told(here, retried, here.worker({"broken": Handler("broken", broken)}))
    place = f"{__file__}:{broken.__code__.co_firstlineno + 1} in broken"
    assert (
        reason.text == f"S failed with ConnectionError: refused at {place} and is tried again in 1 s (attempt 2 of 4)."
    )


def test_children_of_a_map_run_that_wait_for_messages(here: Yard) -> None:
    (reason,) = told(here, each("DISTRIBUTED", **MESSAGE), input=[1, 2])
    assert (reason.kind, reason.text) == ("children", "S waits for its 2 items: 0 ended, 2 under way.")


def test_what_an_execution_that_it_started_waits_for(here: Yard) -> None:
    child = here.start(one("child", **MESSAGE))
    reasons = told(here, one(**NESTED))
    assert [reason.kind for reason in reasons] == ["message"]
    assert reasons[0].text.startswith("In child ")
    assert child.name not in reasons[0].text


def test_nothing_while_handlers_of_its_own_are_at_work_and_that_of_another_worker(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(one(Type="Task", Resource="work", End=True))
    mine, others = here.worker(gate.handlers, name="mine"), here.worker({}, name="other")
    soon(lambda: mine.tick() or bool(mine.jobs))
    assert stalls(mine, execution, time_text=str) == []
    (reason,) = stalls(others, execution, time_text=str)
    assert reason.text.startswith("S is at work: mine ")
    gate.open.set()
    while mine.jobs:
        mine.tick()
