"""SAM, CloudFormation, CDK: every machine of a template is found, read, and placed in the template."""

from __future__ import annotations

import json
from textwrap import dedent, indent
from typing import Any

import pytest

from sm_cli.asl.templates.files import NeighbourFile
from sm_cli.asl.templates.machines import TemplateMachine
from sm_cli.asl.templates.reading import template_machines
from sm_cli.asl.validation.validate import find_unsupported, validate
from sm_cli.jsonvalue import Json

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
ONE_STATE = '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "%s", "End": true}}}'


def machines(text: str | bytes, values: dict[str, Json] | None = None, **files: str) -> dict[str, TemplateMachine]:
    content = text.encode() if isinstance(text, str) else text

    def read(path: str) -> NeighbourFile | None:
        name = path.replace("/", "_").replace(".", "_")
        return NeighbourFile(path, files[name].encode()) if name in files else None

    result = template_machines(content, "template.yaml", values or {}, read)
    assert result is not None
    return {machine.name: machine for machine in result}


def definition(machine: TemplateMachine) -> Any:
    assert machine.result.document is not None, machine.result.diagnostics
    assert [d for d in validate(machine.result.document) if d.severity == "error"] == []
    return machine.result.document.value


def resource(machine: TemplateMachine) -> str:
    text: str = definition(machine)["States"]["A"]["Resource"]
    return text


def stack(properties: str, more: str = "", kind: str = "AWS::StepFunctions::StateMachine") -> str:
    return (
        f"Resources:\n  Machine:\n    Type: {kind}\n    Properties:\n{indent(dedent(properties), ' ' * 6)}\n"
        f"  Greet: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b}}}}\n"
        f"  Other: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: other-fn}}}}\n{dedent(more)}"
    )


OBJECT = """
    Definition:
      StartAt: A
      States:
        A: {Type: Task, Resource: %s, End: %s}
"""


@pytest.mark.parametrize(
    ("written", "handler"),
    [
        ("!GetAtt Greet.Arn", f"{ARN}Greet"),
        ("!GetAtt [Greet, Arn]", f"{ARN}Greet"),
        ("{'Fn::GetAtt': [Other, Arn]}", f"{ARN}other-fn"),
        ("{'Fn::GetAtt': Other.Arn}", f"{ARN}other-fn"),
        ("!Ref Alias", f"{ARN}Greet:live"),
        ("!Sub '${Greet.Arn}'", f"{ARN}Greet"),
        ("!Sub ['${F}', {F: !GetAtt Greet.Arn}]", f"{ARN}Greet"),
        ("!Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:Greet'", f"{ARN}Greet"),
        ("!Join [':', [arn, aws, lambda, !Ref AWS::Region, !Ref 'AWS::AccountId', function, Greet]]", f"{ARN}Greet"),
        ("!If [IsProd, !GetAtt Greet.Arn, !GetAtt Other.Arn]", f"{ARN}other-fn"),
        ("!If [Unknown, !GetAtt Greet.Arn, !Ref AWS::NoValue]", f"{ARN}Greet"),
        ("!ImportValue shared-greet", "${shared-greet}"),
        ("{'Fn::ImportValue': !Sub '${AWS::StackName}-greet'}", "${stack-greet}"),
        ("!FindInMap [Arns, !Ref AWS::Region, Greet]", f"{ARN}Mapped"),
        ("!Select [1, [a, 'work']]", "work"),
        ("!Ref GreetArn", "${GreetArn}"),
        ("!Ref FromDefault", f"{ARN}Default"),
        ("!GetAtt Nested.Outputs.GreetArn", "${Nested.Outputs.GreetArn}"),
        ("!Ref Activity", "arn:aws:states:us-east-1:123456789012:activity:Activity"),
        ("!Sub '${Greet.Arn}:${!Literal}'", f"{ARN}Greet:${{Literal}}"),
        ("arn:aws:states:::sqs:sendMessage", "arn:aws:states:::sqs:sendMessage"),
    ],
)
def test_functions_become_arns_of_the_right_kind(written: str, handler: str) -> None:
    text = stack(
        OBJECT % (written, "true"),
        f"""
          Alias: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: !Ref Greet, Name: live}}}}
          Activity: {{Type: AWS::StepFunctions::Activity}}
        Parameters:
          GreetArn: {{Type: String}}
          Stage: {{Type: String, Default: dev}}
          FromDefault: {{Type: String, Default: '{ARN}Default'}}
        Conditions:
          IsProd: !Equals [!Ref Stage, prod]
          Unknown: !Equals [!Ref GreetArn, x]
        Mappings:
          Arns: {{us-east-1: {{Greet: '{ARN}Mapped'}}}}
        """.replace("\n        ", "\n"),
    )
    assert resource(machines(text)["Machine"]) == handler


