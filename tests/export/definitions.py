"""A definition with everything that an export has to do with, and its plan."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from sm_cli.asl.export.plan import ExportPlan
from sm_cli.asl.export.planning import plan_export

#: Where each handler is.
HANDLERS = {"process:order": "orders", "charge": "payments", "approve": "payments", "Greet": "orders"}
#: The account that the ARNs of what exists already are in.
ACCOUNT = "999999999999"


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    """A definition of these states, one after the other."""
    names = list(states)
    for state, following in pairwise(names):
        states[state]["Next"] = following
    states[names[-1]]["End"] = True
    return {"Comment": 'Everything: ${, %{ and "quotes"\n in two lines', "StartAt": names[0], "States": states}


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


def everything() -> dict[str, Any]:
    """Handlers, service integrations, placeholders, a callback, a distributed Map, a nested workflow, JSONata."""
    inner = machine(Inner=task("charge"))
    del inner["Comment"]
    return machine(
        Process=task("process:order", TimeoutSeconds=300, ResultPath="$.order"),
        Again=task("process:order", Retry=[{"ErrorEquals": ["Busy"], "MaxAttempts": 2}]),
        Placeholder=task("${GreetArn}", Parameters={"text": "in ${AWS::Region} of ${Table.Name}: ${Topic}"}),
        Foreign=task(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tax:live"),
        Invoke=task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "charge", "Payload.$": "$"}),
        Approve=task("approve.waitForTaskToken", TimeoutSeconds=86400),
        Send=task("arn:aws:states:::sqs:sendMessage",
                  Parameters={"QueueUrl": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders", "MessageBody": "m"}),
        Tell=task("arn:aws:states:::sns:publish", Parameters={"TopicArn": "${Topic}", "Message": "m"}),
        Keep=task("arn:aws:states:::dynamodb:putItem", Parameters={"TableName": "${Table.Name}", "Item": {}}),
        Start=task("arn:aws:states:::states:startExecution.sync:2", Parameters={"StateMachineArn": "billing"}),
        Compute={"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{%{'a': $states.input, 'b': '${not one}'}%}"},
        Each={
            "Type": "Map",
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
                           "Parameters": {"Bucket": "items", "Key": "today.json"}},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **inner},
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results"}},
        },
    )  # fmt: skip


def plan(
    definition: dict[str, Any] | None = None, handlers: Mapping[str, str] = HANDLERS, **options: Any
) -> ExportPlan:
    """The plan of a workflow that is called order."""
    return plan_export("order", everything() if definition is None else definition, handlers, **options)
