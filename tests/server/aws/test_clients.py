"""AWS's command line and its SDK for JavaScript: whole lives of state machines, told where to go by variables alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.workers import soon
from tests.server.aws.calling import PASS, ROLE
from tests.server.serving import Served

#: The newest of the SDK for JavaScript that Node 18 runs.
SDK = "@aws-sdk/client-sfn@3.821.0"
SCRIPT = Path(__file__).parent / "lifecycle.mjs"
#: Where it has to run, nothing may be missing.
IN_CI = os.environ.get("CI") == "true"


def variables(served: Served, home: Path) -> dict[str, str]:
    """What a person exports to talk to the server; nothing of who runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL_SFN": served.address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def cli(on_file: Served, tmp_path: Path) -> Callable[..., Any]:
    """`aws stepfunctions …`: its answer, or what it prints when the call is refused."""

    def run(*arguments: str, code: int = 0) -> Any:
        command = [sys.executable, "-m", "awscli", "stepfunctions", *arguments, "--output", "json"]
        done = subprocess.run(
            command, env=variables(on_file, tmp_path), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, done.stderr
        if code:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_the_command_line_of_aws_lives_through_a_machine(on_file: Served, cli: Callable[..., Any]) -> None:
    definition = ("--definition", json.dumps(PASS), "--role-arn", ROLE)
    arn = cli("create-state-machine", "--name", "order", *definition, "--publish")["stateMachineArn"]
    assert arn == "arn:aws:states:eu-west-1:000000000000:stateMachine:order"
    execution = cli("start-execution", "--state-machine-arn", arn, "--input", '{"a": 1}', "--name", "n")["executionArn"]
    with on_file.worker():
        soon(lambda: on_file.engine.find("n").closed is not None)
    assert cli("describe-execution", "--execution-arn", execution)["output"] == '{"a":1}'
    history = cli("get-execution-history", "--execution-arn", execution, "--reverse-order")
    assert history["events"][0]["type"] == "ExecutionSucceeded"
    assert [each["name"] for each in cli("list-executions", "--state-machine-arn", arn)["executions"]] == ["n"]
    refusal = cli("describe-execution", "--execution-arn", f"{execution}x", code=255)
    assert "(ExecutionDoesNotExist)" in refusal and f"Execution Does Not Exist: '{execution}x'" in refusal


def test_the_command_line_of_aws_tests_a_state_and_calls_an_express_machine(cli: Callable[..., Any]) -> None:
    """Both go to the host `sync-…`, unless the client is told not to put that before."""
    tested = cli("test-state", "--definition", '{"Type":"Pass","End":true}', "--role-arn", ROLE, "--input", '{"a":1}')
    assert tested == {"output": '{"a":1}', "status": "SUCCEEDED"}
    definition = ("--definition", json.dumps(PASS), "--role-arn", ROLE)
    arn = cli("create-state-machine", "--name", "quick", "--type", "EXPRESS", *definition)["stateMachineArn"]
    answer = cli("start-sync-execution", "--state-machine-arn", arn, "--input", '{"b":2}')
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '{"b":2}')


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The SDK for JavaScript, installed once where programs keep what they can fetch again."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing and not IN_CI:
        pytest.skip(f"{' and '.join(missing)} is not on this machine; where CI is true these tests run")
    assert not missing, f"{missing} is missing, and has to be there"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sm-tests" / SDK.replace("/", "-")
    if not (cache / "node_modules" / "@aws-sdk" / "client-sfn" / "package.json").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(cache), SDK]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0 and not IN_CI:
            pytest.skip(f"npm cannot fetch {SDK} here: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
    return cache


def test_the_sdk_for_javascript_lives_through_a_machine(on_file: Served, node_modules: Path, tmp_path: Path) -> None:
    script = node_modules / "lifecycle.mjs"  # beside its modules: that is where node looks for them
    script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    environment = variables(on_file, tmp_path)
    with on_file.worker():
        done = subprocess.run(
            ["node", str(script)], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "machine": "arn:aws:states:eu-west-1:000000000000:stateMachine:order",
        "status": "SUCCEEDED",
        "output": {"a": 1},
        "isDate": True,
        "events": ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"],
        "listed": ["n"],
        "sync": {"b": 2},
        "tested": '{"c":3}',
        "task": {"n": 1},
        "done": "SUCCEEDED",
        "refused": ["StateMachineDoesNotExist", 400],
        "left": ["packing", "quick"],
    }
