"""Definitions: checked, validated, and single states of them tested."""

from __future__ import annotations

from typing import Any, Literal

from sm_cli.asl.text.source import Document, parse
from sm_cli.asl.validation.aws import AwsDiagnostic, invalid_definition, validate_as_aws
from sm_cli.asl.validation.validate import express_problems
from sm_cli.engine.engine import Workflow, prepare
from sm_cli.errors import InvalidDefinition
from sm_cli.jsonvalue import Json, dumps
from sm_cli.server.aws.data import payload
from sm_cli.server.aws.refusals import CallRefused
from sm_cli.server.aws.request import ApiCall
from sm_cli.test_state.request import StateTestRefused
from sm_cli.test_state.run import test_state as run_state

Type = Literal["STANDARD", "EXPRESS"]

#: AWS's most problems in one answer.
_MOST = 100
#: Members of InspectionData that are no JSON text.
_NOT_TEXT = ("errorDetails", "maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")
_OURS = {
    "inspectionLevel": "inspection_level",
    "mock": "mock",
    "context": "context",
    "variables": "variables",
    "stateConfiguration": "state_configuration",
    "revealSecrets": "reveal_secrets",
    "stateName": "state_name",
    "roleArn": "role_arn",
}


def read_workflow(name: str, text: str, type: Type) -> Workflow:
    """The workflow of a definition: what `sm` runs is taken, Message states and names of handlers among it. Raises
    CallRefused with AWS's words where they are known, else with ours."""
    document = parse(text).document
    if document is None or document.format != "json":
        raise _refused(text, type, [])
    problems = express_problems(document) if type == "EXPRESS" else []
    try:
        workflow = prepare(document, name)
    except InvalidDefinition as e:
        raise _refused(document, type, e.diagnostics) from None
    if problems:
        raise _refused(document, type, problems)
    return workflow


def _refused(source: Document | str, type: Type, problems: list[Any]) -> CallRefused:
    words = validate_as_aws(source, type)
    if not words:
        words = [
            AwsDiagnostic("ERROR", each.code, each.message, each.pointer or "/")
            for each in problems
            if each.severity == "error"
        ] or [AwsDiagnostic("ERROR", "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", None)]
    error, message = invalid_definition(words)
    return CallRefused(error, message)


def answer_validate_state_machine_definition(call: ApiCall) -> dict[str, Json]:
    """ValidateStateMachineDefinition."""
    type: Type = "EXPRESS" if call.get("type") == "EXPRESS" else "STANDARD"
    diagnostics = validate_as_aws(call.text("definition"), type)
    wanted = [each for each in diagnostics if call.get("severity") == "WARNING" or each.severity == "ERROR"]
    most = int(call.get("maxResults") or _MOST)
    rows: list[Json] = []
    for each in wanted[:most]:
        row: dict[str, Json] = {"severity": each.severity, "code": each.code, "message": each.message}
        rows.append(row if each.location is None else {**row, "location": each.location})
    has_errors = any(each.severity == "ERROR" for each in diagnostics)
    return {"result": "FAIL" if has_errors else "OK", "diagnostics": rows, "truncated": len(wanted) > most}


def answer_test_state(call: ApiCall) -> dict[str, Json]:
    """TestState. Raises CallRefused."""
    arguments: dict[str, Any] = {ours: call.get(name) for name, ours in _OURS.items() if call.get(name) is not None}
    input = payload(call.get("input"), "InvalidExecutionInput", "Invalid State Machine Execution Input")
    try:
        answer = run_state(call.text("definition"), input, handlers=call.door.handlers, **arguments)
    except StateTestRefused as e:
        raise CallRefused(e.error, e.message) from None
    if "output" in answer:
        answer["output"] = dumps(answer["output"])
    inspection = answer.get("inspectionData")
    if isinstance(inspection, dict):
        answer["inspectionData"] = {
            name: value if name in _NOT_TEXT else dumps(value) for name, value in inspection.items()
        }
    return answer
