"""Choice rules: every operator on every kind of value, combinators, and what a wrong rule is told."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.errors import StateFailure
from sm_cli.expr.choice import OPERATORS, ChoiceError, compile_pattern, compile_rule, operand_problem
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "conformance" / "cases.jsonl"
ABSENT: dict[str, Any] = {}
MORNING, EVENING = "2024-01-01T08:00:00Z", "2024-01-01T20:00:00Z"


def scope(document: Json, variables: dict[str, Json] | None = None) -> Scope:
    return Scope(document, lambda: {"State": {"Name": "Check"}}, variables or {}, lambda: random.Random(1))


def holds(rule: dict[str, Any], document: Json, variables: dict[str, Json] | None = None) -> bool:
    return compile_rule(rule)(scope(document, variables))


def test_there_are_the_39_operators_of_the_language() -> None:
    ordered = ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]
    compared = [f"{family}{r}" for family in ("String", "Numeric", "Timestamp") for r in ordered] + ["BooleanEquals"]
    alone = ["StringMatches", "IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"]
    assert sorted(OPERATORS) == sorted(compared + [f"{name}Path" for name in compared] + alone)
    assert len(OPERATORS) == 39


@pytest.mark.parametrize(
    ("family", "low", "high"),
    [
        ("String", "a", "b"),
        ("String", "Z", "a"),  # by code point, not by alphabet
        ("String", "\uffff", "\U00010000"),  # by code point, not by UTF-16 unit
        ("String", "A", "A "),
        ("Numeric", 1, 2),
        ("Numeric", -1.5, 0),
        ("Numeric", 2**53, 2**53 + 1),
        ("Timestamp", MORNING, EVENING),
        ("Timestamp", "2024-01-01T20:00:00+10:00", EVENING),
        ("Timestamp", "2024-01-01T20:00:00.000000001Z", "2024-01-01T20:00:00.000000002Z"),
    ],
)
@pytest.mark.parametrize("by_path", [False, True])
def test_values_are_ordered(family: str, low: Any, high: Any, by_path: bool) -> None:
    def answers(value: Any, operand: Any) -> dict[str, bool]:
        result = {}
        for relation in ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"):
            name = f"{family}{relation}" + ("Path" if by_path else "")
            rule = {"Variable": "$.value", name: "$.operand" if by_path else operand}
            result[relation] = holds(rule, {"value": value, "operand": operand})
        return result

    order = ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]
    assert answers(low, high) == dict(zip(order, [False, True, False, True, False], strict=True))
    assert answers(high, low) == dict(zip(order, [False, False, True, False, True], strict=True))
    assert answers(low, low) == dict(zip(order, [True, False, False, True, True], strict=True))


def test_equal_moments_are_equal_however_they_are_written() -> None:
    rule = {"Variable": "$.at", "TimestampEquals": "2024-01-01T20:00:00Z"}
    assert holds(rule, {"at": "2024-01-01T22:00:00.000+02:00"})


def test_numbers_are_equal_by_value() -> None:
    assert holds({"Variable": "$.n", "NumericEquals": 1}, {"n": 1.0})


KINDS: list[tuple[str, Any]] = [
    ("null", None), ("true", True), ("false", False), ("zero", 0), ("one", 1), ("decimal", 1.0), ("empty", ""),
    ("word", "1"), ("timestamp", MORNING), ("list", [1]), ("object", {"a": 1}),
]  # fmt: skip
MATCHING = {
    "StringEquals": {"word"},
    "NumericEquals": {"one", "decimal"},
    "BooleanEquals": {"true"},
    "TimestampEquals": {"timestamp"},
}


OPERANDS: list[tuple[str, Any]] = [
    ("StringEquals", "1"),
    ("NumericEquals", 1),
    ("BooleanEquals", True),
    ("TimestampEquals", MORNING),
]


@pytest.mark.parametrize(("name", "operand"), OPERANDS)
@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_another_type_is_no_match_on_either_side(name: str, operand: Any, kind: str, value: Any) -> None:
    expected = kind in MATCHING[name]
    assert holds({"Variable": "$.v", name: operand}, {"v": value}) is expected
    assert holds({"Variable": "$.v", f"{name}Path": "$.o"}, {"v": value, "o": operand}) is expected
    assert holds({"Variable": "$.o", f"{name}Path": "$.v"}, {"v": value, "o": operand}) is expected


def test_true_is_not_one_and_false_is_not_zero() -> None:
    assert not holds({"Variable": "$.v", "NumericEquals": 1}, {"v": True})
    assert not holds({"Variable": "$.v", "NumericLessThan": 1}, {"v": False})
    assert not holds({"Variable": "$.v", "BooleanEquals": False}, {"v": 0})


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("IsNull", {"null"}),
        ("IsString", {"empty", "word", "timestamp"}),
        ("IsNumeric", {"zero", "one", "decimal"}),
        ("IsBoolean", {"true", "false"}),
        ("IsTimestamp", {"timestamp"}),
        ("IsPresent", {kind for kind, _ in KINDS}),
    ],
)
def test_is_operators_tell_the_type_and_false_negates_them(name: str, kinds: set[str]) -> None:
    for kind, value in KINDS:
        assert holds({"Variable": "$.v", name: True}, {"v": value}) is (kind in kinds)
        assert holds({"Variable": "$.v", name: False}, {"v": value}) is (kind not in kinds)


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - {"IsPresent"}))
def test_a_variable_that_is_not_there_fails_the_execution_under_every_operator_but_is_present(name: str) -> None:
    operands = {"string": "x", "pattern": "x*", "number": 1, "boolean": False, "timestamp": MORNING, "path": "$.here"}
    rule = {"Variable": "$.gone", name: operands[OPERATORS[name].operand]}
    with pytest.raises(StateFailure) as caught:
        holds(rule, {"here": 1})
    assert caught.value.error == "States.Runtime"
    cause = "Invalid path '$.gone': The choice state's condition path references an invalid value."
    assert caught.value.cause == cause


def test_is_present_asks_without_failing() -> None:
    assert holds({"Variable": "$.gone", "IsPresent": False}, {"here": 1})
    assert not holds({"Variable": "$.gone.deeper", "IsPresent": True}, {"here": 1})


def test_an_operand_path_that_finds_nothing_fails_the_execution_too() -> None:
    with pytest.raises(StateFailure) as caught:
        holds({"Variable": "$.here", "NumericEqualsPath": "$.gone"}, {"here": 1})
    assert "'$.gone'" in str(caught.value.cause)


def test_a_variable_may_be_a_context_path_or_a_workflow_variable() -> None:
    assert holds({"Variable": "$$.State.Name", "StringEquals": "Check"}, {})
    assert holds({"Variable": "$limit", "NumericLessThanPath": "$.n"}, {"n": 5}, {"limit": 3})


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("foo*.log", ["foo23.log", "foo.log", "foo.log.log"], ["foo23.logs", "xfoo.log", "foo.lo"]),
        ("*.log", ["zebra.log", ".log"], ["log", ".logs"]),
        ("foo*.*", ["foobar.zebra", "foo."], ["foobar"]),
        ("*", ["", "anything", "a\nb"], []),
        ("", [""], ["x"]),
        ("plain", ["plain"], ["plain ", "Plain"]),
        ("a*a", ["aa", "aba"], ["a"]),  # the two ends may not share a character
        ("ab*bc", ["abbc", "abxbc"], ["abc"]),
        ("*a*b*", ["ab", "xaxbx"], ["ba"]),
        ("**", ["", "x"], []),
        (r"a\*b", ["a*b"], ["axb", r"a\*b"]),
        (r"\\*", ["\\", "\\x"], ["x"]),
        (r"\\\*", [r"\*"], ["\\", "\\x"]),
        ("a.b[c]?", ["a.b[c]?"], ["axb[c]", "a.bc"]),  # nothing but the star is special
    ],
)
def test_string_matches(pattern: str, matching: list[str], others: list[str]) -> None:
    for text in matching:
        assert holds({"Variable": "$.v", "StringMatches": pattern}, {"v": text}), text
    for text in others:
        assert not holds({"Variable": "$.v", "StringMatches": pattern}, {"v": text}), text


def test_string_matches_only_strings() -> None:
    others: list[Json] = [None, 1, True, [], {}]
    assert not any(holds({"Variable": "$.v", "StringMatches": "*"}, {"v": other}) for other in others)


def brute_force(pattern: str, text: str) -> bool:
    """The definition of the star, word for word: exponential, and obviously right."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(brute_force(pattern[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] == text[0] and brute_force(pattern[1:], text[1:])


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_string_matches_agrees_with_its_definition(pattern: str, text: str) -> None:
    assert compile_pattern(pattern)(text) is brute_force(pattern, text)


