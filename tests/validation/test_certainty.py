"""What is said once, and how certain it is: warnings that are advice, or that rest on what nobody has seen AWS do."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.validation.validate import check
from sm_cli.diagnostics import Diagnostic

State = dict[str, Any]


def found(state: State, code: str) -> list[Diagnostic]:
    definition: State = {"StartAt": "A", "States": {"A": state, "Z": {"Type": "Succeed"}}}
    return [each for each in check(definition)[1] if each.code == code]


def task(**fields: Any) -> State:
    return {"Type": "Task", "Resource": "do:it", "End": True, **fields}


def retry(*lists: list[str]) -> State:
    return task(Retry=[{"ErrorEquals": names} for names in lists])


def catch(*lists: list[str]) -> State:
    return task(Catch=[{"ErrorEquals": names, "Next": "Z"} for names in lists])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            retry(["States.TaskFailed"], ["Busy", "Full", "Lambda.Unknown"]),
            [("/Retry/1/ErrorEquals", "Busy, Full and Lambda.Unknown have no effect here: "
              "an earlier retrier takes them, by States.TaskFailed")],
        ),
        (
            catch(["Busy", "Full"], ["Full", "Busy", "Other"]),
            [("/Catch/1/ErrorEquals", "Full and Busy have no effect here: an earlier catcher takes them")],
        ),
        (
            retry(["Busy", "States.TaskFailed"], ["Busy", "Full"]),
            [("/Retry/1/ErrorEquals", "Busy and Full have no effect here: an earlier retrier takes them")],
        ),
        (
            retry(["A", "B", "A", "B", "A"], ["B", "C", "C"]),
            [("/Retry/0/ErrorEquals", "A and B stand in this list already"),
             ("/Retry/1/ErrorEquals",
              "B has no effect here: an earlier retrier takes it; C stands in this list already")],
        ),
        (
            retry(["A"], ["B", "A"], ["A"]),
            [("/Retry/1/ErrorEquals/1", "A has no effect here: an earlier retrier takes it"),
             ("/Retry/2/ErrorEquals/0", "A has no effect here: an earlier retrier takes it")],
        ),
        (retry(["A"], ["States.TaskFailed"], ["States.Timeout"], ["States.ALL"]), []),
    ],
)  # fmt: skip
def test_names_without_effect_are_told_once_for_each_list(state: State, expected: list[tuple[str, str]]) -> None:
    assert [(each.pointer.removeprefix("/States/A"), each.message) for each in found(state, "SM506")] == expected


def test_a_wait_without_a_timeout_is_advice_and_says_so() -> None:
    [each] = found(task(Resource="approve.waitForTaskToken"), "SM608")
    assert (each.severity, "AWS takes that" in each.message) == ("warning", True)
    assert each.hint is not None and each.hint.startswith("if that is not what you want")


def test_what_is_not_known_of_aws_is_said_not_to_be_known() -> None:
    [each] = found({"Type": "Pass", "InputPath": "$.a[?(@.b == Open)]", "End": True}, "SM313")
    assert (each.severity, "it is not known whether AWS takes it" in each.message) == ("warning", True)


@pytest.mark.parametrize(
    "text",
    [
        '{"StartAt": "A", "States": {"A": {"Type": "Succeed",}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}},\n}',
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": [1, 2, ], "End": true}}}',
    ],
)
def test_a_comma_too_many_is_told_with_why_it_may_have_been_deployed(text: str) -> None:
    [each] = check(text)[1]
    assert each.position is not None
    assert (each.code, text.splitlines()[each.position.line - 1][each.position.column - 1]) == ("SM003", ",")
    assert each.hint is not None and "CloudFormation" in each.hint


@pytest.mark.parametrize("text", ['{"StartAt": "A",, "States": {}}', "{,}", '{"StartAt": }'])
def test_other_slips_of_json_are_no_matter_of_yaml(text: str) -> None:
    [each] = check(text)[1]
    assert each.code == "SM003"
    assert "CloudFormation" not in str(each.hint)
