"""What AWS answered, boto3 reads from the server: executions with their histories, tests of states, validations.

Known failures are listed with their reason, and the list fails when one of them passes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sm_cli.errors import TaskError
from sm_cli.handlers.registry import Registry
from sm_cli.project.project import ProjectSettings
from sm_cli.server.settings import ServerSettings
from tests.conformance import cases
from tests.conformance.test_executions import KNOWN, UNSTEADY, branches
from tests.engine.workers import soon
from tests.server.aws.calling import ROLE, client
from tests.server.serving import Served, served
from tests.stores import database

pytestmark = pytest.mark.skipif(not cases.HERE, reason=cases.WHY_NOT)

EXECUTIONS = cases.executions()
STATES = cases.load("test_state")
VALIDATIONS = cases.load("validation")


def behave(spec: Mapping[str, Any], event: Any, context: Any) -> Any:
    """What the recorded function did."""
    if spec["behaviour"] == "sleep_then_echo":
        context.cancelled.wait(spec["seconds"])  # its state has given up by then
        return event
    return cases.handler(dict(spec))(event, context)


def work(event: Any, context: Any) -> Any:
    """Any function of any case: the name of the execution says which, or that of its machine, for a child of a map
    run."""
    name = context.execution_name if "/" not in context.workflow else context.workflow.partition("/")[0]
    handlers = EXECUTIONS[int(name.removeprefix("case-"))]["handlers"] or {}
    if context.resource not in handlers:
        raise TaskError("States.TaskFailed", f"no function {context.resource!r} in this case")
    return behave(handlers[context.resource], event, context)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that holds to AWS's limits, with the account of the recordings, and a worker for all cases."""
    folder: Path = tmp_path_factory.mktemp("recordings")
    settings = ServerSettings(port=0, account="111111111111")
    with database("sqlite", folder) as url, served(url, folder, settings) as made:
        made.backend.project = ProjectSettings(folder, settings={"aws_limits": True})
        made.backend.handlers = Registry.of({"*": work})
        with made.worker(Registry.of({"*": work})):
            yield made


@pytest.fixture(scope="module")
def outcomes(recording: Served) -> list[dict[str, Any]]:
    """How each execution ended, in the order of the cases: all were started before the first was waited for."""
    aws = client(recording.address)
    with ThreadPoolExecutor(4) as pool:
        arns = [*pool.map(lambda numbered: begin(aws, *numbered), enumerate(EXECUTIONS))]
        return [*pool.map(lambda arn: arn if isinstance(arn, dict) else outcome(aws, arn), arns)]


def begin(aws: Any, number: int, case: dict[str, Any]) -> str | dict[str, Any]:
    """The ARN of the case's execution; what it came to, of one that ends within the call."""
    machine = machine_of_case(aws, json.dumps(case["definition"]), case["type"])
    request = {"stateMachineArn": machine, "input": json.dumps(case["input"]), "name": f"case-{number}"}
    if case["api"] == "start_sync_execution":
        return told(aws.start_sync_execution(**request), None)
    return str(aws.start_execution(**request)["executionArn"])


@cache
def machine_of_case(aws: Any, definition: str, type: str) -> str:
    """The ARN of the machine of a definition, called after the first case that has it."""
    first = next(i for i, c in enumerate(EXECUTIONS) if (json.dumps(c["definition"]), c["type"]) == (definition, type))
    made = aws.create_state_machine(name=f"case-{first}", definition=definition, roleArn=ROLE, type=type)
    return str(made["stateMachineArn"])


def outcome(aws: Any, arn: str) -> dict[str, Any]:
    soon(lambda: aws.describe_execution(executionArn=arn)["status"] != "RUNNING")
    events: list[dict[str, Any]] = []
    for page in aws.get_paginator("get_execution_history").paginate(executionArn=arn):
        events += page["events"]
    return told(aws.describe_execution(executionArn=arn), events)


def told(answer: Mapping[str, Any], events: list[dict[str, Any]] | None) -> dict[str, Any]:
    """An answer as the judge takes it."""
    output = answer.get("output")
    return {
        "status": answer["status"],
        "output": None if output is None else json.loads(output),
        "error": answer.get("error"),
        "cause": answer.get("cause"),
        "history": events,
    }


def test_every_execution_ends_as_it_did_on_aws(outcomes: list[dict[str, Any]]) -> None:
    wrong: dict[str, str] = {}
    for case, actual in zip(EXECUTIONS, outcomes, strict=True):
        ok, why = cases.judge().judge(case, actual, cause=True)
        if not ok:
            wrong[case["id"]] = why
    assert [f"{id}: {why}" for id, why in wrong.items() if id not in KNOWN] == []
    assert wrong.keys() == KNOWN.keys(), "take off the list what passes now"


def test_every_history_has_the_events_of_aws_in_the_order_of_aws(outcomes: list[dict[str, Any]]) -> None:
    differing, same = [], 0
    for case, actual in zip(EXECUTIONS, outcomes, strict=True):
        is_fixed = not case.get("history_sorted") and not any("previousEventId" in path for path in case["hard"])
        if case["id"] in KNOWN or not case["history"] or not actual["history"] or not is_fixed:
            continue
        if branches(actual["history"]) == branches(case["history"]):
            same += 1
        elif case["id"] not in UNSTEADY:
            differing.append(case["id"])
    assert differing == []
    assert same >= 250


def text_of_member(value: Any) -> Any:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def test_every_state_answers_as_it_did_on_aws(recording: Served) -> None:
    aws = client(recording.address)
    wrong: dict[str, str] = {}
    for case in STATES:
        handlers = {name: cases.handler(spec) for name, spec in (case["handlers"] or {}).items()}
        recording.backend.handlers = Registry.of(handlers)
        request = {"definition": json.dumps(case["definition"]), **case["request"]}
        if case["input"] is not None:
            request["input"] = json.dumps(case["input"])
        try:
            actual = {k: v for k, v in aws.test_state(**request).items() if k != "ResponseMetadata"}
        except ClientError as e:
            error = e.response["Error"]
            actual = {"status": "API_ERROR", "error": error["Code"], "cause": error["Message"]}
        if "output" in actual:
            actual["output"] = json.loads(actual["output"])
        for name, text in actual.get("inspectionData", {}).items():
            if isinstance(text, str) and text.startswith("{"):
                actual["inspectionData"][name] = json.loads(text)  # as the recorder did
        ok, why = cases.judge().judge(case, actual, cause=True)
        if not ok or actual.keys() != case["expect"].keys():
            wrong[case["id"]] = why or f"{sorted(actual)} is not {sorted(case['expect'])}"
    assert wrong == {}


def test_every_validation_says_what_aws_said(recording: Served) -> None:
    aws = client(recording.address)
    for case in VALIDATIONS:
        text = case.get("definition_text") or json.dumps(case["definition"])
        if case["api"] == "create_state_machine":
            with pytest.raises(ClientError) as caught:
                aws.create_state_machine(name="never", definition=text, roleArn=ROLE, type=case["type"])
            error = caught.value.response["Error"]
            actual = {"status": "INVALID", "error": error["Code"], "cause": error["Message"]}
            assert (actual["error"], actual["cause"]) == (case["expect"]["error"], case["expect"]["cause"]), case["id"]
        else:
            answer = aws.validate_state_machine_definition(definition=text, type=case["type"])
            expected = {name: case["expect"][name] for name in ("result", "diagnostics", "truncated")}
            assert {name: answer[name] for name in expected} == expected, case["id"]