def test_many_stars_do_not_make_a_long_text_slow() -> None:
    # With backtracking this would take longer than the universe has existed.
    assert not compile_pattern("*a" * 200 + "*b")("a" * 20_000)


YES, NO = {"Variable": "$.n", "NumericEquals": 1}, {"Variable": "$.n", "NumericEquals": 2}
FAILS = {"Variable": "$.gone", "NumericEquals": 1}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"And": [YES, YES]}, True),
        ({"And": [YES, NO]}, False),
        ({"And": [NO, YES]}, False),
        ({"Or": [NO, NO]}, False),
        ({"Or": [NO, YES]}, True),
        ({"Or": [YES, NO]}, True),
        ({"Not": YES}, False),
        ({"Not": NO}, True),
        ({"And": [YES, {"Or": [NO, {"Not": NO}]}]}, True),
        ({"And": [YES]}, True),
        ({"Or": [NO]}, False),
        ({"And": [NO, FAILS]}, False),  # stops before what would fail
        ({"Or": [YES, FAILS]}, True),
        ({"And": [{"Variable": "$.gone", "IsPresent": True}, FAILS]}, False),
    ],
)
def test_combinators_go_from_left_to_right_and_stop_early(rule: dict[str, Any], expected: bool) -> None:
    assert holds(rule, {"n": 1}) is expected


