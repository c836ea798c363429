"""Activities and task tokens by boto3: tasks are asked for, waited for, and ended by their tokens."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from sm_cli.server.aws import tasks
from tests.engine.workers import soon
from tests.server.aws.calling import client, ended, machine, post, refused, start
from tests.server.aws.world import ACTIVITY_TASK
from tests.server.serving import Served

#: Operations that take a token, and what else they must have.
ENDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("send_task_success", {"output": "{}"}), ("send_task_failure", {}), ("send_task_heartbeat", {}),
)  # fmt: skip


@pytest.fixture
def activity(aws: Any) -> str:
    return str(aws.create_activity(name="pack")["activityArn"])


@pytest.fixture
def packing(aws: Any, activity: str) -> str:
    """The ARN of an execution whose task waits for a worker of the activity."""
    return start(aws, machine(aws, "packing", ACTIVITY_TASK), {"n": 1})


def test_an_activity_is_made_described_listed_and_deleted(aws: Any, activity: str) -> None:
    assert activity == "arn:aws:states:us-east-1:000000000000:activity:pack"
    assert aws.create_activity(name="pack")["activityArn"] == activity
    described = aws.describe_activity(activityArn=activity)
    assert (described["name"], described["encryptionConfiguration"]) == ("pack", {"type": "AWS_OWNED_KEY"})
    aws.create_activity(name="ship")
    pages = [*aws.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 1})]
    assert [[each["name"] for each in page["activities"]] for page in pages] == [["pack"], ["ship"]]
    aws.delete_activity(activityArn=activity)
    aws.delete_activity(activityArn=activity)
    for operation in ("describe_activity", "get_activity_task"):
        code, message = refused(getattr(aws, operation), activityArn=activity)
        assert (code, message) == ("ActivityDoesNotExist", f"Activity Does Not Exist: '{activity}'")


def test_an_activity_of_another_encryption_is_another_one(aws: Any, activity: str) -> None:
    key = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"}
    code, _ = refused(aws.create_activity, name="pack", encryptionConfiguration=key)
    assert code == "ActivityAlreadyExists"


def test_a_task_is_handed_out_and_ends_by_its_token(on_file: Served, aws: Any, activity: str, packing: str) -> None:
    task = aws.get_activity_task(activityArn=activity, workerName="w")
    assert json.loads(task["input"]) == {"n": 1}
    aws.send_task_heartbeat(taskToken=task["taskToken"])
    aws.send_task_success(taskToken=task["taskToken"], output='{"packed": true}')
    with on_file.worker():
        assert ended(aws, packing)["output"] == '{"packed":true}'


def test_a_task_fails_with_error_and_cause(on_file: Served, aws: Any, activity: str, packing: str) -> None:
    token = aws.get_activity_task(activityArn=activity)["taskToken"]
    aws.send_task_failure(taskToken=token, error="Torn", cause="the box")
    with on_file.worker():
        end = ended(aws, packing)
    assert (end["status"], end["error"], end["cause"]) == ("FAILED", "Torn", "the box")


def test_who_asks_before_there_is_a_task_gets_it_when_it_comes(on_file: Served, aws: Any, activity: str) -> None:
    tasks_got: list[Any] = []
    asking = threading.Thread(
        target=lambda: tasks_got.append(client(on_file.address).get_activity_task(activityArn=activity))
    )
    asking.start()
    soon(lambda: on_file.backend.feed.followers == 1)
    start(aws, machine(aws, "packing", ACTIVITY_TASK), {"n": 7})
    asking.join(30)
    assert json.loads(tasks_got[0]["input"]) == {"n": 7}
    soon(lambda: on_file.backend.feed.followers == 0)


def test_one_task_goes_to_one_of_many_who_wait(on_file: Served, aws: Any, activity: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks, "LONG_POLL", 2.0)
    answers: list[Any] = []
    asking = [
        threading.Thread(target=lambda: answers.append(post(on_file, "GetActivityTask", {"activityArn": activity})))
        for _ in range(6)
    ]
    for thread in asking:
        thread.start()
    soon(lambda: on_file.backend.feed.followers == 6)
    start(aws, machine(aws, "packing", ACTIVITY_TASK))
    for thread in asking:
        thread.join(30)
    assert [status for status, _ in answers] == [200] * 6
    assert len([document for _, document in answers if "taskToken" in document]) == 1
    assert len([document for _, document in answers if document == {}]) == 5


def test_waiting_costs_nobody_else_anything(on_file: Served, aws: Any, activity: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks, "LONG_POLL", 600.0)
    arn = machine(aws, "order")
    waiting = [
        threading.Thread(target=post, args=(on_file, "GetActivityTask", {"activityArn": activity}), daemon=True)
        for _ in range(24)
    ]
    for thread in waiting:
        thread.start()
    soon(lambda: on_file.backend.feed.followers == 24)
    # More of them than there are threads, and others are answered all the same, those who write too.
    for _ in range(5):
        assert start(aws, arn)
    for _ in waiting:
        start(aws, machine(aws, "packing", ACTIVITY_TASK))
    for thread in waiting:
        thread.join(30)
        assert not thread.is_alive()


def test_who_went_away_gets_no_task(on_file: Served, aws: Any, activity: str) -> None:
    headers = {"X-Amz-Target": "AWSStepFunctions.GetActivityTask", "Content-Type": "application/x-amz-json-1.0"}
    with httpx.Client(base_url=on_file.address, timeout=0.2, trust_env=False) as gone, pytest.raises(httpx.ReadTimeout):
        gone.post("/", json={"activityArn": activity}, headers=headers)
    soon(lambda: aws.create_activity(name="other") and on_file.backend.feed.followers == 0)
    start(aws, machine(aws, "packing", ACTIVITY_TASK), {"n": 1})
    assert aws.get_activity_task(activityArn=activity)["taskToken"]


def test_nothing_comes_for_a_minute_and_the_answer_is_empty(on_file: Served, activity: str, monkeypatch: Any) -> None:
    assert tasks.LONG_POLL == 60
    monkeypatch.setattr(tasks, "LONG_POLL", 0.05)
    assert post(on_file, "GetActivityTask", {"activityArn": activity}) == (200, {})


def test_an_activity_that_nobody_made_gives_tasks_as_long_as_some_wait(on_file: Served, aws: Any) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:activity:pack"
    assert refused(aws.get_activity_task, activityArn=arn)[0] == "ActivityDoesNotExist"
    start(aws, machine(aws, "packing", ACTIVITY_TASK))
    assert aws.get_activity_task(activityArn=arn)["taskToken"]


@pytest.mark.parametrize("token", ["nonsense", "🙂", "a" * 2048])
def test_a_token_that_is_none_is_refused(aws: Any, token: str) -> None:
    for operation, more in (
        ("send_task_success", {"output": "{}"}),
        ("send_task_failure", {}),
        ("send_task_heartbeat", {}),
    ):
        code, message = refused(getattr(aws, operation), taskToken=token, **more)
        assert (code, message) == ("InvalidToken", "Invalid Token: 'Invalid token'")


def test_a_token_is_good_for_one_end(aws: Any, activity: str, packing: str) -> None:
    token = aws.get_activity_task(activityArn=activity)["taskToken"]
    code, message = refused(aws.send_task_success, taskToken=token, output="{")
    assert code == "InvalidOutput" and message.startswith("Invalid Output: '")
    aws.send_task_success(taskToken=token, output="1")
    for operation, more in (
        ("send_task_success", {"output": "2"}),
        ("send_task_failure", {}),
        ("send_task_heartbeat", {}),
    ):
        assert refused(getattr(aws, operation), taskToken=token, **more) == (
            "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'",
        )  # fmt: skip
