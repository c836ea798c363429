"""Which variables have a value where they are read, and which members an input can have."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.validation.validate import check

State = dict[str, Any]
END: State = {"Type": "Succeed"}


def codes(states: State, language: str = "JSONPath") -> list[tuple[str, str]]:
    definition: State = {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states}
    return [(d.code, d.pointer) for d in check(definition)[1]]


def passing(then: str | None = None, **fields: Any) -> State:
    return {"Type": "Pass", **({"Next": then} if then else {"End": True}), **fields}


def choosing(*rules: State, default: str, **fields: Any) -> State:
    return {"Type": "Choice", "Choices": list(rules), "Default": default, **fields}


def asks(then: str, **fields: Any) -> State:
    return {"Variable": "$.go", "IsPresent": True, "Next": then, **fields}


# -- variables ---------------------------------------------------------------------------------------------------------


def test_a_variable_has_a_value_after_it_was_assigned_and_not_before() -> None:
    assert codes({"A": passing("B", Assign={"n": 1}), "B": passing(InputPath="$n")}) == []
    assert codes({"A": passing(InputPath="$n", Assign={"n": 1})}) == [("SM817", "/States/A/InputPath")]
    assert codes({"A": passing("B", InputPath="$n"), "B": passing(Assign={"n": 1})}) == [
        ("SM817", "/States/A/InputPath")
    ]


def test_a_loop_does_not_make_a_variable_certain() -> None:
    states: State = {
        "A": passing("B", OutputPath="$"),
        "B": choosing(asks("C"), default="D"),
        "C": passing("B", Assign={"n": 1}, Result={}),
        "D": passing(InputPath="$n"),
    }
    assert codes(states) == [("SM818", "/States/D/InputPath")]
    states["A"]["Assign"] = {"n": 0}
    assert codes(states) == []


def test_a_rule_that_is_taken_assigns_its_own_variables_only() -> None:
    states: State = {
        "A": choosing(asks("B", Assign={"n": 1}), default="B", Assign={"m": 2}),
        "B": passing("C", InputPath="$n"),
        "C": passing(InputPath="$m"),
    }
    assert codes(states) == [("SM818", "/States/B/InputPath"), ("SM818", "/States/C/InputPath")]


def test_a_catcher_assigns_its_own_variables_only() -> None:
    catcher = {"ErrorEquals": ["States.ALL"], "Next": "C", "Assign": {"error.$": "$.Error"}}
    task: State = {"Type": "Task", "Resource": "r", "Assign": {"n": 1}, "Catch": [catcher], "Next": "B"}
    states: State = {"A": task, "B": passing(InputPath="$n"), "C": passing("D", InputPath="$error"), "D": passing()}
    assert codes(states) == []
    states["D"]["InputPath"] = "$n"
    assert codes(states) == [("SM817", "/States/D/InputPath")]


def test_asking_whether_a_variable_exists_is_no_mistake() -> None:
    states: State = {
        "A": choosing({"Condition": "{% true %}", "Next": "B", "Assign": {"n": 1}}, default="B"),
        "B": passing(Output="{% $exists($n) ? $n : 0 %}"),
    }
    assert codes(states, "JSONata") == []
    states["B"]["Output"] = "{% $n %}"
    assert codes(states, "JSONata") == [("SM818", "/States/B/Output")]


def test_an_inner_machine_reads_outer_variables_and_keeps_its_own() -> None:
    inner: State = {"StartAt": "I", "States": {"I": passing(InputPath="$n", Assign={"own": 1})}}
    states: State = {
        "A": passing("B", Assign={"n": 1}),
        "B": {"Type": "Parallel", "Branches": [inner], "Next": "C"},
        "C": passing(),
    }
    assert codes(states) == []
    states["C"]["InputPath"] = "$own"
    assert codes(states) == [("SM819", "/States/C/InputPath")]
    inner["States"]["I"]["Assign"] = {"n": 2}
    assert codes(states)[0] == ("SM803", "/States/B/Branches/0/States/I/Assign/n")


def test_branches_do_not_see_each_others_variables() -> None:
    branches = [
        {"StartAt": "I", "States": {"I": passing(Assign={"own": 1})}},
        {"StartAt": "J", "States": {"J": passing(InputPath="$own")}},
    ]
    found = codes({"A": {"Type": "Parallel", "Branches": branches, "End": True}})
    assert found == [("SM819", "/States/A/Branches/1/States/J/InputPath")]


@pytest.mark.parametrize(("mode", "expected"), [("INLINE", []), ("DISTRIBUTED", ["SM820"])])
def test_only_a_distributed_map_is_apart_from_outer_variables(mode: str, expected: list[str]) -> None:
    config: State = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    processor = {"ProcessorConfig": config, "StartAt": "I", "States": {"I": passing(InputPath="$n")}}
    states: State = {"A": passing("M", Assign={"n": 1}), "M": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    assert [code for code, _ in codes(states)] == expected


def test_nothing_is_said_of_variables_when_some_are_unknown() -> None:
    assert codes({"A": passing("B", Assign="${Variables}"), "B": passing(InputPath="$n")}) == []
    assert codes({"A": passing("B", Assign={"${Name}": 1}), "B": passing(InputPath="$n")}) == []


def test_a_misspelt_variable_is_corrected() -> None:
    states: State = {"A": passing("B", Assign={"orderId": 1}), "B": passing(InputPath="$orderID")}
    [found] = check({"StartAt": "A", "States": states})[1]
    assert (found.code, found.hint) == ("SM817", "did you mean $orderId?")


# -- the members of the input ------------------------------------------------------------------------------------------

RESULT = passing("B", Result={"order": {"id": 1}})


@pytest.mark.parametrize(
    ("first", "second", "below"),
    [
        (RESULT, passing(InputPath="$.oder"), "/InputPath"),
        (RESULT, passing(InputPath="$.order.nr"), "/InputPath"),
        (RESULT, passing(InputPath="$.order.id.nr"), "/InputPath"),
        (RESULT, passing(Parameters={"a": {"b.$": "$.nr"}}), "/Parameters/a/b.$"),
        (RESULT, passing(Parameters={"a.$": "States.Format('{}', $.nr)"}), "/Parameters/a.$"),
        (RESULT, {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}, "/SecondsPath"),
        (RESULT, {"Type": "Fail", "CausePath": "$.cause"}, "/CausePath"),
        (passing("B", Parameters={"a.$": "$.x"}), passing(InputPath="$.b"), "/InputPath"),
        (passing("B", Result=5, ResultPath="$"), passing(InputPath="$.b"), "/InputPath"),
        (
            {"Type": "Task", "Resource": "r", "ResultSelector": {"a.$": "$.x"}, "Next": "B"},
            passing(InputPath="$.b"),
            "/InputPath",
        ),
        (passing("B", OutputPath=None), passing(InputPath="$.b"), "/InputPath"),
    ],
)
def test_a_member_that_no_state_before_can_have_made_is_missed(first: State, second: State, below: str) -> None:
    assert codes({"A": first, "B": second}) == [("SM330", f"/States/B{below}")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (RESULT, passing(InputPath="$.order.id")),
        (RESULT, passing(InputPath="$..nr")),
        (RESULT, passing(ResultPath="$.new.place")),
        (passing("B", Result={"a": 1}, ResultPath="$.r"), passing(InputPath="$.anything")),
        (passing("B", Result={"a": [1]}), passing(InputPath="$.a[0].b")),
        (passing("B", Parameters={"a.$": "$.x"}), passing(InputPath="$.a.anything")),
        (passing("B", Parameters={"${Key}": 1}), passing(InputPath="$.anything")),
        (passing("B", Result={"a": "${Value}"}), passing(InputPath="$.a.anything")),
        ({"Type": "Task", "Resource": "r", "Next": "B"}, passing(InputPath="$.anything")),
        (RESULT, choosing(asks("C"), default="C")),
    ],
)
def test_what_may_be_there_is_not_missed(first: State, second: State) -> None:
    assert [code for code, _ in codes({"A": first, "B": second, "C": END}) if code != "SM206"] == []


def test_a_member_that_comes_on_one_of_two_ways_is_not_missed() -> None:
    states: State = {
        "A": choosing(asks("B"), default="C"),
        "B": passing("D", Result={"b": 1}),
        "C": passing("D", Result={"c": 1}),
        "D": passing(InputPath="$.c"),
    }
    assert codes(states) == []
    states["D"]["InputPath"] = "$.d"
    assert codes(states) == [("SM330", "/States/D/InputPath")]


def test_a_loop_that_adds_a_member_each_time_ends() -> None:
    states: State = {
        "A": passing("B", Result={}),
        "B": passing("C", Parameters={"before.$": "$"}),
        "C": choosing(asks("B"), default="D"),
        "D": passing(InputPath="$.before"),
    }
    assert codes(states) == []


def test_an_expression_that_is_nothing_but_a_missing_member_is_found() -> None:
    states: State = {"A": passing("B", Output={"a": 1}), "B": passing(Output="{% $states.input.b %}")}
    assert codes(states, "JSONata") == [("SM330", "/States/B/Output")]
    states["B"]["Output"] = "{% $exists($states.input.b) %}"
    assert codes(states, "JSONata") == []


def test_the_error_is_all_that_a_catcher_hands_on() -> None:
    catcher: State = {"ErrorEquals": ["States.ALL"], "Next": "B"}
    task: State = {"Type": "Task", "Resource": "r", "Catch": [catcher], "Next": "C"}
    states: State = {"A": task, "B": passing("C", InputPath="$.Cause"), "C": END}
    assert codes(states) == []
    states["B"]["InputPath"] = "$.order"
    assert codes(states) == [("SM330", "/States/B/InputPath")]
    catcher["ResultPath"] = "$.error"
    assert codes(states) == []


# -- what is asked before it is read -----------------------------------------------------------------------------------


def perhaps(then: State, language: str = "JSONPath") -> State:
    """A machine in which the variable n has a value when B is entered, or not."""
    rule = {"Condition": "{% $states.input.go = true %}", "Next": "N"} if language == "JSONata" else asks("N")
    return {"A": choosing(rule, default="B"), "N": passing("B", Assign={"n": 1}), "B": then, "Z": END, "Y": END}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{% $n ? $n : 0 %}", []),
        ("{% $exists($n) ? $n : 0 %}", []),
        ("{% $n > 1 ? $n : 1 %}", []),
        ("{% ($is := $exists($n); $is ? $n : 0) %}", []),
        ("{% $n + 1 %}", [("SM818", "/States/B/Output")]),
        ("{% $states.input.x ? $n : 0 %}", [("SM818", "/States/B/Output")]),
    ],
)
def test_a_variable_in_a_condition_may_have_no_value(expression: str, expected: list[tuple[str, str]]) -> None:
    states = perhaps({"Type": "Pass", "Output": expression, "Next": "Z"}, "JSONata")
    assert [each for each in codes(states, "JSONata") if each[0] == "SM818"] == expected


@pytest.mark.parametrize(
    ("rule", "default", "warns"),
    [
        ({"Variable": "$n", "IsPresent": True}, False, False),
        ({"Variable": "$n", "IsPresent": True}, True, True),
        ({"Variable": "$n", "IsPresent": False}, True, False),
        ({"Variable": "$n", "IsPresent": False}, False, True),
        ({"Not": {"Variable": "$n", "IsPresent": True}}, True, False),
        ({"And": [{"Variable": "$n", "IsPresent": True}, {"Variable": "$n", "NumericEquals": 1}]}, False, False),
        ({"Or": [{"Variable": "$n", "IsPresent": True}, {"Variable": "$.x", "IsNull": True}]}, False, True),
        ({"Variable": "$.n", "IsPresent": True}, False, True),
    ],
)
def test_a_rule_that_asks_for_a_variable_knows_it(rule: State, default: bool, warns: bool) -> None:
    reader, other = ("C", "Z") if not default else ("Z", "C")
    then = choosing({**rule, "Next": reader}, default=other)
    states = {**perhaps(then), "C": passing("Y", Parameters={"n.$": "$n"})}
    assert [each for each in codes(states) if each[0] == "SM818"] == (
        [("SM818", "/States/C/Parameters/n.$")] if warns else []
    )


@pytest.mark.parametrize(
    ("condition", "default", "warns"),
    [
        ("{% $exists($n) %}", False, False),
        ("{% $exists($n) %}", True, True),
        ("{% $not($exists($n)) %}", True, False),
        ("{% $exists($n) and $n > 1 %}", False, False),
        ("{% $exists($n) or $states.input.x %}", False, True),
        ("{% $exists($m) %}", False, True),
    ],
)
def test_a_condition_that_asks_for_a_variable_knows_it(condition: str, default: bool, warns: bool) -> None:
    reader, other = ("C", "Z") if not default else ("Z", "C")
    then = choosing({"Condition": condition, "Next": reader}, default=other)
    states = {**perhaps(then, "JSONata"), "C": passing("Y", Output={"n": "{% $n %}"})}
    found = [each for each in codes(states, "JSONata") if each[0] == "SM818"]
    assert found == ([("SM818", "/States/C/Output/n")] if warns else [])


# -- ways and items that are not known ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "catch",
    ["${Catch}", ["${Catcher}"], [{"ErrorEquals": ["E"], "Next": "${Next}"}], [{"${Key}": "x", "ErrorEquals": ["E"]}]],
)
def test_a_state_that_an_unknown_catcher_may_lead_to_is_told_of_nothing(catch: object) -> None:
    states: State = {
        "A": {"Type": "Task", "Resource": "r", "ResultPath": None, "Catch": catch, "Next": "B", "Assign": {"n": 1}},
        "B": passing("C", Result={"a": 1}),
        "C": passing("Y", Parameters={"error.$": "$.e", "n.$": "$n"}),
        "D": passing("C", Assign={"m": 1}),
        "Y": passing(Parameters={"m.$": "$m"}),
    }
    assert [each for each in codes(states) if each[0] in ("SM206", "SM330", "SM817", "SM818")] == []


def batched(**fields: object) -> State:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "B",
        "States": {"B": {"Type": "Pass", "Output": "{% $states.input.Items %}", "End": True}},
    }
    return {"A": {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}}


def test_a_batch_has_items_whatever_the_selector_makes_of_each() -> None:
    selector: State = {"ItemSelector": {"id": "{% $states.context.Map.Item.Value.id %}"}}
    batcher: State = {"ItemBatcher": {"MaxItemsPerBatch": 5, "BatchInput": {"x": 1}}}
    assert codes(batched(**selector, **batcher), "JSONata") == []
    assert codes(batched(**selector), "JSONata") == [("SM330", "/States/A/ItemProcessor/States/B/Output")]
    iterator = batched(**selector, **batcher)
    iterator["A"]["Iterator"] = iterator["A"].pop("ItemProcessor")
    assert codes(iterator, "JSONata") == []
