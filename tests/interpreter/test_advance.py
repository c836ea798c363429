"""One frame, one event, one step: fences, budgets, and a frame that comes in unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.errors import IllegalTransition
from sm_cli.interpreter import events as e
from sm_cli.interpreter.advance import (
    aborted,
    advance,
    awaits_token,
    started,
    submitted,
    wake_event,
)
from sm_cli.interpreter.commands import Close, RunTask
from sm_cli.interpreter.frame import FrameStatus, Opens
from sm_cli.interpreter.step import EVENT_LIMIT, EVENT_LIMIT_CAUSE
from tests.interpreter.machines import STATES, enter, env, follow, frame, program

PASS: dict[str, Any] = {"Type": "Pass", "End": True}
TOKEN = {"Type": "Task", "Resource": "do.waitForTaskToken", "End": True}


def chain(length: int) -> Any:
    states: dict[str, Any] = {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(length - 1)}
    return compile_program({"StartAt": "P0", "States": {**states, f"P{length - 1}": PASS}})


@pytest.mark.parametrize("seq", [-2, 1, 9])
def test_an_event_for_another_seq_changes_nothing(seq: int) -> None:
    before = frame()
    step = advance(program(PASS), before, e.Entered(seq), env(events=7))
    assert step.ignored and step.frame is before
    assert (step.events, step.commands, step.records) == (7, [], [])


@pytest.mark.parametrize("status", [FrameStatus.SUCCEEDED, FrameStatus.FAILED, FrameStatus.ABORTED])
def test_a_closed_frame_takes_no_event(status: FrameStatus) -> None:
    closed = replace(frame(), status=status)
    assert advance(program(PASS), closed, e.Entered(0), env()).ignored


@pytest.mark.parametrize("name", STATES)
def test_the_frame_that_comes_in_is_left_as_it_is_and_the_step_is_a_function_of_its_arguments(name: str) -> None:
    before, compiled = frame(), program(STATES[name])
    copy = before.copy()
    first = advance(compiled, before, e.Entered(0), env(5))
    assert before == copy
    second = advance(compiled, before, e.Entered(0), env(5))
    assert (first.frame, first.commands, first.records) == (second.frame, second.commands, second.records)
    assert first.frame.seq == 1


def test_a_step_goes_on_until_the_frame_closes() -> None:
    step = advance(chain(5), replace(frame({"a": 1}), state="P0"), e.Entered(0), env())
    assert (step.frame.status, step.frame.state, step.frame.output) == (FrameStatus.SUCCEEDED, "P4", {"a": 1})
    assert [record.number for record in step.records] == list(range(1, 11))
    assert [record.previous for record in step.records] == list(range(10))
    assert step.events == 10


def test_a_budget_that_is_used_up_leaves_the_frame_ready_where_it_is() -> None:
    compiled, at = chain(5), replace(frame(), state="P0")
    step = advance(compiled, at, e.Entered(0), env(budget=2))
    assert (step.frame.status, step.frame.state, step.frame.seq) == (FrameStatus.READY, "P2", 1)
    step = advance(compiled, step.frame, e.Entered(1), env(events=step.events, budget=9))
    assert (step.frame.status, step.events) == (FrameStatus.SUCCEEDED, 10)


def test_without_a_history_the_events_are_counted_all_the_same() -> None:
    step = advance(chain(3), replace(frame(), state="P0"), e.Entered(0), env(history=False))
    assert (step.records, step.events) == ([], 6)


def test_a_pair_without_a_row_is_illegal() -> None:
    with pytest.raises(IllegalTransition, match="state 'S' of type Pass has no row for DelayElapsed"):
        advance(program(PASS), frame(), e.DelayElapsed(0), env())


@pytest.mark.parametrize(("limits", "status"), [(True, FrameStatus.FAILED), (False, FrameStatus.SUCCEEDED)])
def test_the_number_of_events_is_limited_where_aws_limits_hold(limits: bool, status: FrameStatus) -> None:
    step = advance(program(PASS), frame(), e.Entered(0), env(events=EVENT_LIMIT, limits=limits))
    assert step.frame.status is status
    (close,) = [command for command in step.commands if isinstance(command, Close)]
    assert close.cause == (EVENT_LIMIT_CAUSE if limits else None)


def test_a_started_job_is_recorded_and_the_seq_stays() -> None:
    compiled, step = enter(STATES["Task"])
    noted = started(compiled, step.frame, env(events=step.events))
    assert [record.type for record in noted.records] == ["TaskStarted"]
    assert (noted.frame.seq, noted.commands) == (step.frame.seq, [])


def test_what_returns_while_a_token_is_awaited_is_recorded_only() -> None:
    compiled, step = enter(TOKEN)
    assert awaits_token(compiled, step.frame)
    noted = submitted(compiled, step.frame, {"r": 1}, env(events=step.events))
    assert [record.type for record in noted.records] == ["TaskSubmitted"]
    assert (noted.frame.seq, noted.frame.status) == (step.frame.seq, FrameStatus.BLOCKED)
    done = follow(compiled, noted, e.TaskSucceeded(noted.frame.seq, {"ok": True}))
    assert (done.frame.status, done.frame.output) == (FrameStatus.SUCCEEDED, {"ok": True})


def test_a_task_without_a_token_awaits_none() -> None:
    compiled, step = enter(STATES["Task"])
    assert not awaits_token(compiled, step.frame)
    assert isinstance(step.commands[0], RunTask)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("Task", ["TaskStateAborted"]),
        ("Wait", ["WaitStateAborted"]),
        ("Parallel", ["ParallelStateAborted"]),
        ("Map", ["MapStateAborted"]),
        ("Message", []),
    ],
)
def test_an_aborted_frame_is_closed_with_nothing_open(name: str, types: list[str]) -> None:
    compiled, step = enter(STATES[name])
    ended = aborted(compiled, step.frame, env(events=step.events))
    assert [record.type for record in ended.records] == types
    assert (ended.frame.status, ended.frame.opens, ended.frame.wake) == (FrameStatus.ABORTED, Opens.NOTHING, None)
    assert ended.frame.seq == step.frame.seq + 1


def test_a_frame_that_was_never_entered_is_aborted_without_a_word() -> None:
    assert aborted(program(STATES["Task"]), frame(), env()).records == []


def test_a_ready_frame_wakes_with_what_was_kept_for_it() -> None:
    at = replace(frame(), seq=4)
    assert wake_event(at, None) == e.Entered(4)
    assert wake_event(at, {"event": "TaskFailed", "error": "E", "cause": None}) == e.TaskFailed(4, "E", None)
    assert wake_event(at, {"event": "Joined", "outputs": [1], "last": 3}) == e.Joined(4, [1], 3)
