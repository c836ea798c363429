"""AWS's clients in tests: boto3 over the real server, and requests that no client would send."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sm_cli.server.aws.answering import CONTENT_TYPE, PREFIX
from tests.engine.workers import soon
from tests.server.serving import Served

ROLE = "arn:aws:iam::000000000000:role/r"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}


def client(address: str, region: str = "us-east-1", **config: Any) -> Any:
    """boto3's client for this server, which trusts what a test sends unless it is told otherwise."""
    return boto3.client(
        "stepfunctions", endpoint_url=address, region_name=region, aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, **{"retries": {"total_max_attempts": 1}, **config}),
    )  # fmt: skip


def machine(client: Any, name: str, definition: Any = PASS, **more: Any) -> str:
    """The ARN of a new state machine."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    made = client.create_state_machine(name=name, definition=text, roleArn=ROLE, **more)
    return str(made["stateMachineArn"])


def start(client: Any, arn: str, input: Any = None, **more: Any) -> str:
    """The ARN of a new execution."""
    text = json.dumps({} if input is None else input)
    return str(client.start_execution(stateMachineArn=arn, input=text, **more)["executionArn"])


def ended(client: Any, arn: str) -> Any:
    """How an execution has ended, which a worker works on."""
    soon(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    return client.describe_execution(executionArn=arn)


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """(the exception's name, its message) of a call that has to be refused, as boto3 reads it."""
    try:
        answer = call(**parameters)
    except ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return e.response["Error"]["Code"], e.response["Error"]["Message"]
    raise AssertionError(f"it was not refused: {answer}")


def post(
    served: Served,
    operation: str,
    body: bytes | str | Mapping[str, Any] = b"{}",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """(status, document) of a request that is made by hand. body: bytes and text as they are."""
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    all_headers = {"X-Amz-Target": f"{PREFIX}{operation}", "Content-Type": CONTENT_TYPE, **(headers or {})}
    response = served.http.post("/", content=content, headers=all_headers)
    return response.status_code, response.json()
