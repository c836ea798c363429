"""Every format's template is read back, with the definition that was exported in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sm_cli.asl.export.formats import FORMATS, files_of, template_of
from sm_cli.asl.export.plan import ExportPlan, TextPart
from sm_cli.asl.templates.hcl import read_blocks
from sm_cli.asl.validation.validate import validate
from sm_cli.project.reading import DefinitionReader
from tests.export.definitions import machine, plan, task

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
#: The formats that our own reader knows, with what it calls functions and parameters, and the machine.
READABLE: dict[str, tuple[Callable[[str], str], Callable[[str], str], str]] = {
    "sam": (lambda id: f"{id}Function", lambda name: f"${{{name}}}", "OrderStateMachine"),
    "cloudformation": (lambda id: f"{id}Function", lambda name: f"${{{name}}}", "OrderStateMachine"),
    "terraform": (lambda id: f"order-{id}", lambda name: f"${{var.{snakes(name)}}}", "order"),
    "serverless": (lambda id: id[:1].lower() + id[1:], lambda name: f"${{param:{name}}}", "order"),
}


def snakes(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def filled(value: Any, words: dict[str, str]) -> Any:
    """The definition with what our reader takes for each placeholder."""
    if isinstance(value, dict):
        return {filled(key, words): filled(member, words) for key, member in value.items()}
    if isinstance(value, list):
        return [filled(item, words) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: words.get(match[1], match[0]), value)
    return value


def expected(it: ExportPlan, format: str) -> Any:
    function, parameter, _ = READABLE[format]

    def word(part: TextPart) -> str:
        if part.kind == "function":
            return ARN + function(part.value)
        return parameter(part.value) if part.kind == "parameter" else "us-east-1"

    return filled(it.definition, {name: word(part) for name, part in it.substitutions.items()})


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def read_back(file: Path, format: str) -> Any:
    document = DefinitionReader(root=file.parent).document(f"{file}#{READABLE[format][2]}")
    assert [each.message for each in validate(document) if each.severity == "error"] == []
    return plain(document.value) if format == "terraform" else document.value


def plain(value: Any) -> Any:
    """Our reader keeps the places of a text for `templatefile`, and with them what is doubled in it. A blank before the
    brace of an object is nothing to JSONata."""
    return json.loads(re.sub(r"[$%]([$%]\{)", r"\1", json.dumps(value)).replace("{% {", "{%{"))


@pytest.mark.parametrize("log_level", [None, "ERROR"])
@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize("format", READABLE)
def test_a_project_is_read_back_with_the_same_definition(
    format: str, type: str, log_level: str | None, tmp_path: Path
) -> None:
    it = plan(type=type, log_level=log_level)
    write(tmp_path, files_of(it, format))
    assert read_back(tmp_path / FORMATS[format].file, format) == expected(it, format)


@pytest.mark.parametrize("format", READABLE)
def test_a_template_alone_holds_the_same_definition(format: str, tmp_path: Path) -> None:
    it = plan()
    file = tmp_path / FORMATS[format].file
    file.write_text(template_of(it, format), encoding="utf-8")
    assert read_back(file, format) == expected(it, format)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_workflow_without_a_task_is_a_project_too(format: str, tmp_path: Path) -> None:
    it = plan(
        machine(A={"Type": "Pass", "Result": {"n": 1.5, "yes": "no", "on": True, "x": None, "date": "2026-01-01"}})
    )
    files = files_of(it, format)
    assert not any(path.startswith("functions/") for path in files)
    write(tmp_path, files)
    if format in READABLE:
        assert read_back(tmp_path / FORMATS[format].file, format) == it.definition


def test_the_definitions_file_is_the_definition() -> None:
    it = plan()
    for format in ("sam", "cloudformation", "cdk"):
        assert json.loads(files_of(it, format)["statemachine/order.asl.json"]) == it.definition


def test_terraform_takes_literals_that_look_like_its_own_words() -> None:
    text = files_of(plan(), "terraform")["statemachine/order.asl.json"]
    assert "{% {'a': $states.input, 'b': '$${not one}'}%}" in text
    assert '"${ProcessOrderFunctionArn}"' in text
    assert "Everything: ${, %%{ and" not in text
    assert "Everything: $${, %%{ and" in text


# -- SAM and CloudFormation --------------------------------------------------------------------------


class _Tags(yaml.SafeLoader):
    """Reads `!GetAtt A.Arn` as ("GetAtt", "A.Arn")."""


_Tags.add_multi_constructor("!", lambda loader, tag, node: (tag, loader.construct_scalar(node)))


def template(it: ExportPlan, format: str) -> Any:
    return yaml.load(template_of(it, format), _Tags)


def types(it: ExportPlan, format: str) -> dict[str, str]:
    return {name: resource["Type"] for name, resource in template(it, format)["Resources"].items()}


def test_the_resources_of_sam() -> None:
    it = plan(machine(A=task("charge"), B=task("approve.waitForTaskToken")), log_level="ALL")
    assert types(it, "sam") == {
        "ChargeFunction": "AWS::Serverless::Function",
        "ApproveCallbackFunction": "AWS::Serverless::Function",
        "OrderLogGroup": "AWS::Logs::LogGroup",
        "OrderStateMachine": "AWS::Serverless::StateMachine",
    }
    document = template(it, "sam")
    assert document["Transform"] == "AWS::Serverless-2016-10-31"
    assert document["Globals"]["Function"]["Runtime"] == "python3.12"
    function = document["Resources"]["ChargeFunction"]["Properties"]
    assert (function["CodeUri"], function["Handler"], function["Timeout"]) == ("functions/payments", "app.charge", 60)
    properties = document["Resources"]["OrderStateMachine"]["Properties"]
    assert properties["DefinitionSubstitutions"] == {
        "ChargeFunctionArn": ("GetAtt", "ChargeFunction.Arn"),
        "ApproveCallbackFunctionArn": ("GetAtt", "ApproveCallbackFunction.Arn"),
    }
    assert properties["Policies"][:2] == [
        {"LambdaInvokePolicy": {"FunctionName": ("Ref", "ChargeFunction")}},
        {"LambdaInvokePolicy": {"FunctionName": ("Ref", "ApproveCallbackFunction")}},
    ]
    assert properties["Logging"]["Level"] == "ALL"
    assert properties["Type"] == "STANDARD"


def test_the_resources_of_cloudformation() -> None:
    it = plan(machine(A=task("charge"), B=task("charge2")), {"charge": "a", "charge2": "b"}, type="EXPRESS")
    assert types(it, "cloudformation") == {
        "ChargeFunction": "AWS::Lambda::Function",
        "Charge2Function": "AWS::Lambda::Function",
        "FunctionRole": "AWS::IAM::Role",
        "OrderStateMachine": "AWS::StepFunctions::StateMachine",
        "OrderStateMachineRole": "AWS::IAM::Role",
    }
    resources = template(it, "cloudformation")["Resources"]
    (policy,) = resources["OrderStateMachineRole"]["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"],
         "Resource": [("GetAtt", "ChargeFunction.Arn"), ("GetAtt", "Charge2Function.Arn")]}
    ]  # fmt: skip
    assert resources["OrderStateMachine"]["Properties"]["StateMachineType"] == "EXPRESS"
    assert resources["OrderStateMachine"]["Properties"]["RoleArn"] == ("GetAtt", "OrderStateMachineRole.Arn")
    assert resources["ChargeFunction"]["Properties"]["Role"] == ("GetAtt", "FunctionRole.Arn")


@pytest.mark.parametrize("format", ["sam", "cloudformation"])
def test_every_reference_of_a_stack_leads_somewhere(format: str) -> None:
    document = template(plan(log_level="FATAL"), format)
    names = {*document["Resources"], *document["Parameters"], "AWS::Region", "AWS::AccountId", "AWS::Partition",
             "AWS::StackName"}  # fmt: skip
    seen: set[str] = set()

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            for key, member in value.items():
                visit(member) if key != "Definition" else None
        elif isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, tuple):
            tag, text = value
            found = re.findall(r"\$\{([^!}]+)\}", text) if tag == "Sub" else [text]
            seen.update(each if "::" in each else each.partition(".")[0] for each in found)

    visit(document)
    assert {"ProcessOrderFunction", "Topic", "AWS::Region"} <= seen <= names


def test_parameters_are_texts_with_a_description() -> None:
    assert template(plan(), "sam")["Parameters"]["Topic"] == {
        "Type": "String", "Description": "What stands for Topic in the definition",
    }  # fmt: skip


def test_a_text_that_looks_like_a_reference_stays_a_text_in_a_policy() -> None:
    bucket = {"Bucket": "${not one}", "Key": "k"}
    it = plan(
        machine(
            A=task("arn:aws:states:::aws-sdk:s3:getObject", Arguments=bucket),
        )
    )
    (statement,) = template(it, "cloudformation")["Resources"]["OrderStateMachineRole"]["Properties"]["Policies"][0][
        "PolicyDocument"
    ]["Statement"]
    assert statement["Resource"] == [("Sub", "arn:${AWS::Partition}:s3:::${!not one}/*")]


# -- Terraform ----------------------------------------------------------------------------------------


def test_the_blocks_of_terraform_are_read_by_our_reader() -> None:
    text = template_of(plan(log_level="ERROR", handlers={"charge": "a-b", "approve": "a_b"}), "terraform")
    words = [block.words for block in read_blocks(text)]
    assert len(words) == len(set(words))
    assert {("resource", "aws_sfn_state_machine", "order"), ("resource", "aws_lambda_function", "charge"),
            ("resource", "aws_iam_role", "order_machine"), ("resource", "aws_iam_role_policy", "order_machine"),
            ("data", "archive_file", "a_b"), ("data", "archive_file", "a_b2"), ("variable", "topic"),
            ("resource", "aws_cloudwatch_log_group", "order")} <= set(words)  # fmt: skip
    machine_block = next(each for each in read_blocks(text) if each.words[1:2] == ("aws_sfn_state_machine",))
    assert machine_block.attributes["role_arn"].name == "aws_iam_role.order_machine.arn"


def test_every_reference_of_terraform_leads_somewhere() -> None:
    text = template_of(plan(log_level="ERROR"), "terraform")
    blocks = {".".join(block.words[1:] if block.words[0] == "resource" else block.words) for block in read_blocks(text)}
    found = set(re.findall(r"\b((?:data\.)?aws_\w+\.\w+|data\.archive_file\.\w+)\.", text))
    found |= {each.replace("var.", "variable.") for each in re.findall(r"\bvar\.\w+", text)}
    assert found <= blocks
    assert {"aws_lambda_function.process_order", "variable.topic"} <= found


def test_texts_of_terraform_are_escaped() -> None:
    it = plan(machine(A=task('say "${x y}" \\ %{ if }')), {"*": "a"})
    assert r'description      = "The handler say \"$${x y}\" \\ %%{ if }"' in template_of(it, "terraform")


# -- CDK ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_level", [None, "ERROR"])
def test_an_app_of_cdk_is_python_that_names_only_what_it_has(log_level: str | None) -> None:
    for text in (template_of(plan(log_level=log_level), "cdk"), files_of(plan(log_level=log_level), "cdk")["app.py"]):
        tree = ast.parse(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound |= {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                  for alias in node.names}  # fmt: skip
        bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | {"options"}
        assert names <= bound | arguments | {"super", "object", "str"}
        assert bound <= names


def test_the_app_of_cdk_has_the_definition_and_what_stands_for_its_placeholders() -> None:
    it = plan()
    tree = ast.parse(template_of(it, "cdk"))
    constants = [node for node in tree.body if isinstance(node, ast.Assign)]
    assert json.loads(ast.literal_eval(constants[0].value)) == it.definition
    (substitutions,) = [
        keyword.value for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords
        if keyword.arg == "definition_substitutions"
    ]  # fmt: skip
    assert isinstance(substitutions, ast.Dict)
    assert [ast.literal_eval(key) for key in substitutions.keys if key is not None] == list(it.substitutions)
    assert [ast.unparse(value) for value in substitutions.values] == [
        "process_order_function.function_arn", "charge_function.function_arn", "approve_callback_function.function_arn",
        "Aws.REGION", "greet_arn_value.value_as_string", "table_name_value.value_as_string",
        "topic_value.value_as_string", "billing_state_machine_arn_value.value_as_string",
    ]  # fmt: skip


def test_cdk_lets_the_machine_invoke_each_function() -> None:
    text = template_of(plan(), "cdk")
    granted = re.findall(r"(\w+)_function\.grant_invoke\(machine\)", text)
    assert granted == ["process_order", "charge", "approve_callback"]
    assert json.loads(files_of(plan(), "cdk")["cdk.json"]) == {"app": "python3 app.py"}


# -- the Serverless Framework -------------------------------------------------------------------------


def test_the_serverless_framework_is_told_functions_plugins_and_the_role() -> None:
    document = yaml.safe_load(template_of(plan(log_level="ERROR"), "serverless"))
    assert document["plugins"] == ["serverless-step-functions", "serverless-python-requirements"]
    assert document["functions"]["processOrder"] == {
        "description": "The handler process:order", "module": "functions/orders", "handler": "app.process_order",
        "timeout": 300,
    }  # fmt: skip
    order = document["stepFunctions"]["stateMachines"]["order"]
    assert order["role"] == {"Fn::GetAtt": ["OrderStateMachineRole", "Arn"]}
    assert order["loggingConfig"]["level"] == "ERROR"
    role = document["resources"]["Resources"]["OrderStateMachineRole"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statements[0]["Resource"][0] == {"Fn::GetAtt": ["ProcessOrderLambdaFunction", "Arn"]}
    assert {"${param:Topic}"} <= {each for one in statements for each in one["Resource"] if isinstance(each, str)}


def test_the_serverless_framework_fills_parameters_inside_of_arns() -> None:
    table = task("arn:aws:states:::dynamodb:putItem", Parameters={"TableName": "${Table}", "Item": {}})
    document = yaml.safe_load(template_of(plan(machine(A=table)), "serverless"))
    role = document["resources"]["Resources"]["OrderStateMachineRole"]["Properties"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${param:Table}"}
    ]


def test_the_serverless_framework_puts_its_own_words_for_placeholders() -> None:
    states = yaml.safe_load(template_of(plan(), "serverless"))["stepFunctions"]["stateMachines"]["order"]["definition"]
    assert states["States"]["Placeholder"]["Parameters"]["text"] == {
        "Fn::Sub": "in ${AWS::Region} of ${param:TableName}: ${param:Topic}"
    }
    assert states["States"]["Process"]["Resource"] == {"Fn::GetAtt": ["ProcessOrderLambdaFunction", "Arn"]}
