"""What no client of AWS sends: each has its answer, and none is a traceback."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from tests.server.aws.calling import PASS, ROLE, client, machine, post
from tests.server.serving import Served

#: More than any reader of JSON follows.
DEEP = 100_000


@pytest.fixture
def on_file(shared: Served) -> Served:
    """One server for all of this: what it refuses leaves nothing behind."""
    return shared


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nonsense", b"\xff\xfe", b'{"name": NaN}', b'{"a": 1, "a": 2}', b"[]", b"null", b"7", b'"text"',
        b"[" * DEEP + b"]" * DEEP, b'{"name":' * DEEP + b"1" + b"}" * DEEP, b'{"name": "\\ud800"}',
        b'{"name": 1' + b"0" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(on_file: Served, body: bytes) -> None:
    status, document = post(on_file, "CreateActivity", body)
    assert (status, document["__type"]) == (400, "SerializationException")
    assert "Traceback" not in document["message"]


def test_no_body_is_an_empty_object(on_file: Served) -> None:
    status, document = post(on_file, "ListStateMachines", b"")
    assert (status, [*document]) == (200, ["stateMachines"])


@pytest.mark.parametrize(
    "target", ["", "AWSStepFunctions", "AWSStepFunctions.", "AWSStepFunctions.Nothing", "DynamoDB_20120810.ListTables",
               "AWSStepFunctions.__class__", "ListStateMachines", "awsstepfunctions.ListStateMachines"],
)  # fmt: skip
def test_an_operation_that_there_is_not_is_unknown(on_file: Served, target: str) -> None:
    status, document = post(on_file, "", headers={"X-Amz-Target": target})
    assert (status, document["__type"]) == (400, "UnknownOperationException")


def test_a_request_without_a_target_is_unknown(on_file: Served) -> None:
    response = on_file.http.post("/", content=b"{}")
    assert (response.status_code, response.json()["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_content_type_is_refused(on_file: Served, type: str) -> None:
    status, document = post(on_file, "CreateActivity", {"name": "typed"}, {"Content-Type": type})
    assert (status, document["__type"]) == (400, "SerializationException")
    assert "typed" not in [each["name"] for each in post(on_file, "ListActivities")[1]["activities"]]


def test_a_member_that_there_is_not_is_passed_over_and_logged(on_file: Served, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, "sm.server"):
        status, document = post(on_file, "CreateActivity", {"name": "a", "nmae": "secret"})
    assert (status, document["activityArn"].rpartition(":")[2]) == (200, "a")
    assert "nmae" in caplog.text and "secret" not in caplog.text


def test_all_that_is_wrong_is_told_at_once(on_file: Served) -> None:
    request = {"name": "", "definition": "x", "type": "SLOW", "roleArn": "r" * 300, "tags": [{"key": ""}]}
    status, document = post(on_file, "CreateStateMachine", request)
    assert (status, document["__type"]) == (400, "ValidationException")
    assert document["message"].startswith(
        "4 validation errors detected: Value '' at 'name' failed to satisfy constraint: "
    )
    assert (
        "Value 'SLOW' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]"
        in (document["message"])
    )
    assert "'tags.1.member.key'" in document["message"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"maxResults": 1001}, "Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less "
                               "than or equal to 1000"),
        ({"maxResults": -1}, "Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater "
                             "than or equal to 0"),
        ({"nextToken": ""}, "Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater "
                            "than or equal to 1"),
    ],
)  # fmt: skip
def test_a_constraint_is_told_in_the_words_of_aws(on_file: Served, members: dict[str, Any], message: str) -> None:
    status, document = post(on_file, "ListStateMachines", members)
    assert (status, document["message"]) == (400, f"1 validation error detected: {message}")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": 7}, "NUMBER_VALUE can not be converted to a String (at name)"),
        ({"name": True}, "TRUE_VALUE can not be converted to a String (at name)"),
        ({"name": ["a"]}, "Start of list found where not expected (at name)"),
        ({"name": {"a": 1}}, "Start of structure or map found where not expected (at name)"),
        ({"name": "a", "tags": "b"}, "Expected list or null (at tags)"),
        ({"name": "a", "tags": [{"key": 1}]}, "NUMBER_VALUE can not be converted to a String (at tags.1.member.key)"),
        ({"name": "a", "encryptionConfiguration": {"type": "AWS_OWNED_KEY", "kmsDataKeyReusePeriodSeconds": "9"}},
         "STRING_VALUE can not be converted to an Integer (at encryptionConfiguration.kmsDataKeyReusePeriodSeconds)"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_told_with_its_place(on_file: Served, members: dict[str, Any], message: str) -> None:
    status, document = post(on_file, "CreateActivity", members)
    assert (status, document["__type"], document["message"]) == (400, "SerializationException", message)


def test_what_may_be_secret_is_not_quoted(on_file: Served) -> None:
    arn = machine(client(on_file.address), "order")
    secret = "x" * 300_000
    _, document = post(on_file, "StartExecution", {"stateMachineArn": arn, "input": secret})
    assert "xxx" not in document["message"]


def test_more_than_the_server_reads_is_refused(on_file: Served) -> None:
    response = on_file.http.post(
        "/", content=b" " * 10_000_001, headers={"X-Amz-Target": "AWSStepFunctions.ListActivities"}
    )
    assert response.status_code == 413


def test_a_definition_beyond_the_limit_is_refused(on_file: Served) -> None:
    padded = {**PASS, "Comment": "x" * 1_048_576}
    request = {"name": "order", "definition": json.dumps(padded), "roleArn": ROLE}
    _, document = post(on_file, "CreateStateMachine", request)
    assert document["__type"] == "ValidationException" and "1048576" in document["message"]


def test_a_bug_of_ours_is_logged_and_not_shown(on_file: Served, monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the secret of the bug")

    arn = machine(client(on_file.address), "order")
    monkeypatch.setattr(Engine, "start_several", broken)
    status, document = post(on_file, "StartExecution", {"stateMachineArn": arn})
    assert (status, document["__type"]) == (500, "InternalServerError")
    assert "secret" not in document["message"]
    assert "the secret of the bug" in caplog.text


def test_the_answers_of_a_server_have_an_id_and_a_type(on_file: Served) -> None:
    headers = {"X-Amz-Target": "AWSStepFunctions.ListActivities", "Content-Type": "application/x-amz-json-1.0"}
    ids = set()
    for _ in range(2):
        response = on_file.http.post("/", content=b"{}", headers=headers)
        assert response.headers["content-type"] == "application/x-amz-json-1.0"
        ids.add(response.headers["x-amzn-requestid"])
    assert len(ids) == 2


def test_a_signature_that_nobody_can_check_is_no_matter(on_file: Served) -> None:
    for authorization in ("", "AWS4-HMAC-SHA256 nonsense", "Basic eA==", "AWS4-HMAC-SHA256 Credential=a/b/../../c"):
        status, document = post(on_file, "CreateActivity", {"name": "a"}, {"Authorization": authorization})
        assert (status, document["activityArn"].split(":")[3]) == (200, "us-east-1")
