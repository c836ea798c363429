"""What AWS would refuse, in its words: the answers that were recorded, and those that are known from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.aws import AwsDiagnostic, invalid_definition, location, validate_as_aws

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
needs_data = pytest.mark.skipif(
    not (SHARED / "conformance" / "cases.jsonl").is_file(), reason="the recorded answers are not beside this checkout"
)
State = dict[str, Any]


def rows(name: str) -> list[dict[str, Any]]:
    with (SHARED / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def told(found: list[AwsDiagnostic]) -> list[dict[str, str]]:
    """As ValidateStateMachineDefinition tells them."""
    keys = ("code", "location", "message", "severity")
    return [{key: value for key in keys if (value := getattr(each, key)) is not None} for each in found]


@needs_data
def test_the_recorded_answers_are_ours() -> None:
    count = 0
    for case in rows("conformance/cases.jsonl"):
        if case["kind"] == "validation":
            count += 1
            source = case["definition"] if case["definition"] is not None else case["definition_text"]
            found, expect = validate_as_aws(source, case["type"]), case["expect"]
            if case["api"] == "create_state_machine":
                assert invalid_definition(found) == (expect["error"], expect["cause"]), case["id"]
            else:
                assert told(found) == expect["diagnostics"], case["id"]
    assert count >= 10


@needs_data
def test_nothing_that_aws_has_run_is_refused() -> None:
    for case in rows("conformance/cases.jsonl"):
        if case["kind"] == "execution":
            assert validate_as_aws(case["definition"], case["type"]) == [], case["id"]


@needs_data
def test_the_recorded_refusals_are_ours() -> None:
    for row in rows("validation/invalid.jsonl"):
        expected = row.get("expected", {})
        if "AWS" in str(expected.get("tool")):
            [found] = validate_as_aws(row["text"], row.get("machine_type", "STANDARD"))
            assert (found.code, found.location) == (expected["code"], expected.get("location")), row["id"]
            assert found.message == expected["message"].replace("<partition>", "aws"), row["id"]


def of(state: State, language: str = "JSONPath", **more: State) -> State:
    return {"QueryLanguage": language, "StartAt": "A", "States": {"A": state, **more}}


def passing(**fields: Any) -> State:
    return {"Type": "Pass", "End": True, **fields}


def inside(processor: State) -> State:
    return of({"Type": "Map", "ItemProcessor": processor, "End": True})


SCHEMA = "SCHEMA_VALIDATION_FAILED"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"
TYPES = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"
OTHER = "The QueryLanguage is set to '{}', but field '{}' is only supported for the '{}' QueryLanguage"
NO_LANGUAGE = "Field 'QueryLanguage' is not supported"
ONE: State = {"StartAt": "B", "States": {"B": passing()}}
CHOICE: State = {
    "Type": "Choice",
    "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}],
    "Default": "C",
}
KNOWN: list[tuple[State, list[tuple[str, str, str | None]]]] = [
    ({}, [(SCHEMA, "These fields are required: [States, StartAt]", "/")]),
    (of(passing(Retry=[])), [(SCHEMA, "Field 'Retry' is not supported", "/States/A")]),
    (inside({**ONE, "QueryLanguage": "JSONata"}), [(SCHEMA, NO_LANGUAGE, "/States/A/ItemProcessor")]),
    (
        of(passing(Output=1)),
        [(SCHEMA, OTHER.format("JSONPath", "Output", "JSONata"), "/States/A")],
    ),
    (
        of(passing(Result=1), "JSONata"),
        [(SCHEMA, OTHER.format("JSONata", "Result", "JSONPath"), "/States/A")],
    ),
    (
        of(passing(QueryLanguage="JSONPath", Output=1), "JSONata"),
        [(SCHEMA, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", "/States/A")],
    ),
    (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "C"}, "B": passing()}},
        [
            ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: C", "/States/A/Next"),
            ("MISSING_TRANSITION_TARGET", 'State "B" is not reachable.', "/States/B"),
        ],
    ),
    (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}},
        [("MISSING_END_STATE", "Workflow has no terminal state", None)],
    ),
    (
        of(CHOICE, C=passing()),
        [("MISSING_TRANSITION_TARGET", "Missing 'Next' target: B", "/States/A/Choices[0]/Next")],
    ),
    (
        inside({"StartAt": "B", "States": {"B": passing(), "a/b": passing()}}),
        [("MISSING_TRANSITION_TARGET", 'State "a/b" is not reachable.', "/States/A/ItemProcessor/States/a/b")],
    ),
    (
        of(passing(Output={"v": "{% a[1,2) %}"}), "JSONata"),
        [("INVALID_JSONATA_EXPRESSION", 'Expected "]", got ","', "/States/A/Output/v")],
    ),
    (
        of(passing(Output={"v": "{% phone %}"}), "JSONata"),
        [(UNSUPPORTED, "Reference to 'phone' at the top level is not supported.", "/States/A/Output/v")],
    ),
    (
        of(passing(Output="{% $$ %}"), "JSONata"),
        [(UNSUPPORTED, "Reference to '$$' is not supported.", "/States/A/Output")],
    ),
    (of({"Type": "Parallel", "Branches": [], "End": True}), [(SCHEMA, "Value cannot be empty", "/States/A/Branches")]),
    (
        of({"Type": "Task", "Resource": "process:order", "End": True}),
        [(SCHEMA, "Value is not a valid resource ARN", "/States/A/Resource")],
    ),
    (
        of({"Type": "Message", "CorrelationKey": "k", "CorrelationValue": 1, "TimeoutSeconds": 5, "End": True}),
        [(SCHEMA, f"The field 'Type' should have one of these values: {TYPES}", "/States/A/Type")],
    ),
]


@pytest.mark.parametrize(("definition", "expected"), KNOWN)
def test_aws_says_it_in_these_words(definition: State, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(each.code, each.message, each.location) for each in validate_as_aws(definition)] == expected


@pytest.mark.parametrize(
    "definition",
    [
        of(passing(Output="{%1%}"), "JSONata"),
        of(passing(Output="{% $nope($missing) %}"), "JSONata"),
        of(passing(Parameters={"a": "$.b"})),
        inside({"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}}}),
    ],
    ids=["no blanks", "unknown function", "no dollar", "endless processor"],
)
def test_what_aws_takes_is_not_refused(definition: State) -> None:
    assert validate_as_aws(definition) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("", SCHEMA), (" \n", SCHEMA), ("[]", SCHEMA), ("5", SCHEMA), ('{"StartAt": }', "INVALID_JSON_DESCRIPTION")],
)
def test_a_text_that_is_no_definition_is_refused_without_a_place(text: str, code: str) -> None:
    [found] = validate_as_aws(text)
    assert (found.code, found.location) == (code, None)


def test_a_document_that_was_parsed_is_taken_too() -> None:
    document = parse('{"States": {}, "StartAt": "A"}').document
    assert document is not None
    assert [each.location for each in validate_as_aws(document)] == ["/States"]


def test_an_express_workflow_is_asked_for_more() -> None:
    definition = of({"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True})
    kinds: tuple[Literal["STANDARD"], Literal["EXPRESS"]] = ("STANDARD", "EXPRESS")
    assert [len(validate_as_aws(definition, kind)) for kind in kinds] == [0, 1]


def test_a_place_is_written_as_aws_writes_it() -> None:
    assert location("") == "/"
    assert location("/States/0/Catch/1/Next") == "/States/0/Catch[1]/Next"
    assert location("/States/a~1b/Parameters/x.$") == "/States/a/b/Parameters/x.$"


@pytest.mark.parametrize(
    ("text", "token", "line", "column"), [("no definition", "no", 1, 3), (b"\n  words", "words", 2, 8)]
)
def test_plain_words_are_no_json_for_aws(text: str | bytes, token: str, line: int, column: int) -> None:
    (found,) = validate_as_aws(text)
    assert found.code == "INVALID_JSON_DESCRIPTION"
    assert found.message.startswith(f"Unrecognized token '{token}': was expecting (JSON String,")
    assert found.message.endswith(f"line: {line}, column: {column}]")


@pytest.mark.parametrize("text", ["null", "5", '"text"', "[]", "true", "'text'"])
def test_what_is_json_and_no_object_is_no_definition(text: str) -> None:
    assert [found.message for found in validate_as_aws(text)] == ["Definition must be a valid JSON object"]
