"""The whole: order, handlers, express workflows, and what cannot run yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.asl.text.source import Document, parse
from sm_cli.asl.validation.validate import CATALOGUE, check, express_problems, find_unsupported, validate
from sm_cli.diagnostics import Position
from sm_cli.jsonvalue import Json


def document_of(value: Json) -> Document:
    document, found = check(value)
    assert document is not None, found
    return document


def one_task(resource: str, **fields: Json) -> dict[str, Json]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True, **fields}}}


def test_problems_come_in_the_order_of_the_text_with_file_line_and_column() -> None:
    text = (
        '{"StartAt": "A",\n "States": {\n  "A": {"Type": "Pass", "Next": "Bb", "Foo": 1},\n'
        '  "B": {"Type": "Wait", "Seconds": -1, "End": true}\n }, "Bar": 2}'
    )
    _, found = check(text, file="w.asl.json")
    assert [str(d) for d in found] == [
        "w.asl.json:3:33: error SM203: Next names 'Bb', and there is no such state (did you mean 'B'?)",
        "w.asl.json:3:39: error SM101: The state 'A' has no field Foo",
        "w.asl.json:4:36: error SM104: Seconds must be a whole number from 0 to 99999999, not -1",
        "w.asl.json:5:5: error SM101: The definition has no field Bar",
    ]


def test_a_value_of_a_program_has_the_same_problems_in_the_same_order_without_places() -> None:
    value: Json = {
        "StartAt": "A",
        "States": {"Z": {"Type": "Pass", "Foo": 1, "End": True}, "A": {"Type": "Pass", "Next": "Y", "Foo": 1}},
        "Bar": 2,
    }
    _, found = check(value)
    assert [d.pointer for d in found] == ["/States/Z/Foo", "/States/A/Next", "/States/A/Foo", "/Bar"]
    assert all(d.position is None and d.file is None for d in found)
    assert str(found[0]) == "definition: error SM101: The state 'Z' has no field Foo"


def test_a_text_that_cannot_be_read_has_no_document_and_only_its_own_problem() -> None:
    document, found = check("{")
    assert document is None
    assert [d.code for d in found] == ["SM003"]


def test_the_warning_about_a_large_text_stands_beside_what_the_rules_find() -> None:
    text = '{"StartAt": "A", "Comment": "%s", "States": {"A": {"Type": "Pass"}}}' % ("x" * 1_100_000)
    assert [d.code for d in check(text)[1]] == ["SM015", "SM204"]


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        ("process:order", None),
        ("arn:aws:lambda:eu-west-1:123456789012:function:ship:PROD", None),
        ("arn:aws:lambda:::process:order", None),
        ("arn:aws:states:::sqs:sendMessage", None),
        ("arn:aws:states:::lambda:invoke", None),
        ("arn:aws:states:::states:startExecution.sync:2", None),
        ("arn:aws:states:eu-west-1:123456789012:activity:act", None),
        ("${Function.Arn}", None),
        ("process:oder", "No handler is registered as 'process:oder'"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:shipp", "No handler is registered as 'shipp'"),
        ("arn:aws:states:::sns:publish", "No handler is registered as 'sns:publish'"),
    ],
)
def test_a_resource_without_a_handler_is_a_warning_when_handlers_are_given(
    resource: str, complaint: str | None
) -> None:
    handlers = {"process:order", "ship", "sqs:sendMessage"}
    document = document_of(one_task(resource))
    assert [d.code for d in validate(document)] == []
    found = validate(document, handlers=handlers)
    assert [(d.code, d.severity, d.message) for d in found] == ([("SM606", "warning", complaint)] if complaint else [])


@pytest.mark.parametrize(
    ("handlers", "served"),
    [
        (["dynamodb:*"], True), (["aws-sdk:*"], False), (["*"], True), (["dynamodb:getItem"], False), (["*:*"], False),
    ],
)  # fmt: skip
def test_a_wildcard_is_a_handler_of_what_it_serves(handlers: list[str], served: bool) -> None:
    found = validate(document_of(one_task("arn:aws:states:::dynamodb:putItem")), handlers=handlers)
    assert [d.code for d in found] == ([] if served else ["SM606"])


def test_the_nearest_handler_is_proposed() -> None:
    [problem] = validate(document_of(one_task("process:oder")), handlers=["process:order", "x"])
    assert problem.hint == "did you mean process:order?"
    assert validate(document_of(one_task("x")), handlers=[])[0].hint is None


@pytest.mark.parametrize(
    ("resource", "refused"),
    [
        ("arn:aws:states:::states:startExecution.sync", True),
        ("arn:aws:states:eu-west-1:123456789012:activity:act", True),
        ("approve.waitForTaskToken", True),
        ("arn:aws:states:::states:startExecution", False),
        ("process:order", False),
    ],
)
def test_an_express_workflow_waits_for_nothing_outside(resource: str, refused: bool) -> None:
    document = document_of(one_task(resource, TimeoutSeconds=60))
    assert validate(document) == []
    assert [d.code for d in validate(document, express=True)] == (["SM607"] if refused else [])


def test_an_express_workflow_waits_for_no_message_and_no_comment_helps_to_run_it() -> None:
    text = "StartAt: A\nStates:\n  A: {Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}"
    ignoring = f"{text} # sm: ignore[SM607]\n"
    for written, is_told in ((text, True), (ignoring, False)):
        document, found = check(written, express=True)
        assert ("SM607" in {d.code for d in found}) is is_told
        assert document is not None
        assert [(d.code, d.position.line if d.position else 0) for d in express_problems(document)] == [("SM607", 3)]


def test_what_runs_is_not_unsupported() -> None:
    each: Any = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "End": True}},
    }
    batches = {"Type": "Map", "End": True, "ItemProcessor": each, "ItemBatcher": {"MaxItemsPerBatch": 5}}
    assert find_unsupported(document_of(one_task("process:order"))) == []
    assert find_unsupported(document_of({"StartAt": "A", "States": {"A": batches}})) == []


def test_a_substitution_is_fine_to_validate_and_cannot_run_where_its_value_is_needed() -> None:
    text = """{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Arn}", "Comment": "${Text}",
      "TimeoutSeconds": "${Timeout}", "InputPath": "$.${Name}", "Parameters": {"a": "${Text}", "b.$": "${Path}"},
      "Next": "${Next}"}}}"""
    document = parse(text).document
    assert document is not None
    assert validate(document) == []
    found = find_unsupported(document)
    assert [d.pointer.rsplit("/", 1)[1] for d in found] == ["TimeoutSeconds", "InputPath", "b.$", "Next"]
    assert {d.code for d in found} == {"SM901"}


@pytest.mark.parametrize(
    ("field", "written", "pointers"),
    [
        ("Output", "{% ${Path} + 1 %}", ["/States/A/Output"]),
        ("Output", {"a": ["{% ${%m($states.input.prices) %}"]}, ["/States/A/Output/a/0"]),
        ("Assign", {"a": "{% $states.input.${Name} %}"}, ["/States/A/Assign/a"]),
        ("Seconds", "{% ${Seconds} %}", ["/States/A/Seconds"]),
        ("Output", "Dear ${Name}", []),
        ("Output", "{% 'Dear ${Name}' %}", []),
        ("Output", "{% $states.input.lines${item: price} %}", []),
    ],
)
def test_an_expression_that_nothing_but_a_substitution_makes_readable_cannot_run(
    field: str, written: Json, pointers: list[str]
) -> None:
    state: dict[str, Json] = {"Type": "Wait", "Seconds": 1, "End": True, field: written}
    document = document_of({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}})
    assert [d for d in validate(document) if d.severity == "error"] == []
    found = find_unsupported(document)
    assert [(d.code, d.pointer) for d in found] == [("SM901", pointer) for pointer in pointers]
    if not pointers:
        compile_program(document.value)


def test_the_catalogue_says_of_every_code_what_holds_where_nothing_is_wrong() -> None:
    for code, made in CATALOGUE.items():
        assert code == made.code
        assert made.title[0].isupper() or made.title.startswith("States.")
        assert not made.title.endswith(".")


def test_a_whole_state_a_type_or_a_retrier_that_nothing_has_replaced_cannot_run() -> None:
    text = """
      StartAt: A
      States:
        A: {Type: Task, Resource: r, Retry: ["${Retrier}"], Next: B}
        B: {Type: "${Type}", End: true}
        C: ${State}
    """
    document = parse(text).document
    assert document is not None
    assert [d for d in validate(document) if d.severity == "error"] == []
    assert [d.pointer for d in find_unsupported(document)] == ["/States/A/Retry/0", "/States/B/Type", "/States/C"]


# -- substitutions -----------------------------------------------------------------------------------------------------

SUBSTITUTED = """
StartAt: A
States:
  A:
    Type: Task
    Resource: ${Function}
    TimeoutSeconds: ${Timeout}
    Parameters: {"a.$": "$.${Member}"}
    Next: ${After}
