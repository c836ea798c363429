"""Retry and Catch: who takes an error, and when."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import Close, StartTimer, TimerKind
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import BackoffElapsed, Entered, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.recovery import error_output, matches
from tests.interpreter.machines import INPUT, details, enter, env, failure, follow, only, types

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


# -- JSONata, positions, and what is recorded ------------------------------------------------------------

JSONATA = {**TASK, "QueryLanguage": "JSONata"}


@pytest.mark.parametrize(
    ("catcher", "output", "variables"),
    [
        ({}, {"Error": "E", "Cause": "why"}, {}),
        ({"Output": "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"}, "E: why", {}),
        ({"Output": {"seen": "{% $states.input.a %}"}, "Assign": {"e": "{% $states.errorOutput.Error %}"}},
         {"seen": 1}, {"e": "E"}),
    ],
)  # fmt: skip
def test_in_jsonata_a_catcher_s_output_is_made_of_the_error(
    catcher: dict[str, Any], output: object, variables: dict[str, Any]
) -> None:
    state = {**JSONATA, "Catch": [{"ErrorEquals": ["E"], "Next": "Z", **catcher}], "Assign": {"not": "evaluated"}}
    compiled, step = enter(state)
    step = follow(compiled, step, failed(step.frame.seq))
    assert (step.frame.state, step.frame.output, step.frame.vars) == ("Z", output, variables)


@pytest.mark.parametrize(
    ("path", "output"),
    [("$", {"Error": "E", "Cause": "why"}), (None, INPUT), ("$.a", {"a": {"Error": "E", "Cause": "why"},
                                                                   "items": [10, 20]})],
)  # fmt: skip
def test_a_catcher_s_result_path_places_the_error_in_the_raw_input(path: str | None, output: object) -> None:
    state = {**TASK, "InputPath": "$.items", "Catch": [{"ErrorEquals": ["E"], "Next": "Z", "ResultPath": path}]}
    compiled, step = enter(state)
    assert follow(compiled, step, failed(step.frame.seq)).frame.output == output


def test_a_catcher_s_own_assign_sees_the_error_output() -> None:
    catch = [{"ErrorEquals": ["E"], "Next": "Z", "Assign": {"cause.$": "$.Cause"}}]
    compiled, step = enter({**TASK, "Catch": catch, "Assign": {"mine": 1}})
    step = follow(compiled, step, failed(step.frame.seq))
    assert step.frame.vars == {"cause": "why"}
    assert details(step, "TaskStateExited")["assignedVariables"] == {"cause": "why"}


def test_a_catcher_that_cannot_be_evaluated_fails_the_state_with_its_own_error() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Z", "Output": "{% $states.input.none %}"}]
    compiled, step = enter({**JSONATA, "Catch": [*catch, {"ErrorEquals": ["States.ALL"], "Next": "Z"}]})
    step = follow(compiled, step, failed(step.frame.seq))
    error, cause = failure(step)
    assert error == "States.QueryEvaluationError"
    assert cause is not None and cause.startswith("An error occurred while executing the state 'S'")
    assert types(step) == ["TaskFailed", "EvaluationFailed"]


@pytest.mark.parametrize("role", ["Task", "Pass"])
def test_a_task_that_takes_its_parallel_down_is_recorded_as_aborted(role: str) -> None:
    inner: dict[str, Any] = {"Task": TASK, "Pass": {"Type": "Pass", "InputPath": "$.none", "End": True}}[role]
    compiled = compile_program({
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "In", "States": {"In": inner}}]}},
    })  # fmt: skip
    branch = Frame(7, 1, 1, 3, 0, "/States/P/Branches/0", "In", input={})
    step = advance(compiled, branch, Entered(0), env())
    if role == "Task":
        step = follow(compiled, step, failed(step.frame.seq))
    assert step.frame.status is FrameStatus.FAILED
    assert types(step) == {"Task": ["TaskFailed", "TaskStateAborted"], "Pass": ["PassStateEntered"]}[role]


def test_a_cause_of_the_state_s_own_says_where_and_one_of_a_handler_does_not() -> None:
    _, cause = failure(enter({**TASK, "InputPath": "$.none"})[1])
    assert cause is not None
    assert cause.startswith("An error occurred while executing the state 'S' (entered at the event id #1). Invalid ")
    compiled, step = enter(TASK)
    assert failure(follow(compiled, step, failed(step.frame.seq)))[1] == "why"


def test_an_expression_that_fails_follows_what_came_before_the_state() -> None:
    _, step = enter({**JSONATA, "Arguments": "{% $states.input.none %}"})
    assert types(step) == ["TaskStateEntered", "EvaluationFailed"]
    assert [record.previous for record in step.records] == [0, 0]
    detail = details(step, "EvaluationFailed")
    assert (detail["state"], detail["error"], detail["location"]) == ("S", "States.QueryEvaluationError", "Arguments")
    assert step.frame.status is FrameStatus.FAILED


def test_an_expression_that_fails_at_the_end_follows_the_events_of_the_state() -> None:
    compiled, step = enter({**JSONATA, "Output": "{% $states.result.none %}"})
    step = follow(compiled, step, TaskSucceeded(step.frame.seq, {}))
    assert types(step) == ["TaskSucceeded", "EvaluationFailed"]
    assert [record.previous for record in step.records] == [2, 3]


def test_an_evaluation_error_may_be_retried_and_caught() -> None:
    retry = [{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Z"}]
    state = {**JSONATA, "Arguments": "{% $states.input.none %}", "Retry": retry, "Catch": catch}
    compiled, step = enter(state)
    assert only(step, StartTimer).kind is TimerKind.BACKOFF
    step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    assert step.frame.state == "Z"


def test_without_a_longest_pause_a_backoff_that_no_float_holds_is_aws_s_longest() -> None:
    retry = {"ErrorEquals": ["E"], "BackoffRate": 1e300, "IntervalSeconds": 10, "MaxAttempts": 3}
    assert delays({"Retry": [retry]}, ["E"] * 9) == [10, 99_999_999, 99_999_999]


def test_the_time_of_a_backoff_counts_from_now() -> None:
    compiled, step = enter({**TASK, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 2}]})
    step = follow(compiled, step, failed(step.frame.seq), now=7_000_000)
    assert only(step, StartTimer).due == 9_000_000


@pytest.mark.parametrize(
    ("fields", "noted", "told"),
    [
        ({"Retry": [{"ErrorEquals": ["X"]}, {"ErrorEquals": ["E"], "IntervalSeconds": 3}]},
         {"retryIndex": 1, "retryBackoffIntervalSeconds": 3}, ("E", "why")),
        ({"Catch": [{"ErrorEquals": ["X"], "Next": "Z"}, {"ErrorEquals": ["E"], "Next": "Z"}]},
         {"catchIndex": 1}, ("E", "why")),
        ({}, None, (None, None)),
    ],
)  # fmt: skip
def test_a_probe_is_told_who_takes_the_error(
    fields: dict[str, Any], noted: object, told: tuple[str | None, str | None]
) -> None:
    compiled, step = enter({**TASK, **fields})
    probe = Probe()
    advance(compiled, step.frame, failed(step.frame.seq), env(events=step.events, probe=probe))
    assert (probe.stages.get("errorDetails"), probe.failure) == (noted, told)
