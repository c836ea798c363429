"""Templates on the command line: `FILE` checks every machine, `FILE#NAME` is one of them, for every command."""

from __future__ import annotations

import pytest

from sm_cli.testing import simulate
from tests.cli.conftest import Project

TEMPLATE = """
Parameters:
  Pause: {Type: Number, Default: 0}
Resources:
  Greet: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
  Order:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: flows/order.asl.json
      DefinitionSubstitutions: {GreetArn: !GetAtt Greet.Arn, Pause: !Ref Pause}
  Other:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A: {Type: Pass, Next: B}
"""
ORDER = (
    '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${GreetArn}", "Next": "W"},'
    ' "W": {"Type": "Wait", "Seconds": "${Pause}", "End": true}}}'
)
HANDLERS = "@handler('Greet')\ndef greet(x): return 'hi'\n"


def templates(project: Project) -> None:
    project.write("template.yaml", TEMPLATE)
    project.write("flows/order.asl.json", ORDER)
    project.handlers(HANDLERS)
    project.write("sm.toml", "")


def test_every_machine_is_checked_and_placed_in_the_template(project: Project) -> None:
    templates(project)
    result = project.sm("validate", "template.yaml")
    assert result.code == 1
    assert "template.yaml:17:33: error SM203: Next names 'B'" in result.out
    assert "template.yaml#Order (flows/order.asl.json): OK" in result.out
    assert project.sm("validate", "template.yaml#Order").code == 0


def test_formats_name_the_file_and_not_the_machine(project: Project) -> None:
    templates(project)
    assert project.sm("validate", "--format", "github", "template.yaml").out.startswith(
        "::error file=template.yaml,line=17"
    )
    result = project.sm("validate", "--format", "sarif", "template.yaml").json["runs"][0]["results"][0]
    location = result["locations"][0]["physicalLocation"]
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == ("template.yaml", 17)
    files = [(each["file"], each["machine"]) for each in project.sm("validate", "--json", "template.yaml").json]
    assert files == [("flows/order.asl.json", "Order"), ("template.yaml", "Other")]


def test_in_a_folder_a_definition_that_a_template_names_is_checked_once(project: Project) -> None:
    templates(project)
    result = project.sm("validate", ".")
    assert result.out.count("order.asl.json") == 1
    assert "2 workflows" not in result.out


def test_a_machine_runs_by_its_logical_id_and_its_file_with_the_templates_values(project: Project) -> None:
    templates(project)
    assert project.sm("run", "template.yaml#Order").out == '"hi"\n'
    assert project.sm("run", "flows/order.asl.json").out == '"hi"\n'
    assert project.sm("test-state", "template.yaml#Order", "A").out == '"hi"\n'
    assert "Greet" in project.sm("graph", "template.yaml#Order").out
    assert simulate(project.path / "template.yaml#Order", handlers={"Greet": lambda _: 2}).output == 2


@pytest.mark.parametrize(
    ("reference", "code", "sentence"),
    [
        (
            "template.yaml",
            2,
            "template.yaml holds several state machines: Order, Other; name one as template.yaml#Order",
        ),
        ("template.yaml#Ordr", 3, "template.yaml has no state machine 'Ordr'; did you mean 'Order'?"),
        ("topic.yaml", 3, "topic.yaml is a template without a state machine"),
        ("flows/order.asl.json#Order", 3, "flows/order.asl.json is one definition, so it has no 'Order'"),
    ],
)
def test_what_names_no_machine_is_one_sentence(project: Project, reference: str, code: int, sentence: str) -> None:
    templates(project)
    project.write("topic.yaml", "Resources:\n  A: {Type: AWS::SNS::Topic}\n")
    for command in ("run", "graph"):
        result = project.sm(command, reference)
        assert (result.code, result.err) == (code, f"sm: error: {sentence}\n")


def test_a_template_without_a_machine_is_no_error_of_a_folder(project: Project) -> None:
    project.write("topic.yaml", "Resources:\n  A: {Type: AWS::SNS::Topic}\n")
    project.write("a.asl.json", '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
    assert project.sm("validate", ".").code == 0
    assert project.sm("validate", "topic.yaml").err == "sm: error: topic.yaml is a template without a state machine\n"


def test_a_template_reads_no_file_outside_of_the_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("secret.asl.json", ORDER)
    project.write("inner/sm.toml", "")
    project.write("inner/template.yaml", TEMPLATE.replace("flows/order.asl.json", "../secret.asl.json"))
    monkeypatch.chdir(project.path / "inner")
    result = project.sm("validate", "template.yaml")
    assert "../secret.asl.json, which is not in the project" in result.out


def test_fix_leaves_templates_alone(project: Project) -> None:
    templates(project)
    project.sm("validate", "--fix", "template.yaml")
    assert (project.path / "template.yaml").read_text().strip() == TEMPLATE.strip()


def test_by_content_passes_over_files_that_hold_no_workflow(project: Project) -> None:
    templates(project)
    project.write("topic.yaml", "Resources:\n  A: {Type: AWS::SNS::Topic}\n")
    project.write("package.json", "{}")
    names = ("topic.yaml", "package.json")
    assert (project.sm("validate", "--by-content", *names).code, project.sm("validate", *names).code) == (0, 3)
    result = project.sm("validate", "--by-content", "template.yaml", *names)
    assert (result.code, "template.yaml#Order" in result.out, "package.json" in result.out) == (1, True, False)


TERRAFORM = """
resource "aws_sfn_state_machine" "order" {
  definition = <<-EOF
    {"StartAt": "A",
     "States": {"A": {"Type": "Task", "Resource": "${aws_lambda_function.greet.arn}", "Next": "B"}}}
  EOF
}
"""


def test_terraform_is_checked_and_runs_by_the_name_of_its_resource(project: Project) -> None:
    project.write("infra/main.tf", TERRAFORM)
    project.write("infra/vpc.tf", 'resource "aws_vpc" "a" {}\n')
    result = project.sm("validate", ".")
    assert "infra/main.tf:5:95: error SM203: Next names 'B'" in result.out
    assert "1 workflow, 1 passed over" in result.err
    project.write("infra/main.tf", TERRAFORM.replace('"Next": "B"', '"End": true'))
    assert project.sm("run", "infra/main.tf", "--stub").code == 0
    assert "order" in project.sm("list").out