"""


def test_without_values_substitutions_are_unknown_and_no_mistake() -> None:
    assert check(SUBSTITUTED)[1] == []


def test_values_are_put_in_before_and_places_stay_those_of_the_text() -> None:
    values: dict[str, Json] = {"Function": "do:it", "Timeout": -5, "Member": "x[", "After": "Z"}
    _, found = check(SUBSTITUTED, substitutions=values)
    assert [(d.code, d.position.line if d.position else 0) for d in found] == [
        ("SM104", 7),
        ("SM305", 8),
        ("SM203", 9),
    ]
    assert all(d.position and d.position.column > 10 for d in found)


def test_substitutions_without_quotes_are_values_in_json_too() -> None:
    text = '{"StartAt": "A", "TimeoutSeconds": ${N}, "States": {"A": {"Type": "Wait", "Seconds": ${S}, "End": true}}}'
    assert check(text)[1] == []
    _, found = check(text, substitutions={"N": 5, "S": -5})
    assert [(d.pointer, d.position and d.position.column) for d in found] == [("/States/A/Seconds", 86)]


def test_what_is_wrong_inside_a_value_stands_where_its_name_is_written() -> None:
    text = """
StartAt: A
States:
  A:
    Type: Task
    Resource: do:it
    Retry: ${Retry}
    Parameters:
      ${Key}.$: $.a
    End: true
