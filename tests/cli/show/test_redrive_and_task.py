"""`sm redrive` and `sm task`, as a user types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Project

FRAGILE = """
    from pathlib import Path

    from sm_cli import handler


    @handler
    def fragile(input):
        if not Path("fixed").exists():
            raise ValueError("not fixed yet")
        return {"ok": True}
"""
WORKFLOW = """
    StartAt: Before
    States:
      Before: {Type: Pass, Next: Work}
      Work: {Type: Task, Resource: fragile, End: true}
"""
CALLBACK = """
    StartAt: Ask
    States:
      Ask:
        Type: Task
        Resource: ask.waitForTaskToken
        Parameters: {token.$: $$.Task.Token}
        End: true
"""
ASK = """
    from sm_cli import handler


    @handler
    def ask(input, context):
        assert input["token"] == context.task_token
        return None
"""


def test_a_failed_execution_goes_on_when_what_was_wrong_is_fixed(project: Project) -> None:
    project.write("workflows/w.yaml", WORKFLOW)
    project.write("handlers/h.py", FRAGILE)
    assert project.sm("run", "--name", "one").code == 1
    dry = project.sm("redrive", "one", "--dry-run")
    assert (dry.code, dry.out) == (0, "Work (Task)\n")
    assert "stays FAILED" in dry.err
    project.write("fixed", "")
    again = project.sm("redrive", "one", "--json")
    assert again.json["again"] == [{"state": "Work", "type": "Task", "where": []}]
    assert project.sm("worker", "--drain").code == 0
    assert project.sm("output", "one").json == {"ok": True}
    assert project.sm("redrive", "one").code == 4


def test_a_redrive_into_a_fail_state_says_that_it_fails_again(project: Project) -> None:
    project.write(
        "workflows/w.yaml",
        "StartAt: Check\nStates:\n  Check: {Type: Pass, Next: Refuse}\n  Refuse: {Type: Fail, Error: No}\n",
    )
    assert project.sm("run", "--name", "one").code == 1
    warning = "sm: warning: Refuse is a Fail state, so it fails again; --from STATE goes on from another one"
    for options in ((), ("--dry-run",), ("--json",), ("--from", "Refuse")):
        result = project.sm("redrive", "one", "--dry-run", *options)
        assert (result.code, result.err.splitlines()[0]) == (0, warning)
    assert "fails again" not in project.sm("redrive", "one", "--from", "Check", "--dry-run").err


def test_a_redrive_from_a_state_that_is_not_there_names_those_that_are(project: Project) -> None:
    project.write("workflows/w.yaml", WORKFLOW)
    project.write("handlers/h.py", FRAGILE)
    project.sm("run", "--name", "one")
    refused = project.sm("redrive", "one", "--from", "Nope")
    assert (refused.code, refused.out) == (3, "")
    assert "the workflow has no state 'Nope' at its top level; it has Before, Work" in refused.err


def test_an_input_without_a_state_is_refused(project: Project) -> None:
    project.write("workflows/w.yaml", WORKFLOW)
    project.write("handlers/h.py", FRAGILE)
    project.sm("run", "--name", "one")
    refused = project.sm("redrive", "one", "--input", "{}")
    assert refused.code == 2
    assert "--input belongs to --from" in refused.err


def test_a_task_with_a_token_ends_by_its_callback(project: Project) -> None:
    project.write("workflows/w.yaml", CALLBACK)
    project.write("handlers/h.py", ASK)
    assert project.sm("run", "--detach", "--name", "one").code == 0
    assert project.sm("worker", "--drain").code == 0
    (task,) = project.sm("task", "list", "--json").json
    assert (task["execution_name"], task["state"]) == ("one", "Ask")
    assert "Ask has handed its work over and waits for the callback" in project.sm("show", "one").out
    assert project.sm("task", "heartbeat", task["token"]).code == 0
    done = project.sm("task", "success", task["token"], "--output", '{"yes": 1}')
    assert (done.code, done.out) == (0, "")
    assert project.sm("output", "one").json == {"yes": 1}
    stale = project.sm("task", "failure", task["token"])
    assert stale.code == 4
    assert "stale" in stale.err
    assert project.sm("task", "success", "nonsense").code == 2
    assert project.sm("task", "list").out == ""
