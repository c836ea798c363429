"""A definition as AWS takes it: our extensions said in AWS's words, and what is lost by that.

A handler's bare name becomes the ARN of a Lambda function of a like name, a Message a task that hands out a token.
Pure: what is given stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

from sm_cli.asl.outline import StateAt, outline
from sm_cli.asl.resources import BUILT_IN, Resource, parse_resource
from sm_cli.jsonvalue import Json

_FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:"
_INVOKE = "arn:aws:states:::lambda:invoke.waitForTaskToken"
#: AWS's limit on a function's name, in characters.
_LONGEST = 64
#: What a Message has in common with a Task.
_SHARED = (
    "Comment", "QueryLanguage", "InputPath", "TimeoutSeconds", "TimeoutSecondsPath", "ResultSelector", "ResultPath",
    "OutputPath", "Output", "Assign", "Retry", "Catch", "Next", "End",
)  # fmt: skip


class Loss(NamedTuple):
    """One thing that is not on AWS what it is here."""

    #: The JSON pointer of the state.
    pointer: str
    #: One sentence.
    message: str


def without_extensions(
    definition: Json, arn_of: Callable[[str], str] | None = None, *, messages: bool = True
) -> tuple[Json, list[Loss]]:
    """(the definition without our extensions, what is lost by that in the order of the states). arn_of: from the name
    of a handler to what stands for its function. messages: whether Messages are replaced too."""
    copy = deepcopy(definition)
    losses: list[Loss] = []
    if not isinstance(copy, dict):
        return copy, losses
    arn = arn_of or function_arn
    for machine in outline(copy):
        for state in machine.states.values():
            if state.type == "Message":
                losses += _replace_message(state, arn) if messages else []
            elif state.type == "Task" and (text := state.text("Resource")) is not None:
                losses += _replace_resource(state, parse_resource(text), arn)
    return copy, losses


def function_arn(name: str) -> str:
    """The ARN of a Lambda function whose name is like this handler's."""
    return _FUNCTION + (re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:_LONGEST] or "handler")


def _replace_resource(state: StateAt, resource: Resource, arn_of: Callable[[str], str]) -> list[Loss]:
    if resource.kind != "handler" or resource.text.startswith(("arn:", "${")):
        return []
    if resource.text in BUILT_IN:
        state.value["Resource"] = f"arn:aws:states:::{resource.text}"
        return [] if resource.text != "http:invoke" else [
            Loss(state.pointer, f"{state.name}: http:invoke needs a connection of EventBridge (ConnectionArn) there")
        ]  # fmt: skip
    arn = arn_of(resource.handler)
    if resource.pattern != "waitForTaskToken":
        state.value["Resource"] = arn
        waits = f", which returns at once: .{resource.pattern} is gone" if resource.pattern else ""
        return [Loss(state.pointer, f"{state.name}: the handler {resource.handler} became {arn}{waits}")]
    invoke_with_token(state, arn)
    return [
        Loss(state.pointer, f"{state.name}: the handler {resource.handler} became {arn}, which gets its input as "
                            "`input` and the token as `taskToken`")
    ]  # fmt: skip


def invoke_with_token(state: StateAt, arn: str) -> None:
    """Let a Task invoke this function with its input as `input` and its token as `taskToken`, and wait for the
    answer."""
    if state.language == "JSONata":
        arguments = state.value.get("Arguments", "{% $states.input %}")
        _invoke(state.value, arn, "Arguments", {"input": arguments, "taskToken": "{% $states.context.Task.Token %}"})
    else:
        input = {"input": state.value["Parameters"]} if "Parameters" in state.value else {"input.$": "$"}
        _invoke(state.value, arn, "Parameters", {**input, "taskToken.$": "$$.Task.Token"})


def _invoke(state: dict[str, Any], arn: str, field: str, payload: dict[str, Any]) -> None:
    state["Resource"] = _INVOKE
    state[field] = {"FunctionName": arn, "Payload": payload}


def _replace_message(state: StateAt, arn_of: Callable[[str], str]) -> list[Loss]:
    old, name = dict(state.value), state.name
    arn = arn_of(f"await-{old.get('CorrelationKey', name)}")
    task: dict[str, Any] = {"Type": "Task"} | {field: old[field] for field in _SHARED if field in old}
    if "MessagePath" in old:
        task["ResultPath"] = old["MessagePath"]
    key = old.get("CorrelationKey")
    losses = [
        f"{name}: AWS has nothing that waits for a message; {arn} gets `key`, `value` and `taskToken`, and whoever "
        "has the answer sends it back with the token"
    ]
    if state.language == "JSONata":
        payload = {"key": key, "value": old.get("CorrelationValue"), "taskToken": "{% $states.context.Task.Token %}"}
        _invoke(task, arn, "Arguments", payload)
    else:
        path = old.get("CorrelationValuePath")
        value = {"value": old.get("CorrelationValue")} if path is None else {"value.$": path}
        _invoke(task, arn, "Parameters", {"key": key, **value, "taskToken.$": "$$.Task.Token"})
        if "ResultPath" not in task:
            losses.append(f"{name}: the answer takes the place of the input there; here it is merged over it")
    if (timeout := old.get("TimeoutPath")) is not None:
        catcher: dict[str, Any] = {"ErrorEquals": ["States.Timeout"], "Next": timeout}
        if "ResultPath" in task:
            catcher["ResultPath"] = task["ResultPath"]
        catchers = task.get("Catch")
        task["Catch"] = [catcher, *(catchers if isinstance(catchers, list) else [])]
        losses.append(f"{name}: after its timeout, {timeout} gets Error and Cause there, and no status TIMEOUT")
    state.value.clear()
    state.value.update(task)
    return [Loss(state.pointer, loss) for loss in losses]