"""
    values: dict[str, Json] = {"Retry": [{"ErrorEquals": ["a"], "MaxAttempts": -1}], "Key": "k"}
    _, found = check(text.replace("$.a\n", "a\n"), substitutions=values)
    assert [(d.code, d.position) for d in found] == [
        ("SM104", Position(7, 12, 7, 20)),
        ("SM305", Position(9, 7, 9, 18)),
    ]


def test_a_value_may_have_any_type_and_a_part_of_a_text_is_put_as_text() -> None:
    state = {"Type": "Pass", "Result": "${Object}", "Comment": "n is ${N}", "End": True}
    text = json.dumps({"StartAt": "A", "States": {"A": state}})
    document, found = check(text, substitutions={"Object": {"a": [1]}, "N": 5, "Other": None})
    assert found == []
    assert document is not None
    assert document.value["States"]["A"] == {"Type": "Pass", "Result": {"a": [1]}, "Comment": "n is 5", "End": True}  # type: ignore[index,call-overload]  # an object


def test_a_name_without_a_value_stays_unknown() -> None:
    assert check(SUBSTITUTED, substitutions={"Timeout": 5})[1] == []


# -- comments that ask for silence -------------------------------------------------------------------------------------


def test_a_comment_passes_over_a_code_on_its_line_or_on_the_next() -> None:
    text = """
StartAt: A
States:
  A: {Type: Pass, Parameters: {a: $.b}, Next: B}  # sm: ignore[SM308]
  # why not
  # sm: ignore[SM404, SM206]

  B:
    Type: Choice
    Choices: [{Variable: $.a, IsNull: true, Next: A}, {Variable: $.a, IsString: true, Next: D}]
  C: {Type: Succeed}
  D: {Type: Succeed}
"""
    assert [(d.code, d.pointer) for d in check(text)[1]] == [("SM206", "/States/C")]


@pytest.mark.parametrize("comment", ["# sm: ignore[sm308]", "#sm:ignore[SM308]", "# why # sm: ignore[SM101, SM308] so"])
def test_a_comment_may_be_written_in_small_letters_and_without_blanks(comment: str) -> None:
    text = f"StartAt: A\nStates:\n  A: {{Type: Pass, Parameters: {{a: $.b}}, End: true}} {comment}\n"
    assert check(text)[1] == []


def test_only_a_comment_is_a_comment() -> None:
    text = """
StartAt: A
States:
  A: {Type: Pass, Parameters: {a: $.b}, Comment: "# sm: ignore[SM308]", End: true}
"""
    assert [d.code for d in check(text)[1]] == ["SM308"]
    as_json = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Comment": " # sm: ignore[SM204]"}}}'
    assert [d.code for d in check(as_json)[1]] == ["SM204"]


def test_an_error_that_is_passed_over_still_keeps_a_workflow_from_running() -> None:
    text = """
StartAt: A
States:
  A: {Type: Pass, Next: B}  # sm: ignore[SM203]
"""
    document, found = check(text)
    assert found == []
    assert document is not None
    assert [d.code for d in find_unsupported(document)] == ["SM203"]
    harmless, found = check(text.replace("Next: B", "Foo: 1, End: true").replace("SM203", "SM101"))
    assert found == []
    assert harmless is not None
    assert find_unsupported(harmless) == []
