"""Executions by Step Functions' API: started, stopped, redriven, described and listed."""

from __future__ import annotations

from sm_cli.asl.model import DistributedMap, Message, Program, Task
from sm_cli.asl.resources import workflow_reference
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.nested_executions import (
    StartRefused,
    described_in_iso,
    nested_version,
    running_duplicate,
    start_child,
)
from sm_cli.engine.stepping.redrive import redrive
from sm_cli.engine.stepping.sfn.parameters import (
    Parameters,
    date_member,
    json_of,
    page_bounds,
    pascal,
    text_of,
    the_execution,
    the_workflow,
    wrong,
)
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import Conflict, InvalidDefinition, NotFound
from sm_cli.interpreter.commands import CallSfn, StartExecution
from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.records import Execution, Status
from sm_cli.timestamps import rfc3339

#: AWS's limit on an execution that StartSyncExecution waits for, seconds.
_SYNC_LIMIT = 300


def start(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> Json:
    """StartExecution's answer; None when the end of the child is waited for (StartSyncExecution)."""
    parameters = command.parameters
    machine, name = str(parameters["StateMachineArn"]), parameters.get("Name")
    input = json_of(parameters.get("Input", {}), "InvalidExecutionInput", "Invalid State Machine Execution Input")
    waits = command.action == "startSyncExecution"
    workflow, qualifier = workflow_reference(machine)
    request = StartExecution(
        workflow, None if name is None else str(name), input, "sync" if waits else "", None, None, qualifier=qualifier
    )
    child = None if waits else running_duplicate(unit, request)
    if child is None:
        type, limit = ("EXPRESS", _SYNC_LIMIT) if waits else ("STANDARD", None)
        if waits:
            check_express(unit, WorkflowReference(workflow, qualifier))
        child = start_child(unit, execution, frame, request, type, limit)
        if waits:
            return None
    return {"ExecutionArn": unit.env(child).facts.execution_arn, "StartDate": rfc3339(child.started)}


def check_express(unit: UnitOfWork, workflow: WorkflowReference) -> None:
    """Raises Refused for a workflow that has what no EXPRESS one may have: it can only be a STANDARD one."""
    try:
        program = nested_version(unit, workflow, "").program
    except (InvalidDefinition, NotFound):
        return  # starting it gives the error
    reason = why_standard(program)
    if reason is not None:
        raise StartRefused(
            "StateMachineTypeNotSupported",
            f"This operation is not supported by this type of state machine: '{workflow}' cannot be EXPRESS, {reason}",
        )


def why_standard(program: Program) -> str | None:
    """The first thing in a program that no EXPRESS workflow may have (SM607), None for one that has nothing of it."""
    for machine in program.machines.values():
        for state in machine.states.values():
            if isinstance(state, Message):
                return f"its state {state.name!r} waits for a message"
            if isinstance(state, DistributedMap):
                return f"its state {state.name!r} is a distributed Map"
            if isinstance(state, Task) and state.resource.kind == "activity":
                return f"its state {state.name!r} waits for an activity"
            if isinstance(state, Task) and state.resource.pattern:
                return f"its state {state.name!r} uses .{state.resource.pattern}"
    return None


def stop(unit: UnitOfWork, parameters: Parameters) -> Json:
    """StopExecution; one that is closed stays as it ended."""
    execution = the_execution(unit, parameters)
    if execution.status is Status.RUNNING:
        end(unit, execution, Status.ABORTED, text_of(parameters.get("Error")), text_of(parameters.get("Cause")))
    return {"StopDate": rfc3339(execution.closed or unit.now)}


def redrive_execution(unit: UnitOfWork, parameters: Parameters) -> Json:
    """RedriveExecution, of an execution that this transaction has not changed. Raises Refused."""
    execution = the_execution(unit, parameters)
    try:
        redrive(unit, execution)
    except Conflict as e:
        raise StartRefused("ExecutionNotRedrivable", f"Execution is not redrivable: {e.message}") from None
    return {"RedriveDate": rfc3339(unit.now)}


def is_as_stored(unit: UnitOfWork, parameters: Parameters) -> bool:
    """Whether this transaction has changed nothing of the execution, or there is none."""
    try:
        execution = the_execution(unit, parameters)
    except StartRefused:
        return True
    return execution not in unit.changes.new_executions and execution.id not in unit.changes.executions


def describe(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeExecution."""
    execution = the_execution(unit, parameters)
    counts: Parameters = {"RedriveCount": execution.redrives}
    return {**described_in_iso(unit, execution), **counts, **date_member("RedriveDate", execution.redriven)}


def history(unit: UnitOfWork, parameters: Parameters) -> Json:
    """GetExecutionHistory, a page of it, with what this transaction will write."""
    execution = the_execution(unit, parameters)
    stored_events = unit.tx.history(execution.id)
    events = aws_events([*stored_events, *(e for e in unit.changes.history if e.execution == execution.id)])
    if parameters.get("ReverseOrder") is True:
        events.reverse()
    first, most = page_bounds(parameters)
    answer: Parameters = {"Events": [pascal(event) for event in events[first : first + most]]}
    return answer | ({"NextToken": str(first + most)} if len(events) > first + most else {})


def list_executions(unit: UnitOfWork, parameters: Parameters) -> Json:
    """The newest first, as they were before this transaction."""
    machine, status = parameters.get("StateMachineArn"), parameters.get("StatusFilter")
    first, most = page_bounds(parameters)
    workflow = None if machine is None else the_workflow(unit, str(machine))
    statuses = {status.value: status for status in Status}
    if status is not None and status not in statuses:
        wrong("StatusFilter", status, "one of " + ", ".join(sorted(statuses)))
    filter = ExecutionFilter(() if status is None else (statuses[str(status)],), workflow)
    after = unit.tx.place_before(first) if first else None
    executions = unit.tx.list_executions(filter, ExecutionPage(most + 1, after=after))
    rows = [listed_execution(unit, execution) for execution in executions[:most]]
    return {"Executions": rows} | ({"NextToken": str(executions[most - 1].id)} if len(executions) > most else {})


def listed_execution(unit: UnitOfWork, execution: Execution) -> Json:
    """An execution as ListExecutions has it."""
    description = described_in_iso(unit, execution)
    names = (
        "ExecutionArn", "Name", "StartDate", "StateMachineAliasArn", "StateMachineArn", "StateMachineVersionArn",
        "Status", "StopDate",
    )  # fmt: skip
    return {name: description[name] for name in names if name in description}
