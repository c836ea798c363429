"""Executions that start others, as somebody at a terminal sees them; and AWS's limits on what they carry."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

PARENT = """
    StartAt: Nest
    States:
      Nest:
        Type: Task
        Resource: arn:aws:states:::states:startExecution.sync:2
        Parameters:
          StateMachineArn: arn:aws:states:us-east-1:123456789012:stateMachine:kid
          Input: {x: 1}
        OutputPath: $.Output
        End: true
"""
KID = "StartAt: W\nStates:\n  W: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.x, End: true}\n"


def answers(value: str) -> str:
    return f"StartAt: P\nStates:\n  P: {{Type: Pass, Result: {value}, End: true}}\n"


def test_a_nested_workflow_is_found_beside_its_parent_as_it_is_now(project: Project) -> None:
    project.workflow(PARENT, "parent.yaml")
    project.workflow(answers("one"), "kid.yaml")
    assert project.sm("run", "parent").json == "one"
    project.workflow(answers("second"), "kid.yaml")
    assert project.sm("run", "parent").json == "second"
    (project.path / "workflows" / "kid.yaml").unlink()
    assert project.sm("run", "parent").json == "second"  # the database still has it


def test_a_nested_workflow_that_is_not_there_or_cannot_run_fails_the_task(project: Project) -> None:
    project.workflow(PARENT, "parent.yaml")
    none = project.sm("run", "parent")
    assert none.code == 1
    assert "error: StepFunctions.StateMachineDoesNotExistException" in none.err
    assert "cause: State Machine Does Not Exist: 'kid'" in none.err
    project.workflow("StartAt: P\nStates: {}\n", "kid.yaml")
    wrong = project.sm("run", "parent")
    assert wrong.code == 1
    assert "kid.yaml" in wrong.err


def test_a_handler_that_a_nested_workflow_misses_is_said_before_the_first_state(project: Project) -> None:
    project.workflow(PARENT, "parent.yaml")
    project.workflow("StartAt: T\nStates:\n  T: {Type: Task, Resource: ship, End: true}\n", "kid.yaml")
    project.handlers("")
    missing = project.sm("run", "parent")
    assert missing.code == 8
    assert "ship" in missing.err
    assert "T of kid" in missing.err
    assert project.sm("list").out == ""


def test_show_why_and_stop_follow_a_nested_execution(project: Project) -> None:
    project.workflow(PARENT, "parent.yaml")
    project.workflow(KID, "kid.yaml")
    ref = project.sm("run", "parent", "--detach").out.strip()
    (kid,) = project.sm("list", "--workflow", "kid", "--json").json
    assert (
        f"now         Nest waits for the execution {kid['name']} of kid: sm show {kid['id']}"
        in project.sm("show", ref).out
    )
    said = project.sm("why", ref).out
    assert f"Nest waits for the execution {kid['name']} of kid.\n  sm why {kid['id']}\n" in said
    assert f"part of     {ref}" in project.sm("show", kid["id"]).out
    assert project.sm("stop", ref).code == 0
    assert project.sm("show", kid["id"], "--json").json["status"] == "ABORTED"
    assert project.sm("waits", "--json").json == []


def test_a_message_moves_a_nested_execution_and_with_it_the_parent(project: Project) -> None:
    project.workflow(PARENT, "parent.yaml")
    project.workflow(KID, "kid.yaml")
    ref = project.sm("run", "parent", "--detach").out.strip()
    assert project.sm("send-message", "k=1", "--data", '{"paid": true}').code == 0
    assert project.sm("output", ref).json == {"x": 1, "paid": True}


BIG = """
    StartAt: T
    States:
      T: {Type: Task, Resource: big, End: true}
"""
HANDLER = """
    @handler
    def big(input, context):
        return "x" * 300_000
"""


@pytest.mark.parametrize("how", ["option", "configuration"])
def test_aws_limits_fail_a_payload_that_aws_would_refuse(project: Project, how: str) -> None:
    project.workflow(BIG)
    project.handlers(HANDLER)
    assert project.sm("run").code == 0
    if how == "configuration":
        project.write("sm.toml", "aws_limits = true\n")
    found = project.sm("run", *(["--aws-limits"] if how == "option" else []))
    assert found.code == 1
    assert "error: States.DataLimitExceeded" in found.err
    assert "returned a result with a size exceeding the maximum number of bytes service limit" in found.err


def test_aws_limits_stay_with_the_execution_whoever_works_on_it(project: Project) -> None:
    project.workflow(BIG)
    project.handlers(HANDLER)
    project.sm("run", "--aws-limits", "--detach")
    assert project.process("worker", "--drain").code == 1
    assert project.sm("list", "--json").json[0]["error"] == "States.DataLimitExceeded"


def test_aws_limits_refuse_an_input_and_a_definition_that_are_too_large(project: Project) -> None:
    project.workflow(BIG)
    project.handlers(HANDLER)
    project.write("input.json", '"' + "x" * 262_144 + '"')
    input = project.sm("run", "--aws-limits", "--input", "input.json")
    assert (input.code, "the input has 262,146 bytes; AWS takes at most 262,144" in input.err) == (2, True)
    project.workflow(BIG + "    Comment: " + "x" * 1_048_576 + "\n")
    definition = project.sm("run", "--aws-limits")
    assert definition.code == 2
    assert "AWS takes at most 1,048,576" in definition.err
    assert project.sm("list").out == ""
