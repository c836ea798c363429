"""InputPath → Parameters → ResultSelector → ResultPath → OutputPath, and the numbers that a state is given."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import RunTask
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import Entered, TaskSucceeded
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json
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
