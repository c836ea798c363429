"""Definitions validated and single states tested, by boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sm_cli.handlers.registry import Registry
from tests.server.aws.calling import PASS, refused
from tests.server.serving import Served

TASK = {"Type": "Task", "Resource": "work", "Next": "B"}


@pytest.fixture
def on_file(shared: Served) -> Served:
    """One server for all of this: nothing is made."""
    return shared


def test_a_valid_definition_is_ok(aws: Any) -> None:
    answer = aws.validate_state_machine_definition(definition=json.dumps(PASS))
    assert (answer["result"], answer["diagnostics"], answer["truncated"]) == ("OK", [], False)


def test_problems_have_a_code_and_a_place(aws: Any) -> None:
    lost = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed"}}}
    answer = aws.validate_state_machine_definition(definition=json.dumps(lost))
    assert answer["result"] == "FAIL"
    first = answer["diagnostics"][0]
    assert (first["severity"], first["code"], first["location"]) == (
        "ERROR",
        "MISSING_TRANSITION_TARGET",
        "/States/A/Next",
    )
    short = aws.validate_state_machine_definition(definition=json.dumps(lost), maxResults=1)
    assert (len(short["diagnostics"]), short["truncated"]) == (1, len(answer["diagnostics"]) > 1)


def test_what_is_valid_only_here_is_told(aws: Any) -> None:
    ours = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
    assert aws.validate_state_machine_definition(definition=json.dumps(ours))["result"] == "FAIL"


def test_a_state_is_tested_with_the_handlers_of_the_server(on_file: Served, aws: Any) -> None:
    on_file.backend.handlers = Registry.of({"work": lambda input, context: {"seen": input}})
    answer = aws.test_state(definition=json.dumps(TASK), input='{"a":1}', inspectionLevel="DEBUG")
    assert (answer["status"], answer["nextState"], answer["output"]) == ("SUCCEEDED", "B", '{"seen":{"a":1}}')
    assert answer["inspectionData"]["afterInputPath"] == '{"a":1}'


def test_a_mock_stands_for_the_task(aws: Any) -> None:
    mock = {"errorOutput": {"error": "Broken", "cause": "on purpose"}}
    caught = {**TASK, "Catch": [{"ErrorEquals": ["Broken"], "Next": "C"}]}
    answer = aws.test_state(definition=json.dumps(caught), mock=mock)
    assert (answer["status"], answer["nextState"], answer["error"]) == ("CAUGHT_ERROR", "C", "Broken")


@pytest.mark.parametrize(
    ("request_members", "code"),
    [
        ({"definition": '{"Type": "Nothing"}'}, "InvalidDefinition"),
        ({"definition": "nonsense"}, "InvalidDefinition"),
        ({"definition": '{"Type":"Pass","End":true}', "input": "{"}, "InvalidExecutionInput"),
        ({"definition": '{"Type":"Pass","End":true}', "mock": {"result": "1"}}, "ValidationException"),
        ({"definition": json.dumps(TASK), "mock": {}}, "ValidationException"),
        ({"definition": json.dumps(TASK), "inspectionLevel": "ALL"}, "ValidationException"),
    ],
)
def test_a_test_that_aws_refuses_is_refused(aws: Any, request_members: dict[str, Any], code: str) -> None:
    assert refused(aws.test_state, **request_members)[0] == code
