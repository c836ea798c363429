"""Choice: which rule decides, and what leaves the state by it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import details, enter, failure, types

#: The first rule leads to Z, the second one to S again, so that it can be seen which was taken.
IS_ONE: dict[str, Any] = {"Variable": "$.a", "NumericEquals": 1, "Next": "Z"}
LOCATED = "An error occurred while executing the state 'S' (entered at the event id #1). "


def choice(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": list(rules), **more}


def test_the_first_rule_that_applies_decides_also_when_a_later_one_would() -> None:
    rules = [{**IS_ONE, "NumericEquals": 2, "Next": "S"}, IS_ONE, {**IS_ONE, "Next": "S"}]
    _, step = enter(choice(*rules))
    assert types(step) == ["ChoiceStateEntered", "ChoiceStateExited", "PassStateEntered", "PassStateExited"]
    assert step.frame.state == "Z"


def test_default_is_gone_to_when_no_rule_applies() -> None:
    _, step = enter(choice({**IS_ONE, "NumericEquals": 2, "Next": "S"}, Default="Z"))
    assert (step.frame.state, step.frame.status) == ("Z", FrameStatus.SUCCEEDED)


def test_without_a_default_the_state_fails_with_no_choice_matched() -> None:
    _, step = enter(choice({**IS_ONE, "NumericEquals": 2}))
    assert failure(step) == (
        "States.NoChoiceMatched",
        LOCATED + "Failed to transition out of the state. The state does not point to a next state.",
    )
    assert types(step) == ["ChoiceStateEntered"]


def test_a_rule_that_looks_at_what_is_not_there_fails_the_state() -> None:
    error, cause = failure(enter(choice({**IS_ONE, "Variable": "$.none"}, Default="Z"))[1])
    assert error == "States.Runtime"
    assert cause is not None and cause.startswith(LOCATED)
    assert "'$.none'" in cause


def test_the_input_path_is_for_the_rules_and_for_what_leaves() -> None:
    rule = {"Variable": "$.n", "NumericEquals": 5, "Next": "Z"}
    _, step = enter(choice(rule, InputPath="$.deep"), {"deep": {"n": 5}, "n": 0})
    assert step.frame.output == {"n": 5}


@pytest.mark.parametrize(("path", "output"), [("$.items[0]", 10), (None, {}), ("$", {"a": 1, "items": [10, 20]})])
def test_the_output_path_filters_what_leaves(path: str | None, output: Json) -> None:
    _, step = enter(choice(IS_ONE, OutputPath=path))
    assert details(step, "ChoiceStateExited")["output"] == output


@pytest.mark.parametrize(("equals", "variables"), [(1, {"by": "rule"}), (2, {"by": "default"})])
def test_a_rule_has_its_own_assign_and_the_default_takes_the_state_s(equals: int, variables: dict[str, Json]) -> None:
    rule = {**IS_ONE, "NumericEquals": equals, "Assign": {"by": "rule"}}
    _, step = enter(choice(rule, Assign={"by": "default"}, Default="Z"))
    assert step.frame.vars == variables
    assert details(step, "ChoiceStateExited")["assignedVariables"] == variables


def test_a_rule_without_assign_does_not_take_the_state_s() -> None:
    _, step = enter(choice(IS_ONE, Assign={"by": "default"}, Default="Z"))
    assert step.frame.vars == {}


@pytest.mark.parametrize(
    ("rule", "output"),
    [
        ({"Condition": "{% $states.input.a = 1 %}", "Next": "Z", "Output": "{% $states.input.items[1] %}"}, 20),
        ({"Condition": "{% $states.input.a = 1 %}", "Next": "Z"}, {"a": 1, "items": [10, 20]}),
        ({"Condition": True, "Next": "Z", "Output": "constant"}, "constant"),
        ({"Condition": False, "Next": "S", "Output": "constant"}, "the state's"),
    ],
)
def test_in_jsonata_the_rule_s_output_leaves_and_by_default_the_state_s(rule: dict[str, Any], output: Json) -> None:
    state = choice(rule, QueryLanguage="JSONata", Output="the state's", Default="Z")
    _, step = enter(state)
    assert details(step, "ChoiceStateExited")["output"] == output


def test_a_condition_that_is_no_boolean_fails_the_state() -> None:
    _, step = enter(choice({"Condition": "{% $states.input.a %}", "Next": "Z"}, QueryLanguage="JSONata", Default="Z"))
    error, cause = failure(step)
    assert error == "States.QueryEvaluationError"
    assert cause is not None and "'Condition'" in cause and "Expected 'boolean', but was 'number'" in cause
    assert types(step) == ["ChoiceStateEntered", "EvaluationFailed"]
