"""Resources taken apart, and the names that ARNs hold."""

from __future__ import annotations

import pytest

from sm_cli.asl.resources import (
    SFN_ACTIONS,
    SFN_REFUSED,
    function_name,
    is_wildcard,
    parse_resource,
    serving,
    workflow_name,
)

S = "arn:aws:states:::"


@pytest.mark.parametrize(
    ("text", "kind", "handler", "pattern"),
    [
        ("process:order", "handler", "process:order", ""),
        ("", "handler", "", ""),
        ("approve.waitForTaskToken", "handler", "approve", "waitForTaskToken"),
        ("job.sync:2", "handler", "job", "sync:2"),
        ("a.b.sync", "handler", "a.b", "sync"),
        ("mail.later", "handler", "mail.later", ""),
        (".sync", "handler", "", "sync"),
        ("arn:aws:lambda:eu-west-1:1:function:f", "lambda", "f", ""),
        ("arn:aws:lambda:eu-west-1:1:function:f:7", "lambda", "f", ""),
        ("arn:aws-cn:lambda:cn-north-1:1:function:f:$LATEST", "lambda", "f", ""),
        ("arn:aws:lambda:::process:order", "lambda", "process:order", ""),
        ("arn:aws:states:us-east-1:1:activity:pick.up", "activity", "pick.up", ""),
        (S + "lambda:invoke", "invoke", "lambda:invoke", ""),
        (S + "lambda:invoke.waitForTaskToken", "invoke", "lambda:invoke", "waitForTaskToken"),
        (S + "sqs:sendMessage", "service", "sqs:sendMessage", ""),
        (S + "ecs:runTask.sync", "service", "ecs:runTask", "sync"),
        (S + "aws-sdk:s3:getObject", "service", "aws-sdk:s3:getObject", ""),
        ("arn:aws-us-gov:states:us-gov-west-1:1:glue:startJobRun.sync", "service", "glue:startJobRun", "sync"),
        (S + "states:startExecution.sync:2", "service", "states:startExecution", "sync:2"),
        (S + "sqs", "handler", S + "sqs", ""),
        ("arn:aws:s3:::bucket", "handler", "arn:aws:s3:::bucket", ""),
    ],
)
def test_a_resource_names_who_does_the_work(text: str, kind: str, handler: str, pattern: str) -> None:
    found = parse_resource(text)
    assert (found.text, found.kind, found.handler, found.pattern) == (text, kind, handler, pattern)


@pytest.mark.parametrize(
    ("text", "service", "action"),
    [
        (S + "sqs:sendMessage.waitForTaskToken", "sqs", "sendMessage"),
        (S + "aws-sdk:dynamodb:query", "aws-sdk:dynamodb", "query"),
        (S + "http:invoke", "http", "invoke"),
        ("sqs:sendMessage", "", ""),
        ("arn:aws:lambda:r:1:function:f", "", ""),
    ],
)
def test_only_an_integration_has_a_service_and_an_action(text: str, service: str, action: str) -> None:
    found = parse_resource(text)
    assert (found.service, found.action) == (service, action)


@pytest.mark.parametrize(
    ("text", "starts", "action", "needs_none"),
    [
        (S + "states:startExecution", True, None, True),
        (S + "states:startExecution.sync", True, None, True),
        (S + "aws-sdk:sfn:startExecution", False, "startExecution", True),
        (S + "aws-sdk:sfn:sendTaskSuccess", False, "sendTaskSuccess", True),
        (S + "aws-sdk:sfn:createStateMachine", False, None, False),
        (S + "aws-sdk:s3:startExecution", False, None, False),
        ("startExecution", False, None, False),
        (S + "sqs:sendMessage", False, None, False),
    ],
)
def test_what_the_engine_does_itself_needs_no_handler(
    text: str, starts: bool, action: str | None, needs_none: bool
) -> None:
    found = parse_resource(text)
    assert (found.starts_execution, found.sfn_action, found.needs_no_handler) == (starts, action, needs_none)


def test_no_action_is_both_carried_out_and_refused() -> None:
    assert not SFN_ACTIONS.keys() & SFN_REFUSED.keys()


@pytest.mark.parametrize("action", SFN_REFUSED)
def test_an_action_that_is_refused_says_why_in_a_sentence(action: str) -> None:
    why = parse_resource(f"{S}aws-sdk:sfn:{action}").why_refused
    assert why is not None and why[0].isupper() and why.endswith(".")
    assert parse_resource(f"{S}aws-sdk:sqs:{action}").why_refused is None


@pytest.mark.parametrize("action", SFN_ACTIONS)
def test_an_action_that_is_carried_out_is_not_refused_and_takes_no_parameter_twice(action: str) -> None:
    assert parse_resource(f"{S}aws-sdk:sfn:{action}").why_refused is None
    required, optional = SFN_ACTIONS[action]
    assert len({*required, *optional}) == len(required) + len(optional)
    assert all(name[0].isupper() for name in (*required, *optional))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("child", "child"),
        ("child:3", "child"),
        ("arn:aws:states:us-east-1:1:stateMachine:child", "child"),
        ("arn:aws:states:us-east-1:1:stateMachine:child:PROD", "child"),
        ("1:stateMachine:child", "child"),
        ("", ""),
    ],
)
def test_a_workflow_is_named_by_its_name_or_its_arn(given: str, name: str) -> None:
    assert workflow_name(given) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("charge", "charge"),
        ("charge:7", "charge"),
        ("1:function:charge", "charge"),
        ("1:function:charge:PROD", "charge"),
        ("arn:aws:lambda:r:1:function:charge", "charge"),
        ("arn:aws:lambda:r:1:function:charge:PROD", "charge"),
        ("arn:aws:lambda:::process:order", "process:order"),
    ],
)
def test_a_function_is_named_in_every_form_that_aws_takes(given: str, name: str) -> None:
    assert function_name(given) == name


@pytest.mark.parametrize(
    ("name", "wild"), [("*", True), ("s3:*", True), ("a:b:*", True), ("s3*", False), ("**", False), ("s3:get", False)]
)
def test_a_wildcard_stands_alone_or_behind_a_colon(name: str, wild: bool) -> None:
    assert is_wildcard(name) is wild


@pytest.mark.parametrize(
    ("resource", "names", "expected"),
    [
        ("aws-sdk:s3:getObject", {"*", "aws-sdk:*", "aws-sdk:s3:*", "aws-sdk:s3:getObject"}, "aws-sdk:s3:getObject"),
        ("aws-sdk:s3:getObject", {"*", "aws-sdk:*", "aws-sdk:s3:*"}, "aws-sdk:s3:*"),
        ("aws-sdk:s3:getObject", {"*", "aws-sdk:*"}, "aws-sdk:*"),
        ("aws-sdk:s3:getObject", {"*", "s3:*"}, "*"),
        ("aws-sdk:s3:getObject", {"s3:*"}, None),
        ("s3", {"s3:*"}, None),
        ("s3:", {"s3:*"}, "s3:*"),
        (":x", {":*"}, None),
        ("sm:read-items", {"*", "sm:*"}, None),
        ("sm:read-items", {"sm:read-items"}, "sm:read-items"),
        ("", {"*"}, "*"),
    ],
)
def test_the_nearest_name_serves(resource: str, names: set[str], expected: str | None) -> None:
    assert serving(resource, names) == expected
