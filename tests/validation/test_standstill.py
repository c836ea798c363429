"""Loops in which no time passes: told when nothing in them changes what they ask, and else never."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli import validate

DONE = {"Type": "Succeed"}


def told(states: dict[str, Any], **more: Any) -> list[str]:
    """The pointers of the SM208 of a machine that begins with Look and may end in Done."""
    definition = {"StartAt": "Look", "States": {**states, "Done": DONE}, **more}
    return [d.pointer for d in validate(definition) if d.code == "SM208"]


def look(*rules: dict[str, Any], default: str = "Again", **more: Any) -> dict[str, Any]:
    found = [{"Next": "Done", **rule} for rule in rules or ({"Variable": "$.status", "StringEquals": "READY"},)]
    return {"Type": "Choice", "Choices": found, "Default": default, **more}


def again(**more: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Next": "Look", **more}


@pytest.mark.parametrize(
    "state",
    [
        {}, {"ResultPath": None, "Result": 1}, {"Result": True, "ResultPath": "$.tried"},
        {"Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "ResultPath": "$.counter"}, {"Assign": {"n": 1}},
        {"ResultPath": "$.statuses", "Result": []}, {"Comment": "nothing"}, {"ResultPath": "$['other']['status']"},
    ],
)  # fmt: skip
def test_a_pass_that_changes_something_else_is_no_way_out(state: dict[str, Any]) -> None:
    assert told({"Look": look(), "Again": again(**state)}) == ["/States/Look"]


@pytest.mark.parametrize(
    "state",
    [
        {"Result": "READY", "ResultPath": "$.status"}, {"Result": {"status": "READY"}}, {"Parameters": {"a": 1}},
        {"InputPath": "$.inner"}, {"OutputPath": "$.inner"}, {"Result": 1, "ResultPath": "$.status.deep"},
        {"Result": "READY", "ResultPath": "$['status']"}, {"InputPath": None},
    ],
)  # fmt: skip
def test_a_pass_that_changes_what_is_asked_is_no_fault(state: dict[str, Any]) -> None:
    assert told({"Look": look(), "Again": again(**state)}) == []


@pytest.mark.parametrize(
    "between",
    [
        {"Type": "Wait", "Seconds": 1}, {"Type": "Task", "Resource": "ask"},
        {"Type": "Task", "Resource": "ask", "ResultPath": None},
        {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "TimeoutSeconds": 9},
        {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}},
        {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}]},
    ],
)  # fmt: skip
def test_a_loop_in_which_something_happens_is_no_fault(between: dict[str, Any]) -> None:
    assert told({"Look": look(), "Again": {**between, "Next": "Look"}}) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"Variable": "$$.State.EnteredTime", "TimestampGreaterThanPath": "$.end"},
        {"Variable": "$.end", "TimestampLessThanPath": "$$.State.EnteredTime"},
        {"And": [{"Variable": "$.a", "IsNull": True}, {"Variable": "$$.Execution.RedriveCount", "NumericEquals": 1}]},
    ],
)  # fmt: skip
def test_a_loop_that_asks_for_the_time_is_no_fault(rule: dict[str, Any]) -> None:
    assert told({"Look": look(rule), "Again": again()}) == []


def test_a_loop_that_counts_in_a_variable_is_no_fault() -> None:
    rule = {"Variable": "$n", "NumericGreaterThan": 3}
    counts = again(Assign={"n.$": "States.MathAdd($n, 1)"})
    assert told({"Look": look(rule), "Again": counts}) == []
    assert told({"Look": look(rule), "Again": again(Assign={"m.$": "States.MathAdd($n, 1)"})}) == ["/States/Look"]
    assert told({"Look": look(rule, Assign={"n.$": "States.MathAdd($n, 1)"}), "Again": again()}) == []


def test_a_loop_that_counts_in_its_data_is_no_fault() -> None:
    counts = again(Parameters={"n.$": "States.MathAdd($.n, 1)"})
    assert told({"Look": look({"Variable": "$.n", "NumericGreaterThan": 3}), "Again": counts}) == []


def test_rules_within_rules_are_looked_at() -> None:
    rule = {"Not": {"Or": [{"Variable": "$.a", "IsNull": True}, {"Variable": "$.list[0].b", "BooleanEquals": True}]}}
    assert told({"Look": look(rule), "Again": again(Result=1, ResultPath="$.list")}) == []
    assert told({"Look": look(rule), "Again": again(Result=1, ResultPath="$.other")}) == ["/States/Look"]


def test_a_choice_that_leads_to_itself_is_told() -> None:
    assert told({"Look": look(default="Look")}) == ["/States/Look"]


def test_two_choices_of_one_loop_count_together() -> None:
    second = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Done"}], "Default": "Look"}
    assert told({"Look": look(), "Again": second}) == ["/States/Look"]
    counts = {"Type": "Pass", "Result": None, "ResultPath": "$.x", "Next": "Look"}
    assert told({"Look": look(), "Again": {**second, "Default": "Counts"}, "Counts": counts}) == []


def test_a_loop_in_a_branch_and_in_a_map_is_told_with_its_place() -> None:
    rule = {"Variable": "$.x", "IsNull": True, "Next": "Out"}
    look1 = {"Type": "Choice", "Choices": [rule], "Default": "Look1"}
    inner = {"StartAt": "Look1", "States": {"Look1": look1, "Out": DONE}}
    found = told({"Look": {"Type": "Map", "ItemProcessor": inner, "Next": "Done"}})
    assert found == ["/States/Look/ItemProcessor/States/Look1"]


@pytest.mark.parametrize(
    ("condition", "pass_", "expected"),
    [
        ("$states.input.ready", {}, True),
        ("$states.input.ready", {"Output": {"ready": True}}, False),
        ("$states.input.ready", {"Assign": {"n": "{% $n + 1 %}"}}, True),
        ("$n > 3", {"Assign": {"n": "{% $n + 1 %}"}}, False),
        ("$count($states.input.items) > 3 and $n", {"Assign": {"m": 1}}, True),
        ("$now() > $states.input.end", {}, False),
        ("$millis() > 5", {}, False),
        ("$random() > 0.5", {}, False),
        ("$states.context.State.EnteredTime > $states.input.end", {}, False),
        ("true", {}, False),
    ],
)
def test_a_loop_of_expressions(condition: str, pass_: dict[str, Any], expected: bool) -> None:
    start = {"Type": "Pass", "Assign": {"n": 0}, "Next": "Ask"}
    ask = {"Type": "Choice", "Choices": [{"Condition": f"{{% {condition} %}}", "Next": "Done"}], "Default": "Again"}
    states = {"Look": start, "Ask": ask, "Again": {"Type": "Pass", "Next": "Ask", **pass_}}
    assert told(states, QueryLanguage="JSONata") == (["/States/Ask"] if expected else [])


def test_a_rule_with_an_output_changes_what_is_asked() -> None:
    rule = {"Condition": "{% $states.input.go %}", "Output": {"go": False}, "Next": "Again"}
    look = {"Type": "Choice", "Choices": [rule], "Default": "Done"}
    assert told({"Look": look, "Again": again()}, QueryLanguage="JSONata") == []
    del rule["Output"]
    assert told({"Look": look, "Again": again()}, QueryLanguage="JSONata") == ["/States/Look"]


def test_a_loop_without_a_way_out_is_told_by_its_own_rule_alone() -> None:
    states = {"Look": look(default="Round"), "Round": {"Type": "Pass", "Next": "And"},
              "And": {"Type": "Pass", "Next": "Round"}}  # fmt: skip
    assert told(states) == []


def test_ten_thousand_states_in_one_loop_and_in_none_are_quick_to_look_at() -> None:
    chain = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(10_000)}
    round_ = {**chain, "S10000": {"Type": "Pass", "Next": "Look"}}
    assert told({"Look": look(default="S0"), **round_}) == ["/States/Look"]
    straight = {**chain, "S10000": {"Type": "Pass", "Next": "Done"}}
    assert told({"Look": look(default="S0"), **straight}) == []
