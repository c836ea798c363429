"""`sm stop` and `sm redrive` with filters: counted, asked about, done one by one, and told."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.cli.conftest import Project

PARENT = """
StartAt: Child
States:
  Child:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync
    Parameters: {StateMachineArn: order, Input: {do: wait}}
    End: true
"""
ORDER = """
StartAt: C
States:
  C:
    Type: Choice
    Choices:
      - {Variable: $.do, StringEquals: fail, Next: F}
      - {Variable: $.do, StringEquals: work, Next: T}
    Default: W
  F: {Type: Fail, Error: Broken, Cause: it is}
  W: {Type: Message, CorrelationKey: orderId, CorrelationValue: 'A 1', TimeoutSeconds: 3600, End: true}
  T: {Type: Task, Resource: work, End: true}
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """Orders: two wait, two failed with Broken, one with Lost; and one of another workflow waits."""
    project.workflow(ORDER)
    project.workflow("StartAt: W\nStates: {W: {Type: Wait, Seconds: 9000, End: true}}\n", "other.yaml")
    project.handlers("@handler\ndef work(x): raise TaskError('Lost')\n")
    for name, do, code in (("w1", "wait", 0), ("f1", "fail", 1), ("w2", "wait", 0), ("f2", "fail", 1)):
        detach = [] if code else ["--detach"]
        assert project.sm("run", "order", *detach, "--name", name, f"do={do}").code == code
    assert project.sm("run", "order", "--name", "lost", "do=work").code == 1
    assert project.sm("run", "other", "--detach", "--name", "o1").code == 0
    return project


def statuses(project: Project) -> dict[str, str]:
    return {each["name"]: each["status"] for each in project.sm("list", "--json").json}


def test_all_that_run_of_one_workflow_are_stopped(shop: Project) -> None:
    result = shop.sm("stop", "--workflow", "order", "--yes", "--error", "Enough")
    assert (result.code, result.out, result.err) == (0, "", "2 executions of 'order' stopped\n")
    now = statuses(shop)
    assert (now["w1"], now["w2"], now["o1"]) == ("ABORTED", "ABORTED", "RUNNING")
    assert shop.sm("show", "w1", "--json").json["error"] == "Enough"
    again = shop.sm("stop", "--workflow", "order", "--yes")
    assert (again.code, again.err) == (0, "no execution of 'order' is RUNNING: there is nothing to stop\n")


@pytest.mark.parametrize("command", [["stop", "--status", "running"], ["redrive", "--workflow", "order"]])
def test_without_a_terminal_and_without_yes_nothing_happens(shop: Project, command: list[str]) -> None:
    before = statuses(shop)
    result = shop.sm(*command, stdin="y\n")
    assert (result.code, result.out) == (2, "")
    assert f"{command[0]} 3 executions" in result.err
    assert "--yes does it" in result.err
    assert statuses(shop) == before


def test_a_dry_run_tells_which_and_does_nothing(shop: Project) -> None:
    before = statuses(shop)
    result = shop.sm("stop", "--status", "running", "--dry-run")
    assert (result.code, [line.split()[1] for line in result.out.splitlines()]) == (0, ["w1", "w2", "o1"])
    assert result.err == "3 executions would be stopped\n"
    again = shop.sm("redrive", "--error", "Broken", "--dry-run")
    assert [line.split("  ")[1] for line in again.out.splitlines()] == ["f1: F (Fail)", "f2: F (Fail)"]
    assert statuses(shop) == before


def test_those_that_ended_with_an_error_are_redriven(shop: Project) -> None:
    result = shop.sm("redrive", "--workflow", "order", "--error", "Lost", "--yes", "--json")
    assert result.code == 0
    found = result.json
    assert (found["dry_run"], found["matching"], found["refused"]) == (False, 1, [])
    (lost,) = found["redriven"]
    assert (lost["name"], lost["again"]) == ("lost", [{"state": "T", "type": "Task", "where": []}])
    now = statuses(shop)
    assert (now["lost"], now["f1"]) == ("RUNNING", "FAILED")


def test_those_since_a_moment_are_chosen(shop: Project) -> None:
    assert "nothing to stop" in shop.sm("stop", "--since", "2100-01-01", "--yes").err
    assert shop.sm("redrive", "--since", "1h", "--status", "failed", "--dry-run", "--json").json["matching"] == 3
    assert shop.sm("redrive", "--since", "1h", "--status", "aborted", "--dry-run", "--json").json["matching"] == 0


def test_what_ended_meanwhile_is_told_and_counted(project: Project) -> None:
    project.workflow(ORDER)
    project.workflow(PARENT, "parent.yaml")
    project.handlers("@handler\ndef work(x): return x\n")
    assert project.sm("run", "parent", "--detach", "--name", "p").code == 0
    found = project.sm("stop", "--status", "running", "--yes", "--json")
    assert found.code == 4  # the parent goes first, and its child ends with it
    assert [each["name"] for each in found.json["stopped"]] == ["p"]
    (refused,) = found.json["refused"]
    assert refused["reason"].endswith("is ABORTED already")
    assert f"not stopped: {refused['reason']}\n1 execution stopped, 1 could not be\n" in found.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stop"], "name an execution, or choose several"),
        (["redrive"], "name an execution, or choose several"),
        (["stop", "w1", "--workflow", "order"], "not both"),
        (["redrive", "f1", "--error", "Broken"], "not both"),
        (["stop", "--status", "FAILED", "--yes"], "no other execution can be stopped"),
        (["redrive", "--status", "RUNNING", "--yes"], "--status takes FAILED, TIMED_OUT or ABORTED"),
        (["stop", "--since", "soon", "--yes"], "--since takes a span"),
    ],
)
def test_what_makes_no_sense_is_exit_2_and_does_nothing(shop: Project, arguments: list[str], sentence: str) -> None:
    before = statuses(shop)
    result = shop.sm(*arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert statuses(shop) == before


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, "ABORTED"), ("n", 1, "RUNNING"), ("", 1, "RUNNING")])
def test_a_person_is_asked(shop: Project, answer: str, code: int, left: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sm_cli", "stop", "--workflow", "order"], cwd=shop.path, stdin=theirs, stdout=theirs,
        stderr=theirs, env=shop.environment(),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"[y/N] " not in shown:
        shown += os.read(ours, 65536)
    assert shown.decode().endswith("stop 2 executions of 'order'? [y/N] ")
    os.write(ours, f"{answer}\n".encode())
    assert process.wait(timeout=60) == code
    os.close(ours)
    now = statuses(shop)
    assert (now["w1"], now["w2"], now["o1"]) == (left, left, "RUNNING")
