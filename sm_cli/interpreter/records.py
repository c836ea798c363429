"""History events in AWS's names, and AWS's own shape of them.

An event is recorded with JSON values; `to_aws` turns payloads into text, as GetExecutionHistory does.
"""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.asl.model import Resource
from sm_cli.jsonvalue import Json, dumps

#: Members of a detail that hold data; AWS hands them out as JSON text.
_PAYLOADS = ("input", "output", "parameters")

_DETAILS_KEYS = {
    "StateEntered": "stateEnteredEventDetails",
    "StateExited": "stateExitedEventDetails",
}


def details_key(type: str) -> str:
    """The member that holds the details: `stateEnteredEventDetails`, `lambdaFunctionFailedEventDetails`, …"""
    for suffix, key in _DETAILS_KEYS.items():
        if type.endswith(suffix):
            return key
    return f"{type[0].lower()}{type[1:]}EventDetails"


def to_aws(number: int, previous: int, type: str, detail: Mapping[str, Json], timestamp: str) -> dict[str, Json]:
    """One event as GetExecutionHistory gives it; `timestamp` is RFC 3339."""
    event: dict[str, Json] = {"id": number, "previousEventId": previous, "timestamp": timestamp, "type": type}
    details: dict[str, Json] = {}
    for name, value in detail.items():
        if name in _PAYLOADS:
            details[name] = dumps(value)
            if name != "parameters":
                details[f"{name}Details"] = {"truncated": False}
        elif name == "assignedVariables" and isinstance(value, dict):
            details[name] = {variable: dumps(content) for variable, content in value.items()}
        elif value is not None:
            details[name] = value
    if details or type in ("ExecutionFailed",):
        event[details_key(type)] = details
    return event


def task_event(resource: Resource, what: str) -> str:
    """`LambdaFunctionFailed` for a function's ARN, `ActivityFailed` for an activity, `TaskFailed` otherwise."""
    if resource.kind == "lambda":
        return f"LambdaFunction{what}"
    if resource.kind == "activity":
        return f"Activity{what}"
    return f"Task{what}"


def task_detail(resource: Resource) -> dict[str, Json]:
    """The members that every event of a service integration begins with; empty for a function's ARN."""
    if resource.kind in ("lambda", "activity"):
        return {}
    if resource.kind == "handler":
        return {"resource": resource.handler, "resourceType": "handler"}
    action = f"{resource.action}.{resource.pattern}" if resource.pattern else resource.action
    return {"resource": action, "resourceType": resource.service}


def scheduled_detail(
    resource: Resource, parameters: Json, region: str, timeout: float | None, heartbeat: float | None
) -> dict[str, Json]:
    """The details of a task's Scheduled event. timeout, heartbeat: seconds; None: the state has none."""
    detail = task_detail(resource)
    if detail:
        detail["region"] = region
        detail["parameters"] = parameters
    else:
        detail["resource"] = resource.text
        detail["input"] = parameters
    if timeout is not None:
        detail["timeoutInSeconds"] = timeout
    if heartbeat is not None:
        detail["heartbeatInSeconds"] = heartbeat
    return detail


def outcome_detail(error: str | None, cause: str | None) -> dict[str, Json]:
    """`error` and `cause`, each only when there is one."""
    detail: dict[str, Json] = {}
    if error is not None:
        detail["error"] = error
    if cause:
        detail["cause"] = cause
    return detail