@pytest.mark.parametrize("end", ["true", "True", "TRUE", "!Ref Yes"])
def test_yaml_of_templates_is_older_than_that_of_definitions(end: str) -> None:
    text = stack(OBJECT % ("work", end), "Parameters:\n  Yes: {Type: String}\n")
    found = machines(text, {"Yes": True})["Machine"]
    assert definition(found)["States"]["A"]["End"] is True


def test_values_that_were_given_win_over_defaults() -> None:
    text = stack(OBJECT % ("!Ref Arn", "true"), "Parameters:\n  Arn: {Type: String, Default: a}\n")
    assert resource(machines(text, {"Arn": "b"})["Machine"]) == "b"


TEXTS = {
    "plain": "DefinitionString: '" + ONE_STATE % "work" + "'",
    "block": "DefinitionString: |\n  " + ONE_STATE % "work",
    "folded": "DefinitionString: >-\n  " + ONE_STATE % "work",
    "sub": "DefinitionString: !Sub |\n  " + ONE_STATE % "${Greet.Arn}",
    "sub in full": "DefinitionString:\n  Fn::Sub: |-\n    " + ONE_STATE % "${Greet.Arn}",
    "sub with variables": "DefinitionString: !Sub\n  - '" + ONE_STATE % "${F}" + "'\n  - F: !GetAtt Greet.Arn",
    "join": "DefinitionString: !Join\n  - ''\n  - - '" + (ONE_STATE % "@").split("@")[0]
    + "'\n    - !GetAtt Greet.Arn\n    - '" + (ONE_STATE % "@").split("@")[1] + "'",
    "join of lines": 'DefinitionString: !Join ["\\n", [' + ", ".join(
        json.dumps(line) for line in json.dumps(json.loads(ONE_STATE % "work"), indent=1).split("\n")) + "]]",
    "double quotes": "DefinitionString: " + json.dumps(ONE_STATE % "work"),
    "to json": "DefinitionString: !ToJsonString\n  StartAt: A\n  States: {A: {Type: Task, Resource: work, End: true}}",
    "substituted": "DefinitionString: '" + ONE_STATE % "${G}" + "'\nDefinitionSubstitutions: {G: !GetAtt Greet.Arn}",
    "if": "DefinitionString: !If [Prod, '" + ONE_STATE % "work" + "', !Ref AWS::NoValue]",
}  # fmt: skip


@pytest.mark.parametrize("shape", TEXTS)
def test_a_definition_string_of_any_shape_is_read(shape: str) -> None:
    assert resource(machines(stack(TEXTS[shape]))["Machine"]) in ("work", f"{ARN}Greet")


@pytest.mark.parametrize("shape", ["block", "sub", "sub in full", "join", "double quotes", "plain"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_problem_in_a_string_stands_on_its_line_of_the_template(shape: str, end: str, bom: bytes) -> None:
    text = stack(TEXTS[shape].replace('"End"', '"Ennd"').replace('\\"End', '\\"Ennd'))
    found = machines(bom + text.replace("\n", end).encode())["Machine"]
    assert found.result.document is not None
    problem = next(d for d in validate(found.result.document) if d.code == "SM101")
    assert problem.position is not None
    line = text.split("\n")[problem.position.line - 1]
    assert "Ennd" in line[problem.position.column - 1 : problem.position.end_column - 1]


def test_a_syntax_error_in_a_string_stands_on_its_line() -> None:
    text = stack('DefinitionString: !Sub |\n  {"StartAt": "A",\n   "States": {"A": {"Type": "Pass" "End": true}}}')
    (problem,) = machines(text)["Machine"].result.diagnostics
    assert problem.position is not None
    assert (problem.code, text.split("\n")[problem.position.line - 1].strip()[:8]) == ("SM003", '"States"')


def test_numbers_without_quotes_in_a_string_are_numbers() -> None:
    text = stack(
        """
        DefinitionString: !Sub |
          {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${Pause}, "Next": "B"},
           "B": {"Type": "Wait", "Seconds": ${Unknown}, "End": true}}}
        """,
        "Parameters:\n  Pause: {Type: Number, Default: 7}\n",
    )
    found = machines(text)["Machine"]
    assert definition(found)["States"]["A"]["Seconds"] == 7
    assert found.result.document is not None
    assert [d.code for d in find_unsupported(found.result.document)] == ["SM901"]


def test_a_template_of_cdk_is_read() -> None:
    head, tail = (json.dumps(json.loads(ONE_STATE % "@"))).split("@")
    template = {
        "Resources": {
            "GreetFn1A2B3C4D": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "index.handler"}},
            "Flow5E6F7A8B": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": {"Fn::Join": ["", [head, {"Fn::GetAtt": ["GreetFn1A2B3C4D", "Arn"]}, tail]]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                },
                "Metadata": {"aws:cdk:path": "Stack/Flow/Resource"},
            },
        },
        "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk"}},
    }
    for text in (json.dumps(template), json.dumps(template, indent=1), json.dumps(template, indent="\t")):
        assert resource(machines(text)["Flow5E6F7A8B"]) == f"{ARN}GreetFn"


