"""Every operation of botocore's model: asked with no more than it must have, and without each of that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sm_cli.server.aws.answering import OPERATIONS
from sm_cli.server.aws.shapes import model
from tests.server.aws.botocore_model import compact, whole
from tests.server.aws.calling import client, post
from tests.server.aws.world import World, make_world
from tests.server.serving import Served

NAMES = sorted(whole()["operations"])


def required() -> Iterator[tuple[str, str]]:
    for name, operation in compact()["operations"].items():
        for member in compact()["shapes"][operation["input"]].get("required", ()):
            yield name, member


@pytest.fixture(scope="module")
def world(shared: Served) -> Iterator[World]:
    with shared.worker():
        yield make_world(client(shared.address))


def test_the_model_that_is_kept_is_botocores() -> None:
    # Written anew by: python -m tests.server.aws.botocore_model
    assert model() == compact()


def test_every_operation_is_there_and_no_other() -> None:
    assert sorted(OPERATIONS) == NAMES
    assert len(NAMES) == 37


@pytest.mark.parametrize("operation", NAMES)
def test_an_operation_answers_a_request_with_what_it_must_have(operation: str, world: World, shared: Served) -> None:
    status, document = post(shared, operation, world.request(operation))
    assert (status, document.get("__type")) == (200, None), document
    output = whole()["shapes"][whole()["operations"][operation]["output"]["shape"]]
    assert set(output.get("required", ())) <= document.keys() <= output["members"].keys()


@pytest.mark.parametrize(("operation", "member"), [*required()])
def test_a_member_that_is_missing_is_named(operation: str, member: str, world: World, shared: Served) -> None:
    request = {name: value for name, value in world.request(operation).items() if name != member}
    status, document = post(shared, operation, request)
    assert (status, document["__type"]) == (400, "ValidationException")
    said = f"Value null at '{member}' failed to satisfy constraint: Member must not be null"
    assert document["message"] == f"1 validation error detected: {said}"


@pytest.mark.parametrize("operation", NAMES)
def test_a_member_of_a_wrong_type_is_refused(operation: str, world: World, shared: Served) -> None:
    for member, shape in compact()["shapes"][compact()["operations"][operation]["input"]]["members"].items():
        wrong: Any = 7 if compact()["shapes"][shape]["type"] in ("string", "list", "structure") else "seven"
        status, document = post(shared, operation, {**world.request(operation), member: wrong})
        assert (status, document["__type"]) == (400, "SerializationException"), member


@pytest.mark.parametrize("operation", [name for name in NAMES if any("Arn" in m for _, m in required() if _ == name)])
def test_what_is_no_arn_and_what_leads_nowhere_are_errors_of_the_model(
    operation: str, world: World, shared: Served
) -> None:
    allowed = {*compact()["operations"][operation]["errors"], "ValidationException"}
    for member in (m for name, m in required() if name == operation and m.endswith("Arn") and m != "roleArn"):
        good = world.request(operation)
        wrong = ["order", "arn:aws:s3:::bucket", "arn:aws:states:::", good[member].replace("states", "sns", 1)]
        for arn in wrong:
            status, document = post(shared, operation, {**good, member: arn})
            assert (status, document["__type"]) == (400, "InvalidArn"), arn
        last = good[member].rpartition(":")[2]
        status, document = post(shared, operation, {**good, member: good[member].replace(last, "9999")})
        assert status == 200 or document["__type"] in allowed, document
        assert operation.startswith("Delete") or operation == "ListStateMachineVersions" or status == 400


def test_every_answer_is_read_by_boto3_without_a_loss(world: World) -> None:
    """Timestamps are times, numbers are numbers: boto3 parses what it models."""
    for operation in ("DescribeStateMachine", "DescribeExecution", "DescribeMapRun", "GetExecutionHistory"):
        method = client_method(world, operation)
        answer = method(**world.request(operation))
        json.dumps(answer, default=lambda time: time.timestamp())  # nothing else is no JSON
        dates = [value for name, value in answer.items() if name.endswith("Date")]
        assert all(value.year >= 2020 for value in dates)


def client_method(world: World, operation: str) -> Any:
    names = {api: method for method, api in world.client.meta.method_to_api_mapping.items()}
    return getattr(world.client, names[operation])
