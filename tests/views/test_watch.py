"""Looks at an execution: each at what is new."""

from __future__ import annotations

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.asl.text.source import from_value
from sm_cli.engine.programs import prepare
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Status
from sm_cli.views.attempts import most_attempts
from sm_cli.views.watch import Watch
from tests.store.samples import T0, apply, events, execution, frame, timer
from tests.views.rows import Rows


def test_each_event_is_seen_once_in_order_whatever_is_asked_in_between() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    assert watch.look().events == []
    rows.put(history=events(1, [1, 2]))
    rows.put(history=events(2, [1]))
    assert [event.number for event in watch.look().events] == [1, 2], "those of another execution are not its own"
    rows.put(history=events(1, [3]))
    assert watch.look(events=False).events == []
    rows.put(history=events(1, [4, 5]))
    assert [event.number for event in watch.look().events] == [3, 4, 5]
    assert watch.look().events == []


def test_a_second_watch_sees_all_again() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.put(history=events(1, range(1, 4)))
    for _ in range(2):
        assert len(Watch(rows.engine, found).look().events) == 3


def test_the_execution_is_shown_as_it_is_now() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    apply(rows.store, executions=[execution(1, status=Status.ABORTED, closed=T0 + 9, error="E")])
    now = watch.look().execution
    assert now is not None and (now.status, now.closed, now.error) == (Status.ABORTED, T0 + 9, "E")


def test_an_execution_that_is_gone_is_none() -> None:
    look = Watch(Rows().engine, execution(77)).look(frames=[1])
    assert (look.execution, look.events, look.progress) == (None, [], {})


def test_the_progress_of_frames_is_shown_when_it_is_asked_for() -> None:
    rows = Rows()
    document = from_value({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}).document
    assert document is not None
    workflow = prepare(document, "order")
    rows.engine.programs.add(workflow)
    watch = Watch(rows.engine, rows.execution(1, digest=workflow.program.digest))
    rows.execution(2)
    rows.put(new_frames=[frame(1, retries=(2,)), frame(2), frame(3, execution=2)])
    rows.put(timers=[timer(1, T0 + 9, TimerKind.DEADLINE), timer(1, T0 + 5, TimerKind.BACKOFF), timer(2, T0 + 1)])
    assert watch.look().progress == {}
    progress = watch.look(frames=[1, 3, 99]).progress
    assert [*progress] == [1], "those of another execution are not its own"
    assert progress[1].timer == timer(1, T0 + 5, TimerKind.BACKOFF), "the first that is due"
    assert (progress[1].state.name, progress[1].attempts("E")) == ("A", (3, None))
    assert [each.frame.id for each in watch.under_way()] == [1, 2]


def test_a_definition_that_does_not_compile_has_no_progress() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    rows.put(new_frames=[frame(1)])
    assert watch.look(frames=[1]).progress == {}


RETRY: list[Json] = [{"ErrorEquals": ["A"], "MaxAttempts": 3}, {"ErrorEquals": ["B"], "MaxAttempts": 0}]


@pytest.mark.parametrize(
    ("error", "retries", "most"),
    [("A", (), 4), ("A", (2, 0), 4), ("A", (2, 1), 5), ("B", (2, 0), 3), ("C", (), None), ("States.Runtime", (), None)],
)
def test_a_retrier_says_how_many_attempts_there_may_be(error: str, retries: tuple[int, ...], most: int | None) -> None:
    task: Json = {"Type": "Task", "Resource": "r", "Retry": RETRY, "End": True}
    program = compile_program({"StartAt": "S", "States": {"S": task}})
    assert most_attempts(program.root.states["S"], retries, error) == most


def test_a_state_without_a_result_is_not_tried_again() -> None:
    program = compile_program({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}})
    assert most_attempts(program.root.states["S"], (), "A") is None
