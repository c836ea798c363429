"""What AWS would refuse, in its words: the answers that were recorded, and those that are known from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.aws import AwsDiagnostic, invalid_definition, location, validate_as_aws
from sm_cli.asl.validation.validate import check

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


def task(**fields: Any) -> State:
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, **fields}


def apart(**fields: Any) -> State:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **ONE}
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def choice(**rule: Any) -> State:
    return {"Type": "Choice", "Choices": [{"Next": "Z", **rule}], "Default": "Z"}


def reading(**config: Any) -> State:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    return apart(ItemReader={**reader, "ReaderConfig": {"InputType": "JSON", **config}})


def least(bound: str) -> str:
    return f"Minimum value is {bound}"


def most(bound: str) -> str:
    return f"Maximum value is {bound}"


def only(fields: str) -> str:
    return f"There should only be one of the following fields: [{fields}]"


def one(fields: str) -> str:
    return f"This object should have only one of the following fields: [{fields}]"


def words(values: str) -> str:
    return f"Value should be one of the following: [{values}]"


NO_REFERENCE = "Value is not a Reference Path"
NO_DOLLAR = f"{NO_REFERENCE}: Reference path didn't start with '$'"
SELECTORS = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"
NO_PATH = "Value must be a valid JSONPath."
WAITS = "SecondsPath, Seconds, TimestampPath, Timestamp"
NOT_ALONE = "States.ALL must appear alone and at end of list"
#: (the state A, AWS's sentence, its place below the state)
FIELDS: list[tuple[State, str, str]] = [
    # ranges
    (task(TimeoutSeconds=0), least("1"), "/TimeoutSeconds"),
    (task(TimeoutSeconds=100_000_000), most("99999999"), "/TimeoutSeconds"),
    (task(HeartbeatSeconds=0), least("1"), "/HeartbeatSeconds"),
    ({"Type": "Wait", "Seconds": -1, "End": True}, least("0"), "/Seconds"),
    ({"Type": "Wait", "Seconds": 10**16, "End": True}, most("99999999"), "/Seconds"),
    (apart(MaxConcurrency=-1), least("0"), "/MaxConcurrency"),
    (apart(ToleratedFailureCount=-5), least("0"), "/ToleratedFailureCount"),
    (apart(ToleratedFailurePercentage=-1), least("0.0"), "/ToleratedFailurePercentage"),
    (apart(ToleratedFailurePercentage=100.5), most("100.0"), "/ToleratedFailurePercentage"),
    (apart(ItemBatcher={"MaxItemsPerBatch": -1}), least("0"), "/ItemBatcher/MaxItemsPerBatch"),
    (apart(ItemBatcher={"MaxInputBytesPerBatch": -1}), least("0"), "/ItemBatcher/MaxInputBytesPerBatch"),
    (reading(MaxItems=-1), least("0"), "/ItemReader/ReaderConfig/MaxItems"),
    (reading(MaxItems=100_000_001), most("100000000"), "/ItemReader/ReaderConfig/MaxItems"),
    (task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": -1}]), least("0"), "/Retry[0]/IntervalSeconds"),
    (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": -1}]), least("0"), "/Retry[0]/MaxAttempts"),
    (task(Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}]), least("1.0"), "/Retry[0]/BackoffRate"),
    (task(Retry=[{"ErrorEquals": ["E"], "MaxDelaySeconds": 0}]), least("1"), "/Retry[0]/MaxDelaySeconds"),
    (task(Retry=[{"ErrorEquals": ["E"], "MaxDelaySeconds": 10**8}]), most("31622400"), "/Retry[0]/MaxDelaySeconds"),
    # types, words
    (task(TimeoutSeconds="5"), "Expected value of type Integer", "/TimeoutSeconds"),
    (passing(Comment=5), "Expected value of type [STRING]", "/Comment"),
    (passing(QueryLanguage="jsonata"), words("JSONPath, JSONata"), "/QueryLanguage"),
    (passing(QueryLanguage=5), "Expected value of type [STRING]", "/QueryLanguage"),
    (task(Retry=[{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]), words("NONE, FULL"), "/Retry[0]/JitterStrategy"),
    (
        reading(InputType="XML"),
        "The field 'InputType' should have one of these values: [MANIFEST, JSON, CSV, JSONL, PARQUET]",
        "/ItemReader/ReaderConfig/InputType",
    ),
    (task(Retry=[{"ErrorEquals": []}]), "Value cannot be empty", "/Retry[0]/ErrorEquals"),
    # fields that exclude each other, and of which there must be one
    (task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"), only("TimeoutSeconds, TimeoutSecondsPath"), ""),
    (task(HeartbeatSecondsPath="$.t", HeartbeatSeconds=5), only("HeartbeatSeconds, HeartbeatSecondsPath"), ""),
    (apart(MaxConcurrency=1, MaxConcurrencyPath="$.n"), only("MaxConcurrency, MaxConcurrencyPath"), ""),
    (
        apart(ToleratedFailureCountPath="$.n", ToleratedFailureCount=1),
        only("ToleratedFailureCount, ToleratedFailureCountPath"),
        "",
    ),
    (apart(Iterator={"StartAt": "D", "States": {"D": passing()}}), only("ItemProcessor, Iterator"), ""),
    ({"Type": "Map", "End": True}, one("ItemProcessor, Iterator"), ""),
    (reading(MaxItems=1, MaxItemsPath="$.n"), only("MaxItems, MaxItemsPath"), "/ItemReader/ReaderConfig"),
    (
        apart(ItemBatcher={"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"}),
        only("MaxItemsPerBatch, MaxItemsPerBatchPath"),
        "/ItemBatcher",
    ),
    ({"Type": "Wait", "Seconds": 1, "TimestampPath": "$.t", "End": True}, only(WAITS), ""),
    ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "Timestamp": "2030-01-01T00:00:00Z", "End": True},
     only(WAITS), ""),
    ({"Type": "Wait", "End": True}, one(WAITS), ""),
    (passing(Next="Z"), only("Next, End"), ""),
    ({"Type": "Pass"}, one("Next, End"), ""),
    ({"Type": "Pass", "End": False}, one("Next, End"), ""),
    (choice(Variable="$.a", And=[{"Variable": "$.b", "IsNull": True}]),
     SELECTORS, "/Choices[0]"),
    (choice(), SELECTORS, "/Choices[0]"),
    # fields that are missing
    (task(Catch=[{"Next": "Z"}]), "These fields are required: [ErrorEquals]", "/Catch[0]"),
    (task(Catch=[{"ErrorEquals": ["E"]}]), "These fields are required: [Next]", "/Catch[0]"),
    (task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}]), NOT_ALONE, "/Retry[0]/ErrorEquals"),
    # paths
    (apart(MaxConcurrencyPath="$$.Execution.Input.n"), NO_REFERENCE, "/MaxConcurrencyPath"),
    (apart(ToleratedFailurePercentagePath="$$.n"), NO_REFERENCE, "/ToleratedFailurePercentagePath"),
    (apart(ItemsPath="$.a[*]"), NO_REFERENCE, "/ItemsPath"),
    (passing(ResultPath="$$.a"), NO_REFERENCE, "/ResultPath"),
    (passing(InputPath="a"), NO_PATH, "/InputPath"),
    (choice(Variable="a", IsNull=True), NO_DOLLAR, "/Choices[0]/Variable"),
    # Maps, names
    (apart(ItemProcessor={"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **ONE}),
     "These fields are required: [ExecutionType]", "/ItemProcessor/ProcessorConfig"),
    (apart(ItemProcessor={"ProcessorConfig": {"Mode": "INLINE", "ExecutionType": "EXPRESS"}, **ONE}),
     "Field 'ExecutionType' is not supported", "/ItemProcessor/ProcessorConfig"),
    (reading(CSVHeaderLocation="FIRST_ROW"), "Field 'CSVHeaderLocation' is not supported", "/ItemReader/ReaderConfig"),
    (reading(InputType="CSV", CSVHeaderLocation="GIVEN"), "These fields are required: [CSVHeaders]",
     "/ItemReader/ReaderConfig"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "message", "below"), FIELDS)
def test_aws_says_of_a_field_what_it_was_seen_to_say(state: State, message: str, below: str) -> None:
    definition = of(state, Z={"Type": "Succeed"})
    found = [each for each in validate_as_aws(definition) if "reachable" not in each.message]
    assert [(each.code, each.message, each.location) for each in found] == [(SCHEMA, message, f"/States/A{below}")]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("states", "RESERVED_VARIABLE_NAME", "Cannot assign to reserved variable '$states'."),
        (
            "a-b",
            "INVALID_VARIABLE_NAME",
            "Invalid variable name 'a-b': the variable name contains invalid characters.",
        ),
    ],
)
def test_aws_has_codes_of_its_own_for_the_names_of_variables(name: str, code: str, message: str) -> None:
    [found] = validate_as_aws(of(passing(Assign={name: 1})))
    assert (found.code, found.message) == (code, message)


def test_a_label_that_is_too_long_is_no_label_for_aws() -> None:
    assert [each.code for each in validate_as_aws(of(apart(Label="l" * 41)))] == ["INVALID_LABEL_NAME"]


@pytest.mark.parametrize("field", ["ItemProcessor", "Iterator", "Branches"])
def test_no_inner_machine_has_a_query_language(field: str) -> None:
    inner: State = {**ONE, "QueryLanguage": "JSONPath"}
    state: State = {"Type": "Map", field: inner, "End": True}
    if field == "Branches":
        state = {
            "Type": "Parallel",
            "Branches": [ONE | {"StartAt": "D", "States": {"D": passing()}}, inner],
            "End": True,
        }
    place = "/States/A/Branches[1]" if field == "Branches" else f"/States/A/{field}"
    assert [(each.message, each.location) for each in validate_as_aws(of(state))] == [(NO_LANGUAGE, place)]


def test_an_express_workflow_has_no_distributed_map() -> None:
    [found] = validate_as_aws(of(apart()), "EXPRESS")
    assert found.message == "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
    assert found.location == "/States/A/ItemProcessor/ProcessorConfig/Mode"


@pytest.mark.parametrize(
    "state",
    [
        apart(MaxConcurrency=0, ToleratedFailureCount=0, ToleratedFailurePercentage=0),
        apart(MaxConcurrency=9_223_372_036_854_775_807),
        apart(ItemBatcher={"MaxItemsPerBatch": 0}),
        apart(ItemBatcher={"MaxInputBytesPerBatch": 0, "MaxItemsPerBatch": 0}),
        reading(MaxItems=0),
        reading(MaxItemsPath="$.n"),
        task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 0, "MaxAttempts": 0}]),
        {"Type": "Wait", "Seconds": 0, "End": True},
    ],
)
def test_aws_lets_these_numbers_be_nothing(state: State) -> None:
    assert validate_as_aws(of(state)) == []
    assert [each for each in check(of(state))[1] if each.severity == "error"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Catch": "${Catch}"},
        {"Catch": ["${Catcher}"]},
        {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "${Handler}"}]},
        {"${Field}": "x"},
        {"Catch": "%CATCH%"},
    ],
)
def test_what_an_unknown_catcher_may_lead_to_is_not_unreachable(fields: State) -> None:
    assert validate_as_aws(of(task(**fields), Failed={"Type": "Fail"})) == []


def test_what_an_unknown_rule_may_lead_to_is_not_unreachable() -> None:
    for choices in ("${Rules}", [{"Variable": "$.a", "IsNull": True, "Next": "Z"}, "${Rule}"]):
        state = {"Type": "Choice", "Choices": choices, "Default": "Z"}
        assert validate_as_aws(of(state, Z=passing(), Other=passing())) == []
    assert validate_as_aws({"StartAt": "${Start}", "States": {"A": passing(), "B": passing()}}) == []


def test_a_substitution_elsewhere_leads_nowhere() -> None:
    found = validate_as_aws(of(task(Comment="${Comment}", Retry="${Retry}"), Failed={"Type": "Fail"}))
    assert [each.message for each in found] == ['State "Failed" is not reachable.']


def test_aws_lets_a_definition_have_no_time() -> None:
    assert validate_as_aws({**of(passing()), "TimeoutSeconds": 0}) == []
    assert [each.message for each in validate_as_aws({**of(passing()), "TimeoutSeconds": -1})] == ["Minimum value is 0"]


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
    assert location("/a/0/1/b", {"a": {"0": [1, {"b": 2}]}}) == "/a/0[1]/b"


def test_a_place_in_a_list_of_a_template_is_an_index_too() -> None:
    found = validate_as_aws(of(passing(Output={"a": [1, {"0": "{% $$ %}"}]}), "JSONata"))
    assert [each.location for each in found] == ["/States/A/Output/a[1]/0"]
    found = validate_as_aws(of(task(Retry=[{"ErrorEquals": ["E", 5]}])))
    assert [each.location for each in found] == ["/States/A/Retry[0]/ErrorEquals[1]"]


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
