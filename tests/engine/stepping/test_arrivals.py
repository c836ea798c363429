"""What is due goes before what arrives, at every door, whether or not a worker ran in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.send_message import SendOutcome
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping.redrive import redrive
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import Conflict, TaskTimedOut
from sm_cli.interpreter.tokens import make_token
from sm_cli.store.messages import MessageStatus
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from tests.engine.workers import SECOND, Yard, soon, workflow
from tests.store.asking import asked

TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
TASK: dict[str, Any] = {"Type": "Task", "Resource": TOKEN, "End": True}
WAIT: dict[str, Any] = {
    "Type": "Message", "CorrelationKey": "order", "CorrelationValue": "A", "TimeoutSeconds": 10, "End": True,
}  # fmt: skip


def states(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": state}, **more}


class Door:
    """An engine without a worker; `handed` starts an execution whose task waits for its token."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock()
        self.engine = Engine(self.store, clock=self.clock)

    def start(self, definition: dict[str, Any], **more: Any) -> Execution:
        return self.engine.start(workflow(definition), {}, **more)[0]

    def handed(self, definition: dict[str, Any]) -> tuple[Execution, str]:
        execution, _, jobs = self.engine.start(workflow(definition), {}, taker=JobTaker("w", 9))
        for job in jobs:
            self.engine.transact(lambda tick, job=job: tick.handler_returned(job, "accepted"))  # type: ignore[misc]
        (job,) = jobs
        return execution, make_token(self.store.token_key(), job.frame, job.seq)

    def later(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now() + round(seconds * SECOND))

    def now(self, execution: Execution) -> Execution:
        found = asked(self.store).execution(execution.id)
        assert found is not None
        return found

    def types(self, execution: Execution) -> list[str]:
        return [event.type for event in asked(self.store).history(execution.id)]


def answers(engine: Engine) -> dict[str, Any]:
    return {
        "success": lambda token: engine.task_succeeded(token, "done"),
        "failure": lambda token: engine.task_failed(token, "Refused"),
        "heartbeat": engine.task_beat,
    }


