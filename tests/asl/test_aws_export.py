"""A definition without our extensions: AWS takes it, and what is lost is told."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sm_cli.asl.aws_export import Loss, function_arn, without_extensions
from sm_cli.asl.validation.aws import validate_as_aws

MESSAGE = {
    "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId", "TimeoutSeconds": 60,
    "TimeoutPath": "Late", "MessagePath": "$.paid", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Late"}],
    "Next": "Late",
}  # fmt: skip


def machine(language: str = "JSONPath", **states: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states}


def exported(definition: dict[str, Any]) -> tuple[Any, list[Loss]]:
    return without_extensions(definition)


def refusals(definition: Any) -> list[str]:
    return [each.message for each in validate_as_aws(definition) if each.severity == "ERROR"]


def test_a_definition_of_aws_stays_as_it_is_and_loses_nothing() -> None:
    definition = machine(
        A={"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:a", "Next": "B"},
        B={
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "q"},
            "End": True,
        },
    )  # fmt: skip
    assert without_extensions(definition) == (definition, [])


def test_what_is_given_is_not_changed() -> None:
    definition = machine(A={"Type": "Task", "Resource": "do:it", "End": True})
    before = deepcopy(definition)
    value, losses = exported(definition)
    assert (definition, len(losses)) == (before, 1)
    assert value["States"]["A"]["Resource"] == function_arn("do:it")


@pytest.mark.parametrize(
    ("name", "function"), [("process:order", "process-order"), ("ü ö", "handler"), ("a" * 80, "a" * 64)]
)
def test_a_handler_s_name_becomes_one_that_a_function_may_have(name: str, function: str) -> None:
    assert function_arn(name) == f"arn:aws:lambda:us-east-1:111111111111:function:{function}"


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
@pytest.mark.parametrize("resource", ["do:it", "do:it.waitForTaskToken", "do:it.sync"])
@pytest.mark.parametrize("given", [False, True])
def test_aws_takes_a_task_whatever_its_handler_was(language: str, resource: str, given: bool) -> None:
    field, payload = ("Parameters", {"n.$": "$.n"}) if language == "JSONPath" else ("Arguments", {"n": "{% 1 %}"})
    task = {"Type": "Task", "Resource": resource, "End": True, **({field: payload} if given else {})}
    definition = machine(language, A=task)
    assert refusals(definition)
    value, losses = exported(definition)
    assert refusals(value) == []
    assert [loss.pointer for loss in losses] == ["/States/A"]


def test_a_message_becomes_a_task_that_hands_out_its_token() -> None:
    definition = machine(Pay=MESSAGE, Late={"Type": "Succeed"})
    value, losses = exported(definition)
    assert refusals(value) == []
    task = value["States"]["Pay"]
    assert task["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert task["Parameters"]["Payload"] == {
        "key": "orderId", "value.$": "$.orderId", "taskToken.$": "$$.Task.Token",
    }  # fmt: skip
    assert (task["ResultPath"], task["TimeoutSeconds"]) == ("$.paid", 60)
    assert [catcher["ErrorEquals"] for catcher in task["Catch"]] == [["States.Timeout"], ["States.ALL"]]
    assert len(losses) == 2


def test_what_is_merged_here_is_told_to_be_replaced_there() -> None:
    message = {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True}
    value, losses = exported(machine(Pay=message))
    assert refusals(value) == []
    assert any("merged" in loss.message for loss in losses)


def test_a_message_in_jsonata_inside_a_map_is_replaced_there() -> None:
    message = {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "{% $states.input.v %}", "End": True}
    inner = {"StartAt": "M", "States": {"M": message}}
    value, losses = exported(machine("JSONata", Each={"Type": "Map", "ItemProcessor": inner, "End": True}))
    assert refusals(value) == []
    assert losses[0].pointer == "/States/Each/ItemProcessor/States/M"
