"""The account in ARNs: one for all who work on a database, whoever of them a client or an execution asks."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from sm_cli.client import Client
from tests.cli.conftest import Project
from tests.cli.serving.test_serve import serving
from tests.engine.workers import soon

MINE = "arn:aws:states:us-east-1:{account}:execution:mine:"
WORKFLOW = """
    StartAt: W
    States:
      W: {Type: Wait, Seconds: 0, Next: A}
      A: {Type: Pass, Parameters: {id.$: $$.Execution.Id}, OutputPath: $.id, End: true}
"""


@pytest.fixture
def mine(project: Project) -> Project:
    project.workflow(WORKFLOW, "mine.yaml")
    return project


def client_of(address: str) -> Any:
    return boto3.client(
        "stepfunctions", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a",
        aws_secret_access_key="b", config=Config(inject_host_prefix=False),
    )  # fmt: skip


def test_what_a_server_was_told_holds_for_all_who_work_on_its_database(mine: Project) -> None:
    assert mine.sm("run", "mine").json.startswith(MINE.format(account="000000000000"))
    with serving(mine, "--workers", "0", "--account", "123456789012") as (address, _):
        aws = client_of(address)
        arn = aws.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        assert arn == "arn:aws:states:us-east-1:123456789012:stateMachine:mine"
        started = aws.start_execution(stateMachineArn=arn)["executionArn"]
        assert mine.sm("worker", "--drain").code == 0
        assert aws.describe_execution(executionArn=started)["output"] == f'"{started}"'
    assert mine.sm("run", "mine").json.startswith(MINE.format(account="123456789012"))
    with Client(mine.path) as sm:
        begun = sm.start("mine")
        assert mine.sm("worker", "--drain").code == 0
        assert str(sm.get(begun.id).output).startswith(MINE.format(account="123456789012"))
    with serving(mine) as (address, _):  # told nothing, it goes on with that
        assert ":123456789012:" in client_of(address).list_state_machines()["stateMachines"][0]["stateMachineArn"]


def test_a_setting_goes_before_the_database_and_is_told_where_a_server_has_another(mine: Project) -> None:
    mine.write("sm.toml", 'account = "111122223333"\n')
    assert mine.sm("run", "mine").json.startswith(MINE.format(account="111122223333"))
    process = mine.start("serve", "--port", "0", "--account", "123456789012")
    assert process.stderr is not None
    warning = process.stderr.readline()
    assert warning == (
        "sm: warning: sm.toml:1: account sets another account: other processes of this project have that one\n"
    )
    process.terminate()
    process.communicate()
    assert mine.sm("run", "mine").json.startswith(MINE.format(account="111122223333"))


def test_workers_that_run_are_named_where_the_account_changes(mine: Project) -> None:
    mine.database()
    worker = mine.start("worker", "--name", "early")
    soon(lambda: [each["name"] for each in mine.sm("workers", "--json").json] == ["early"])
    process = mine.start("serve", "--port", "0", "--workers", "0", "--account", "123456789012")
    assert process.stderr is not None
    assert process.stderr.readline() == (
        "sm: warning: workers that run go on with the account from before until they are started again: early\n"
    )
    for each in (process, worker):
        each.terminate()
        each.communicate()
