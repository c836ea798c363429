"""`sm validate --fix` in templates: where a definition stands in one as it is, and nowhere else."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from tests.cli.conftest import Project

YAML = """\
    # the stack
    Resources:
      Greet: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
      Order:   # of the shop
        Type: AWS::Serverless::StateMachine
        Properties:
          Definition:
            StartAt: A
            States:
              A:
                Type: Task
                Resourc: !GetAtt Greet.Arn   # who does it
                TimeoutSeconds: "30"
                Next: B
              B: {Type: Pass}
      Other: {Type: 'AWS::Serverless::StateMachine', Properties: {Definition: {StartAt: A, States: {A: {Type: Pass}}}}}
    """
FIXED_YAML = """\
    # the stack
    Resources:
      Greet: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
      Order:   # of the shop
        Type: AWS::Serverless::StateMachine
        Properties:
          Definition:
            StartAt: A
            States:
              A:
                Type: Task
                Resource: !GetAtt Greet.Arn   # who does it
                TimeoutSeconds: 30
                Next: B
              B: {Type: Pass, End: true}
      Other: {Type: 'AWS::Serverless::StateMachine', Properties: {Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}}}
    """  # noqa: E501
JSON = """\
    {
      "Resources": {
        "Order": { "Type": "AWS::StepFunctions::StateMachine", "Properties": {
          "Definition": {
            "StartAt": "A",
            "States": {
              "A": {
                "Type": "Wait",
                "Secnds": "5"
              }
            }
          }
        } }
      }
    }
    """
FIXED_JSON = """\
    {
      "Resources": {
        "Order": { "Type": "AWS::StepFunctions::StateMachine", "Properties": {
          "Definition": {
            "StartAt": "A",
            "States": {
              "A": {
                "Type": "Wait",
                "Seconds": 5,
                "End": true
              }
            }
          }
        } }
      }
    }
    """
LITERAL = """\
    Resources:
      Order:
        Type: AWS::StepFunctions::StateMachine
        Properties:
          DefinitionString: !Sub |
            {
              "StartAt": "A",
              "States": {
                "A": {
                  "Type": "Task",
                  "Resourc": "arn:${AWS::Partition}:lambda:::function:a"
                }
              }
            }
          RoleArn: !Ref Role
    """
FIXED_LITERAL = """\
    Resources:
      Order:
        Type: AWS::StepFunctions::StateMachine
        Properties:
          DefinitionString: !Sub |
            {
              "StartAt": "A",
              "States": {
                "A": {
                  "Type": "Task",
                  "Resource": "arn:${AWS::Partition}:lambda:::function:a",
                  "End": true
                }
              }
            }
          RoleArn: !Ref Role
    """
HEREDOC = """\
    resource "aws_sfn_state_machine" "order" {
      definition = <<-EOT
        {
          "StartAt": "A",
          "States": {
            "A": {
              "Type": "Task",
              "TimeoutSeconds": "30",
              "Resourc": "${aws_lambda_function.work.arn}"
            }
          }
        }
      EOT
      role_arn = "x" # of the shop
    }
    """
FIXED_HEREDOC = """\
    resource "aws_sfn_state_machine" "order" {
      definition = <<-EOT
        {
          "StartAt": "A",
          "States": {
            "A": {
              "Type": "Task",
              "TimeoutSeconds": 30,
              "Resource": "${aws_lambda_function.work.arn}",
              "End": true
            }
          }
        }
      EOT
      role_arn = "x" # of the shop
    }
    """
PLUGIN = """\
    service: shop
    provider: {name: aws}
    stepFunctions:
      stateMachines:
        order:
          definition:
            StartAt: A
            States:
              A:
                Type: Task
                Resource: ${self:custom.work}
                Tiemout: 3
                TimeoutSecond: 3
    """
FIXED_PLUGIN = """\
    service: shop
    provider: {name: aws}
    stepFunctions:
      stateMachines:
        order:
          definition:
            StartAt: A
            States:
              A:
                Type: Task
                Resource: ${self:custom.work}
                Tiemout: 3
                TimeoutSeconds: 3
                End: true
    """
KINDS = {
    "an object in YAML": ("template.yaml", YAML, FIXED_YAML),
    "an object in JSON": ("template.json", JSON, FIXED_JSON),
    "a text in YAML": ("template.yml", LITERAL, FIXED_LITERAL),
    "a heredoc": ("main.tf", HEREDOC, FIXED_HEREDOC),
    "the plugin": ("serverless.yml", PLUGIN, FIXED_PLUGIN),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_it_is_fixed_in_its_place_and_the_rest_stays(project: Project, kind: str, line_end: str) -> None:
    name, before, after = KINDS[kind]
    file = project.write(name, dedent(before).replace("\n", line_end).encode())
    result = project.sm("validate", "--fix", name)
    assert file.read_bytes().decode() == dedent(after).replace("\n", line_end), result.err
    assert "made in 1 file" in result.err
    again = project.sm("validate", "--fix", name)
    assert "nothing to fix" in again.err
    assert file.read_bytes().decode() == dedent(after).replace("\n", line_end)
    if kind != "the plugin":  # which keeps a field that has no near name
        assert (result.code, again.code) == (0, 0), result.out


def test_a_dry_run_shows_the_diff_and_writes_nothing(project: Project) -> None:
    file = project.write("template.yaml", YAML)
    result = project.sm("validate", "--fix", "--dry-run", "template.yaml")
    assert "+            Resource: !GetAtt Greet.Arn   # who does it" in result.out
    assert "4 changes would be made in 1 file" in result.err
    assert file.read_text() == dedent(YAML)


def test_one_machine_of_several_is_fixed_by_its_name(project: Project) -> None:
    file = project.write("template.yaml", YAML)
    assert project.sm("validate", "--fix", "template.yaml#Other").code == 0
    text = file.read_text()
    assert "States: {A: {Type: Pass, End: true}}" in text
    assert "Resourc: " in text


NOT_AS_IT_IS = {
    "escaped in JSON": (
        "template.json",
        json.dumps({"Resources": {"Order": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "DefinitionString": '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Secnds": 5, "End": true}}}'}}}}),
    ),
    "joined of parts": (
        "template.yaml",
        """\
        Resources:
          Order:
            Type: AWS::StepFunctions::StateMachine
            Properties:
              DefinitionString:
                Fn::Join: ["", ["{\\"StartAt\\": \\"A\\", \\"States\\": {\\"A\\": {\\"Type\\": \\"Wait\\", ", "\\"Secnds\\": 5, \\"End\\": true}}}"]]
        """,  # noqa: E501
    ),
    "an expression of Terraform": (
        "main.tf",
        'resource "aws_sfn_state_machine" "Order" {\n  definition = jsonencode({\n    StartAt = "A"\n'
        '    States = { A = { Type = "Wait", Seconds = 5 } }\n  })\n}\n',
    ),
    "shared by two machines": (
        "template.yaml",
        """\
        Resources:
          Order: &one
            Type: AWS::StepFunctions::StateMachine
            Properties: {Definition: {StartAt: A, States: {A: {Type: Wait, Secnds: 5, End: true}}}}
          Again: *one
        """,
    ),
    "from a parameter": (
        "template.yaml",
        """\
        Parameters: {Word: {Type: String, Default: '{"Type": "Wait", "Secnds": 5, "End": true}'}}
        Resources:
          Order:
            Type: AWS::StepFunctions::StateMachine
            Properties:
              DefinitionString: !Sub '{"StartAt": "A", "States": {"A": ${Word}}}'
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(NOT_AS_IT_IS))
def test_what_does_not_stand_there_as_it_is_is_left_with_a_sentence(project: Project, kind: str) -> None:
    name, text = NOT_AS_IT_IS[kind]
    file = project.write(name, text)
    before = file.read_bytes()
    result = project.sm("validate", "--fix", name)
    assert file.read_bytes() == before, result.out
    assert f"{name}#Order: 1 change is not made" in result.err
    assert "nothing to fix" in result.err


def test_a_file_that_two_machines_name_is_fixed_once(project: Project) -> None:
    machine = "{Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.asl.json}}"
    project.write("template.yaml", f"Resources:\n  One: {machine}\n  Two: {machine}\n")
    file = project.write("flow.asl.json", '{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}')
    result = project.sm("validate", "--fix", "template.yaml")
    assert (result.code, file.read_text()) == (
        0, '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    ), result.err  # fmt: skip
