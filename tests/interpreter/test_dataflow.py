"""InputPath → Parameters → ResultSelector → ResultPath → OutputPath, and the numbers that a state is given."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sm_cli.asl.model import Count
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath.path import compile_path
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import RunTask
from sm_cli.interpreter.dataflow import as_number, as_text, evaluate_count, positive
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import Entered, TaskSucceeded
from sm_cli.interpreter.step import Step, StepBuilder
from sm_cli.jsonvalue import Json, dumps
from tests.interpreter.machines import enter, env, follow, frame, program

TASK: dict[str, Any] = {"Type": "Task", "Resource": "do:it", "End": True}
INPUT: Json = {"a": {"b": 1}, "n": 5}


def given(fields: dict[str, Any], input: Json = INPUT) -> RunTask:
    (command,) = enter({**TASK, **fields}, input)[1].commands
    assert isinstance(command, RunTask)
    return command


def output(fields: dict[str, Any], result: Json, input: Json = INPUT) -> Json:
    compiled, step = enter({**TASK, **fields}, input)
    return follow(compiled, step, TaskSucceeded(step.frame.seq, result)).frame.output


def closed(fields: dict[str, Any], input: Json = INPUT) -> Step:
    return enter({**TASK, **fields}, input)[1]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, INPUT),
        ({"InputPath": "$.a"}, {"b": 1}),
        ({"InputPath": None}, {}),
        ({"InputPath": "$.a", "Parameters": {"x.$": "$.b", "y": 2}}, {"x": 1, "y": 2}),
        ({"Parameters": {"all.$": "$"}}, {"all": INPUT}),
        ({"QueryLanguage": "JSONata", "Arguments": {"x": "{% $states.input.a.b + 1 %}"}}, {"x": 2}),
        ({"QueryLanguage": "JSONata"}, INPUT),
    ],
)
def test_what_a_task_is_given(fields: dict[str, Any], expected: Json) -> None:
    assert given(fields).input == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"r": [1]}),
        ({"ResultPath": "$.a.result"}, {"a": {"b": 1, "result": {"r": [1]}}, "n": 5}),
        ({"ResultPath": None}, INPUT),
        ({"ResultSelector": {"first.$": "$.r[0]"}}, {"first": 1}),
        ({"ResultSelector": {"first.$": "$.r[0]"}, "ResultPath": "$.n"}, {"a": {"b": 1}, "n": {"first": 1}}),
        ({"InputPath": "$.a", "ResultPath": "$.new"}, {"a": {"b": 1}, "n": 5, "new": {"r": [1]}}),
        ({"ResultPath": "$.x", "OutputPath": "$.x.r"}, [1]),
        ({"OutputPath": None}, {}),
        ({"QueryLanguage": "JSONata", "Output": "{% $states.result.r[0] + $states.input.n %}"}, 6),
    ],
)
def test_what_a_task_hands_on(fields: dict[str, Any], expected: Json) -> None:
    assert output(fields, {"r": [1]}) == expected


def test_the_raw_input_is_not_changed_by_a_result_path() -> None:
    raw: Json = {"a": {"b": 1}}
    assert output({"ResultPath": "$.a.c"}, 2, raw) == {"a": {"b": 1, "c": 2}}
    assert raw == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"InputPath": "$.none"}, "States.Runtime", "Invalid path '$.none'"),
        ({"Parameters": {"x.$": "$.none"}}, "States.Runtime", "$.none"),
        ({"TimeoutSecondsPath": "$.none"}, "States.Runtime", "Invalid path '$.none'"),
        ({"TimeoutSecondsPath": "$.a"}, "States.Runtime", 'refers to value "{"b":1}" which is not a valid positive'),
        ({"QueryLanguage": "JSONata", "TimeoutSeconds": "{% 0 %}"}, "States.QueryEvaluationError", "positive integer"),
        ({"QueryLanguage": "JSONata", "TimeoutSeconds": "{% 1.5 %}"}, "States.QueryEvaluationError", "but was: 1.5"),
        ({"QueryLanguage": "JSONata", "TimeoutSeconds": "{% 1/0 %}"}, "States.QueryEvaluationError", "was 'string'"),
    ],
)
def test_what_is_not_there_fails_the_state_in_a_sentence(fields: dict[str, Any], error: str, says: str) -> None:
    commands: Any = closed(fields).commands
    (close,) = commands
    assert close.error == error
    assert says in close.cause


@pytest.mark.parametrize(
    ("fields", "timeout"),
    [
        ({}, None),
        ({"TimeoutSeconds": 9}, 9),
        ({"TimeoutSecondsPath": "$.n"}, 5),
        ({"QueryLanguage": "JSONata", "TimeoutSeconds": "{% $states.input.n * 2 %}"}, 10),
    ],
)
def test_how_long_a_task_has(fields: dict[str, Any], timeout: float | None) -> None:
    assert given(fields).timeout == timeout


def test_who_tests_a_state_alone_is_told_the_stages() -> None:
    fields = {**TASK, "InputPath": "$.a", "Parameters": {"x.$": "$.b"}}
    probe = Probe()
    advance(program(fields), frame(INPUT), Entered(0), env(probe=probe))
    assert probe.stages == {"afterInputPath": {"b": 1}, "afterParameters": {"x": 1}}


# -- numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "whole", "decimal"),
    [
        (3, 3, 3),
        (-1, -1, -1),
        (2.5, None, 2.5),
        (2.0, None, 2.0),
        ("3", 3, 3.0),
        ("+3", 3, 3.0),
        ("-3", -3, -3.0),
        ("007", 7, 7.0),
        ("2.5", None, 2.5),
        ("1e2", None, 100.0),
        ("1E+2", None, 100.0),
        ("", None, None),
        (" 3", None, None),
        ("1_0", None, None),
        ("٣", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("0x1", None, None),
        ("3\n", None, None),
        (".5", None, None),
        (True, None, None),
        (None, None, None),
        ([3], None, None),
        ({}, None, None),
        (2**63 - 1, 2**63 - 1, 2**63 - 1),
        (2**63, None, 2**63),
        (-(2**63) + 1, -(2**63) + 1, -(2**63) + 1),
        ("9223372036854775807", 2**63 - 1, 2.0**63),
        ("9223372036854775808", None, 2.0**63),
        ("1" * 400, None, math.inf),
    ],
)
def test_a_number_may_be_written_as_text_the_way_json_writes_it(
    value: Json, whole: int | None, decimal: float | None
) -> None:
    assert as_number(value, int) == whole
    assert as_number(value, float) == decimal


@pytest.mark.parametrize(
    ("value", "text"), [("a b", "a b"), ("", ""), (None, "null"), (1.5, "1.5"), ({"a": [1]}, '{"a":[1]}')]
)
def test_a_cause_quotes_text_as_it_is_and_the_rest_as_json(value: Json, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        (Count("F"), None),
        (Count("F", constant=0), 0),
        (Count("F", constant=2.5), 2.5),
        (Count("F", path=compile_path("$.n")), 5),
        (Count("F", expression=lambda scope: 7), 7),
        (Count("F", expression=lambda scope: 7.0), 7),
    ],
)
def test_a_count_is_a_constant_a_path_or_an_expression(spec: Count, number: float | None) -> None:
    turn = StepBuilder(program(TASK), frame(INPUT), env())
    assert evaluate_count(turn, spec, INPUT, int) == number


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        ("$.a", int, 'The FPath field refers to value "{"b":1}" which is not a valid integer: $.a'),
        ("$.a", float, 'The FPath field refers to value "{"b":1}" which is not a valid float: $.a'),
        ("$.none", int, "Invalid path '$.none'"),
    ],
)
def test_a_path_that_leads_to_no_number_fails_the_state(path: str, kind: type[int] | type[float], says: str) -> None:
    turn = StepBuilder(program(TASK), frame(INPUT), env())
    with pytest.raises(StateFailure) as failed:
        evaluate_count(turn, Count("F", path=compile_path(path)), INPUT, kind)
    assert failed.value.error == "States.Runtime"
    assert failed.value.cause is not None and failed.value.cause.startswith(says)


@pytest.mark.parametrize("number", [0.5, -1.5, 1e300, 2.0**64])
def test_an_expression_s_count_is_not_rounded_and_fits_in_64_bits(number: float) -> None:
    turn = StepBuilder(program(TASK), frame(INPUT), env())
    spec = Count("F", expression=lambda scope: number)
    with pytest.raises(StateFailure, match="The F field must be an integer but was: "):
        evaluate_count(turn, spec, INPUT, int)
    assert evaluate_count(turn, spec, INPUT, float) == number


@pytest.mark.parametrize("given", [99_999_999, 99_999_999.0])
def test_the_longest_time_is_aws_s(given: float) -> None:
    assert positive(given, "TimeoutSeconds") == 99_999_999
    with pytest.raises(StateFailure, match="The TimeoutSeconds field must be at most 99999999 but was: 100000000"):
        positive(given + 1, "TimeoutSeconds")


@pytest.mark.parametrize("value", [100_000_000, 10**18, 0, -1, 1.5, "9", None, True])
@pytest.mark.parametrize("field", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
def test_a_time_that_a_path_finds_is_positive_whole_and_no_longer_than_aws_s(field: str, value: Json) -> None:
    commands: Any = closed({field: "$.n"}, {"n": value}).commands
    (close,) = commands
    assert close.error == "States.Runtime"
    assert close.cause.endswith(f'The {field} field refers to value "{as_text(value)}" which is not a valid positive '
                                "integer: $.n")  # fmt: skip


# -- where results go ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "input", "output"),
    [
        ("$.new.deep", {}, {"new": {"deep": 9}}),
        ("$.list[1]", {"list": [0, 0]}, {"list": [0, 9]}),
        ("$['odd key']", {"k": 1}, {"k": 1, "odd key": 9}),
        ("$.a", {"a": {"old": True}}, {"a": 9}),
    ],
)
def test_a_result_path_makes_the_place_that_it_names(path: str, input: Json, output: Json) -> None:
    compiled, step = enter({**TASK, "ResultPath": path}, input)
    assert follow(compiled, step, TaskSucceeded(step.frame.seq, 9)).frame.output == output


@pytest.mark.parametrize(
    ("path", "input"), [("$.a.b", {"a": 1}), ("$.a[0]", {"a": {}}), ("$.a", [1]), ("$.a[5]", {"a": [1]}), ("$.a", "x")]
)
def test_a_result_that_has_no_place_fails_the_state(path: str, input: Json) -> None:
    compiled, step = enter({**TASK, "ResultPath": path}, input)
    commands: Any = follow(compiled, step, TaskSucceeded(step.frame.seq, 9)).commands
    (close,) = commands
    assert close.error == "States.ResultPathMatchFailure"
    assert close.cause.endswith(f"Unable to apply ReferencePath {path} to input {dumps(input)}")


@pytest.mark.parametrize(
    ("fields", "variables"),
    [
        ({"Assign": {"v.$": "$.r"}}, {"v": [1]}),
        ({"ResultSelector": {"s": 1}, "Assign": {"v.$": "$.r[0]"}}, {"v": 1}),
        ({"QueryLanguage": "JSONata", "Output": 0, "Assign": {"v": "{% $states.result.r[0] + $states.input.n %}"}},
         {"v": 6}),
    ],
)  # fmt: skip
def test_variables_are_assigned_from_the_raw_result(fields: dict[str, Any], variables: dict[str, Json]) -> None:
    compiled, step = enter({**TASK, **fields}, INPUT)
    assert follow(compiled, step, TaskSucceeded(step.frame.seq, {"r": [1]})).frame.vars == variables


def test_a_probe_is_told_the_stages_of_a_result_too() -> None:
    fields = {**TASK, "ResultSelector": {"s.$": "$.r"}, "ResultPath": "$.out"}
    compiled, step = enter(fields, INPUT)
    probe = Probe()
    advance(compiled, step.frame, TaskSucceeded(1, {"r": 1}), env(events=step.events, probe=probe))
    assert probe.stages == {
        "result": {"r": 1}, "afterResultSelector": {"s": 1},
        "afterResultPath": {"a": {"b": 1}, "n": 5, "out": {"s": 1}},
    }  # fmt: skip


def test_a_probe_of_a_jsonata_state_is_told_its_arguments_only() -> None:
    probe = Probe()
    fields = {**TASK, "QueryLanguage": "JSONata", "Arguments": {"x": "{% $states.input.n %}"}}
    advance(program(fields), frame(INPUT), Entered(0), env(probe=probe))
    assert probe.stages == {"afterArguments": {"x": 5}}


def test_arguments_that_grow_beyond_what_may_be_written_fail_the_state() -> None:
    fields = {**TASK, "Parameters": {"one.$": "$", "two.$": "$"}}
    step = advance(program(fields), frame({"x": "y" * 60}), Entered(0), env(max_payload=100))
    commands: Any = step.commands
    assert commands[0].error == "States.DataLimitExceeded"
