"""Every rule that no schema can say: what it finds, where, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.validation.validate import check
from sm_cli.diagnostics import Diagnostic

State = dict[str, Any]
ANY_ERROR: list[State] = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]
INNER: State = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}


def codes(found: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(d.code, d.pointer) for d in found]


def of(state: State, *, language: str = "JSONPath", **more: Any) -> list[Diagnostic]:
    """What is found in a machine of this state A, which may go to Z, an end."""
    states: State = {"A": state, "Z": {"Type": "Succeed"}, **more}
    definition: State = {"StartAt": "A", "States": states}
    if language != "JSONPath":
        definition["QueryLanguage"] = language
    return check(definition)[1]


def task(**fields: Any) -> State:
    return {"Type": "Task", "Resource": "do:it", "Next": "Z", **fields}


def passing(**fields: Any) -> State:
    return {"Type": "Pass", "Next": "Z", **fields}


def nested_nots(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"Variable": "$.a", "IsNull": True}
    for _ in range(depth):
        rule = {"Not": rule}
    return rule


def choice(*rules: State) -> State:
    return {"Type": "Choice", "Choices": list(rules), "Default": "Z"}


def mapping(config: State | None = None, **fields: Any) -> State:
    processor = {**INNER, "ProcessorConfig": config} if config else INNER
    return {"Type": "Map", "ItemProcessor": processor, "Next": "Z", **fields}


def message(**fields: Any) -> State:
    written: State = {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "Next": "Z"}
    written |= {"TimeoutSeconds": 5, "TimeoutPath": "Z"} | fields
    return {name: value for name, value in written.items() if value is not ...}


def reading(**config: Any) -> State:
    return {"Resource": S3, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": config}


DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
S3 = "arn:aws:states:::s3:getObject"
TO_Z = {"Next": "Z"}
DEEP_CALL = "States.Array(" * 11 + ")" * 11

FOUND: list[tuple[str, State, str]] = [
    # code, the state A, the pointer below it
    ("SM204", {"Type": "Pass"}, ""),
    ("SM204", {"Type": "Pass", "End": False}, "/End"),
    ("SM204", {"Type": "Pass", "Next": "Z", "End": True}, "/End"),
    ("SM203", passing(Next="Y"), "/Next"),
    ("SM203", task(Catch=[{"ErrorEquals": ["x"], "Next": "Y"}]), "/Catch/0/Next"),
    ("SM203", choice({"Variable": "$.a", "IsNull": True, "Next": "Y"}), "/Choices/0/Next"),
    ("SM203", {**choice({"Variable": "$.a", "IsNull": True, "Next": "Z"}), "Default": "Y"}, "/Default"),
    ("SM203", message(TimeoutPath="Y"), "/TimeoutPath"),
    ("SM301", passing(InputPath="a"), "/InputPath"),
    ("SM301", passing(OutputPath="$.a["), "/OutputPath"),
    ("SM301", passing(ResultPath="..a"), "/ResultPath"),
    ("SM301", passing(InputPath="States.UUID()"), "/InputPath"),
    ("SM301", {"Type": "Wait", "SecondsPath": "a", "Next": "Z"}, "/SecondsPath"),
    ("SM301", choice({"Variable": "a", "IsNull": True, "Next": "Z"}), "/Choices/0/Variable"),
    ("SM301", choice({"Variable": "$.a", "StringEqualsPath": "b", "Next": "Z"}), "/Choices/0/StringEqualsPath"),
    ("SM301", choice({"Not": {"Variable": "a", "IsNull": True}, "Next": "Z"}), "/Choices/0/Not/Variable"),
    ("SM302", passing(ResultPath="$.a[*]"), "/ResultPath"),
    ("SM302", passing(ResultPath="$..a"), "/ResultPath"),
    ("SM302", mapping(ItemsPath="$.a[?(@.b == 1)]"), "/ItemsPath"),
    ("SM302", task(Catch=[{**ANY_ERROR[0], "ResultPath": "$.a[1:2]"}]), "/Catch/0/ResultPath"),
    ("SM303", passing(ResultPath="$$.a"), "/ResultPath"),
    ("SM303", passing(ResultPath="$a.b"), "/ResultPath"),
    ("SM303", message(MessagePath="$$"), "/MessagePath"),
    ("SM305", task(Parameters={"a": [{"b.$": "c"}]}), "/Parameters/a/0/b.$"),
    ("SM305", task(Parameters={"a.$": 5}), "/Parameters/a.$"),
    ("SM305", task(ResultSelector={"a.$": "$.a["}), "/ResultSelector/a.$"),
    ("SM305", passing(Parameters={"a.$": " States.UUID()"}), "/Parameters/a.$"),
    ("SM305", passing(Parameters={"a.$": "States.Uid()"}), "/Parameters/a.$"),
    ("SM305", passing(Parameters={"a.$": "States.MathAdd($.a)"}), "/Parameters/a.$"),
    ("SM305", passing(Parameters={"a.$": "States.Array($.a[)"}), "/Parameters/a.$"),
    ("SM305", passing(Parameters={"a.$": DEEP_CALL}), "/Parameters/a.$"),
    ("SM305", passing(Parameters={"a.$": "States.Format('a\\n')"}), "/Parameters/a.$"),
    ("SM305", passing(Assign={"a.$": "b"}), "/Assign/a.$"),
    ("SM305", mapping(ItemSelector={"a.$": "b"}), "/ItemSelector/a.$"),
    ("SM306", passing(Parameters={"a.$": "States.Format('{} {}', $.a)"}), "/Parameters/a.$"),
    ("SM306", passing(Parameters={"a.$": "States.Hash('x', 'SHA-3')"}), "/Parameters/a.$"),
    ("SM306", passing(Parameters={"a.$": "States.JsonMerge($.a, $.b, true)"}), "/Parameters/a.$"),
    ("SM307", passing(Parameters={"a": 1, "a.$": "$.b"}), "/Parameters/a.$"),
    ("SM307", passing(Parameters={"l": [{"a.$": "$.b", "a": 1}]}), "/Parameters/l/0/a.$"),
    ("SM307", passing(Assign={"a": 1, "a.$": "$.b"}), "/Assign/a.$"),
    ("SM308", passing(Parameters={"a": "$.b"}), "/Parameters/a"),
    ("SM308", passing(Parameters={"a": {"b": "States.UUID()"}}), "/Parameters/a/b"),
    ("SM309", passing(Result={"a": [{"b.$": "$.c"}]}), "/Result/a/0/b.$"),
    ("SM309", passing(Result="$.a"), "/Result"),
    ("SM310", passing(Parameters={"a": "{% $states.input %}"}), "/Parameters/a"),
    ("SM401", choice({"Variable": "$.a", "Next": "Z"}), "/Choices/0"),
    ("SM401", choice({"Next": "Z"}), "/Choices/0"),
    ("SM401", choice({"Variable": "$.a", "IsNull": True, "IsString": True, "Next": "Z"}), "/Choices/0/IsString"),
    ("SM401", choice({"And": [{"Variable": "$.a"}], "Next": "Z"}), "/Choices/0/And/0"),
    (
        "SM401",
        choice({"Or": [{"Variable": "$.a", "IsNull": True}], "Not": {"Variable": "$.a", "IsNull": True}, "Next": "Z"}),
        "/Choices/0/Not",
    ),
    ("SM402", choice({"IsNull": True, "Next": "Z"}), "/Choices/0"),
    (
        "SM402",
        choice({"Variable": "$.a", "Not": {"Variable": "$.a", "IsNull": True}, "Next": "Z"}),
        "/Choices/0/Variable",
    ),
    ("SM403", choice({"Variable": "$.a", "TimestampEquals": "2020-01-01", "Next": "Z"}), "/Choices/0/TimestampEquals"),
    ("SM403", {"Type": "Wait", "Timestamp": "2016-12-05T21:29:29", "Next": "Z"}, "/Timestamp"),
    ("SM403", {"Type": "Wait", "Timestamp": "2016-12-05t21:29:29Z", "Next": "Z"}, "/Timestamp"),
    ("SM403", {"Type": "Wait", "Timestamp": "2023-02-29T00:00:00Z", "Next": "Z"}, "/Timestamp"),
    ("SM403", {"Type": "Wait", "Timestamp": "{% $now() %}", "Next": "Z"}, "/Timestamp"),
    ("SM405", choice({"Variable": "$.a", "StringMatches": "a\\", "Next": "Z"}), "/Choices/0/StringMatches"),
    (
        "SM405",
        choice({"Not": {"Variable": "$.a", "StringMatches": "\\q"}, "Next": "Z"}),
        "/Choices/0/Not/StringMatches",
    ),
    ("SM406", choice({**nested_nots(101), "Next": "Z"}), "/Choices/0" + 101 * "/Not"),
    ("SM404", {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Z"}]}, ""),
    ("SM304", {"Type": "Fail", "CausePath": "a"}, "/CausePath"),
    ("SM304", {"Type": "Fail", "ErrorPath": "States.Nope($.a)"}, "/ErrorPath"),
    ("SM311", {"Type": "Fail", "CausePath": "States.MathAdd(1, 2)"}, "/CausePath"),
    ("SM312", {"Type": "Fail", "Error": "$.error"}, "/Error"),
    ("SM312", choice({"Variable": "$.a", "StringEquals": "$.b", "Next": "Z"}), "/Choices/0/StringEquals"),
    (
        "SM312",
        choice({"And": [{"Variable": "$.a", "StringLessThan": "$$.State.Name"}], "Next": "Z"}),
        "/Choices/0/And/0/StringLessThan",
    ),
    ("SM320", passing(InputPath="$$.Execution.ID"), "/InputPath"),
    ("SM321", passing(InputPath="$$.Map.Item.Value"), "/InputPath"),
    ("SM507", task(Catch=[{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Z"}]), "/Catch/0/ErrorEquals/0"),
    (
        "SM506",
        task(Retry=[{"ErrorEquals": ["States.TaskFailed"]}, {"ErrorEquals": ["Busy"]}]),
        "/Retry/1/ErrorEquals/0",
    ),
    ("SM608", task(Resource="approve.waitForTaskToken"), "/Resource"),
    ("SM716", mapping(DISTRIBUTED, ItemReader={"Resource": "arn:aws:states:::s3:putObject"}), "/ItemReader/Resource"),
    ("SM501", task(Retry=[{"ErrorEquals": ["States.ALL", "x"]}]), "/Retry/0/ErrorEquals"),
    ("SM501", task(Catch=[{"ErrorEquals": ["x", "States.ALL"], "Next": "Z"}]), "/Catch/0/ErrorEquals"),
    ("SM502", task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["x"]}]), "/Retry/0/ErrorEquals"),
    ("SM502", task(Catch=[*ANY_ERROR, {"ErrorEquals": ["x"], "Next": "Z"}]), "/Catch/0/ErrorEquals"),
    ("SM503", task(Retry=[{"ErrorEquals": ["x", "States.Nope"]}]), "/Retry/0/ErrorEquals/1"),
    ("SM503", task(Retry=[{"ErrorEquals": ["State.ALL"]}]), "/Retry/0/ErrorEquals/0"),
    ("SM504", task(Catch=[{"ErrorEquals": ["States.Runtime"], "Next": "Z"}]), "/Catch/0/ErrorEquals/0"),
    (
        "SM505",
        task(Retry=[{"ErrorEquals": ["x"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]),
        "/Retry/0/MaxDelaySeconds",
    ),
    ("SM505", task(Retry=[{"ErrorEquals": ["x"], "MaxDelaySeconds": 1}]), "/Retry/0/MaxDelaySeconds"),
    ("SM506", task(Retry=[{"ErrorEquals": ["x"]}, {"ErrorEquals": ["y", "x"]}]), "/Retry/1/ErrorEquals/1"),
    ("SM506", task(Retry=[{"ErrorEquals": ["x", "y", "x"]}]), "/Retry/0/ErrorEquals/2"),
    ("SM601", task(TimeoutSeconds=5, HeartbeatSeconds=5), "/HeartbeatSeconds"),
    ("SM601", task(TimeoutSeconds=5, HeartbeatSeconds=9), "/HeartbeatSeconds"),
    ("SM602", task(Resource="{% $x %}"), "/Resource"),
    ("SM602", task(Resource="$.resource"), "/Resource"),
    ("SM602", task(Resource=" "), "/Resource"),
    ("SM602", task(Resource="$"), "/Resource"),
    ("SM602", task(Resource="$function.name"), "/Resource"),
    ("SM602", task(Resource="States.Format('{}', $.name)"), "/Resource"),
    ("SM603", task(Resource="arn:aws:lambda:eu-west-1:123456789012:function"), "/Resource"),
    ("SM603", task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:f:"), "/Resource"),
    ("SM603", task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:f:$*#"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::dynamodb:query"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::sqs:sendMesage"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::sqs:sendMessage.sync"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::lambda:invoke.sync:2"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::glue:startJobRun.sync:2"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::ecs:runTask.Sync"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::aws-sdk:s3:listBuckets.sync"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::aws-sdk:s3"), "/Resource"),
    ("SM604", task(Resource="arn:aws:states:::aws-sdk:S3:ListBuckets"), "/Resource"),
    (
        "SM605",
        task(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"a": "x"}, TimeoutSeconds=5),
        "/Resource",
    ),
    ("SM701", message(TimeoutSeconds=..., TimeoutPath=...), ""),
    ("SM701", message(TimeoutSeconds=...), "/TimeoutPath"),
    ("SM702", message(TimeoutPath=...), "/TimeoutSeconds"),
    ("SM702", message(TimeoutPath=..., Catch=[{"ErrorEquals": ["x"], "Next": "Z"}]), "/TimeoutSeconds"),
    ("SM703", message(CorrelationValuePath=..., CorrelationValue="$.v"), "/CorrelationValue"),
    ("SM711", mapping(ItemReader=reading()), "/ItemReader"),
    ("SM711", mapping({"Mode": "INLINE"}, Label="x"), "/Label"),
    ("SM711", mapping({"ExecutionType": "EXPRESS"}), "/ItemProcessor/ProcessorConfig/ExecutionType"),
    ("SM712", mapping({"Mode": "DISTRIBUTED"}), "/ItemProcessor/ProcessorConfig"),
    (
        "SM712",
        mapping({"Mode": "INLINE", "ExecutionType": "STANDARD"}),
        "/ItemProcessor/ProcessorConfig/ExecutionType",
    ),
    ("SM713", mapping(DISTRIBUTED, Label="a b"), "/Label"),
    (
        "SM715",
        mapping(
            DISTRIBUTED,
            ItemReader=reading(InputType="CSV", CSVHeaderLocation="GIVEN"),
        ),
        "/ItemReader/ReaderConfig/CSVHeaderLocation",
    ),
    (
        "SM715",
        mapping(
            DISTRIBUTED,
            ItemReader=reading(CSVHeaderLocation="FIRST_ROW", CSVHeaders=["a"]),
        ),
        "/ItemReader/ReaderConfig/CSVHeaders",
    ),
    (
        "SM715",
        mapping(DISTRIBUTED, ItemReader=reading(InputType="JSON", CSVHeaders=["a"])),
        "/ItemReader/ReaderConfig/CSVHeaders",
    ),
    (
        "SM717",
        mapping(DISTRIBUTED, ItemReader=reading(InputType="JSON", ItemsPointer="a.b")),
        "/ItemReader/ReaderConfig/ItemsPointer",
    ),
    ("SM716", mapping(DISTRIBUTED, ItemReader={"Resource": ""}), "/ItemReader/Resource"),
    (
        "SM718",
        mapping(DISTRIBUTED, ItemReader={"Resource": S3, "Parameters": {"Bucket.$": "$.b"}}),
        "/ItemReader/Parameters",
    ),
    ("SM718", mapping(DISTRIBUTED, ItemReader={"Resource": S3}), "/ItemReader"),
    (
        "SM718",
        mapping(DISTRIBUTED, ResultWriter={"Resource": "arn:aws:states:::s3:putObject", "Parameters": {}}),
        "/ResultWriter/Parameters",
    ),
    ("SM103", mapping(DISTRIBUTED, ItemReader={"Resource": S3, "Parameters": "b"}), "/ItemReader/Parameters"),
    ("SM103", task(Credentials={"RoleArn": 5}), "/Credentials/RoleArn"),
    ("SM107", choice({"Variable": "$.a", "IsNull": True, "Next": "Z", "Output": 1}), "/Choices/0/Output"),
    ("SM802", passing(Assign={"states": 1}), "/Assign/states"),
    ("SM802", passing(Assign={"a.b": 1}), "/Assign/a.b"),
    ("SM802", passing(Assign={"1a.$": "$.x"}), "/Assign/1a.$"),
    ("SM802", passing(Assign={"a" * 81: 1}), "/Assign/" + "a" * 81),
    ("SM802", task(Catch=[{**ANY_ERROR[0], "Assign": {"a b": 1}}]), "/Catch/0/Assign/a b"),
]


@pytest.mark.parametrize(("code", "state", "below"), FOUND, ids=[f"{code}{below}" for code, _, below in FOUND])
def test_a_broken_rule_is_one_diagnostic_at_its_place(code: str, state: State, below: str) -> None:
    # Whatever does not lead to Z leaves it unreached, and then that is no more than a consequence.
    found = [each for each in codes(of(state)) if each != ("SM206", "/States/Z")]
    assert found == [(code, "/States/A" + below)]


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ({"Type": "Pass", "end": True}, "did you mean End?"),
        ({"Type": "Pass", "NEXT": "Z"}, "did you mean Next?"),
        ({"Type": "task", "Resource": "do:it", "Next": "Z"}, "did you mean Task?"),
        ({"type": "Pass", "Next": "Z"}, "did you mean Type instead of type?"),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Z"}], "defualt": "Z"},
            "did you mean Default?",
        ),
        (choice({"Variable": "$.a", "isnull": True, "Next": "Z"}), "did you mean IsNull?"),
        (passing(Next="z"), "did you mean 'Z'?"),
        (task(Retry=[{"ErrorEquals": ["States.all"]}]), "did you mean States.ALL?"),
        (task(Retry=[{"ErrorEquals": ["a"], "JitterStrategy": "full"}]), "did you mean FULL?"),
    ],
)
def test_a_slip_is_one_diagnostic_with_what_was_meant(state: State, hint: str) -> None:
    (problem,) = [each for each in of(state) if each.code != "SM206"]
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("language", "state", "hint"),
    [
        ("JSONPath", {"Type": "Wait", "Seconds": "$.s", "Next": "Z"}, "use SecondsPath"),
        ("JSONPath", {"Type": "Wait", "Timestamp": "$.s", "Next": "Z"}, "use TimestampPath"),
        ("JSONPath", choice({"Variable": "$.a", "NumericEquals": "$.b", "Next": "Z"}), "use NumericEqualsPath"),
        ("JSONPath", task(Retry=[{"ErrorEquals": ["a"], "MaxAttempts": "$.b"}]), None),
        ("JSONPath", task(Retry=[{"ErrorEquals": ["a"], "MaxAttempts": "{% 5 %}"}]), None),
        ("JSONPath", passing(InputPath="a.b"), "write $.a.b"),
        ("JSONPath", passing(InputPath=" $.a"), "no blank may stand before it"),
        ("JSONPath", passing(OutputPath="{% 1 %}"), "an expression {% … %} needs QueryLanguage: JSONata"),
        (
            "JSONPath",
            choice({"Variable": "$.a", "StringEqualsPath": "b", "Next": "Z"}),
            "write $.b, or use StringEquals to compare with a fixed value",
        ),
        ("JSONPath", task(TimeoutSeconds="{% 5 %}"), "an expression {% … %} needs QueryLanguage: JSONata"),
        ("JSONata", task(TimeoutSeconds="$.a.b"), "write {% $states.input.a.b %}"),
        ("JSONata", task(TimeoutSeconds="$$.a"), "write {% $states.context.a %}"),
        ("JSONata", choice({"Condition": "$states.input.a", "Next": "Z"}), "write {% $states.input.a %}"),
        ("JSONata", passing(Output="$states.input.a"), "write {% $states.input.a %}"),
    ],
)
def test_what_should_be_evaluated_is_told_how(language: str, state: State, hint: str | None) -> None:
    assert [each.hint for each in of(state, language=language) if each.code != "SM206"] == [hint]


@pytest.mark.parametrize(
    ("language", "code", "state"),
    [
        ("JSONPath", "SM103", {"Type": "Pass", "End": None}),
        ("JSONPath", "SM104", task(Retry=[{"ErrorEquals": ["a"], "MaxDelaySeconds": 0}])),
        ("JSONPath", "SM103", task(Catch={})),
        ("JSONPath", "SM502", task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["States.ALL"]}])),
        ("JSONPath", "SM104", {"Type": "Choice", "Choices": []}),
        ("JSONPath", "SM307", task(Credentials={"RoleArn": "a", "RoleArn.$": "$.a"})),
        ("JSONPath", "SM604", task(Resource="arn:aws:states:::dynamodb:getItem.waitForTaskToken")),
        ("JSONPath", "SM104", mapping(DISTRIBUTED, ItemReader=reading(InputType="csv", CSVHeaderLocation="FIRST_ROW"))),
        ("JSONata", "SM104", task(TimeoutSeconds=" {% 5 %}")),
        ("JSONata", "SM104", mapping(Items="{% [1]")),
        ("JSONata", "SM107", mapping(ToleratedFailureCountPath="$.a")),
        ("JSONata", "SM107", mapping(DISTRIBUTED, ItemReader={"Resource": S3, "Parameters": {"Bucket": "b"}})),
        ("JSONata", "SM107", choice({"Or": [], "Next": "Z"})),
    ],
)
def test_nothing_is_said_that_only_follows(language: str, code: str, state: State) -> None:
    found = [each for each in codes(of(state, language=language)) if each != ("SM206", "/States/Z")]
    assert [each for each, _ in found] == [code]


@pytest.mark.parametrize(
    ("resource", "words", "hint"),
    [
        ("sqs:sendMessage.sync", "there is no job to wait for", "write sqs:sendMessage alone"),
        ("glue:startJobRun.waitForTaskToken", "it hands no task token on", None),
        ("ecs:runTask.Sync", "cannot end with .Sync", "did you mean .sync?"),
        ("batch:submitJob.sync:2", "which is for states:startExecution", "did you mean .sync?"),
        ("aws-sdk:DynamoDB:Query", "small letters", "did you mean aws-sdk:dynamodb:query?"),
    ],
)
def test_an_integration_that_is_not_there_gets_a_hint(resource: str, words: str, hint: str | None) -> None:
    (problem,) = [each for each in of(task(Resource=f"arn:aws:states:::{resource}")) if each.severity == "error"]
    assert words in problem.message
    assert problem.hint == hint


JSONATA_FOUND: list[tuple[str, State, str]] = [
    ("SM801", passing(QueryLanguage="JSONPath"), "/QueryLanguage"),
    ("SM804", passing(Output={"a": [{"b": "{% 1"}]}), "/Output/a/0/b"),
    ("SM804", passing(Output="{% 1 %}\n"), "/Output"),
    ("SM804", passing(Output=" {% 1 %}"), "/Output"),
    ("SM804", passing(Output="1 %}"), "/Output"),
    ("SM806", passing(Output=" {% 1 %} "), "/Output"),
    ("SM805", passing(Output={"a.$": "States.UUID()"}), "/Output/a.$"),
    ("SM107", passing(InputPath="$"), "/InputPath"),
    ("SM107", task(Parameters={}), "/Parameters"),
    ("SM809", passing(Output="$.a"), "/Output"),
    ("SM809", passing(Output={"a": ["$.b", {"c": "$states.input.d"}]}), "/Output/a/1/c"),
]


@pytest.mark.parametrize(("code", "state", "below"), JSONATA_FOUND, ids=[f"{c}{b}" for c, _, b in JSONATA_FOUND])
def test_a_broken_rule_of_jsonata_is_one_diagnostic_at_its_place(code: str, state: State, below: str) -> None:
    assert codes(of(state, language="JSONata")) == [(code, "/States/A" + below)]


FINE: list[State] = [
    passing(),
    passing(InputPath=None, OutputPath=None, ResultPath=None),
    passing(InputPath="$$.Execution.Id", OutputPath="$.a[?(@.b > 1)].c"),
    passing(InputPath="$.books[-2]", ResultPath="$.a['b c'][0]"),
    passing(Parameters={"a.$": "$", "b.$": "$$", "d.$": "States.Format('{}', $.a)", "e": None}),
    passing(Parameters={"price": "$5", "word": "States. of matter", "dollar": "$", "sub": "$.${Name}"}),
    passing(Parameters=["a", {"b.$": "$.c"}]),
    passing(Parameters="text"),
    passing(Result={"a": "$5"}),
    passing(Assign={"größe": 1, "_x2.$": "$.a"}),
    task(Catch=[]),
    task(Retry=[]),
    task(Catch=[{"ErrorEquals": ["x"], "Next": "Z"}, *ANY_ERROR]),
    task(Retry=[{"ErrorEquals": ["States.Http.StatusCode.429", "My.Error"], "MaxAttempts": 0}]),
    task(TimeoutSeconds=5, HeartbeatSeconds=4),
    task(TimeoutSecondsPath="$.t", HeartbeatSeconds=4),
    task(Resource="arn:aws-us-gov:lambda:r:1:function:f:$LATEST"),
    task(Resource="arn:aws:lambda:::process:order"),
    task(Resource="arn:aws:states:::dynamodb:getItem"),
    task(Resource="arn:aws:states:::aws-sdk:dynamodb:query"),
    task(Resource="$function"),
    task(Resource="arn:aws:states:::mine:anything"),
    task(Resource="arn:aws:states:::mine:anything.sync"),
    task(Resource="arn:aws-us-gov:states:us-gov-west-1:1:glue:startJobRun.sync"),
    task(Resource="arn:aws:states:::states:startExecution.sync:2"),
    task(Resource="arn:aws:states:eu-west-1:123456789012:activity:My.activity"),
    task(
        Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        Parameters={"MessageBody": {"t.$": "$$.Task.Token"}},
        TimeoutSeconds=60,
    ),
    task(Resource="approve.waitForTaskToken", HeartbeatSeconds=60),
    task(Credentials={"RoleArn.$": "$.role"}),
    choice({"Variable": "$.a", "IsPresent": True, "Next": "Z", "Comment": "why"}),
    choice({"Variable": "$.a", "StringEquals": "$5", "Next": "Z"}, {"Variable": "$.a", "StringMatches": "$.*", **TO_Z}),
    choice(
        {
            "And": [{"Variable": "$$.State.Name", "IsNull": False}, {"Not": {"Variable": "$.v", "IsNull": True}}],
            "Next": "Z",
        }
    ),
    {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.a", "BooleanEquals": True, "Next": "Z"},
            {"Variable": "$.a", "BooleanEquals": False, "Next": "Z"},
        ],
    },
    {"Type": "Wait", "Timestamp": "2016-12-05T21:29:29.123456789+02:00", "Next": "Z"},
    {"Type": "Wait", "Seconds": 0, "Next": "Z"},
    {"Type": "Pass", "Next": "Z", "End": False},
    {"Type": "Choice", "Choices": [{"Variable": "$$.State.EnteredTime", "IsNull": True, "Next": "A"}], "Default": "Z"},
    mapping(MaxConcurrency=0, ItemsPath="$$.Execution.Input.items"),
    mapping(DISTRIBUTED, ItemReader=reading(InputType="JSON", ItemsPointer="/a~1b/0")),
    mapping(DISTRIBUTED, Label="a-b_c", ToleratedFailurePercentage=12.5),
    {"Type": "Map", "Iterator": INNER, "Parameters": {"a.$": "$$.Map.Item.Value"}, "Next": "Z"},
    message(),
    message(CorrelationValuePath=..., CorrelationValue=7, ResultPath="$.m"),
    message(TimeoutPath=..., Catch=ANY_ERROR),
    message(TimeoutPath=..., Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Z"}], MessagePath="$.m"),
]


@pytest.mark.parametrize("state", FINE, ids=lambda state: str(state)[:70])
def test_what_the_language_allows_is_not_complained_of(state: State) -> None:
    assert codes(of(state)) == []


def test_a_fail_state_may_take_error_and_cause_from_paths_and_calls() -> None:
    state: State = {"Type": "Fail", "ErrorPath": "$$.State.Name", "CausePath": "States.Format('{}', $.a)"}
    assert codes(check({"StartAt": "F", "States": {"F": state}})[1]) == []


# -- the graph -----------------------------------------------------------------------------------------------------


def chain(**following: str | None) -> State:
    """A machine of Pass states: each name with the next, or None for an end."""
    states = {name: {"Type": "Pass", **({"Next": then} if then else {"End": True})} for name, then in following.items()}
    return {"StartAt": next(iter(states)), "States": states}


def graph(definition: State) -> list[tuple[str, str]]:
    return codes(check(definition)[1])


def test_names_are_unique_in_all_machines() -> None:
    branches = [chain(X=None), chain(Y=None), chain(X=None)]
    found = graph({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})
    assert found == [("SM201", "/States/P/Branches/2/States/X")]


def test_a_name_has_at_most_80_characters() -> None:
    assert graph(chain(**{"n" * 80: None})) == []
    assert graph(chain(**{"n" * 81: None})) == [("SM202", "/States/" + "n" * 81)]
    assert graph({"StartAt": "", "States": {"": {"Type": "Succeed"}}}) == [("SM202", "/States/")]


def test_a_name_and_a_resource_hold_no_null_character() -> None:
    assert graph(chain(**{"a\0b": None})) == [("SM210", "/States/a\0b")]
    assert graph({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "a\0b", "End": True}}}) == [
        ("SM210", "/States/T/Resource")
    ]
    assert graph({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "a\0b", "End": True}}}) == []


def test_a_target_in_another_machine_is_named_with_its_home() -> None:
    inner = chain(X="Z")
    definition: State = {
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "Branches": [inner], "Next": "Z"}, "Z": {"Type": "Succeed"}},
    }
    [problem] = check(definition)[1]
    assert problem.pointer == "/States/P/Branches/0/States/X/Next"
    assert problem.message == "Next names 'Z', which is a state of the workflow, not of branch 1 of 'P'"


def test_a_misspelt_target_is_corrected() -> None:
    [problem] = check(chain(Start="Finsh", Finish=None))[1]
    assert (problem.code, problem.hint) == ("SM203", "did you mean 'Finish'?")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (chain(A="A"), [("SM205", "/States")]),
        (chain(A="B", B="C", C="A"), [("SM205", "/States")]),
        (chain(A="B", B="A", C=None), [("SM205", "/StartAt"), ("SM206", "/States/C")]),
        (chain(A=None, B="C", C="B"), [("SM206", "/States/B"), ("SM206", "/States/C")]),
        (chain(A="B", B=None, C="B"), [("SM206", "/States/C")]),
    ],
    ids=["itself", "round", "end out of reach", "island", "way in without entrance"],
)
def test_ends_that_are_never_reached_and_states_that_are_not(
    definition: State, expected: list[tuple[str, str]]
) -> None:
    assert sorted(graph(definition)) == sorted(expected)


def test_a_loop_with_a_way_out_is_fine_and_one_without_is_not() -> None:
    def looping(leave: str) -> State:
        look = {
            "Type": "Choice",
            "Choices": [{"Variable": "$.go", "BooleanEquals": True, "Next": "Again"}],
            "Default": leave,
        }
        return {
            "StartAt": "Look",
            "States": {"Look": look, **chain(Again="Back", Back="Again")["States"], "Z": {"Type": "Succeed"}},
        }

    assert graph(looping("Z")) == [("SM207", "/States/Again")]
    fine = looping("Z")
    fine["States"]["Back"] |= {"Next": "Look", "Result": False, "ResultPath": "$.go"}
    assert graph(fine) == []


def test_a_broken_transition_hides_what_only_follows_from_it() -> None:
    assert graph(chain(A="Bb", B="C", C=None)) == [("SM203", "/States/A/Next")]
    definition = chain(A="B", B=None)
    definition["States"]["A"] = {"Type": "Pass", "Nxt": "B"}
    assert graph(definition) == [("SM101", "/States/A/Nxt")]
    definition["States"]["A"] = {"Type": "Succeed", "Next": "B"}
    assert graph(definition) == [("SM101", "/States/A/Next")]


def test_labels_belong_to_one_map() -> None:
    def labelled(then: str | None, name: str) -> State:
        state = mapping(DISTRIBUTED, Label="x")
        state["ItemProcessor"] = {**chain(**{name: None}), "ProcessorConfig": DISTRIBUTED}
        return {**state, "Next": then}

    found = of(labelled("B", "I"), B=labelled("Z", "J"))
    assert codes(found) == [("SM714", "/States/B/Label")]


def test_an_inner_machine_assigns_no_variable_that_may_have_a_value_already() -> None:
    inner: State = {"StartAt": "X", "States": {"X": {"Type": "Pass", "Assign": {"v": 1}, "End": True}}}
    parallel: State = {"Type": "Parallel", "Branches": [inner], "Next": "Z"}
    found = of(passing(Assign={"v.$": "$.a"}, Next="P"), P=parallel)
    assert codes(found) == [("SM803", "/States/P/Branches/0/States/X/Assign/v")]
    assert codes(of(passing(Next="P"), P={**parallel, "Assign": {"v": 2}})) == []  # assigned only afterwards
    assert codes(of(passing(Next="P", Assign={"w": 2}), P=parallel)) == []
