"""Retry and Catch: who takes an error, and when."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import Close, StartTimer, TimerKind
from sm_cli.interpreter.events import BackoffElapsed, TaskFailed
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.interpreter.recovery import error_output, matches
from tests.interpreter.machines import INPUT, enter, follow

TASK: dict[str, Any] = {"Type": "Task", "Resource": "do:it", "End": True}


@pytest.mark.parametrize(
    ("names", "error", "also", "taken"),
    [
        (["A"], "A", None, True),
        (["A"], "B", None, False),
        (["States.ALL"], "A", None, True),
        (["States.ALL"], None, None, True),
        (["States.ALL"], "States.Timeout", None, True),
        (["States.TaskFailed"], "A", None, True),
        (["States.TaskFailed"], "States.Timeout", None, False),
        (["States.ALL"], "States.Runtime", None, False),
        (["States.Runtime"], "States.Runtime", None, False),
        (["B", "A"], "A", None, True),
        (["Old"], "New", "Old", True),
        ([], "A", None, False),
    ],
)
def test_a_name_matches_as_the_language_says(
    names: list[str], error: str | None, also: str | None, taken: bool
) -> None:
    assert matches(names, error, also) is taken


def failed(seq: int, error: str = "E") -> TaskFailed:
    return TaskFailed(seq, error, "why")


def delays(state: dict[str, Any], errors: list[str]) -> list[float]:
    """The seconds of each backoff until the frame closes or the errors are used up."""
    compiled, step = enter({**TASK, **state})
    found = []
    for error in errors:
        step = follow(compiled, step, failed(step.frame.seq, error))
        timers = [command for command in step.commands if isinstance(command, StartTimer)]
        if not timers:
            break
        assert timers[0].kind is TimerKind.BACKOFF
        found.append(timers[0].due / 1e6)
        step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    return found


def test_the_backoff_grows_and_is_capped() -> None:
    retry = {"ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 4, "MaxDelaySeconds": 20}
    assert delays({"Retry": [retry]}, ["E"] * 9) == [2, 6, 18, 20]


def test_a_backoff_that_no_float_holds_is_the_cap() -> None:
    retry = {"ErrorEquals": ["E"], "BackoffRate": 1e300, "MaxAttempts": 3, "MaxDelaySeconds": 7}
    assert delays({"Retry": [retry]}, ["E"] * 9) == [1, 7, 7]


def test_each_retrier_counts_for_itself() -> None:
    retry = [
        {"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 1},
        {"ErrorEquals": ["B"], "IntervalSeconds": 5, "MaxAttempts": 2, "BackoffRate": 1},
    ]
    assert delays({"Retry": retry}, ["A", "B", "B", "A"]) == [1, 5, 5]


def test_a_retrier_that_is_used_up_is_not_followed_by_a_later_one() -> None:
    retry = [{"ErrorEquals": ["A"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}]
    assert delays({"Retry": retry}, ["A"]) == []
    assert delays({"Retry": retry}, ["B"]) == [1]


def test_full_jitter_lies_below_the_delay_and_is_the_same_for_the_same_step() -> None:
    retry = {"ErrorEquals": ["E"], "IntervalSeconds": 8, "MaxAttempts": 1, "JitterStrategy": "FULL"}
    (first,) = delays({"Retry": [retry]}, ["E"])
    assert 0 <= first <= 8
    assert delays({"Retry": [retry]}, ["E"]) == [first]


def test_the_first_catcher_that_matches_gets_the_error_output_at_its_place() -> None:
    catch = [
        {"ErrorEquals": ["Other"], "Next": "S"},
        {"ErrorEquals": ["E"], "ResultPath": "$.e", "Next": "Z"},
        {"ErrorEquals": ["States.ALL"], "Next": "S"},
    ]
    compiled, step = enter({**TASK, "Catch": catch})
    step = follow(compiled, step, failed(step.frame.seq))
    assert step.frame.state == "Z"
    assert step.frame.output == {**INPUT, "e": {"Error": "E", "Cause": "why"}}  # type: ignore[dict-item]


def test_a_retrier_goes_before_a_catcher() -> None:
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 1}]
    compiled, step = enter({**TASK, "Retry": retry, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]})
    step = follow(compiled, step, failed(step.frame.seq))
    assert step.frame.status is FrameStatus.BLOCKED
    step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    assert follow(compiled, step, failed(step.frame.seq)).frame.state == "Z"


def test_an_error_that_nobody_takes_closes_the_frame_with_it() -> None:
    compiled, step = enter(TASK)
    step = follow(compiled, step, failed(step.frame.seq))
    assert step.frame.status is FrameStatus.FAILED
    (close,) = [command for command in step.commands if isinstance(command, Close)]
    assert (close.succeeded, close.error, close.cause) == (False, "E", "why")
    assert close.output == {"Error": "E", "Cause": "why"}


def test_a_catcher_that_fails_itself_is_not_caught() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.a.b", "Next": "Z"}]
    compiled, step = enter({**TASK, "Catch": catch})
    step = follow(compiled, step, failed(step.frame.seq))
    assert (step.frame.status, step.frame.state) == (FrameStatus.FAILED, "S")


def test_an_error_output_has_two_texts_whatever_there_is() -> None:
    assert error_output(None, None) == {"Error": "", "Cause": ""}
