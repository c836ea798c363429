"""What the structural check says: the code, the very place, and the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.validation.validate import check
from sm_cli.jsonvalue import Json

MACHINE = {"StartAt": "X", "States": {"X": {"Type": "Succeed"}}}
OTHER = {"StartAt": "Y", "States": {"Y": {"Type": "Succeed"}}}
FIELDS: list[tuple[str, dict[str, Any], str, str, str]] = [
    # what, the state, code, pointer below the state, words of the sentence
    ("unknown field", {"Type": "Pass", "End": True, "Foo": 1}, "SM101", "/Foo", "The state 'A' has no field Foo"),
    ("field of other types", {"Type": "Pass", "End": True, "Retry": []}, "SM101", "/Retry", "Task, Parallel, Map and"),
    ("misspelt field", {"Type": "Pass", "End": True, "Resultpath": "$.a"}, "SM101", "/Resultpath", "no field"),
    ("wrong type", {"Type": "Pass", "End": "yes"}, "SM103", "/End", "End must be true or false; this is text"),
    ("null", {"Type": "Pass", "End": True, "Comment": None}, "SM103", "/Comment", "must be text; this is null"),
    ("fraction", {"Type": "Wait", "End": True, "Seconds": 1.5}, "SM103", "/Seconds", "from 0 to 99999999, not 1.5"),
    ("negative", {"Type": "Wait", "End": True, "Seconds": -1}, "SM104", "/Seconds", "from 0 to 99999999, not -1"),
    ("no Type", {"End": True}, "SM102", "", "The state 'A' has no Type"),
    ("unknown Type", {"Type": "Tsak", "End": True}, "SM104", "/Type", 'not "Tsak"'),
    ("Type of another kind", {"Type": ["Pass"]}, "SM104", "/Type", "Type must be Task"),
    ("required", {"Type": "Task", "End": True}, "SM102", "", "The state 'A' has no Resource"),
    ("exclusive", {"Type": "Fail", "Error": "a", "ErrorPath": "$.a"}, "SM105", "/ErrorPath", "beside Error"),
    ("none of them", {"Type": "Wait", "End": True}, "SM106", "", "needs Seconds, SecondsPath, Timestamp or"),
    ("other language", {"Type": "Pass", "End": True, "Output": 1}, "SM107", "/Output", "belongs to JSONata"),
    ("empty list", {"Type": "Parallel", "End": True, "Branches": []}, "SM104", "/Branches", "this is empty"),
    ("item", {"Type": "Parallel", "End": True, "Branches": [MACHINE, 1]}, "SM103", "/Branches/1", "must be an object"),
    ("branch", {"Type": "Parallel", "End": True, "Branches": [{}]}, "SM102", "/Branches/0", "The branch has no"),
    ("Map", {"Type": "Map", "End": True}, "SM106", "", "needs ItemProcessor or Iterator"),
    ("processor", {"Type": "Map", "End": True, "ItemProcessor": {}}, "SM102", "/ItemProcessor", "The processor has no"),
    (
        "two processors",
        {"Type": "Map", "End": True, "ItemProcessor": MACHINE, "Iterator": OTHER},
        "SM105",
        "/Iterator",
        "cannot stand beside ItemProcessor",
    ),
    (
        "retrier",
        {"Type": "Task", "Resource": "r", "End": True, "Retry": [{"ErrorEquals": ["x"]}, {"MaxAttempts": 1}]},
        "SM102",
        "/Retry/1",
        "A retrier has no ErrorEquals",
    ),
    (
        "error name",
        {"Type": "Task", "Resource": "r", "End": True, "Retry": [{"ErrorEquals": ["x", 5]}]},
        "SM103",
        "/Retry/0/ErrorEquals/1",
        "Each item of ErrorEquals must be text; this is a number",
    ),
    (
        "enum",
        {"Type": "Task", "Resource": "r", "End": True, "Retry": [{"ErrorEquals": ["x"], "JitterStrategy": "full"}]},
        "SM104",
        "/Retry/0/JitterStrategy",
        "FULL or NONE",
    ),
    (
        "JSONata in JSONPath",
        {"Type": "Wait", "End": True, "Seconds": "{% 5 %}"},
        "SM103",
        "/Seconds",
        "must be a whole number",
    ),
    (
        "Credentials",
        {"Type": "Task", "Resource": "r", "End": True, "Credentials": {"Role": "x"}},
        "SM106",
        "/Credentials",
        "Credentials needs RoleArn or RoleArn.$",
    ),
]


@pytest.mark.parametrize(("what", "state", "code", "below", "words"), FIELDS, ids=[f[0] for f in FIELDS])
def test_one_mistake_in_a_state_is_one_diagnostic_at_its_place(
    what: str, state: dict[str, Any], code: str, below: str, words: str
) -> None:
    _, found = check({"StartAt": "A", "States": {"A": state}})
    at = "/States/A" + below
    here = [d for d in found if d.pointer == at and d.code == code]
    assert here
    assert all(words in d.message for d in here)
    errors = [d for d in found if d.severity == "error"]
    # A machine that is missing altogether lacks both of its fields.
    assert len(errors) == (2 if what in ("branch", "processor") else 1)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ({"Type": "Task", "Resorce": "r", "End": True}, "did you mean Resource?"),
        ({"Type": "Pass", "Nxt": "A"}, "did you mean Next?"),
        ({"Typ": "Pass", "End": True}, "did you mean Type instead of Typ?"),
        ({"Type": "Pas", "End": True}, "did you mean Pass?"),
        ({"Type": "Map", "End": True, "ItemProcesor": MACHINE}, "did you mean ItemProcessor?"),
        ({"Type": "Pass", "End": True, "Arguments": 1}, None),
        ({"Type": "Task", "Resource": "r", "End": True, "Arguments": 1}, "JSONPath has Parameters for it"),
        ({"Type": "Wait", "End": True, "Seconds": "{% 1 %}"}, "an expression {% … %} needs QueryLanguage: JSONata"),
    ],
)
def test_a_hint_says_what_was_probably_meant_and_nothing_else_is_complained_of(
    state: dict[str, Any], hint: str | None
) -> None:
    _, found = check({"StartAt": "A", "States": {"A": state}})
    assert [d.hint for d in found if d.severity == "error"] == [hint]


def test_the_missing_fields_of_a_definition_are_told_together() -> None:
    _, found = check({})
    assert [d.message for d in found] == ["The definition has no StartAt", "The definition has no States"]


def test_a_definition_without_states_gets_one_sentence() -> None:
    _, found = check({"StartAt": "A", "States": {}})
    assert [(d.code, d.pointer) for d in found] == [("SM104", "/States")]


@pytest.mark.parametrize("value", [None, 5, "Pass", [], True])
def test_a_state_that_is_no_object_gets_one_sentence(value: Json) -> None:
    _, found = check({"StartAt": "A", "States": {"A": value}})
    assert [(d.code, d.pointer) for d in found] == [("SM108", "/States/A")]


def test_substitutions_stand_for_values_of_any_type() -> None:
    text = """
      StartAt: A
      TimeoutSeconds: ${Timeout}
      States:
        A:
          Type: Task
          Resource: ${Function.Arn}
          TimeoutSeconds: "${Timeout}"
          HeartbeatSeconds: ${Beat}
          Parameters: {"a.$": "$.${Name}", "b.$": "${Path}", "c.$": "States.Format('${Text} {}', $.a)"}
          ResultPath: ${Where}
          Retry: ${Retriers}
          Catch: [{ErrorEquals: "${Errors}", Next: "${Fallback}"}]
          Next: ${Next}
        B: {Type: Map, ItemProcessor: "${Processor}", MaxConcurrency: "${Many}", ItemsPath: "${Items}", End: "${End}"}
    """
    document, found = check(text)
    assert document is not None
    assert [str(d) for d in found if d.severity == "error"] == []


def test_a_jsonata_state_may_write_expressions_where_a_number_is_wanted() -> None:
    _, found = check(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "A",
            "States": {
                "A": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "B"},
                "B": {
                    "Type": "Task",
                    "Resource": "r",
                    "TimeoutSeconds": "{% 5 %}",
                    "Arguments": "{% $states.input %}",
                    "Output": {"a": "{% $states.result %}"},
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C", "Output": 1}],
                    "Next": "C",
                },
                "C": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "D"}], "Default": "D"},
                "D": {"Type": "Wait", "Timestamp": "{% $now() %}", "Next": "E"},
                "E": {"Type": "Fail", "Error": "{% 'a' %}", "Cause": "{% 'b' %}"},
            },
        }
    )
    assert [str(d) for d in found] == []


@pytest.mark.parametrize(
    ("state", "below"),
    [
        ({"Type": "Wait", "Seconds": "{% 5", "End": True}, "/Seconds"),
        ({"Type": "Wait", "Seconds": "5", "End": True}, "/Seconds"),
        ({"Type": "Choice", "Choices": [{"Condition": "true", "Next": "A"}], "Default": "A"}, "/Choices/0/Condition"),
    ],
)
def test_a_text_that_is_no_expression_is_not_one(state: dict[str, Any], below: str) -> None:
    _, found = check({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state, "B": {"Type": "Succeed"}}})
    assert ("SM104", f"/States/A{below}") in [(d.code, d.pointer) for d in found]
    assert all("{% … %}" in d.message for d in found if d.code == "SM104")
