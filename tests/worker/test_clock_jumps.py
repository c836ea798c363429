"""What lives keeps its jobs, and a wall clock that jumps changes no span of time."""

from __future__ import annotations

import logging

import pytest

from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import Execution
from sm_cli.testing import FakeClock
from sm_cli.views.why import why
from sm_cli.worker.worker import Worker
from tests.engine.workers import SECOND, Gate, Yard, caught, died, one_task, soon, workflow, yard
from tests.store.asking import asked

HOUR = 3600 * SECOND


def at_work(here: Yard, gate: Gate, execution: Execution, *, alive: bool = True) -> Worker:
    loop = here.worker(gate.handlers, alive=alive)
    assert loop.tick()
    soon(lambda: len(gate.calls) == 1)
    assert here.job(execution).worker == loop.worker.id
    return loop


def finish(here: Yard, loop: Worker, gate: Gate, execution: Execution) -> None:
    gate.open.set()
    loop.run(lambda: here.now(execution).closed is not None)


def pass_time(here: Yard, loop: Worker, seconds: int) -> None:
    for _ in range(seconds // 5):
        here.later(5)
        loop.tick()


# A process that lives keeps its jobs


def test_a_silent_worker_whose_process_lives_keeps_its_job_and_its_result(here: Yard) -> None:
    gate, execution = here.gate(), here.start(one_task())
    silent = at_work(here, gate, execution)
    other = here.worker(gate.handlers, name="other", alive=True)
    pass_time(here, other, 590)
    assert (here.job(execution).worker, here.job(execution).deliveries) == (silent.worker.id, 1)
    (reason,) = why(here.engine, here.now(execution), time_text=str)
    assert f"has been silent since {silent.worker.seen}" in reason.text
    finish(here, silent, gate, execution)
    assert here.now(execution).output == "done"
    assert len(gate.calls) == 1


def test_a_silent_worker_lives_though_nobody_has_renewed_its_lease(here: Yard) -> None:
    gate, execution = here.gate(), here.start(one_task())
    silent = at_work(here, gate, execution)
    here.later(25)
    (reason,) = why(here.engine, here.now(execution), time_text=str)
    assert f"its lease ran out at {here.job(execution).leased_until}. Its process lives" in reason.text
    assert "is gone" not in reason.text
    finish(here, silent, gate, execution)
    assert here.now(execution).output == "done"


def test_after_ten_minutes_a_silent_workers_job_is_anothers(here: Yard) -> None:
    gate, execution = here.gate(), here.start(one_task())
    at_work(here, gate, execution)
    other = here.worker(gate.handlers, name="other", alive=True)
    pass_time(here, other, 615)
    assert (here.job(execution).worker, here.job(execution).deliveries) == (other.worker.id, 2)


@pytest.mark.parametrize("timeout", [30, 1200])
def test_a_silent_workers_task_is_late_at_its_own_deadline_and_not_before(here: Yard, timeout: int) -> None:
    gate, execution = here.gate(), here.start(caught(TimeoutSeconds=timeout))
    silent = at_work(here, gate, execution)
    other = here.worker(gate.handlers, name="other", alive=True)
    pass_time(here, other, timeout - 5)
    assert here.job(execution).worker == silent.worker.id
    pass_time(here, other, 15)
    output = here.now(execution).output
    assert isinstance(output, dict)
    assert output["Error"] == "States.Timeout"
    assert len(gate.calls) == 1
    assert here.left_over(execution) == []


@pytest.mark.parametrize(("more", "seconds"), [({}, 20), ({"TimeoutSeconds": 3000}, 20)])
def test_a_silent_workers_task_is_late_when_its_heartbeat_is_missed(
    here: Yard, more: dict[str, int], seconds: int
) -> None:
    gate, execution = here.gate(), here.start(caught(HeartbeatSeconds=20, **more))
    silent = at_work(here, gate, execution)
    other = here.worker(gate.handlers, name="other", alive=True)
    for _ in range(seconds - 1):
        here.later(1)
        other.tick()
    assert here.job(execution).worker == silent.worker.id
    here.later(1.5)
    other.tick()
    output = here.now(execution).output
    assert isinstance(output, dict)
    assert output["Error"] == "States.Timeout"
    assert len(gate.calls) == 1
    assert here.left_over(execution) == []


# Jumps of the wall clock


@pytest.mark.parametrize("jump", [-HOUR, HOUR, 48 * HOUR])
@pytest.mark.parametrize("alive", [True, False])
def test_a_jump_takes_no_job_from_its_worker_and_is_logged_once(
    here: Yard, jump: int, alive: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gate, execution = here.gate(), here.start(one_task(TimeoutSeconds=60))
    loop = at_work(here, gate, execution, alive=alive)
    other = here.worker(gate.handlers, name="other", alive=alive)
    other.tick()
    here.clock.jump(jump)
    with caplog.at_level(logging.WARNING, "sm.engine"):
        for _ in range(20):
            here.later(2)
            other.tick()
            loop.tick()
    assert [record.message.split(" by ")[0] for record in caplog.records] == [
        f"the clock jumped {'forward' if jump > 0 else 'back'}"
    ] * 2  # once by each worker
    leased_until = here.job(execution).leased_until
    assert leased_until is not None
    assert 0 < leased_until - here.clock.now() <= 10 * SECOND
    assert here.job(execution).worker == loop.worker.id
    finish(here, loop, gate, execution)
    assert here.now(execution).output == "done"
    assert len(gate.calls) == 1


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_running_tasks_seconds_are_those_that_pass(here: Yard, jump: int) -> None:
    gate, execution = here.gate(), here.start(caught(TimeoutSeconds=60, HeartbeatSeconds=50))
    loop = at_work(here, gate, execution)
    here.later(20)
    gate.calls[0].beat()
    loop.tick()
    here.clock.jump(jump)
    loop.tick()
    due = {timer.kind: timer.due - here.clock.now() for timer in asked(here.store).timers_of(execution.id)}
    assert due == {TimerKind.DEADLINE: 40 * SECOND, TimerKind.HEARTBEAT: 50 * SECOND}
    here.later(41)
    loop.tick()
    assert "TaskTimedOut" in here.history(execution)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_dead_worker_is_noticed_within_a_second_of_a_jump(here: Yard, jump: int) -> None:
    gate, execution = here.gate(), here.start(one_task())
    doomed = at_work(here, gate, execution)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    here.clock.jump(jump)
    other.tick()
    died(doomed)
    here.later(1.1)
    other.tick()
    assert here.job(execution).worker == other.worker.id


def test_a_wait_stays_with_the_wall_clock(here: Yard) -> None:
    execution = here.start(workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3000, "End": True}}}))
    loop = here.worker({})
    loop.tick()
    here.clock.jump(HOUR)
    loop.tick()
    assert here.now(execution).closed is not None