@pytest.mark.parametrize("door", ["success", "failure", "heartbeat"])
@pytest.mark.parametrize("limit", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_a_token_after_its_tasks_time_is_too_late(door: str, limit: str) -> None:
    here = Door()
    execution, token = here.handed(states({**TASK, limit: 10}))
    here.later(12)
    with pytest.raises(TaskTimedOut, match=r"TaskTimedOut: .* its time was up 2 seconds ago"):
        answers(here.engine)[door](token)
    # The timeout is committed, although nobody else works here.
    assert (here.now(execution).status, here.now(execution).error) == (Status.FAILED, "States.Timeout")
    assert here.types(execution)[-2:] == ["TaskTimedOut", "ExecutionFailed"]


@pytest.mark.parametrize("door", ["success", "failure", "heartbeat"])
def test_a_token_at_the_moment_of_its_deadline_is_in_time(door: str) -> None:
    here = Door()
    execution, token = here.handed(states({**TASK, "TimeoutSeconds": 10}))
    here.later(10)
    answers(here.engine)[door](token)
    assert "TaskTimedOut" not in here.types(execution)


@pytest.mark.parametrize("door", ["success", "failure", "heartbeat"])
def test_a_token_after_the_deadline_of_its_execution_is_too_late(door: str) -> None:
    here = Door()
    execution, token = here.handed(states(TASK, TimeoutSeconds=10))
    here.later(12)
    with pytest.raises(TaskTimedOut, match=r"its time was up 2 seconds ago .* is TIMED_OUT"):
        answers(here.engine)[door](token)
    assert here.now(execution).status is Status.TIMED_OUT


def test_a_token_after_a_sibling_failed_by_its_timeout_is_too_late() -> None:
    here = Door()
    branches = [{"StartAt": name, "States": {name: state}} for name, state in (
        ("A", TASK), ("B", {**WAIT, "TimeoutSeconds": 5}),
    )]  # fmt: skip
    execution, token = here.handed(states({"Type": "Parallel", "Branches": branches, "End": True}))
    here.later(6)
    with pytest.raises(TaskTimedOut):
        here.engine.task_succeeded(token, "done")
    assert (here.now(execution).status, here.now(execution).error) == (Status.FAILED, "States.Timeout")


def test_a_message_after_its_wait_is_buffered_and_the_sender_is_told() -> None:
    here = Door()
    execution = here.start(states({**WAIT, "TimeoutSeconds": 10}))
    here.later(12)
    sent = here.engine.publish("order", "A", {"n": 1})
    assert sent.outcome is SendOutcome.BUFFERED
    assert "2 seconds ago: its time was up" in sent.near[0]
    assert here.now(execution).error == "States.Timeout"
    stored = asked(here.store).message(sent.message or 0)
    assert stored is not None
    assert stored.status is MessageStatus.BUFFERED
    again = here.start(states(WAIT))
    assert here.now(again).output == {"n": 1}


def test_a_message_after_its_wait_goes_to_the_wait_that_is_still_open() -> None:
    here = Door()
    late = here.start(states({**WAIT, "TimeoutSeconds": 10}))
    timely = here.start(states({**WAIT, "TimeoutSeconds": 100}))
    here.later(12)
    sent = here.engine.publish("order", "A", "x", to="one")
    assert sent.executions == (timely.ref,)
    assert (here.now(late).status, here.now(timely).status) == (Status.FAILED, Status.SUCCEEDED)


def test_a_message_after_the_deadline_of_the_execution_is_not_received() -> None:
    here = Door()
    execution = here.start(states({**WAIT, "TimeoutSeconds": 100}, TimeoutSeconds=10))
    here.later(12)
    sent = here.engine.publish("order", "A", "x")
    assert sent.outcome is SendOutcome.BUFFERED
    assert here.now(execution).status is Status.TIMED_OUT
    assert sent.near == (f"execution {execution.ref} waited for order=A until 2 seconds ago: it was closed",)


def test_a_wait_that_was_closed_with_its_sibling_or_parent_is_not_told_of_as_open() -> None:
    here = Door()
    late, other = {**WAIT, "TimeoutSeconds": 10}, {**WAIT, "CorrelationKey": "order", "CorrelationValue": "B"}
    branches = [{"StartAt": n, "States": {n: state}} for n, state in (("L", late), ("O", other))]
    execution = here.start(states({"Type": "Parallel", "Branches": branches, "End": True}))
    here.later(12)
    for value in ("B", "b"):
        sent = here.engine.publish("order", value, "x")
        assert sent.outcome is SendOutcome.BUFFERED
        assert sent.near == (f"execution {execution.ref} waited for order=B until a moment ago: it was closed",)


def test_a_message_for_one_execution_whose_time_is_up_is_refused() -> None:
    here = Door()
    execution = here.start(states({**WAIT, "TimeoutSeconds": 10}))
    here.later(12)
    with pytest.raises(Conflict, match="is FAILED already"):
        here.engine.publish("order", "A", "x", execution=execution)


def test_a_stop_after_the_deadline_finds_it_timed_out() -> None:
    here = Door()
    execution = here.start(states({"Type": "Wait", "Seconds": 99, "End": True}, TimeoutSeconds=10))
    here.later(12)
    with pytest.raises(Conflict, match="is TIMED_OUT already"):
        here.engine.stop(execution)
    assert here.now(execution).status is Status.TIMED_OUT


def test_a_start_under_the_name_of_one_that_is_over_its_deadline_is_refused() -> None:
    here = Door()
    definition = states({"Type": "Wait", "Seconds": 99, "End": True}, TimeoutSeconds=10)
    execution = here.start(definition, name="one")
    assert here.start(definition, name="one").id == execution.id
    here.later(12)
    with pytest.raises(Conflict, match="taken by an execution that is TIMED_OUT"):
        here.start(definition, name="one")
    assert here.now(execution).status is Status.TIMED_OUT


def test_an_execution_past_its_deadline_can_be_redriven_and_has_a_new_span() -> None:
    here = Door()
    execution = here.start(states({"Type": "Wait", "Seconds": 15, "End": True}), timeout=10)
    here.later(12)
    assert [again.state for again in here.engine.redrive(execution)] == ["S"]
    redriven = here.now(execution)
    assert (redriven.status, redriven.deadline) == (Status.RUNNING, here.clock.now() + 10 * SECOND)
    here.later(11)
    here.engine.transact(Tick.due)
    assert here.now(execution).status is Status.TIMED_OUT
    assert here.engine.transact(lambda tick: redrive(tick, execution))[0]
    assert here.now(execution).deadline == here.clock.now() + 10 * SECOND


def test_an_activity_gives_no_task_of_an_execution_whose_time_is_up() -> None:
    here = Door()
    task = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:1:activity:paint", "End": True}
    late = [here.start(states(task, TimeoutSeconds=10)) for _ in range(3)]
    timely = here.start(states(task))
    here.later(12)
    found = here.engine.poll_activity("paint")
    assert found is not None
    assert here.engine.task_succeeded(found[0], "red").id == timely.id
    assert {here.now(execution).status for execution in late} == {Status.TIMED_OUT}
    assert here.engine.poll_activity("paint") is None


def test_a_handlers_result_after_its_timeout_is_too_late() -> None:
    yard = Yard()
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    task = {"Type": "Task", "Resource": "work", "TimeoutSeconds": 10, "End": True}
    execution = yard.start(workflow(states(task)))
    worker.tick()
    yard.later(12)
    gate.open.set()
    worker.run(lambda: yard.now(execution).closed is not None)
    assert yard.now(execution).error == "States.Timeout"
    yard.close()


def test_a_handlers_result_that_came_in_time_counts_though_its_worker_was_busy() -> None:
    yard = Yard()
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    task = {"Type": "Task", "Resource": "work", "TimeoutSeconds": 10, "End": True}
    execution = yard.start(workflow(states(task)))
    worker.tick()
    gate.open.set()
    soon(lambda: not worker.pool._results.empty())
    yard.later(12)
    worker.run(lambda: yard.now(execution).closed is not None)
    assert yard.now(execution).output == "done"
    yard.close()


class Crowded(MemoryStore):
    """Whoever writes has to wait: `meanwhile` happens, once."""

    meanwhile: Callable[[], None] | None = None

    @contextmanager
    def write(self, locks: Any = None, executions: Any = (), jobs: int = 0) -> Iterator[Transaction]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        with super().write(locks, executions, jobs) as tx:
            yield tx


@pytest.mark.parametrize("limit", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_a_handlers_result_that_came_while_its_worker_waited_to_write_is_in_time(limit: str) -> None:
    store = Crowded()
    yard = Yard(store)
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    execution = yard.start(workflow(states({"Type": "Task", "Resource": "work", limit: 10, "End": True})))
    worker.tick()
    yard.start(workflow(states({"Type": "Wait", "Seconds": 1, "End": True})))
    yard.later(2)

    def ends() -> None:
        gate.open.set()
        soon(lambda: not worker.pool._results.empty())
        yard.later(12)

    store.meanwhile = ends
    worker.run(lambda: yard.now(execution).closed is not None)
    assert (yard.now(execution).status, yard.now(execution).output) == (Status.SUCCEEDED, "done")
    yard.close()


def test_a_heartbeat_that_came_while_its_worker_waited_to_write_is_in_time() -> None:
    store = Crowded()
    yard = Yard(store)
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    execution = yard.start(workflow(states({"Type": "Task", "Resource": "work", "HeartbeatSeconds": 10, "End": True})))
    worker.tick()
    soon(gate.calls.__len__)
    yard.start(workflow(states({"Type": "Wait", "Seconds": 1, "End": True})))
    yard.later(2)

    def beats() -> None:
        yard.later(7)
        gate.calls[0].heartbeat()
        yard.later(5)

    store.meanwhile = beats
    worker.tick()
    assert yard.now(execution).status is Status.RUNNING
    yard.close()


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_how_long_ago_a_result_came_does_not_change_when_the_clock_is_set(jump: int) -> None:
    yard = Yard()
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    execution = yard.start(workflow(states({"Type": "Task", "Resource": "work", "TimeoutSeconds": 10, "End": True})))
    worker.tick()
    gate.open.set()
    soon(lambda: not worker.pool._results.empty())
    yard.clock.jump(jump * SECOND)
    yard.later(12)
    worker.run(lambda: yard.now(execution).closed is not None)
    assert yard.now(execution).output == "done"
    yard.close()


def test_a_heartbeat_that_was_given_in_time_counts_and_a_late_one_does_not() -> None:
    for said, status in ((8, Status.RUNNING), (11, Status.FAILED)):
        yard = Yard()
        gate = yard.gate()
        worker = yard.worker(gate.handlers)
        task = {"Type": "Task", "Resource": "work", "HeartbeatSeconds": 10, "End": True}
        execution = yard.start(workflow(states(task)))
        worker.tick()
        soon(gate.calls.__len__)
        yard.later(said)
        gate.calls[0].heartbeat()
        yard.later(12 - said)
        worker.tick()
        assert yard.now(execution).status is status
        yard.close()


def test_a_worker_starts_no_handler_for_an_execution_whose_time_is_up() -> None:
    yard = Yard()
    gate = yard.gate()
    worker = yard.worker(gate.handlers)
    task = {"Type": "Task", "Resource": "work", "End": True}
    execution = yard.start(workflow(states(task, TimeoutSeconds=10)))
    yard.later(12)
    worker.tick()
    assert (yard.now(execution).status, gate.calls) == (Status.TIMED_OUT, [])
    yard.close()


def test_a_callback_reads_one_job_whatever_else_waits() -> None:
    here = Door()
    item = {"StartAt": "T", "States": {"T": TASK}}
    many = {"Type": "Map", "ItemProcessor": item, "End": True}
    execution, _, jobs = here.engine.start(workflow(states(many)), list(range(50)), taker=JobTaker("w", 99))
    for job in jobs:
        here.engine.transact(lambda tick, job=job: tick.handler_returned(job, "accepted"))  # type: ignore[misc]
    with here.store.write() as tx:
        assert [tx.job_of(job.frame) for job in jobs] == asked(here.store).jobs_of(execution.id)
    for job in jobs:
        here.engine.task_succeeded(make_token(here.store.token_key(), job.frame, job.seq), job.frame)
    assert here.now(execution).output == [job.frame for job in jobs]
