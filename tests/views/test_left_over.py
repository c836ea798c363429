"""What is left of the work in a database, as a worker that can do no more sees it."""

from __future__ import annotations

from typing import Any

from sm_cli.engine.stepping.queues import Rota
from sm_cli.handlers.handler import Handler
from sm_cli.views.left_over import Lack, Left, left_over
from sm_cli.worker import passes
from tests.engine.workers import Yard, soon, workflow

DONE = {"work": Handler("work", lambda x: x)}
TASK: dict[str, Any] = {"Type": "Task", "Resource": "work", "End": True}
MESSAGE: dict[str, Any] = {
    "Type": "Message",
    "CorrelationKey": "k",
    "CorrelationValue": "v",
    "TimeoutSeconds": 60,
    "End": True,
}
CALLBACK: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
            "Parameters": {"FunctionName": "work", "Payload": {"token.$": "$$.Task.Token"}}}  # fmt: skip
SECOND = 1_000_000


def one(name: str = "order", **state: Any) -> Any:
    return workflow({"StartAt": "S", "States": {"S": state}}, name)


def test_each_execution_is_counted_once_by_the_first_that_it_lacks(here: Yard) -> None:
    now = here.clock.now()
    both = {"StartAt": "T", "States": {"T": {**TASK, "Resource": "absent"}}}, {"StartAt": "M", "States": {"M": MESSAGE}}
    for machine in (
        one(**{**TASK, "Resource": "absent"}), one(**MESSAGE), one(**CALLBACK),
        one(Type="Wait", Seconds=5, End=True), one(Type="Wait", Seconds=9, End=True),
        one(Type="Parallel", Branches=list(both), End=True),
    ):  # fmt: skip
        here.start(machine)
    loop = here.worker(DONE)
    passes.drain(loop, lambda: False)
    assert left_over(loop) == [
        Left(Lack.HANDLER, "absent", 2),
        Left(Lack.CALLBACK, "", 1),
        Left(Lack.MESSAGE, "", 1, now + 60 * SECOND),
        Left(Lack.TIME, "", 2, now + 5 * SECOND),
    ]


def test_the_items_of_a_map_and_a_child_are_one_with_who_waits_for_them(here: Yard) -> None:
    absent = {**TASK, "Resource": "absent"}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
                 "States": {"T": absent}}  # fmt: skip
    here.start(one(Type="Map", ItemProcessor=processor, End=True), [1, 2, 3])
    here.start(one("child", **absent))
    here.start(one(Type="Task", Resource="arn:aws:states:::states:startExecution.sync", End=True,
                   Parameters={"StateMachineArn": "child", "Input": {}}))  # fmt: skip
    loop = here.worker(DONE)
    passes.drain(loop, lambda: False)
    assert left_over(loop) == [Left(Lack.HANDLER, "absent", 3)]


def test_a_retry_a_queue_that_is_not_served_and_another_worker(here: Yard) -> None:
    def broken(_: Any) -> None:
        raise ConnectionError

    now, gate = here.clock.now(), here.gate()
    here.start(one(**TASK), queue="low")
    loop = here.worker({**DONE, "broken": Handler("broken", broken)}, rota=Rota({"default": 1}))
    passes.drain(loop, lambda: False)
    assert left_over(loop) == [Left(Lack.QUEUE, "low", 1)]
    other = here.worker(gate.handlers, name="other")
    soon(lambda: other.tick() or bool(other.jobs))
    here.start(one(Type="Task", Resource="broken", Retry=[{"ErrorEquals": ["States.ALL"]}], End=True))
    passes.drain(loop, lambda: False)
    assert left_over(loop) == [Left(Lack.ELSEWHERE, "other", 1), Left(Lack.RETRY, "", 1, now + SECOND)]
    assert [left.lack.is_stuck for left in left_over(loop)] == [True, False]


def test_what_it_could_do_itself_is_for_the_next_look(here: Yard) -> None:
    here.start(one(**TASK))
    assert left_over(here.worker(DONE)) == [Left(Lack.TURN, "", 1)]
