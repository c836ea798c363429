"""`sm run -o`: what became of an execution, as one document, however it ended."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Project, ended

WORKFLOWS = {
    "good": "{StartAt: S, States: {S: {Type: Pass, Result: {answer: 42, text: none}, End: true}}}",
    "bad": "{StartAt: S, States: {S: {Type: Fail, Error: Bad, Cause: so it is}}}",
    "long": "{StartAt: S, States: {S: {Type: Wait, Seconds: 3600, End: true}}}",
    "asks": "{StartAt: S, States: {S: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, End: true}}}",
}
KEYS = [
    "id",
    "name",
    "workflow",
    "version",
    "alias",
    "status",
    "output",
    "error",
    "cause",
    "started",
    "ended",
    "duration",
]


@pytest.fixture
def all(project: Project) -> Project:
    for name, text in WORKFLOWS.items():
        project.workflow(text, f"{name}.yaml")
    return project


@pytest.mark.parametrize("more", [(), ("--express",)])
@pytest.mark.parametrize(
    ("line", "code", "facts"),
    [
        (["good"], 0, {"status": "SUCCEEDED", "output": {"answer": 42, "text": "none"}, "error": None, "cause": None}),
        (["bad"], 1, {"status": "FAILED", "output": None, "error": "Bad", "cause": "so it is"}),
        (["long", "--timeout", "0.01"], 1, {"status": "TIMED_OUT", "output": None, "error": None}),
    ],
)
def test_one_that_ended_is_a_document(
    all: Project, line: list[str], code: int, facts: dict[str, Any], more: tuple[str, ...]
) -> None:
    result = all.sm("run", *line, *more, "--name", "mine", "-o", "json")
    found = result.json
    assert result.code == code
    assert [*found] == KEYS
    assert facts.items() <= found.items()
    assert (found["name"], found["workflow"]) == ("mine", line[0])
    assert found["started"] <= found["ended"]
    assert found["duration"] >= 0
    version = f" of {found['workflow']}:1" if found["version"] == 1 else ""
    assert f"execution {found['id']}{version} {found['status']}" in result.err


@pytest.mark.parametrize(("line", "code"), [(["long", "--detach"], 0), (["asks", "v=1", "--detach-on-wait"], 6)])
def test_one_that_is_left_is_running(all: Project, line: list[str], code: int) -> None:
    result = all.sm("run", *line, "-o", "json")
    assert result.code == code
    assert [*result.json] == KEYS
    nothing = {"status": "RUNNING", "output": None, "error": None, "cause": None, "ended": None, "duration": None}
    assert nothing.items() <= result.json.items()
    assert all.sm("show", result.json["id"], "--json").json["status"] == "RUNNING"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(("more", "status"), [((), "RUNNING"), (("--express",), "ABORTED")])
def test_one_that_is_interrupted_is_a_document_too(
    all: Project, number: int, code: int, more: tuple[str, ...], status: str
) -> None:
    process = all.start("run", "long", *more, "-o", "json")
    assert process.stderr is not None
    assert "goes on at" in process.stderr.readline()  # nothing moves: it waits
    process.send_signal(number)
    result = ended(process)
    assert result.code == code, result.err
    assert json.loads(result.out)["status"] == status


def test_json_jsonl_and_yaml_are_the_same_document(all: Project) -> None:
    keys = KEYS[2:7]
    as_json = all.sm("run", "good", "--json").json
    as_line = all.sm("run", "good", "-o", "jsonl").json
    as_yaml = yaml.safe_load(all.sm("run", "good", "-o", "yaml").out)
    assert [as_json[key] for key in keys] == [as_line[key] for key in keys] == [as_yaml[key] for key in keys]
    assert all.sm("run", "good", "-o", "table").json == as_json["output"]


@pytest.mark.parametrize(
    ("line", "code", "out"),
    [
        (["good", "-o", "jsonpath={.output.answer}"], 0, "42\n"),
        (["bad", "-o", "jsonpath={.cause}"], 1, "so it is\n"),
        (["good", "-o", "jsonpath=$.nothing"], 3, ""),
        (["bad", "-o", "jsonpath=$.nothing"], 1, ""),
        (["asks", "v=1", "--detach-on-wait", "-o", "jsonpath=$.nothing"], 6, ""),
        (["good", "--express", "-o", "jsonpath=$.nothing"], 3, ""),
    ],
)
def test_the_exit_code_is_the_execution_s_whatever_is_printed(
    all: Project, line: list[str], code: int, out: str
) -> None:
    result = all.sm("run", *line)
    assert (result.code, result.out) == (code, out)
    assert ("finds nothing" in result.err) == (out == "")


def test_what_is_refused_before_it_begins_prints_nothing(all: Project) -> None:
    result = all.sm("run", "nowhere", "-o", "json")
    assert (result.code, result.out) == (3, "")
