"""A machine that starts another one of the same template, on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sm_cli.testing import simulate
from tests.cli.conftest import Project

SAM = """\
    Resources:
      Parent:
        Type: AWS::Serverless::StateMachine
        Properties:
          Definition:
            StartAt: Call
            States:
              Call:
                Type: Task
                Resource: arn:aws:states:::states:startExecution.sync:2
                Parameters: {StateMachineArn: %s, Input: {number.$: $.number}}
                OutputPath: $.Output
                End: true
      Child:
        Type: AWS::StepFunctions::StateMachine
        Properties:
          %s
          DefinitionString: |
            {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "twice", "End": true}}}
    """
SERVERLESS = """\
    service: shop
    provider: {name: aws}
    stepFunctions:
      stateMachines:
        Parent:
          definition:
            StartAt: Call
            States:
              Call:
                Type: Task
                Resource: arn:aws:states:::states:startExecution.sync:2
                Parameters: {StateMachineArn: %s, Input: {number.$: $.number}}
                OutputPath: $.Output
                End: true
        child-one:
          %s
          definition:
            StartAt: A
            States: {A: {Type: Task, Resource: twice, End: true}}
    """
TERRAFORM = """\
    resource "aws_sfn_state_machine" "Parent" {
      definition = jsonencode({
        StartAt = "Call"
        States = { Call = {
          Type = "Task", Resource = "arn:aws:states:::states:startExecution.sync:2", OutputPath = "$.Output", End = true
          Parameters = { StateMachineArn = aws_sfn_state_machine.child.arn, Input = { "number.$" = "$.number" } }
        } }
      })
    }
    """
CHILD_TF = """\
    resource "aws_sfn_state_machine" "child" {
      name       = "%s"
      definition = jsonencode({ StartAt = "A", States = { A = { Type = "Task", Resource = "twice", End = true } } })
    }
    """

TEMPLATES: dict[str, tuple[str, str]] = {
    "by Ref": ("template.yaml", SAM % ("!Ref Child", "LoggingConfiguration: {}")),
    "by Arn and name": ("template.yaml", SAM % ("!GetAtt Child.Arn", "StateMachineName: the-child")),
    "by Sub": ("template.yaml", SAM % ("!Sub '${Child.Arn}'", "LoggingConfiguration: {}")),
    "of the plugin": ("serverless.yml", SERVERLESS % ("!Ref ChildDashoneStepFunctionsStateMachine", "type: STANDARD")),
    "of the plugin by id": ("serverless.yml", SERVERLESS % ("!GetAtt [Kid, Arn]", "id: Kid")),
    "of the plugin by name": ("serverless.yml", SERVERLESS % ("!GetAtt theChild.Arn", "name: theChild")),
    "of Terraform": ("main.tf", TERRAFORM),
}


@pytest.fixture(params=list(TEMPLATES))
def reference(request: pytest.FixtureRequest, project: Project) -> str:
    file, text = TEMPLATES[request.param]
    project.write(file, text)
    if file == "main.tf":
        project.write("child.tf", CHILD_TF % "a-child")
    project.handlers('@handler("twice")\ndef twice(input): return {"twice": 2 * input["number"]}\n')
    return f"{file}#Parent"


def test_it_runs_against_that_machine(project: Project, reference: str) -> None:
    result = project.sm("run", reference, "number=4")
    assert (result.code, result.out) == (0, '{"twice":8}\n'), result.err


def test_another_worker_finds_that_machine_too(project: Project, reference: str) -> None:
    project.sm("run", reference, "number=4", "--detach")
    assert project.sm("worker", "--drain").code == 0
    executions = project.sm("list", "--json").json
    assert [each["status"] for each in executions] == ["SUCCEEDED", "SUCCEEDED"]


def test_a_test_in_memory_finds_that_machine_too(project: Project, reference: str) -> None:
    outcome = simulate(Path(reference), {"number": 4}, handlers={"twice": lambda order: {"twice": 2 * order["number"]}})
    assert outcome.result() == {"twice": 8}


def test_a_handler_that_only_the_other_machine_needs_is_missed_before_the_start(project: Project) -> None:
    project.write("template.yaml", SAM % ("!Ref Child", "LoggingConfiguration: {}"))
    project.handlers("@handler\ndef thrice(input): return input\n")
    result = project.sm("run", "template.yaml#Parent", "number=4")
    assert result.code == 8
    assert "'twice' for the state 'A of Child'" in result.err


def test_a_schedule_and_a_batch_run_against_it(project: Project) -> None:
    project.write("template.yaml", SAM % ("!Ref Child", "LoggingConfiguration: {}"))
    project.handlers('@handler("twice")\ndef twice(input): return {"twice": 2 * input["number"]}\n')
    project.write("items.json", '[{"number": 1}, {"number": 2}]')
    batch = project.sm("batch", "run", "template.yaml#Parent", "--inputs", "items.json")
    assert batch.code == 0, batch.err
    assert project.sm("schedule", "add", "template.yaml#Parent", "--every", "1h", "--name", "hourly").code == 0
    names = {line.split()[0] for line in project.sm("workflow", "list").out.splitlines()}
    assert {"Parent", "Child"} <= names


def cdk(*, path: str | None, more: dict[str, Any] | None = None) -> str:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "@", "End": True}}}
    before, _, after = json.dumps(definition).partition("@")
    function: dict[str, Any] = {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "index.main"}}
    if path is not None:
        function["Metadata"] = {"aws:cdk:path": path}
    joined_text = {"Fn::Join": ["", [before, {"Fn::GetAtt": ["ProcessOrderFn12AB34CD", "Arn"]}, after]]}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": joined_text}}
    return json.dumps({"Resources": {"ProcessOrderFn12AB34CD": function, "M0A1B2C3D": machine, **(more or {})}})


@pytest.mark.parametrize("path", ["Stack/ProcessOrderFn/Resource", "Stack/Process/OrderFn/Resource"])
def test_a_function_of_cdk_is_served_by_the_handler_of_its_construct(project: Project, path: str) -> None:
    project.write("cdk.out/Stack.template.json", cdk(path=path))
    project.handlers("@handler\ndef ProcessOrderFn(input): return 'served'\n")
    result = project.sm("run", "cdk.out/Stack.template.json#M0A1B2C3D")
    assert (result.code, result.out) == (0, '"served"\n'), result.err


def test_two_constructs_of_one_name_keep_their_hashes(project: Project) -> None:
    other = {"Type": "AWS::Lambda::Function", "Metadata": {"aws:cdk:path": "Stack/Process/OrderFn/Resource"}}
    project.write(
        "stack.template.json", cdk(path="Stack/ProcessOrderFn/Resource", more={"ProcessOrderFn99999999": other})
    )
    project.handlers("@handler\ndef ProcessOrderFn12AB34CD(input): return 'served'\n")
    assert project.sm("run", "stack.template.json").out == '"served"\n'


def test_a_logical_id_that_only_looks_like_one_of_cdk_is_kept(project: Project) -> None:
    project.write("stack.template.json", cdk(path=None))
    project.handlers("@handler\ndef ProcessOrderFn12AB34CD(input): return 'served'\n")
    assert project.sm("run", "stack.template.json").out == '"served"\n'
