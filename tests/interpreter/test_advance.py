"""One frame, one event, one step: fences, budgets, and a frame that comes in unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.errors import IllegalTransition
from sm_cli.history_event import HistoryEvent
from sm_cli.interpreter import events as e
from sm_cli.interpreter.advance import (
    abort_frame,
    advance,
    awaits_token,
    started,
    submitted,
    wake_event,
)
from sm_cli.interpreter.commands import Close, RunTask
from sm_cli.interpreter.frame import FrameStatus, Opens
from sm_cli.interpreter.step import EVENT_LIMIT, event_limit_cause
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
    assert close.cause == (event_limit_cause(EVENT_LIMIT) if limits else None)


def test_a_started_job_is_an_event_after_the_newest_one() -> None:
    compiled, step = enter(STATES["Task"])
    detail: dict[str, Any] = {"resource": "do:it", "resourceType": "handler"}
    expected = HistoryEvent(1, step.events + 1, step.frame.last, 1, 0, "TaskStarted", detail)
    assert started(compiled, step.frame, env(events=step.events)) == expected


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
    ended = abort_frame(compiled, step.frame, env(events=step.events))
    assert [record.type for record in ended.records] == types
    assert (ended.frame.status, ended.frame.opens, ended.frame.wake) == (FrameStatus.ABORTED, Opens.NOTHING, None)
    assert ended.frame.seq == step.frame.seq + 1


def test_a_frame_that_was_never_entered_is_aborted_without_a_word() -> None:
    assert abort_frame(program(STATES["Task"]), frame(), env()).records == []


def test_a_ready_frame_wakes_with_what_was_kept_for_it() -> None:
    at = replace(frame(), seq=4)
    assert wake_event(at, None) == e.Entered(4)
    assert wake_event(at, {"event": "TaskFailed", "error": "E", "cause": None}) == e.TaskFailed(4, "E", None)
    assert wake_event(at, {"event": "Joined", "outputs": [1], "last": 3}) == e.Joined(4, [1], 3)


# -- when an execution is full, or is to be left for others ----------------------------------------------


def test_a_step_yields_between_two_states_when_it_has_done_enough() -> None:
    asked: list[int] = []

    def enough(records: Any) -> bool:
        asked.append(len(records))
        return len(records) >= 4

    step = advance(chain(9), replace(frame(), state="P0"), e.Entered(0), env(enough=enough))
    assert (step.frame.status, step.frame.state) == (FrameStatus.READY, "P2")
    assert asked == [2, 4], "not before the first state, and once between any two"


def test_a_budget_of_nothing_leaves_the_frame_where_it_is() -> None:
    step = advance(chain(2), replace(frame(), state="P0"), e.Entered(0), env(budget=0))
    assert (step.frame.status, step.frame.state, step.frame.seq, step.records) == (FrameStatus.READY, "P0", 1, [])


def test_a_failure_that_there_is_no_room_to_record_ends_the_execution_by_the_limit() -> None:
    compiled, step = enter({**STATES["Task"], "Retry": []})
    step = advance(compiled, step.frame, e.TaskFailed(1, "E", None), env(events=EVENT_LIMIT - 1, limits=True))
    (close,) = step.commands
    assert isinstance(close, Close)
    assert (close.error, close.cause, step.records) == ("States.Runtime", event_limit_cause(EVENT_LIMIT), [])


def test_a_catcher_that_there_is_no_room_to_enter_does_not_take_the_error() -> None:
    state = {**STATES["Task"], "Retry": [], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]}
    compiled, step = enter(state)
    step = advance(compiled, step.frame, e.TaskFailed(1, "E", None), env(events=EVENT_LIMIT - 2, limits=True))
    assert [record.type for record in step.records] == ["TaskFailed"]
    (close,) = step.commands
    assert isinstance(close, Close) and close.error == "States.Runtime"


@pytest.mark.parametrize(("events", "types"), [(EVENT_LIMIT - 2, ["TaskSubmitted"]), (EVENT_LIMIT - 1, [])])
def test_what_only_tells_is_left_out_where_the_last_event_is_kept_for_the_end(events: int, types: list[str]) -> None:
    compiled, step = enter(TOKEN)
    given = env(events=events, limits=True)
    assert [record.type for record in submitted(compiled, step.frame, 1, given).records] == types
    assert (started(compiled, step.frame, given) is not None) is bool(types)


def test_the_jobs_of_a_distributed_map_are_not_told_of() -> None:
    compiled, step = enter(STATES["DistributedMap"])
    assert started(compiled, step.frame, env(events=step.events)) is None


@pytest.mark.parametrize(
    ("opens", "types"),
    [(Opens.EXECUTIONS, ["MapRunAborted", "MapStateAborted"]), (Opens.JOB, ["MapStateAborted"])],
)
def test_a_map_run_is_aborted_with_its_map_where_one_is_open(opens: int, types: list[str]) -> None:
    compiled, step = enter(STATES["DistributedMap"])
    at = replace(step.frame, opens=opens)
    ended = abort_frame(compiled, at, env(events=step.events))
    assert [record.type for record in ended.records] == types
    assert {record.previous for record in ended.records} == {step.frame.last}, "leaves of the history"


def test_an_iteration_is_aborted_with_its_state() -> None:
    compiled = program({**STATES["Map"], "ItemProcessor": {"StartAt": "W", "States": {"W": STATES["Wait"]}}})
    at = replace(frame(), id=5, parent=1, index=3, machine="/States/S/ItemProcessor", state="W")
    step = advance(compiled, at, e.Entered(0), env())
    ended = abort_frame(compiled, step.frame, env(events=step.events))
    assert [(record.type, record.detail) for record in ended.records] == [
        ("WaitStateAborted", {}), ("MapIterationAborted", {"index": 3, "name": "S"}),
    ]  # fmt: skip


@pytest.mark.parametrize(("free", "count"), [(3, 1), (2, 0)])
def test_an_execution_that_is_nearly_full_is_aborted_without_a_word(free: int, count: int) -> None:
    compiled, step = enter(STATES["Task"])
    ended = abort_frame(compiled, step.frame, env(events=EVENT_LIMIT - 1 - free, limits=True))
    assert len(ended.records) == count
    assert ended.frame.status is FrameStatus.ABORTED


@pytest.mark.parametrize(
    ("resource", "awaits"),
    [("do.waitForTaskToken", True), ("do", False), ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", True),
     ("arn:aws:states:::ecs:runTask.sync", False), ("waitForTaskToken", False)],
)  # fmt: skip
def test_the_pattern_of_the_resource_says_whether_a_token_is_awaited(resource: str, awaits: bool) -> None:
    assert awaits_token(program({**TOKEN, "Resource": resource}), frame()) is awaits


def test_another_state_awaits_no_token() -> None:
    assert not awaits_token(program(PASS), frame())


@pytest.mark.parametrize(
    ("wake", "event"),
    [
        ({"event": "DelayElapsed"}, e.DelayElapsed(4)),
        ({"event": "TaskSucceeded", "result": None}, e.TaskSucceeded(4, None)),
        ({"event": "MessageReceived", "data": {"event": "x"}}, e.MessageReceived(4, {"event": "x"})),
        ({"event": "JoinFailed", "error": None, "cause": None, "last": 2}, e.JoinFailed(4, None, None, 2)),
        (
            {"event": "TaskFailed", "error": "E", "cause": "c", "stack": ["l"]},
            e.TaskFailed(4, "E", "c", ["l"]),
        ),
    ],
)
def test_each_event_that_was_kept_is_made_again(wake: Any, event: e.Event) -> None:
    assert wake_event(replace(frame(), seq=4), wake) == event


def test_an_iteration_that_has_no_room_to_say_that_it_failed_fails_by_the_limit() -> None:
    task = {"Type": "Task", "Resource": "r", "End": True}
    compiled = program({**STATES["Map"], "ItemProcessor": {"StartAt": "T", "States": {"T": task}}})
    at = replace(frame(), id=5, parent=1, machine="/States/S/ItemProcessor", state="T")
    step = advance(compiled, at, e.Entered(0), env())
    step = advance(compiled, step.frame, e.TaskFailed(1, "E", None), env(events=EVENT_LIMIT - 2, limits=True))
    assert [record.type for record in step.records] == ["TaskFailed"]
    (close,) = step.commands
    assert isinstance(close, Close)
    assert (close.error, close.cause) == ("States.Runtime", event_limit_cause(EVENT_LIMIT))