class Skittish(FakeClock):
    """Jumps when the wall clock is read for the n-th time from now."""

    def __init__(self) -> None:
        super().__init__()
        self.left = self.by = 0

    def now(self) -> int:
        found = super().now()
        self.left -= 1
        if self.left == 0:
            self.jump(self.by)
        return found


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
@pytest.mark.parametrize("reading", range(1, 13))
def test_a_jump_at_any_moment_of_a_round_changes_no_tasks_seconds(jump: int, reading: int) -> None:
    """One task runs and beats, another one is taken in the very round that the clock jumps in."""
    clock = Skittish()
    with yard(clock=clock) as here:
        first, second = here.gate(), here.gate()
        handlers = {"work": first.handlers["work"], "more": Handler("more", second.work)}
        times = {"TimeoutSeconds": 60, "HeartbeatSeconds": 50}
        task = {"Type": "Task", "Resource": "more", "End": True, **times}
        running = here.start(one_task(**times))
        loop = at_work_on(here, handlers, first)
        here.later(20)
        taken = here.start(workflow({"StartAt": "M", "States": {"M": task}}, "more"))
        first.calls[0].heartbeat()
        clock.left, clock.by = reading, jump
        loop.tick()
        soon(lambda: len(second.calls) == 1)
        second.calls[0].heartbeat()
        clock.left = 0
        here.later(1)
        loop.tick()
        loop.tick()
        if clock.total_jump:
            assert clock.total_jump == jump
        spans = {
            (execution.id, timer.kind): (timer.due - clock.now()) // SECOND
            for execution in (running, taken)
            for timer in asked(here.store).timers_of(execution.id)
        }
        assert spans == {
            (running.id, TimerKind.DEADLINE): 39, (running.id, TimerKind.HEARTBEAT): 49,
            (taken.id, TimerKind.DEADLINE): 59, (taken.id, TimerKind.HEARTBEAT): 49,
        }  # fmt: skip
        first.open.set()
        second.open.set()
        loop.run(lambda: here.now(running).closed is not None and here.now(taken).closed is not None)
        assert (here.now(running).output, here.now(taken).output) == ("done", "done")


def at_work_on(here: Yard, handlers: dict[str, Handler], gate: Gate) -> Worker:
    loop = here.worker(handlers)
    assert loop.tick()
    soon(lambda: len(gate.calls) == 1)
    return loop
