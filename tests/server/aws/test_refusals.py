"""Errors of ours in the names of AWS, and what a request is checked for before any operation sees it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import (
    Conflict,
    DatabaseAway,
    DatabaseBusy,
    DatabaseError,
    InvalidDefinition,
    NotFound,
    SmError,
    UsageError,
)
from sm_cli.server.aws.answering import HttpAnswer, answer_to, carried_out
from sm_cli.server.aws.refusals import CallRefused, refusal_of
from sm_cli.server.aws.shapes import check_request, unknown_members


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (DatabaseBusy("locked"), "ServiceUnavailableException", 503),
        (DatabaseAway("away"), "ServiceUnavailableException", 503),
        (DatabaseError("broken"), "InternalServerError", 500),
        (InvalidDefinition([]), "InvalidDefinition", 400),
        (UsageError("wrong"), "ValidationException", 400),
        (Conflict("taken"), "ConflictException", 400),
        (NotFound("nowhere"), "ResourceNotFound", 400),
        (SmError("odd"), "InternalServerError", 500),
    ],
)
def test_an_error_of_ours_has_a_name_of_aws(error: SmError, name: str, status: int) -> None:
    refused = refusal_of(error)
    assert (refused.name, refused.status) == (name, status)
    assert error.message in refused.message


def test_a_hint_is_part_of_the_message() -> None:
    assert refusal_of(Conflict("taken", hint="Use another.")).message == "taken Use another."


def test_a_bug_is_answered_without_its_words() -> None:
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    answer = carried_out(broken)
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, b"secret" in answer.body) == (500, False)


def test_an_answer_names_its_exception_twice() -> None:
    answer = answer_to(CallRefused("InvalidArn", "no", members={"reason": "x"}))
    assert answer.headers["X-Amzn-Errortype"] == "InvalidArn"
    assert answer.body == b'{"__type":"InvalidArn","message":"no","reason":"x"}'


# -- requests --------------------------------------------------------------------------------------------


def problem(operation: str, parameters: Any) -> tuple[str, str]:
    with pytest.raises(CallRefused) as caught:
        check_request(operation, parameters)
    return caught.value.name, caught.value.message


def test_what_is_null_is_not_there() -> None:
    assert check_request("ListExecutions", {"stateMachineArn": "a", "nextToken": None}) == {"stateMachineArn": "a"}
    assert "'activityArn'" in problem("DescribeActivity", {"activityArn": None})[1]


def test_places_in_lists_and_structures_are_named() -> None:
    routing = [{"stateMachineVersionArn": "a", "weight": 101}, {"weight": 1}]
    name, message = problem("CreateStateMachineAlias", {"name": "prod", "routingConfiguration": routing})
    assert name == "ValidationException"
    assert message == (
        "2 validation errors detected: Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy "
        "constraint: Member must have value less than or equal to 100; Value null at "
        "'routingConfiguration.2.member.stateMachineVersionArn' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize("name", ["123", "a b", "ä", ""])
def test_the_pattern_of_an_aliass_name_holds(name: str) -> None:
    routing = [{"stateMachineVersionArn": "a", "weight": 100}]
    _, message = problem("CreateStateMachineAlias", {"name": name, "routingConfiguration": routing})
    assert "Member must satisfy regular expression pattern: " in message


def test_a_header_for_traces_is_ascii() -> None:
    assert check_request("StartExecution", {"stateMachineArn": "a", "traceHeader": "Root=1;Sampled=1"})
    assert problem("StartExecution", {"stateMachineArn": "a", "traceHeader": "ä"})[0] == "ValidationException"


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 10**30, 1.5])
def test_a_number_is_one_that_aws_can_hold(value: float) -> None:
    assert problem("ListStateMachines", {"maxResults": value})[0] == "SerializationException"


def test_a_percentage_may_be_whole_or_not() -> None:
    for value in (0, 12.5, 100):
        assert check_request("UpdateMapRun", {"mapRunArn": "a", "toleratedFailurePercentage": value})
    assert problem("UpdateMapRun", {"mapRunArn": "a", "toleratedFailurePercentage": 100.5})[0] == "ValidationException"


def test_unknown_members_are_named_in_order() -> None:
    assert unknown_members("ListActivities", {"z": 1, "maxResults": 2, "a": 3}) == ["a", "z"]
