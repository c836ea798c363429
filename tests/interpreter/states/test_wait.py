"""Wait: until when, from constants, paths and expressions."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import StartTimer, TimerKind
from sm_cli.interpreter.events import DelayElapsed
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import enter, failure, follow, only, types

SECOND = 1_000_000
DAY = 86_400 * SECOND
#: 2026-01-01T00:00:00Z, in microseconds since 1970.
NOW = 1_767_225_600 * SECOND
INPUT: Json = {
    "n": 30, "zero": 0, "half": 0.5, "minus": -1, "yes": True, "text": "30", "nothing": None,
    "soon": "2026-01-01T00:01:00Z", "zoned": "2026-01-01T02:00:30.250+02:00", "past": "2025-12-31T23:59:59Z",
    "bad": "2026-01-01 00:01:00", "deep": {"n": 7},
}  # fmt: skip
JSONATA = {"QueryLanguage": "JSONata"}


def wait(**fields: Any) -> dict[str, Any]:
    return {"Type": "Wait", "End": True, **fields}


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({"Seconds": 5}, NOW + 5 * SECOND),
        ({"SecondsPath": "$.n"}, NOW + 30 * SECOND),
        ({"InputPath": "$.deep", "SecondsPath": "$.n"}, NOW + 7 * SECOND),
        ({"Timestamp": "2026-01-01T00:00:01Z"}, NOW + SECOND),
        ({"TimestampPath": "$.soon"}, NOW + 60 * SECOND),
        ({"TimestampPath": "$.zoned"}, NOW + 30 * SECOND + SECOND // 4),
        ({**JSONATA, "Seconds": "{% $states.input.n * 2 %}"}, NOW + 60 * SECOND),
        ({**JSONATA, "Seconds": 5}, NOW + 5 * SECOND),
        ({**JSONATA, "Timestamp": "{% $states.input.soon %}"}, NOW + 60 * SECOND),
        ({**JSONATA, "Timestamp": "2026-01-01T00:00:01Z"}, NOW + SECOND),
        ({"Seconds": 366 * 86_400}, NOW + 366 * DAY),
    ],
)
def test_a_timer_is_started_for_the_moment_that_the_state_gives(fields: dict[str, Any], due: int) -> None:
    _, step = enter(wait(**fields), INPUT, NOW)
    assert only(step, StartTimer) == StartTimer(TimerKind.DELAY, due)
    assert (step.frame.status, types(step)) == (FrameStatus.BLOCKED, ["WaitStateEntered"])


@pytest.mark.parametrize(
    "fields",
    [
        {"Seconds": 0},
        {"SecondsPath": "$.zero"},
        {"TimestampPath": "$.past"},
        {"Timestamp": "2026-01-01T00:00:00Z"},
        {"Timestamp": "1960-02-29T12:00:00Z"},
        {**JSONATA, "Seconds": "{% 0 %}"},
    ],
)
def test_a_moment_that_has_come_already_is_not_waited_for(fields: dict[str, Any]) -> None:
    _, step = enter(wait(**fields), INPUT, NOW)
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, INPUT)
    assert types(step) == ["WaitStateEntered", "WaitStateExited"]


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, INPUT),
        ({"InputPath": "$.deep"}, {"n": 7}),
        ({"OutputPath": "$.deep.n"}, 7),
        ({**JSONATA, "Output": "{% $states.input.deep.n + 1 %}"}, 8),
    ],
)
def test_when_the_time_has_come_the_input_leaves(fields: dict[str, Any], output: Json) -> None:
    compiled, step = enter(wait(Seconds=5, **fields), INPUT, NOW)
    step = follow(compiled, step, DelayElapsed(step.frame.seq), NOW + 5 * SECOND)
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, output)
    assert types(step) == ["WaitStateExited"]


def test_variables_are_assigned_when_the_wait_is_left() -> None:
    compiled, step = enter(wait(Seconds=5, Assign={"v.$": "$.n"}), INPUT, NOW)
    assert step.frame.vars == {}
    step = follow(compiled, step, DelayElapsed(step.frame.seq), NOW)
    assert step.frame.vars == {"v": 30}


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"SecondsPath": "$.none"}, "The SecondsPath parameter does not reference an input value: $.none"),
        ({"SecondsPath": "$.half"}, "The SecondsPath parameter cannot be parsed as a long value: $.half == 0.5"),
        ({"SecondsPath": "$.text"}, "The SecondsPath parameter cannot be parsed as a long value: $.text == 30"),
        ({"SecondsPath": "$.yes"}, "The SecondsPath parameter cannot be parsed as a long value: $.yes == true"),
        ({"SecondsPath": "$.nothing"}, "The SecondsPath parameter cannot be parsed as a long value: $.nothing == null"),
        ({"SecondsPath": "$.deep"}, 'The SecondsPath parameter cannot be parsed as a long value: $.deep == {"n":7}'),
        ({"SecondsPath": "$.minus"}, "The SecondsPath parameter references a negative value: $.minus == -1"),
        ({"TimestampPath": "$.none"}, "The TimestampPath parameter does not reference an input value: $.none"),
        (
            {"TimestampPath": "$.bad"},
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            "string: $.bad == 2026-01-01 00:01:00",
        ),
        (
            {"TimestampPath": "$.n"},
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            "string: $.n == 30",
        ),
        ({"Seconds": 366 * 86_400 + 1}, "Wait state delay is too long."),
        ({"Timestamp": "2027-01-02T00:00:01Z"}, "Wait state delay is too long."),
        ({"Timestamp": "9999-12-31T23:59:59Z"}, "Wait state delay is too long."),
    ],
)
def test_what_is_no_moment_fails_the_state_in_aws_s_words(fields: dict[str, Any], cause: str) -> None:
    _, step = enter(wait(**fields), INPUT, NOW)
    located = "An error occurred while executing the state 'S' (entered at the event id #1). "
    assert failure(step) == ("States.Runtime", located + cause)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"Seconds": "{% 1.5 %}"}, "The Seconds field must be a non-negative integer but was: 1.5"),
        ({"Seconds": "{% -3 %}"}, "The Seconds field must be a non-negative integer but was: -3"),
        ({"Seconds": "{% 'x' %}"}, "Expected 'number', but was 'string'"),
        (
            {"Timestamp": "{% $states.input.bad %}"},
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
            "2026-01-01 00:01:00",
        ),
        (
            {"Timestamp": "{% $states.input.n %}"},
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: 30",
        ),
        ({"Seconds": "{% $states.input.none %}"}, "returned nothing"),
    ],
)
def test_an_expression_that_gives_no_moment_fails_the_evaluation(fields: dict[str, Any], says: str) -> None:
    _, step = enter(wait(**JSONATA, **fields), INPUT, NOW)
    error, cause = failure(step)
    assert error == "States.QueryEvaluationError"
    assert cause is not None and says in cause
    assert types(step) == ["WaitStateEntered", "EvaluationFailed"]
    assert step.records[1].previous == 1
