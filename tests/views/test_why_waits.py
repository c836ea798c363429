"""What an execution waits for: every reason, with the command that does something about it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from sm_cli.cli.terminal.actions import command_of
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.interpreter.events import TaskFailed
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    Execution,
    Status,
    WorkerRecord,
)
from sm_cli.testing import FakeClock
from sm_cli.views.why import MOST, only_messages_move, why
from sm_cli.worker.membership import make_worker_record
from tests.engine.waiting import WAIT, machine, now, order, start, ticked, work

SECOND = 1_000_000
TASK: dict[str, Any] = {"Type": "Task", "Resource": "charge", "End": True}


class Told(NamedTuple):
    """A reason, with its action as the command line writes it."""

    kind: str
    text: str
    command: str | None = None
    state: str | None = None
    until: int | None = None


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(store: Store, clock: FakeClock) -> Engine:
    return Engine(store, clock=clock)


@pytest.fixture
def reasons(engine: Engine, store: Store, clock: FakeClock) -> Callable[..., list[Told]]:
    """`why` with times as seconds since the start."""
    t0 = clock.now()

    def told(execution: Execution, handlers: list[str] | None = None) -> list[Told]:
        found = why(
            engine, now(store, execution), handlers=handlers, time_text=lambda time: f"+{(time - t0) / SECOND:g}"
        )
        return [
            Told(r.kind, r.text, None if r.action is None else command_of(r.action), r.state, r.until) for r in found
        ]

    return told


def employ(engine: Engine, *workers: WorkerRecord) -> None:
    engine.transact(lambda tick: tick.changes.workers.extend(workers))


def alive(clock: FakeClock, name: str = "w1") -> WorkerRecord:
    return make_worker_record(name, "X", clock.now())


Asked = Callable[..., list[Told]]


def test_a_wait_for_a_message_names_the_line_that_sends_it(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    e = start(engine, order(), {"orderId": "ORD 1"})
    clock.advance_to(clock.now() + SECOND)
    (reason,) = reasons(e)
    assert reason == Told(
        "message", "Wait has waited since +0 for the message orderId=ORD 1, until +60.",
        "sm send-message 'orderId=ORD 1'", "Wait", clock.now() + 59 * SECOND,
    )  # fmt: skip


def test_a_value_in_quotes_is_quoted_for_the_command(engine: Engine, reasons: Asked) -> None:
    e = start(engine, order(), {"orderId": '"A"'})
    assert reasons(e)[0].command == """sm send-message 'orderId="\\"A\\""'"""


@pytest.mark.parametrize(
    ("value", "options", "said"),
    [
        ("ord-1", {}, "message 1 is kept for orderId=ord-1, which differs in case"),
        ("ORD-1 ", {}, "message 1 is kept for orderId=ORD-1 , which differs in blanks"),
    ],
)
def test_a_message_that_nearly_fits_is_shown(
    engine: Engine, reasons: Asked, value: str, options: dict[str, Any], said: str
) -> None:
    engine.publish("orderId", value, {}, **options)
    e = start(engine, order(), {"orderId": "ORD-1"})
    assert reasons(e)[0].text == f"Wait has waited since +0 for the message orderId=ORD-1, until +60; {said}."


def test_a_message_for_another_type_or_another_execution_is_shown(engine: Engine, reasons: Asked) -> None:
    waits_elsewhere = start(engine, order(CorrelationKey="other"), {"orderId": "7"})
    engine.publish("orderId", 7, {}, strict_type=True)
    engine.publish("orderId", "7", {}, execution=waits_elsewhere)
    e = start(engine, order(), {"orderId": "7"})
    assert reasons(e)[0].text.endswith(
        "; message 2 of that value is kept for another execution; message 1 of that value is kept for a wait of "
        "another type."
    )


def test_a_consumed_or_expired_message_is_no_near_miss(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    start(engine, order(), {"orderId": "ord-1"})
    engine.publish("orderId", "ord-1", {})
    engine.publish("orderId", "Ord-1", {}, ttl=1)
    clock.advance_to(clock.now() + 2 * SECOND)
    e = start(engine, order(), {"orderId": "ORD-1"})
    assert ";" not in reasons(e)[0].text


# -- jobs ------------------------------------------------------------------------------------------


def task(**more: Any) -> Workflow:
    return machine("Charge", Charge={**TASK, **more})


def test_a_free_job_without_a_worker_asks_for_one(engine: Engine, reasons: Asked) -> None:
    e = start(engine, task(), {})
    said = "Charge waits for a worker with the handler 'charge', and no worker is running."
    assert reasons(e, ["charge"]) == [Told("job", said, "sm worker", "Charge")]
    assert reasons(e)[0].text == said


def test_a_job_whose_handler_is_not_there_says_so(engine: Engine, reasons: Asked) -> None:
    e = start(engine, task(), {})
    assert reasons(e, ["other"])[0].text == (
        "Charge waits for a worker with the handler 'charge', and no handler of that name is there; write one with "
        "@handler('charge')."
    )


def test_a_wildcard_is_a_handler_that_is_there(engine: Engine, reasons: Asked) -> None:
    e = start(engine, task(Resource="arn:aws:states:::dynamodb:putItem"), {})
    assert "no handler of that name is there" not in reasons(e, ["dynamodb:*"])[0].text
    assert "no handler of that name is there" in reasons(e, ["aws-sdk:*"])[0].text


def test_a_free_job_with_workers_waits_for_a_slot(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    e = start(engine, task(), {})
    employ(engine, *(replace(alive(clock, f"w{n}"), id=f"w{n}/X") for n in range(1, 6)))
    (reason,) = reasons(e, ["charge"])
    assert reason.command is None
    assert reason.text == (
        "Charge waits for a worker with the handler 'charge'; as soon as it has a free slot, one takes it "
        "(running: w1, w2, w3 and 2 more)."
    )
    clock.advance_to(clock.now() + 91 * SECOND)
    assert reasons(e)[0].command == "sm worker"  # they have said nothing for too long


def test_a_job_at_work_names_the_worker_and_its_lease(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    worker = alive(clock)
    employ(engine, worker)
    execution, _, (job,) = engine.start(task(TimeoutSeconds=99), {}, taker=JobTaker(worker.id, 1))
    (reason,) = reasons(execution)
    assert reason == Told(
        "job", "Charge is at work: w1 runs the handler 'charge', its lease lasts until +10 and is renewed while it "
        "works.", None, "Charge", clock.now() + 99 * SECOND,
    )  # fmt: skip
    assert job.leased_until == clock.now() + 10 * SECOND


def test_a_job_of_a_worker_that_is_gone_is_taken_over(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    worker = replace(alive(clock), host="elsewhere", process="//")  # of this machine's it is known that they live
    employ(engine, worker)
    execution, _, _ = engine.start(task(), {}, taker=JobTaker(worker.id, 1))
    clock.advance_to(clock.now() + 95 * SECOND)
    (reason,) = reasons(execution)
    assert reason == Told(
        "job", "Charge was at work, and its worker w1 is gone; another one takes it over, as soon as there is one.",
        "sm worker", "Charge",
    )  # fmt: skip


def test_a_worker_whose_process_has_died_is_gone_at_once(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    dead = replace(alive(clock, "dead"), pid=child)
    employ(engine, dead, replace(alive(clock, "w2"), id="w2/X"))
    execution, _, _ = engine.start(task(), {}, taker=JobTaker(dead.id, 1))
    (reason,) = reasons(execution)
    assert reason.text == ("Charge was at work, and its worker dead is gone; another one takes it over (running: w2).")
    assert reason.command is None


def test_a_task_that_waits_for_a_callback_names_its_token(engine: Engine, store: Store, reasons: Asked) -> None:
    callback = task(Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
                    Parameters={"FunctionName": "charge", "Payload": {}}, HeartbeatSeconds=30)  # fmt: skip
    execution, _, (job,) = engine.start(callback, {}, taker=JobTaker("w", 1))
    engine.transact(lambda tick: tick.handler_returned(job, None))
    (reason,) = reasons(execution)
    assert (reason.kind, reason.state) == ("callback", "Charge")
    assert reason.text == "Charge has handed its work over and waits for the callback with its task token."
    assert reason.command is not None
    token = reason.command.removeprefix("sm task success ")
    engine.task_succeeded(token, {"done": True})
    assert now(store, execution).status is Status.SUCCEEDED


# -- time, children, turns -------------------------------------------------------------------------


def failed(engine: Engine, reasons: Asked, times: int) -> Execution:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 8, "MaxAttempts": 3, "BackoffRate": 1}]
    execution, _, (job,) = engine.start(task(Retry=retry), {}, taker=JobTaker("w", 1))
    for n in range(times):
        event = TaskFailed(job.seq, "Busy", "no line")
        engine.transact(lambda tick, event=event, job=job: tick.deliver(job.frame, event))  # type: ignore[misc]
        if n + 1 < times:
            engine.clock.advance_to(engine.clock.now() + 8 * SECOND)  # type: ignore[attr-defined]  # a FakeClock
            taker = JobTaker("w", 1)
            (job,) = engine.transact(lambda tick: tick.due(), taker)[1].taken_jobs()
    return execution


@pytest.mark.parametrize("times", [1, 2])
def test_a_retry_says_why_when_and_which_attempt(engine: Engine, reasons: Asked, clock: FakeClock, times: int) -> None:
    execution = failed(engine, reasons, times)
    (reason,) = reasons(execution)
    assert (reason.kind, reason.command, reason.until) == ("retry", "sm worker", clock.now() + 8 * SECOND)
    assert reason.text == (
        f"Charge failed with Busy: no line and is tried again in 8 s (attempt {times + 1} of 4); "
        "a worker has to be running then, and none is."
    )
    employ(engine, alive(clock))
    (reason,) = reasons(execution)
    assert reason.text == f"Charge failed with Busy: no line and is tried again in 8 s (attempt {times + 1} of 4)."
    assert reason.command is None


def test_a_wait_state_says_when_it_goes_on(engine: Engine, reasons: Asked, clock: FakeClock) -> None:
    e = start(engine, machine("Pause", Pause={"Type": "Wait", "Seconds": 3600, "End": True}), {})
    employ(engine, alive(clock))
    assert reasons(e) == [
        Told("timer", "Pause waits for its time and goes on at +3600.", None, "Pause", clock.now() + 3600 * SECOND)
    ]
    clock.advance_to(clock.now() + 3500 * SECOND)
    assert reasons(e)[0].text.startswith("Pause waits for its time and goes on in 100 s")


def fan(count: int, limit: int = 0) -> tuple[Workflow, dict[str, Any]]:
    wait = {**WAIT, "CorrelationValuePath": "$", "End": True}
    for name in ("Next", "TimeoutPath"):
        del wait[name]
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": limit, "End": True,
            "ItemProcessor": {"StartAt": "Wait", "States": {"Wait": wait}}}  # fmt: skip
    return machine("Each", Each=each), {"items": [f"I{n}" for n in range(count)]}


def test_a_parent_counts_its_children_and_they_say_what_they_wait_for(engine: Engine, reasons: Asked) -> None:
    workflow, input = fan(4, limit=2)
    e = start(engine, workflow, input)
    engine.publish("orderId", "I0", {})
    found = reasons(e)
    assert [r.kind for r in found] == ["children", "message", "message"]
    assert found[0].text == (
        "Each waits for its 4 children: 1 ended, 2 under way, 1 not begun (its MaxConcurrency is reached)."
    )
    assert sorted(r.command or "" for r in found[1:]) == [
        "sm send-message orderId=I1", "sm send-message orderId=I2",
    ]  # fmt: skip


def test_only_so_many_reasons_are_shown(engine: Engine, reasons: Asked) -> None:
    workflow, input = fan(30)
    found = reasons(start(engine, workflow, input))
    assert found[0].text == "Each waits for its 30 children: 0 ended, 30 to go."
    assert len(found) == MOST


def test_a_frame_that_is_ready_waits_for_a_worker(store: Store, clock: FakeClock, reasons: Asked) -> None:
    engine = Engine(store, clock=clock, settings=Settings(fanout=0))
    e = start(engine, order(), {"orderId": "A"})
    engine.publish("orderId", "A", {})
    (reason,) = reasons(e)
    assert (reason.kind, reason.command) == ("ready", "sm worker")
    assert reason.text == "Wait can go on: a worker does the next step, as soon as there is one."
    ticked(engine)
    assert reasons(e)[0].kind == "job"


def test_the_deadline_of_the_whole_execution_is_shown(engine: Engine, reasons: Asked) -> None:
    e = engine.start(order(), {"orderId": "A"}, timeout=99)[0]
    assert reasons(e)[-1].text == "Whatever comes, it ends as TIMED_OUT at +99."


def test_a_closed_execution_waits_for_nothing(engine: Engine, reasons: Asked) -> None:
    done, stopped = (start(engine, order(), {"orderId": "A"}) for _ in range(2))
    engine.publish("orderId", "A", {}, to="one")
    work(engine)
    engine.stop(stopped, error="Enough", cause="of it")
    assert reasons(done) == [Told("ended", "Nothing is left to do: it ended SUCCEEDED at +0.", f"sm output {done.ref}")]
    assert reasons(stopped) == [
        Told("ended", "Nothing is left to do: it ended ABORTED at +0 with Enough: of it.",
               f"sm redrive {stopped.ref}")
    ]  # fmt: skip


# -- only a message --------------------------------------------------------------------------------


def test_only_a_message_moves_an_execution_whose_branches_all_wait_for_one(engine: Engine, store: Store) -> None:
    workflow, input = fan(3)
    e = start(engine, workflow, input)
    assert [s.value for s in only_messages_move(engine, e.id)] == ["I0", "I1", "I2"]
    pause = {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 5, "End": True}}}
    wait = {"StartAt": "W", "States": {"W": {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.k",
                                             "End": True}}}  # fmt: skip
    both = start(engine, machine("Both", Both={"Type": "Parallel", "Branches": [pause, wait], "End": True}), {"k": 1})
    assert only_messages_move(engine, both.id) == []
    engine.clock.advance_to(engine.clock.now() + 5 * SECOND)  # type: ignore[attr-defined]  # a FakeClock
    ticked(engine)
    assert [s.key for s in only_messages_move(engine, both.id)] == ["k"]


def test_a_worker_or_time_moves_the_others(engine: Engine, store: Store) -> None:
    assert only_messages_move(engine, start(engine, task(), {}).id) == []
    e = start(engine, order(), {"orderId": "A"})
    assert len(only_messages_move(engine, e.id)) == 1
    engine.stop(e)
    assert only_messages_move(engine, e.id) == []
