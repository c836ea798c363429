"""`sm export`: what is written where, what is refused, and the code that Lambda runs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

from sm_cli.cli.export.packaging import local_packages, requirement_of
from tests.cli.conftest import CHECKOUT, Project

WORKFLOW = """
    Comment: Sell something
    StartAt: Charge
    States:
      Charge: {Type: Task, Resource: 'charge:card', TimeoutSeconds: 20, Next: Tell}
      Tell: {Type: Task, Resource: 'arn:aws:states:::sns:publish',
             Parameters: {TopicArn: '${Topic}', Message.$: $.id}, End: true}
"""
MESSAGE = """
    StartAt: Wait
    States:
      Wait: {Type: Message, CorrelationKey: orderId, CorrelationValuePath: $.id, End: true}
"""
FORMATS = {
    "sam": "template.yaml", "cloudformation": "template.yaml", "terraform": "main.tf", "cdk": "app.py",
    "serverless": "serverless.yml",
}  # fmt: skip


@pytest.fixture
def shop(project: Project) -> Project:
    """A workflow, and two files of handlers, one of which imports a third."""
    project.workflow(WORKFLOW)
    project.handlers('''
        import _prices

        @handler("charge:card")
        async def charge(input, context):
            if input["amount"] > _prices.LIMIT:
                raise TaskError("Card.Declined", f"{input['amount']} is too much")
            return {"paid": input["amount"], "request": context.execution_id}
    ''', "payments.py")  # fmt: skip
    project.handlers('@handler("other")\ndef other(input):\n    return input\n', "others.py")
    project.write("handlers/_prices.py", "LIMIT = 100\n")
    return project


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# -- what is written ----------------------------------------------------------------------------------


def test_the_template_goes_to_stdout_and_all_else_to_stderr(shop: Project) -> None:
    result = shop.sm("export", "order")
    assert result.code == 0
    text = result.out.replace("!GetAtt ", "").replace("!Ref ", "").replace("!Sub ", "")
    document = yaml.safe_load(text)
    properties = document["Resources"]["OrderStateMachine"]["Properties"]
    assert properties["Definition"]["States"]["Charge"]["Resource"] == "${ChargeCardFunctionArn}"
    assert properties["DefinitionSubstitutions"] == {
        "ChargeCardFunctionArn": "ChargeCardFunction.Arn", "Topic": "Topic",
    }  # fmt: skip
    assert "to be given when it is deployed: Topic" in result.err
    assert "the template names functions/payments, which --output DIR writes" in result.err
    assert not (shop.path / "functions").exists()


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_gets_template_definition_and_the_code_of_what_is_called(format: str, shop: Project) -> None:
    result = shop.sm("export", "order", "--format", format, "--output", "out")
    assert (result.code, result.out) == (0, "")
    code = "functions/payments/"
    expected = {FORMATS[format], f"{code}app.py", f"{code}requirements.txt", f"{code}handlers/payments.py",
                f"{code}handlers/_prices.py"}  # fmt: skip
    if format != "serverless":
        expected.add("statemachine/order.asl.json")
    if format == "cdk":
        expected |= {"cdk.json", "requirements.txt"}
    assert files(shop.path / "out") == expected
    assert (shop.path / f"out/{code}requirements.txt").read_text().splitlines()[1] == requirement_of(
        distribution("sm-cli")
    )
    ast.parse((shop.path / f"out/{code}app.py").read_text())
    assert f"out: {FORMATS[format]}" in result.err


@pytest.mark.parametrize("format", ["sam", "cloudformation", "terraform", "serverless"])
def test_what_is_written_is_read_back_and_valid(format: str, shop: Project) -> None:
    shop.sm("export", "order", "--format", format, "-o", "out")
    checked = shop.sm("validate", f"out/{FORMATS[format]}", "--aws")
    assert (checked.code, ": OK\n" in checked.out) == (0, True)
    drawn = shop.sm("graph", f"out/{FORMATS[format]}")
    assert "Charge" in drawn.out


def test_a_file_gets_the_template_alone(shop: Project) -> None:
    result = shop.sm("export", "order", "--format", "terraform", "--output", "deploy/order.tf")
    assert (result.code, result.out) == (0, "")
    assert files(shop.path / "deploy") == {"order.tf"}
    assert (shop.path / "deploy/order.tf").read_text() == shop.sm("export", "order", "--format", "terraform").out


def test_nothing_is_replaced_without_force_and_nothing_half_written(shop: Project) -> None:
    mine = shop.write("out/functions/payments/app.py", "mine\n")
    result = shop.sm("export", "order", "--output", "out")
    assert (result.code, result.out) == (4, "")
    assert "sm: error: out/functions/payments/app.py is there already\n" in result.err
    assert files(shop.path / "out") == {"functions/payments/app.py"}
    assert mine.read_text() == "mine\n"
    assert shop.sm("export", "order", "--output", "out", "--force").code == 0
    assert "lambda_function" in mine.read_text()


def test_the_same_export_again_is_no_conflict_and_a_changed_one_is(shop: Project) -> None:
    assert [shop.sm("export", "order", "-o", "out").code for _ in range(2)] == [0, 0]
    shop.workflow(WORKFLOW.replace("Sell", "Buy"))
    result = shop.sm("export", "order", "-o", "out")
    assert (result.code, "out/template.yaml is there already, and so are 1 more" in result.err) == (4, True)


def test_a_folder_that_cannot_be_made_is_one_sentence(shop: Project) -> None:
    shop.write("out", "a file")
    result = shop.sm("export", "order", "-o", "out/")
    assert result.code == 2
    assert "cannot be written" in result.err
    assert "Traceback" not in result.err


# -- which definition ---------------------------------------------------------------------------------


def test_a_version_and_an_alias_are_exported_from_the_database(shop: Project) -> None:
    shop.sm("workflow", "register", "order", "--alias", "prod")
    shop.workflow(WORKFLOW.replace("Sell", "Buy"))
    assert "Description: Buy something" in shop.sm("export", "order").out
    for reference in ("order:1", "order:prod"):
        result = shop.sm("export", reference)
        assert (result.code, "Description: Sell something" in result.out) == (0, True)
    assert shop.sm("export", "order:7").code == 3
    assert shop.sm("export", "nobody").code == 3


def test_stdin_is_exported(shop: Project) -> None:
    text = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    assert "StdinStateMachine:" in shop.sm("export", "-", stdin=text).out


def test_a_machine_of_a_template_is_exported_by_its_name(shop: Project) -> None:
    shop.sm("export", "order", "-o", "out")
    result = shop.sm("export", "out/template.yaml#OrderStateMachine", "--format", "terraform")
    assert (result.code, 'resource "aws_sfn_state_machine" "order_state_machine"' in result.out) == (0, True)
    assert "references of its template that no handler serves are ARNs now" in result.err


def test_a_broken_workflow_is_not_exported(shop: Project) -> None:
    shop.workflow(WORKFLOW.replace("Next: Tell", "Next: Nowhere"))
    result = shop.sm("export", "order")
    assert (result.code, result.out) == (1, "")
    assert "order.yaml:" in result.err


def test_values_that_are_given_are_put_in(shop: Project) -> None:
    result = shop.sm("export", "order", "--substitutions", "Topic=arn:aws:sns:us-east-1:123456789012:t")
    assert "TopicArn: arn:aws:sns:us-east-1:123456789012:t" in result.out
    assert "Parameters:\n  Topic" not in result.out
    shop.write("sm.toml", '[substitutions]\nTopic = "arn:aws:sns:us-east-1:123456789012:u"\n')
    assert "TopicArn: arn:aws:sns:us-east-1:123456789012:u" in shop.sm("export", "order").out


def test_type_and_logging_are_what_is_asked_for(shop: Project) -> None:
    out = shop.sm("export", "order", "--type", "express", "--log-level", "error").out
    assert "      Type: EXPRESS\n" in out
    assert "        Level: ERROR\n" in out
    assert "Logging" not in shop.sm("export", "order").out


@pytest.mark.parametrize("arguments", [("--format", "pulumi"), ("--type", "FAST"), ("--log-level", "LOUD")])
def test_a_word_that_is_none_is_refused(arguments: tuple[str, str], shop: Project) -> None:
    result = shop.sm("export", "order", *arguments)
    assert (result.code, result.out) == (2, "")


# -- what AWS refuses ---------------------------------------------------------------------------------


def test_what_aws_would_refuse_is_not_written(project: Project) -> None:
    project.workflow(MESSAGE)
    result = project.sm("export", "order", "-o", "out")
    assert (result.code, result.out, (project.path / "out").exists()) == (1, "", False)
    assert "order.yaml:4:16: error SCHEMA_VALIDATION_FAILED" in result.err
    assert "With --replace-messages each Message becomes a task" in result.err


def test_the_list_of_what_aws_refuses_is_what_validate_says(project: Project) -> None:
    file = project.workflow(MESSAGE)
    result = project.sm("export", "order", "--aws")
    checked = project.sm("validate", str(file.relative_to(project.path)), "--aws")
    assert (result.code, result.out) == (1, checked.out)
    assert "error SCHEMA_VALIDATION_FAILED" in result.out
    assert "at /States/Wait/Type" in result.out


def test_a_list_without_a_problem_is_ok_and_writes_nothing(shop: Project) -> None:
    result = shop.sm("export", "order", "--aws", "-o", "out")
    assert (result.code, result.out, result.err) == (0, "order: OK\n", "")
    assert not (shop.path / "out").exists()


def test_messages_become_tasks_when_asked_for_and_what_is_lost_is_told(project: Project) -> None:
    project.workflow(MESSAGE)
    result = project.sm("export", "order", "--replace-messages")
    assert result.code == 0
    assert "Resource: arn:aws:states:::lambda:invoke.waitForTaskToken" in result.out
    assert "FunctionName: ${AwaitOrderIdFunctionArn}" in result.out
    assert "sm: note: Wait: AWS has nothing that waits for a message" in result.err


def test_who_insists_gets_it_and_a_warning(project: Project) -> None:
    project.workflow(MESSAGE)
    result = project.sm("export", "order", "--allow-refused")
    assert (result.code, "Type: Message" in result.out) == (0, True)
    assert "sm: warning: AWS refuses 1 thing in it: sm export --aws lists them" in result.err


def test_what_express_does_not_have_is_refused(shop: Project) -> None:
    shop.workflow(WORKFLOW.replace("'charge:card'", "'charge:card.waitForTaskToken'"))
    assert shop.sm("export", "order").code == 0
    assert shop.sm("export", "order", "--type", "EXPRESS").code == 1


# -- the handlers -------------------------------------------------------------------------------------


def test_a_task_without_a_handler_is_a_parameter(project: Project) -> None:
    project.workflow(WORKFLOW)
    result = project.sm("export", "order")
    assert result.code == 0
    assert "no handler serves 'charge:card', so the ARN of its function is a parameter" in result.err
    assert "AWS::Serverless::Function" not in result.out


def test_handlers_are_read_not_executed_unless_asked_for(shop: Project) -> None:
    shop.handlers(
        'open("ran", "w").close()\nname = "charge:" + "cash"\n\n@handler(name)\ndef cash(input): ...\n', "b.py"
    )
    shop.workflow(WORKFLOW.replace("charge:card", "charge:cash"))
    result = shop.sm("export", "order")
    assert "the name is computed (--import executes the files and knows)" in result.err
    assert (shop.path / "ran").exists() is False
    assert "CodeUri" not in result.out
    assert "CodeUri: functions/b\n" in shop.sm("export", "order", "--import").out


def test_another_folder_of_handlers_may_be_named(shop: Project) -> None:
    (shop.path / "handlers").rename(shop.path / "code")
    assert "CodeUri" not in shop.sm("export", "order").out
    assert "CodeUri: functions/payments\n" in shop.sm("export", "order", "--handlers", "code").out
    assert shop.sm("export", "order", "--handlers", "nowhere").code == 8


def test_requirements_name_what_handlers_import(shop: Project) -> None:
    shop.write("handlers/_prices.py", "import boto3, yaml, nowhere_at_all\nLIMIT = 100\n")
    shop.sm("export", "order", "-o", "out")
    lines = (shop.path / "out/functions/payments/requirements.txt").read_text().splitlines()
    assert lines[2:] == [
        "# boto3: the runtime of Lambda has it",
        "# nowhere_at_all: imported, but not installed where this was exported",
        f"PyYAML=={yaml.__version__}",
    ]


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (None, "tool==1.2"),
        ({"url": "file:///home/me/tool-1.2-py3-none-any.whl", "archive_info": {}},
         "tool @ file:///home/me/tool-1.2-py3-none-any.whl"),
        ({"url": "file:///home/me/tool", "dir_info": {"editable": True}}, "tool @ file:///home/me/tool"),
        ({"url": "https://example.org/tool.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
         "tool @ git+https://example.org/tool.git@c0ffee"),
        ({"url": "https://example.org/all.zip", "archive_info": {}, "subdirectory": "tool"},
         "tool @ https://example.org/all.zip#subdirectory=tool"),
    ],
)  # fmt: skip
def test_a_requirement_is_one_that_can_be_installed(tmp_path: Path, origin: Any, requirement: str) -> None:
    folder = tmp_path / "tool-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tool\nVersion: 1.2\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    assert requirement_of(Distribution.at(folder)) == requirement


def test_what_only_this_machine_has_is_told(shop: Project) -> None:
    result = shop.sm("export", "order", "-o", "out")
    line = (shop.path / "out/functions/payments/requirements.txt").read_text().splitlines()[1]
    assert (f"sm: note: only here can be installed what requirements.txt has: {line}\n" in result.err) == (
        " @ file:" in line
    )
    files = {"functions/a/requirements.txt": "a==1\nb @ file:///b\n", "functions/c/requirements.txt": "b @ file:///b\n"}
    assert local_packages(files) == ["b @ file:///b"]


# -- the code, as Lambda runs it ----------------------------------------------------------------------

_LAMBDA = """
import json, sys, types
sys.path.insert(0, ".")
import app
context = types.SimpleNamespace(aws_request_id="1b0c", function_name="order-ChargeCard", memory_limit_in_mb="256")
for line in sys.stdin:
    try:
        answer = {"result": app.charge_card(json.loads(line), context)}
    except Exception as e:
        answer = {"errorType": type(e).__name__, "errorMessage": str(e)}
    print(json.dumps(answer))
