"""`sm list`, `sm show`, `sm output`, `sm stop`."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.cli.conftest import Project

WORKFLOW = """
StartAt: C
States:
  C:
    Type: Choice
    Choices:
      - {Variable: $.do, StringEquals: fail, Next: F}
      - {Variable: $.do, StringEquals: wait, Next: W}
      - {Variable: $.do, StringEquals: work, Next: T}
    Default: S
  F: {Type: Fail, Error: Broken, Cause: it is}
  W: {Type: Message, CorrelationKey: orderId, CorrelationValue: 'A 1', TimeoutSeconds: 3600, End: true}
  T: {Type: Task, Resource: work, End: true}
  S: {Type: Succeed}
"""


@pytest.fixture
def four(project: Project) -> Project:
    """Four executions: ok, failed, waiting, and one that waits for a worker."""
    project.workflow(WORKFLOW)
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}", "other.yaml")
    project.handlers("@handler\ndef work(x): return 1\n")
    assert project.sm("run", "order", "--name", "ok", "do=ok", 'o={"a": "ü"}').code == 0
    assert project.sm("run", "order", "--name", "failed", "do=fail").code == 1
    for name in ("wait", "work"):
        assert project.sm("run", "order", "--detach", "--name", name, f"do={name}").code == 0
    assert project.sm("run", "other", "--name", "another").code == 0
    return project


def test_list_shows_the_newest_first(four: Project) -> None:
    heads, *rows = [line.split() for line in four.sm("list").out.splitlines()]
    assert heads == ["ID", "NAME", "WORKFLOW", "STATUS", "STARTED", "DURATION", "ERROR"]
    assert [row[1:4] for row in rows] == [
        ["another", "other:1", "SUCCEEDED"],
        ["work", "order:1", "RUNNING"],
        ["wait", "order:1", "RUNNING"],
        ["failed", "order:1", "FAILED"],
        ["ok", "order:1", "SUCCEEDED"],
    ]
    assert rows[3][-1] == "Broken"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--status", "RUNNING"], ["work", "wait"]),
        (["--status", "succeeded"], ["another", "ok"]),
        (["--status", "timed-out"], []),
        (["--workflow", "other"], ["another"]),
        (["--workflow", "order", "--status", "FAILED"], ["failed"]),
        (["--limit", "2"], ["another", "work"]),
        (["--since", "1h"], ["another", "work", "wait", "failed", "ok"]),
        (["--since", "2999-01-01"], []),
        (["--since", "2020-01-01T00:00:00+02:00", "--limit", "1"], ["another"]),
    ],
)
def test_list_filters(four: Project, options: list[str], names: list[str]) -> None:
    result = four.sm("list", "--json", *options)
    assert result.code == 0, result.err
    assert [each["name"] for each in result.json] == names


def test_list_speaks_json_jsonl_and_yaml(four: Project) -> None:
    as_json = four.sm("list", "-o", "json").json
    assert as_json[3]["error"] == "Broken"
    assert [json.loads(line) for line in four.sm("list", "-o", "jsonl").out.splitlines()] == as_json
    assert yaml.safe_load(four.sm("list", "-o", "yaml").out) == as_json


def test_list_of_a_new_database_is_empty(project: Project) -> None:
    project.database()
    assert project.sm("list", "--json").out == "[]\n"
    assert (project.sm("list").code, project.sm("list").out) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ["list"], ["list", "--json"], ["show", "@last"], ["why", "@last"], ["history", "@last"], ["output", "@last"],
        ["stop", "@last"], ["redrive", "@last"], ["task", "list"], ["map-runs"], ["waits"], ["messages", "list"],
        ["send-message", "orderId=ORD-1"], ["worker", "--drain"], ["worker", "--once"], ["worker"],
    ],
)  # fmt: skip
def test_only_run_and_init_make_a_database(project: Project, command: list[str]) -> None:
    result = project.sm(*command)
    assert (result.code, result.out) == (7, "")
    assert result.err.splitlines() == [
        "sm: error: there is no database at .sm/sm.db",
        f"  hint: Neither {project.path} nor a folder above it has an sm.toml. `sm run` and `sm init` make one; "
        "--db names another.",
    ]
    assert not project.path.joinpath(".sm").exists()


def test_a_database_that_is_missing_is_said_to_be_the_project_s(project: Project) -> None:
    project.write("sm.toml", "")
    assert "hint: It would belong to the project of sm.toml. `sm run`" in project.sm("list").err
    project.write("sm.toml", 'database = "data/x.db"')
    assert "no database at data/x.db\n  hint: sm.toml names it. `sm run`" in project.sm("send-message", "a=b").err
    assert "no database at y.db\n  hint: `sm run` and" in project.sm("list", "--db", "y.db").err


def test_a_worker_makes_a_database_when_it_is_told_to(project: Project) -> None:
    assert project.sm("worker", "--drain", "--create").code == 0
    assert project.sm("list").code == 0


def test_show_says_what_an_execution_waits_for_and_how_to_move_it(four: Project) -> None:
    wait, work = four.sm("show", "wait").out, four.sm("show", "work").out
    assert "now         W waits for the message orderId=A 1 until " in wait
    assert ": sm send-message 'orderId=A 1'\n" in wait
    assert "now         W times out at " in wait
    assert "now         T waits for a worker with the handler 'work': sm worker\n" in work


def test_show_has_all_the_facts(four: Project) -> None:
    found = four.sm("show", "ok", "--json").json
    assert (found["status"], found["input"]["o"], found["output"]["do"]) == ("SUCCEEDED", {"a": "ü"}, "ok")
    assert found["waits_for"] == []
    assert yaml.safe_load(four.sm("show", "ok", "-o", "yaml").out) == found
    text = four.sm("show", "failed").out
    assert "error       Broken\ncause       it is\n" in text


@pytest.mark.parametrize(
    ("name", "code", "out", "err"),
    [
        ("ok", 0, '{"do":"ok","o":{"a":"ü"}}\n', ""),
        ("failed", 1, "", "  state: F\n  error: Broken\n  cause: it is\n"),
        ("wait", 6, "", "is still running"),
        ("nothing", 3, "", "no execution is named 'nothing'"),
    ],
)
def test_output_is_the_output_or_says_why_there_is_none(
    four: Project, name: str, code: int, out: str, err: str
) -> None:
    result = four.sm("output", name)
    assert (result.code, result.out) == (code, out)
    assert err in result.err


def test_stop_aborts_with_error_and_cause_and_only_once(four: Project) -> None:
    result = four.sm("stop", "wait", "--error", "Enough", "--cause", "we\x1b[31m waited")
    assert (result.code, result.out) == (0, "")
    found = four.sm("show", "wait", "--json").json
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "we\x1b[31m waited")
    assert "\x1b" not in four.sm("show", "wait").out
    again = four.sm("stop", "wait")
    assert again.code == 4
    assert "is ABORTED already" in again.err


@pytest.mark.parametrize("command", [["stop"], ["show"], ["output"], ["history"], ["why"], ["redrive"], ["map-runs"]])
def test_an_empty_id_names_no_execution_also_where_there_is_only_one(project: Project, command: list[str]) -> None:
    """A shell makes it of a variable that is not set: `sm stop "$ID"`."""
    project.workflow("{StartAt: W, States: {W: {Type: Wait, Seconds: 900, End: true}}}")
    assert project.sm("run", "order", "--detach").code == 0
    result = project.sm(*command, "")
    assert (result.code, result.out) == (3, "")
    assert "''" in result.err
    assert project.sm("list", "-o", "json").json[0]["status"] == "RUNNING"


def test_commands_take_arns_small_letters_and_the_newest_of_a_kind(project: Project) -> None:
    project.workflow('{StartAt: S, States: {S: {Type: Pass, Parameters: {"id.$": $$.Execution.Id}, End: true}}}')
    project.workflow("{StartAt: S, States: {S: {Type: Fail, Error: Bad}}}", "bad.yaml")
    arn = project.sm("run", "order", "--name", "one").json["id"]
    assert project.sm("output", arn).json == {"id": arn}
    id = project.sm("run", "bad", "--name", "two").err.split()[1]
    for text in (id.lower(), id[:-1].lower(), "@failed"):
        assert project.sm("show", text, "--json").json["name"] == "two"
    assert project.sm("why", "@running").code == 3
    refused = project.sm("run", "order", "--name", "@last")
    assert refused.code == 2
    assert "the name '@last' begins with @" in refused.err
