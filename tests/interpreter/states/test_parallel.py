"""Parallel: one child for each branch, and what their ends make of it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import Child, Fork, StartTimer, TimerKind
from sm_cli.interpreter.events import BackoffElapsed, Joined, JoinFailed
from sm_cli.interpreter.frame import FrameStatus, Join
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import INNER, INPUT, details, enter, failure, follow, only, types

TWO: dict[str, Any] = {"Type": "Parallel", "Branches": [INNER, INNER], "End": True}
RETRY = [{"ErrorEquals": ["States.BranchFailed"], "IntervalSeconds": 3, "MaxAttempts": 1}]


@pytest.mark.parametrize(
    ("fields", "input"),
    [
        ({}, INPUT),
        ({"InputPath": "$.items"}, [10, 20]),
        ({"Parameters": {"x.$": "$.a"}}, {"x": 1}),
        ({"QueryLanguage": "JSONata", "Arguments": "{% $states.input.a + 1 %}"}, 2),
    ],
)
def test_every_branch_begins_with_the_same_input(fields: dict[str, Any], input: Json) -> None:
    _, step = enter({**TWO, **fields})
    fork = only(step, Fork)
    assert fork.children == [Child("/States/S/Branches/0", 0, input), Child("/States/S/Branches/1", 1, input)]
    assert fork.join == Join(total=2)
    assert (step.frame.status, types(step)) == (FrameStatus.BLOCKED, ["ParallelStateEntered", "ParallelStateStarted"])


def test_the_outputs_are_the_result_in_the_order_of_the_branches() -> None:
    compiled, step = enter({**TWO, "ResultSelector": {"second.$": "$[1]"}, "ResultPath": "$.r"})
    step = follow(compiled, step, Joined(step.frame.seq, ["first", "second"], 9))
    assert step.frame.output == {"a": 1, "items": [10, 20], "r": {"second": "second"}}
    assert types(step) == ["ParallelStateSucceeded", "ParallelStateExited"]
    assert [record.previous for record in step.records] == [9, 9], "the history goes on from the last branch's event"


def test_the_error_of_a_branch_is_the_state_s_and_a_catcher_takes_it_under_its_own_name_or_as_branch_failed() -> None:
    for name in ("Boom", "States.BranchFailed"):
        compiled, step = enter({**TWO, "Catch": [{"ErrorEquals": [name], "Next": "Z"}]})
        step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 9))
        assert step.frame.output == {"Error": "Boom", "Cause": "why"}
        assert details(step, "ParallelStateFailed") == {"error": "Boom", "cause": "why"}


def test_an_error_that_nobody_takes_closes_the_frame_with_it() -> None:
    compiled, step = enter({**TWO, "Catch": [{"ErrorEquals": ["Other"], "Next": "Z"}]})
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", None, 9))
    assert failure(step) == ("Boom", None)
    assert details(step, "ParallelStateFailed") == {"error": "Boom"}


def test_a_runtime_error_of_a_branch_ends_it_without_a_word_of_its_own() -> None:
    compiled, step = enter({**TWO, "Retry": RETRY, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]})
    step = follow(compiled, step, JoinFailed(step.frame.seq, "States.Runtime", "c", 9))
    assert failure(step) == ("States.Runtime", "c")
    assert types(step) == []


def test_a_retry_runs_all_branches_again() -> None:
    compiled, step = enter({**TWO, "Retry": RETRY})
    first = only(step, Fork)
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", None, 9))
    assert only(step, StartTimer) == StartTimer(TimerKind.BACKOFF, 3_000_000)
    assert types(step) == []
    step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    assert only(step, Fork) == first
    assert types(step) == ["ParallelStateStarted"]
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", None, 12))
    assert failure(step) == ("Boom", None)


def test_parameters_that_cannot_be_made_fail_the_state_before_any_branch_begins() -> None:
    error, cause = failure(enter({**TWO, "Parameters": {"x.$": "$.none"}})[1])
    assert error == "States.Runtime"
    assert cause is not None and "'$.none'" in cause