"""


def answers_of(folder: Path, *events: Any) -> list[Any]:
    """What the function in this folder answers, in a process that has nothing but it and sm."""
    process = subprocess.run(
        [sys.executable, "-c", _LAMBDA], cwd=folder, input="".join(f"{json.dumps(event)}\n" for event in events),
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(CHECKOUT), "PATH": ""},
    )  # fmt: skip
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_the_exported_code_answers_as_the_handler_does_here(shop: Project) -> None:
    shop.sm("export", "order", "-o", "out")
    moved = shop.path / "elsewhere"
    (shop.path / "out/functions/payments").rename(moved)
    assert answers_of(moved, {"amount": 5}, {"amount": 500}, {}) == [
        {"result": {"paid": 5, "request": "1b0c"}},
        {"errorType": "Card.Declined", "errorMessage": "500 is too much"},
        {"errorType": "KeyError", "errorMessage": "'amount'"},
    ]
    shop.workflow(WORKFLOW.replace("Next: Tell", "End: true").partition("      Tell")[0])
    here = shop.sm("run", "order", "amount=500", "-o", "json").json
    assert (here["error"], here["cause"]) == ("Card.Declined", "500 is too much")


def test_a_callbacks_function_gets_the_input_out_of_its_event(shop: Project) -> None:
    shop.workflow(WORKFLOW.replace("'charge:card'", "'charge:card.waitForTaskToken'"))
    shop.sm("export", "order", "-o", "out")
    app = (shop.path / "out/functions/payments/app.py").read_text()
    assert 'charge_card_callback = lambda_function(_HANDLERS, "charge:card", gets_token=True)' in app
    (shop.path / "out/functions/payments/app.py").write_text(app + "charge_card = charge_card_callback\n")
    assert answers_of(shop.path / "out/functions/payments", {"input": {"amount": 7}, "taskToken": "t"}) == [
        {"result": {"paid": 7, "request": "1b0c"}}
    ]
