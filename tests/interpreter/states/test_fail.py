"""Fail: the error and the cause, constant or found in the data."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import enter, failure, types

INPUT: Json = {"e": "Broken", "c": "it fell", "n": 7, "deep": {"e": "Inner"}}
JSONATA = {"QueryLanguage": "JSONata"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None)),
        ({"Error": "E"}, ("E", None)),
        ({"Cause": "only a cause"}, (None, "only a cause")),
        ({"Error": "", "Cause": ""}, ("", "")),
        ({"ErrorPath": "$.e", "CausePath": "$.c"}, ("Broken", "it fell")),
        ({"Error": "E", "CausePath": "$.c"}, ("E", "it fell")),
        ({"ErrorPath": "States.Format('{}-{}', $.e, $.n)"}, ("Broken-7", None)),
        ({"InputPath": "$.deep", "ErrorPath": "$.e"}, ("Inner", None)),
        ({"ErrorPath": "$$.State.Name"}, ("S", None)),
        ({**JSONATA, "Error": "{% $states.input.e & '!' %}", "Cause": "plain"}, ("Broken!", "plain")),
    ],
)
def test_error_and_cause_are_constants_or_what_is_found(
    fields: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    _, step = enter({"Type": "Fail", **fields}, INPUT)
    assert failure(step) == expected
    assert step.frame.output == {"Error": expected[0], "Cause": expected[1]}
    assert (step.frame.status, types(step)) == (FrameStatus.FAILED, ["FailStateEntered"])


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"ErrorPath": "$.n"}, "States.Runtime", "The ErrorPath field refers to a value that is not a string: 7"),
        (
            {"Error": "E", "CausePath": "$.deep"},
            "States.Runtime",
            'The CausePath field refers to a value that is not a string: {"e":"Inner"}',
        ),
        ({"ErrorPath": "$.none"}, "States.Runtime", "'$.none'"),
        ({**JSONATA, "Error": "{% 7 %}"}, "States.QueryEvaluationError", "Expected 'string', but was 'number'"),
        ({**JSONATA, "Cause": "{% $states.input.none %}"}, "States.QueryEvaluationError", "returned nothing"),
    ],
)
def test_what_is_no_text_fails_the_state_with_another_error(fields: dict[str, Any], error: str, says: str) -> None:
    found, cause = failure(enter({"Type": "Fail", **fields}, INPUT)[1])
    assert found == error
    assert cause is not None and says in cause