@pytest.mark.parametrize(
    "written",
    ["!Ref Text", "!ImportValue Text", "!Sub '${Text}'", "!Base64 x", "!If [No, !Ref Text, !Ref Text]", "!GetAtt A.B"],
)
def test_a_definition_that_a_function_gives_is_a_note_where_nobody_knows_it(written: str) -> None:
    for field in ("DefinitionString", "Definition"):
        found = machines(stack(f"{field}: {written}", "Parameters: {Text: {Type: String}}\n"))["Machine"]
        assert found.result.document is None
        assert [(each.code, each.severity) for each in found.result.diagnostics] == [("SM017", "info")]


def test_anchors_merge_keys_and_several_documents() -> None:
    text = """
    Retries: &retry
      - {ErrorEquals: [States.ALL], MaxAttempts: 2}
    Shared: &task {Type: Task, Resource: work}
    Resources:
       Machine:
          Type: AWS::StepFunctions::StateMachine
          Properties:
             Definition:
                StartAt: A
                States:
                   A:
                      <<: *task
                      Retry: *retry
                      End: true
    ---
    Resources:
      Second:
        Type: AWS::StepFunctions::StateMachine
        Properties: {Definition: {StartAt: A, States: {A: {Type: Succeed}}}}
    """
    found = machines(dedent(text))
    assert definition(found["Machine"])["States"]["A"]["Retry"][0]["MaxAttempts"] == 2
    assert list(found) == ["Machine", "Second"]


def test_aliases_that_grow_without_bound_are_not_followed() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 40))]
    text = "\n".join(lines) + "\n" + stack("Definition: *a39")
    (note,) = machines(text)["Machine"].result.diagnostics
    assert (note.code, note.severity) == ("SM017", "info")


@pytest.mark.parametrize(
    "where",
    [
        "DefinitionUri: flow.asl.json",
        "DefinitionUri: {Bucket: !Ref B, Key: flow.asl.json}",
        "DefinitionS3Location: {Bucket: b, Key: flow.asl.json}",
        "Definition: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: flow.asl.json}}}",
    ],
)
def test_a_definition_in_a_file_of_its_own_has_the_templates_values(where: str) -> None:
    text = stack(
        f"{where}\nDefinitionSubstitutions: {{Greet: !GetAtt Greet.Arn}}", kind="AWS::Serverless::StateMachine"
    )
    found = machines(text, flow_asl_json=ONE_STATE % "${Greet}")["Machine"]
    assert (resource(found), found.file) == (f"{ARN}Greet", "flow.asl.json")
    (note,) = machines(text)["Machine"].result.diagnostics
    assert (note.code, note.severity, "flow.asl.json" in note.message) == ("SM017", "info", True)


def test_what_cannot_be_told_is_a_note_and_no_error() -> None:
    found = machines(stack(OBJECT % ("{'Fn::Nobody': [1]}", "true")))["Machine"]
    assert [(d.code, d.severity) for d in found.result.diagnostics] == [("SM017", "info")]
    assert resource(found) == "${Nobody}"


@pytest.mark.parametrize("properties", ["RoleArn: a", "Definition: !Ref AWS::NoValue"])
def test_a_machine_without_a_definition_is_a_note(properties: str) -> None:
    found = machines(stack(properties))["Machine"]
    assert (found.result.document, [d.severity for d in found.result.diagnostics]) == (None, ["info"])


def test_a_template_without_a_machine_has_none_and_others_are_no_templates() -> None:
    assert machines("Resources:\n  A: {Type: AWS::SNS::Topic}\n") == {}
    for text in (ONE_STATE % "AWS::StepFunctions::StateMachine", "a: 1\n", "", '{"Resources": []}'):
        assert template_machines(text.encode(), "a.json", {}, lambda _: None) is None


@pytest.mark.parametrize("text", ["Resources:\n  A: [AWS::StepFunctions::StateMachine\n  Type: AWS::X::Y\n"])
def test_a_template_that_is_no_yaml_says_where(text: str) -> None:
    (problem,) = machines(text)["template"].result.diagnostics
    assert (problem.code, problem.severity) == ("SM004", "error")


def test_a_loop_over_resources_is_written_out() -> None:
    text = """
    Transform: AWS::LanguageExtensions
    Resources:
      Fn::ForEach::Flows:
        - Name
        - [Order, Refund]
        - Flow${Name}:
            Type: AWS::StepFunctions::StateMachine
            Properties:
              DefinitionString: !Sub |
                {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Name}", "Ennd": true}}}
    """
    found = machines(dedent(text))
    assert list(found) == ["FlowOrder", "FlowRefund"]
    document = found["FlowRefund"].result.document
    assert document is not None
    assert document.value["States"]["A"]["Resource"] == "Refund"  # type: ignore[index, call-overload]
    (place,) = {d.position.line for d in validate(document) if d.code == "SM101" and d.position is not None}
    assert place == 11