@pytest.mark.parametrize("rule", [{"And": [YES, FAILS]}, {"Or": [NO, FAILS]}, {"Not": FAILS}])
def test_a_failure_inside_a_combinator_is_not_hidden(rule: dict[str, Any]) -> None:
    with pytest.raises(StateFailure):
        holds(rule, {"n": 1})


def test_next_assign_and_comment_belong_to_the_caller() -> None:
    assert holds({**YES, "Next": "B", "Comment": "c", "Assign": {"a": 1}}, {"n": 1})


@pytest.mark.parametrize(
    ("rule", "pointer", "says"),
    [
        (None, "", "must be an object"),
        ({}, "", "needs a comparison operator"),
        ({"Variable": "$.a"}, "", "needs a comparison operator"),
        ({"Variable": "$.a", "StringEqual": "x"}, "", "needs a comparison operator"),
        ({"StringEquals": "x"}, "", "needs a Variable"),
        ({"Variable": 1, "StringEquals": "x"}, "/Variable", "must be a path"),
        ({"Variable": "a", "StringEquals": "x"}, "/Variable", "must be a path"),
        ({"Variable": "$.a", "StringEquals": "x", "IsNull": True}, "/IsNull", "one operator only"),
        ({"Variable": "$.a", "StringEquals": 1}, "/StringEquals", "must be a string"),
        ({"Variable": "$.a", "NumericEquals": "1"}, "/NumericEquals", "must be a number"),
        ({"Variable": "$.a", "NumericEquals": True}, "/NumericEquals", "must be a number"),
        ({"Variable": "$.a", "BooleanEquals": "true"}, "/BooleanEquals", "true or false"),
        ({"Variable": "$.a", "IsNull": 1}, "/IsNull", "true or false"),
        ({"Variable": "$.a", "TimestampEquals": "2024-01-01"}, "/TimestampEquals", "time of day is missing"),
        ({"Variable": "$.a", "TimestampEquals": 5}, "/TimestampEquals", "must be a string"),
        ({"Variable": "$.a", "StringEqualsPath": "b"}, "/StringEqualsPath", "must be a path"),
        ({"Variable": "$.a", "StringEqualsPath": None}, "/StringEqualsPath", "must be a path"),
        ({"Variable": "$.a", "StringMatches": "a\\"}, "/StringMatches", "backslash"),
        ({"Variable": "$.a", "StringMatches": "\\d"}, "/StringMatches", "backslash"),
        ({"And": []}, "/And", "non-empty array"),
        ({"Or": YES}, "/Or", "non-empty array"),
        ({"Not": [YES]}, "/Not", "must be an object"),
        ({"Variable": "$.a", "Not": YES}, "/Variable", "without a Variable"),
        ({"And": [YES, {"Or": [{"Not": {"Variable": "$.a"}}]}]}, "/And/1/Or/0/Not", "needs a comparison operator"),
    ],
)
def test_a_wrong_rule_is_refused_with_a_sentence_and_a_place(rule: Any, pointer: str, says: str) -> None:
    with pytest.raises(ChoiceError) as caught:
        compile_rule(rule, "/States/C/Choices/0")
    assert caught.value.pointer == f"/States/C/Choices/0{pointer}"
    assert says in caught.value.message


def test_an_operator_can_be_asked_about_its_operand_alone() -> None:
    assert operand_problem(OPERATORS["TimestampEquals"], MORNING) is None
    assert operand_problem(OPERATORS["NumericLessThanPath"], "$.x") is None
    assert operand_problem(OPERATORS["NumericLessThan"], "$.x") == "NumericLessThan must be a number"


def test_rules_nested_beyond_reason_are_refused_rather_than_overflowing() -> None:
    rule: dict[str, Any] = YES
    for _ in range(500):
        rule = {"Not": rule}
    with pytest.raises(ChoiceError, match="nested deeper"):
        compile_rule(rule)


def test_every_recorded_choice_takes_the_recorded_branch() -> None:
    if not CASES.exists():
        pytest.skip("the recorded answers are not beside this checkout")
    wrong = []
    for line in CASES.read_text().splitlines():
        case = json.loads(line)
        if case["group"] != "choice":
            continue
        state = next(s for s in case["definition"]["States"].values() if s["Type"] == "Choice")
        taken = next((r["Next"] for r in state["Choices"] if holds(r, case["input"])), state["Default"])
        if taken != case["expect"]["output"]["TestResult.$"]:
            wrong.append(case["id"])
    assert wrong == []
