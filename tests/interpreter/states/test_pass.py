"""Pass: input to output, or data put into it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import Entered
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import details, enter, env, failure, frame, program, types

INPUT: Json = {"a": {"b": 1}, "n": 5}
JSONATA = {"QueryLanguage": "JSONata"}


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, INPUT),
        ({"Result": [1]}, [1]),
        ({"Result": None}, None),
        ({"Result": None, "ResultPath": "$.a"}, {"a": None, "n": 5}),
        ({"Result": 7, "ResultPath": None}, INPUT),
        ({"InputPath": "$.a"}, {"b": 1}),
        ({"InputPath": None}, {}),
        ({"Parameters": {"x.$": "$.n", "y": "$.n"}}, {"x": 5, "y": "$.n"}),
        ({"InputPath": "$.a", "ResultPath": "$.copy"}, {"a": {"b": 1}, "n": 5, "copy": {"b": 1}}),
        ({"OutputPath": "$.a.b"}, 1),
        ({"OutputPath": None}, {}),
        ({"Result": {"x": [3]}, "ResultPath": "$.r", "OutputPath": "$.r.x"}, [3]),
        ({**JSONATA, "Output": {"twice": "{% $states.input.n * 2 %}"}}, {"twice": 10}),
        ({**JSONATA, "Output": None}, None),
        (JSONATA, INPUT),
    ],
)
def test_what_leaves_a_pass(fields: dict[str, Any], output: Json) -> None:
    _, step = enter({"Type": "Pass", "End": True, **fields}, INPUT)
    assert step.frame.output == output
    assert types(step) == ["PassStateEntered", "PassStateExited"]


def test_parameters_are_not_looked_at_beside_a_result() -> None:
    _, step = enter({"Type": "Pass", "End": True, "Result": 1, "Parameters": {"x.$": "$.none"}}, INPUT)
    assert step.frame.output == 1


@pytest.mark.parametrize(
    ("fields", "variables"),
    [
        ({"Assign": {"v.$": "$.n", "w": [1]}}, {"v": 5, "w": [1]}),
        ({"Result": {"r": 9}, "Assign": {"v.$": "$.r"}}, {"v": 9}),
        ({**JSONATA, "Output": 0, "Assign": {"v": "{% $states.input.n %}"}}, {"v": 5}),
    ],
)
def test_variables_are_assigned_from_the_result_before_it_is_placed(
    fields: dict[str, Any], variables: dict[str, Json]
) -> None:
    _, step = enter({"Type": "Pass", "End": True, **fields}, INPUT)
    assert step.frame.vars == variables
    assert details(step, "PassStateExited")["assignedVariables"] == variables


def test_a_variable_that_is_assigned_anew_leaves_the_others() -> None:
    at = frame(INPUT)
    at.vars = {"kept": 1, "changed": 1}
    step = advance(program({"Type": "Pass", "End": True, "Assign": {"changed": 2}}), at, Entered(0), env())
    assert step.frame.vars == {"kept": 1, "changed": 2}
    assert at.vars == {"kept": 1, "changed": 1}


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"InputPath": "$.none"}, "States.Runtime", "Invalid path '$.none'"),
        ({"OutputPath": "$.none"}, "States.Runtime", "Invalid path '$.none'"),
        ({"Result": 1, "ResultPath": "$.n.deeper"}, "States.ResultPathMatchFailure", "ReferencePath $.n.deeper"),
        ({"Assign": {"v.$": "$.none"}}, "States.Runtime", "'$.none'"),
    ],
)
def test_what_cannot_be_found_or_placed_fails_the_state(fields: dict[str, Any], error: str, says: str) -> None:
    found, cause = failure(enter({"Type": "Pass", "End": True, **fields}, INPUT)[1])
    assert found == error
    assert cause is not None and says in cause


@pytest.mark.parametrize(
    ("fields", "stages"),
    [
        ({}, {"afterInputPath": 5, "afterParameters": 5, "afterResultSelector": 5, "afterResultPath": 5}),
        ({"Result": [1]}, {"result": [1], "afterResultSelector": [1], "afterResultPath": [1]}),
    ],
)
def test_a_probe_is_told_every_stage_also_of_a_pass_that_changes_nothing(
    fields: dict[str, Any], stages: dict[str, Json]
) -> None:
    probe = Probe()
    advance(program({"Type": "Pass", "End": True, **fields}), frame(5), Entered(0), env(probe=probe))
    assert probe.stages == stages
