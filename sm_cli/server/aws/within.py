"""What an execution that runs within a call (StartSyncExecution) does with other executions.

It runs in memory, and starts and asks for others in the database, as an EXPRESS execution on AWS does in the account:
its tasks of Step Functions' own API are calls of this API, each with its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sm_cli.asl.resources import SFN_ACTIONS
from sm_cli.engine.stepping.sfn.parameters import pascal, text_of
from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.refusals import CallRefused
from sm_cli.server.aws.request import ApiCall
from sm_cli.timestamps import MICROSECONDS, rfc3339

#: So many calls may run within one another. A workflow that runs itself and waits would go on for ever.
DEEPEST = 10
_START = "states:startExecution"


def handlers_of(call: ApiCall) -> dict[str, Handler]:
    """Handlers of the tasks that need none in a worker, by resource. Raises CallRefused when too many calls run within
    one another."""
    if call.depth >= DEEPEST:
        raise CallRefused("ExecutionLimitExceeded", f"{DEEPEST} executions wait for one another already")
    handlers = {f"aws-sdk:sfn:{action}": _by_sdk(call, action) for action in SFN_ACTIONS}
    return {name: Handler(name, function) for name, function in handlers.items()} | {
        _START: Handler(_START, _by_integration(call))
    }


def _by_sdk(call: ApiCall, action: str) -> Callable[[Any], Json]:
    """The action as an SDK integration: members in PascalCase, times as text."""
    operation = f"{action[:1].upper()}{action[1:]}"

    def carry_out(parameters: Any) -> Json:
        members = {name[:1].lower() + name[1:]: _as_text(name, value) for name, value in parameters.items()}
        return pascal(_with_dates(_ask(call, operation, members, "Sfn")))

    return carry_out


def _by_integration(call: ApiCall) -> Callable[[Any], Json]:
    """states:startExecution, which waits for no end: EXPRESS executions have no `.sync`."""

    def carry_out(parameters: Any) -> Json:
        input = parameters.get("Input")
        members = {"stateMachineArn": parameters["StateMachineArn"], "input": text_of({} if input is None else input)}
        if parameters.get("Name") is not None:
            members["name"] = parameters["Name"]
        answer: Any = _ask(call, "StartExecution", members, "StepFunctions")
        return {"ExecutionArn": answer["executionArn"], "StartDate": round(answer["startDate"] * 1000)}

    return carry_out


def _ask(call: ApiCall, operation: str, members: Mapping[str, Json], prefix: str) -> dict[str, Json]:
    """The answer. Raises TaskError in the names of the integration that `prefix` begins."""
    try:
        return call.ask(operation, members)
    except CallRefused as e:
        name = e.name if e.name.endswith("Exception") else f"{e.name}Exception"
        service = "Sfn" if prefix == "Sfn" else "AWSStepFunctions"
        raise TaskError(f"{prefix}.{name}", f"{e.message} (Service: {service}, Status Code: {e.status})") from None


def _as_text(name: str, value: Json) -> Json:
    return text_of(value) if name in ("Input", "Output", "Definition", "Cause", "Error") else value


def _with_dates(value: Json) -> Json:
    """An answer with its times, seconds since 1970 UTC, as text."""
    if isinstance(value, list):
        return [_with_dates(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: rfc3339(round(each * MICROSECONDS))
        if isinstance(each, int | float) and (name.endswith("Date") or name == "timestamp")
        else _with_dates(each)
        for name, each in value.items()
    }
