"""The definition that is deployed: what becomes a placeholder, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.export.plan import TextPart
from sm_cli.asl.validation.aws import validate_as_aws
from tests.export.definitions import ACCOUNT, HANDLERS, everything, machine, plan, task


def states(definition: dict[str, Any], handlers: dict[str, str] = HANDLERS, **options: Any) -> Any:
    return plan(definition, handlers, **options).definition["States"]


def refusals(definition: Any) -> list[str]:
    return [each.message for each in validate_as_aws(definition) if each.severity == "ERROR"]


def test_what_a_handler_serves_becomes_the_placeholder_of_its_function() -> None:
    definition = plan().definition["States"]
    assert isinstance(definition, dict)
    resources = {
        name: state["Resource"] for name, state in definition.items() if isinstance(state, dict) and "Resource" in state
    }
    assert resources == {
        "Process": "${ProcessOrderFunctionArn}",
        "Again": "${ProcessOrderFunctionArn}",
        "Placeholder": "${GreetArn}",
        "Foreign": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tax:live",
        "Invoke": "arn:aws:states:::lambda:invoke",
        "Approve": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Send": "arn:aws:states:::sqs:sendMessage",
        "Tell": "arn:aws:states:::sns:publish",
        "Keep": "arn:aws:states:::dynamodb:putItem",
        "Start": "arn:aws:states:::states:startExecution.sync:2",
    }


def test_functions_are_made_once_each_with_file_entry_and_timeout() -> None:
    functions = plan(handlers={**HANDLERS, "GreetArn": "orders"}).functions
    assert [(f.id, f.resource, f.placeholder, f.module, f.entry, f.gets_token, f.timeout) for f in functions] == [
        ("ProcessOrder", "process:order", "ProcessOrderFunctionArn", "orders", "process_order", False, 300),
        ("Greet", "GreetArn", "GreetArn", "orders", "greet", False, 60),
        ("Charge", "charge", "ChargeFunctionArn", "payments", "charge", False, 60),
        ("ApproveCallback", "approve", "ApproveCallbackFunctionArn", "payments", "approve_callback", True, 60),
    ]


def test_what_nobody_knows_is_a_parameter_and_awss_own_facts_are_none() -> None:
    it = plan()
    assert [each.name for each in it.parameters] == ["GreetArn", "TableName", "Topic", "BillingStateMachineArn"]
    assert it.facts == {"AWSRegion": TextPart("region")}
    assert it.definition["States"]["Placeholder"]["Parameters"] == {  # type: ignore[index,call-overload]
        "text": "in ${AWSRegion} of ${TableName}: ${Topic}"
    }
    assert it.definition["States"]["Start"]["Parameters"] == {  # type: ignore[index,call-overload]
        "StateMachineArn": "${BillingStateMachineArn}"
    }
    assert [each.description for each in it.parameters if each.name == "BillingStateMachineArn"] == [
        "The ARN of the state machine of the workflow billing"
    ]


def test_a_callback_gets_input_and_token_in_both_languages() -> None:
    path = states(machine(A=task("approve.waitForTaskToken", Parameters={"a.$": "$.b"})))["A"]
    assert path["Parameters"] == {
        "FunctionName": "${ApproveCallbackFunctionArn}",
        "Payload": {"input": {"a.$": "$.b"}, "taskToken.$": "$$.Task.Token"},
    }
    query = states({"QueryLanguage": "JSONata", **machine(A=task("approve.waitForTaskToken"))})["A"]
    assert query["Arguments"] == {
        "FunctionName": "${ApproveCallbackFunctionArn}",
        "Payload": {"input": "{% $states.input %}", "taskToken": "{% $states.context.Task.Token %}"},
    }


def test_the_same_handler_with_and_without_a_callback_is_two_functions() -> None:
    it = plan(machine(A=task("approve"), B=task("approve.waitForTaskToken")))
    assert [(each.id, each.entry) for each in it.functions] == [
        ("Approve", "approve"), ("ApproveCallback", "approve_callback"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "deployed"),
    [
        ("arn:aws:lambda:us-east-1:123456789012:function:charge", "${ChargeFunctionArn}"),
        ("arn:aws:lambda:us-east-1:123456789012:function:charge:live", "${ChargeFunctionArn}"),
        ("arn:aws:lambda:::charge", "${ChargeFunctionArn}"),
        ("arn:aws:lambda:::nobody", "${NobodyFunctionArn}"),
        ("${Greet.Arn}", "${GreetArn}"),
        ("%Greet%", "${Greet}"),
        ("http:invoke", "arn:aws:states:::http:invoke"),
        ("payments:refund", "${PaymentsRefundFunctionArn}"),
        ("nobody", "${NobodyFunctionArn}"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "arn:aws:states:::aws-sdk:s3:getObject"),
        ("arn:aws:states:us-east-1:123456789012:activity:a", "arn:aws:states:us-east-1:123456789012:activity:a"),
    ],
)
def test_each_way_to_write_a_resource(resource: str, deployed: str) -> None:
    handlers = {**HANDLERS, "payments:*": "payments"}
    assert states(machine(A=task(resource)), handlers)["A"]["Resource"] == deployed


def test_a_handler_of_a_placeholders_name_fills_it() -> None:
    it = plan(machine(A=task("${Greet.Arn}"), B=task("Greet")))
    assert [each.placeholder for each in it.functions] == ["GreetArn"]
    assert it.parameters == ()
    assert {state["Resource"] for state in it.definition["States"].values()} == {"${GreetArn}"}  # type: ignore[union-attr,index,call-overload]


def test_a_name_that_is_there_already_is_given_to_no_other_function() -> None:
    it = plan(machine(A=task("charge-card"), B=task("chargeCard")), {"charge-card": "a", "chargeCard": "a"})
    assert [(each.id, each.placeholder, each.entry) for each in it.functions] == [
        ("ChargeCard", "ChargeCardFunctionArn", "charge_card"),
        ("ChargeCard2", "ChargeCard2FunctionArn", "charge_card2"),
    ]


def test_what_is_lost_is_told() -> None:
    notes = plan(
        machine(
            A=task("charge.sync"), B=task("nobody"), C=task("nobody"), D=task("charge", TimeoutSeconds=3600),
            E={"Type": "Wait", "Seconds": "${Pause}"},
        )
    ).notes  # fmt: skip
    assert notes == (
        "A: a Lambda function returns at once, so .sync of charge.sync is gone",
        "no handler serves 'nobody', so the ARN of its function is a parameter",
        "D: its task may take 3600 seconds; Lambda ends a function after 900",
        "E: Seconds is ${Pause}, and a template puts texts in, no numbers: give its value now",
    )


def test_a_message_stays_what_aws_refuses_unless_it_becomes_a_task() -> None:
    message = {"Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.id", "TimeoutSeconds": 60}
    definition = machine(A=message, B=task("charge"))
    assert refusals(plan(definition).definition) != []
    it = plan(definition, {**HANDLERS, "*": "orders"}, messages=True)
    assert refusals(it.definition) == []
    assert it.definition["States"]["A"]["Parameters"]["FunctionName"] == "${AwaitOrderIdFunctionArn}"  # type: ignore[index,call-overload]
    assert [each.name for each in it.parameters] == ["AwaitOrderIdFunctionArn"]
    assert it.notes[0].startswith("A: AWS has nothing that waits for a message")


def test_what_was_given_stays_as_it_is_and_aws_takes_what_is_made_of_it() -> None:
    definition = everything()
    it = plan(definition)
    assert definition == everything()
    assert refusals(it.definition) == []


def test_a_definition_that_needs_nothing_is_deployed_as_it_is() -> None:
    definition = machine(A={"Type": "Pass"})
    del definition["Comment"]
    it = plan(definition, {})
    assert (it.definition, it.functions, it.parameters, it.statements, it.notes) == (definition, (), (), (), ())


def test_an_export_can_be_exported_again() -> None:
    first = plan()
    again = plan(first.definition)
    assert again.definition == first.definition
    assert [each.name for each in again.parameters][:1] == ["ProcessOrderFunctionArn"]
