"""Succeed: the machine ends here, with what comes in."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import Close
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import enter, failure, only, types

INPUT: Json = {"a": {"b": 1}, "n": 5}
JSONATA = {"QueryLanguage": "JSONata"}


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, INPUT),
        ({"InputPath": "$.a"}, {"b": 1}),
        ({"InputPath": "$.a", "OutputPath": "$.b"}, 1),
        ({"OutputPath": None}, {}),
        (JSONATA, INPUT),
        ({**JSONATA, "Output": "{% $states.input.n + 1 %}"}, 6),
    ],
)
def test_the_frame_closes_with_what_leaves_the_state(fields: dict[str, Any], output: Json) -> None:
    _, step = enter({"Type": "Succeed", **fields}, INPUT)
    assert only(step, Close) == Close(True, output, None, None, 2)
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, output)
    assert types(step) == ["SucceedStateEntered", "SucceedStateExited"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"InputPath": "$.none"}, "States.Runtime"),
        ({"OutputPath": "$.n.m"}, "States.Runtime"),
        ({**JSONATA, "Output": "{% $states.input.none %}"}, "States.QueryEvaluationError"),
    ],
)
def test_a_succeed_whose_data_cannot_be_made_fails(fields: dict[str, Any], error: str) -> None:
    _, step = enter({"Type": "Succeed", **fields}, INPUT)
    assert failure(step)[0] == error
    assert step.frame.status is FrameStatus.FAILED
