"""What a role has to allow: as little as the definition shows."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.export.plan import ExportPlan, Text
from tests.export.definitions import ACCOUNT, machine, plan, task

_WORDS = {"partition": "aws", "region": "REGION", "account": "ACCOUNT", "machine": "order"}


def plain(text: Text) -> str:
    return "".join(_WORDS.get(part.kind, f"<{part.value}>" if part.kind != "text" else part.value) for part in text)


def allowed(it: ExportPlan) -> dict[str, list[str]]:
    return {" ".join(each.actions): [plain(text) for text in each.resources] for each in it.statements}


def of_task(resource: str, **parameters: Any) -> ExportPlan:
    return plan(machine(A=task(resource, Parameters=parameters)))


def test_everything_that_the_definition_shows_is_allowed_and_no_more() -> None:
    following = "arn:aws:events:REGION:ACCOUNT:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    assert allowed(plan()) == {
        "lambda:InvokeFunction": ["<GreetArn>", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tax:live"],
        "sqs:SendMessage": [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"],
        "sns:Publish": ["<Topic>"],
        "dynamodb:PutItem": ["arn:aws:dynamodb:REGION:ACCOUNT:table/<TableName>"],
        "states:StartExecution": ["<BillingStateMachineArn>", "arn:aws:states:REGION:ACCOUNT:stateMachine:order"],
        "states:DescribeExecution states:StopExecution": ["arn:aws:states:REGION:ACCOUNT:execution:*"],
        "events:PutTargets events:PutRule events:DescribeRule": [following],
        "states:DescribeExecution states:StopExecution states:RedriveExecution": [
            "arn:aws:states:REGION:ACCOUNT:execution:order:*"
        ],
        "states:RedriveExecution": ["arn:aws:states:REGION:ACCOUNT:execution:order/*:*"],
        "s3:GetObject": ["arn:aws:s3:::items/*"],
        "s3:PutObject s3:GetObject s3:ListMultipartUploadParts s3:AbortMultipartUpload": ["arn:aws:s3:::results/*"],
    }
    assert plan().notes == ()


HERE = "REGION:ACCOUNT"
TABLE, TOPIC, OTHER = "arn:aws:dynamodb:r:1:table/t", "arn:aws:sns:r:1:t", "arn:aws:states:r:1:stateMachine:m"


@pytest.mark.parametrize(
    ("resource", "parameters", "action", "on"),
    [
        ("aws-sdk:dynamodb:query", {"TableName": "t"}, "dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/t"),
        ("dynamodb:getItem", {"TableName": TABLE}, "dynamodb:GetItem", TABLE),
        ("aws-sdk:s3:getObject", {"Bucket": "b", "Key.$": "$.k"}, "s3:GetObject", "arn:aws:s3:::b/*"),
        ("aws-sdk:s3:listObjectsV2", {"Bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
        ("events:putEvents", {"Entries": [{}]}, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
        ("events:putEvents", {"Entries": [{"EventBusName": "b"}]}, "events:PutEvents",
         f"arn:aws:events:{HERE}:event-bus/b"),
        ("sns:publish", {"TopicArn": TOPIC}, "sns:Publish", TOPIC),
        ("lambda:invoke", {"FunctionName": "other"}, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:other"),
        ("states:startExecution", {"StateMachineArn": OTHER}, "states:StartExecution", OTHER),
    ],
)  # fmt: skip
def test_each_service_that_shows_what_it_works_with(
    resource: str, parameters: dict[str, Any], action: str, on: str
) -> None:
    it = of_task(f"arn:aws:states:::{resource}", **parameters)
    assert (allowed(it), it.notes) == ({action: [on]}, ())


@pytest.mark.parametrize(
    ("resource", "parameters", "actions"),
    [
        ("sqs:sendMessage", {"QueueUrl.$": "$.q"}, "sqs:SendMessage"),
        ("sqs:sendMessage", {"QueueUrl": "${Queue}"}, "sqs:SendMessage"),
        ("dynamodb:putItem", {}, "dynamodb:PutItem"),
        ("aws-sdk:rekognition:detectLabels", {}, "rekognition:DetectLabels"),
        ("aws-sdk:sfn:sendTaskSuccess", {}, "states:SendTaskSuccess"),
        ("glue:startJobRun", {}, "glue:StartJobRun"),
        ("glue:startJobRun.sync", {},
         "glue:StartJobRun, glue:GetJobRun, glue:GetJobRuns, glue:BatchStopJobRun"),
        ("ecs:runTask.sync", {},
         "ecs:RunTask, ecs:StopTask, ecs:DescribeTasks, iam:PassRole, "
         "events:PutTargets, events:PutRule, events:DescribeRule"),
        ("codebuild:startBuildBatch.sync", {},
         "codebuild:StartBuildBatch, events:PutTargets, events:PutRule, events:DescribeRule"),
        ("lambda:invoke", {"FunctionName.$": "$.f"}, "lambda:InvokeFunction"),
    ],
)  # fmt: skip
def test_what_is_not_evident_is_a_note(resource: str, parameters: dict[str, Any], actions: str) -> None:
    it = of_task(f"arn:aws:states:::{resource}", **parameters)
    assert (allowed(it), it.notes) == ({}, (f"A: its role still needs {actions} on what it works with",))


def test_an_http_task_needs_the_connection_and_its_secret() -> None:
    connection = "arn:aws:events:r:1:connection/c/1"
    it = of_task("arn:aws:states:::http:invoke", Authentication={"ConnectionArn": connection})
    assert allowed(it) == {
        "states:InvokeHTTPEndpoint": ["arn:aws:states:REGION:ACCOUNT:stateMachine:order"],
        "events:RetrieveConnectionCredentials": [connection],
        "secretsmanager:GetSecretValue secretsmanager:DescribeSecret": [
            "arn:aws:secretsmanager:REGION:ACCOUNT:secret:events!connection/*"
        ],
    }


def test_a_map_in_this_execution_needs_nothing_of_its_own() -> None:
    inner = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    assert allowed(plan(machine(M={"Type": "Map", "ItemProcessor": inner}))) == {}


def test_a_bucket_that_is_computed_is_a_note() -> None:
    inner = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket.$": "$.b"}}
    it = plan(machine(M={"Type": "Map", "ItemProcessor": inner, "ItemReader": reader}))
    assert it.notes == ("M: its role still needs s3:ListBucket on what it works with",)


def test_a_log_needs_what_aws_writes_it_with() -> None:
    it = plan(machine(A={"Type": "Pass"}), log_level="ALL")
    (actions,) = allowed(it)
    assert actions.startswith("logs:CreateLogDelivery ")
    assert allowed(it)[actions] == ["*"]


def test_our_own_functions_are_invoked_by_what_each_format_has_for_that() -> None:
    it = plan(machine(A=task("charge")))
    assert (it.statements, [each.id for each in it.functions]) == ((), ["Charge"])
