"""Executions: started, run within a call, described, listed, stopped, redriven; and their histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sm_cli.asl.resources import INTERNAL
from sm_cli.engine.engine import NewExecution, Workflow
from sm_cli.engine.execution_names import check_name
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.workflows.redriving import redrive_once
from sm_cli.errors import Conflict, InvalidDefinition, NotFound, UsageError
from sm_cli.jsonvalue import Json, dumps
from sm_cli.server.aws.arns import execution_arn_parts, map_run_ref, parts_of, reference_of
from sm_cli.server.aws.data import invalid_name, payload
from sm_cli.server.aws.machines import definition_member, machine_of_call, particulars_members
from sm_cli.server.aws.pages import first_place, page_size, token
from sm_cli.server.aws.refusals import CallRefused, no_execution, no_machine, no_resource, not_valid
from sm_cli.server.aws.request import ApiCall, epoch_seconds
from sm_cli.views.aws.executions import (
    Cursor,
    Execution,
    ExecutionFilter,
    Status,
    events_after,
    execution_of_arn,
    find_run,
    list_page,
    run_above,
    trace_header,
)
from sm_cli.views.aws.machines import text_of_execution, type_of_machine
from sm_cli.views.executions import execution_now

#: AWS's limit on an EXPRESS execution, seconds.
_EXPRESS_LIMIT = 300.0
_ENDED_BADLY = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
_NOT_EXPRESS = "This operation is not supported by this type of state machine"


def answer_start_execution(call: ApiCall) -> dict[str, Json]:
    """StartExecution, in a transaction of its own. Raises CallRefused."""
    try:
        new = execution_to_start(call)
        execution, _ = call.engine.answer(lambda tick: new.start_in(tick, call.engine.programs))[0]
    except (Conflict, UsageError) as e:
        raise start_refusal(call, e) from None
    return started_members(call, execution)


def execution_to_start(call: ApiCall) -> NewExecution:
    """What StartExecution asks for. Raises CallRefused, UsageError."""
    arn = call.text("stateMachineArn")
    reference, input, name = _start_parameters(call)
    workflow = workflow_to_start(call, reference, arn)
    is_express, trace = type_of_machine(call.engine, workflow.name) == "EXPRESS", call.get("traceHeader")
    return call.engine.new_execution(
        workflow, input, name=name, type="EXPRESS" if is_express else "STANDARD",
        timeout=_EXPRESS_LIMIT if is_express else None,
        queue=call.door.queue_of(workflow.name), limits=call.door.limits,
        facts=None if trace is None else {"traceHeader": trace},
    )  # fmt: skip


def start_refusal(call: ApiCall, error: Conflict | UsageError) -> CallRefused | UsageError:
    """Why it was not started, in AWS's words where it has some."""
    name = call.get("name")
    if isinstance(error, Conflict):
        taken = call.arns._arn("execution", f"{reference_of(call.text('stateMachineArn')).workflow}:{name}")
        return CallRefused("ExecutionAlreadyExists", f"Execution Already Exists: '{taken}'")
    return invalid_name(error) if name is not None and "name" in error.message else error


def started_members(call: ApiCall, execution: Execution) -> dict[str, Json]:
    """The answer to StartExecution."""
    return {"executionArn": call.arns.execution(execution), "startDate": epoch_seconds(execution.started)}


def _start_parameters(call: ApiCall) -> tuple[WorkflowReference, Json, str | None]:
    """(the workflow, the input, the name). Raises CallRefused."""
    reference = reference_of(call.text("stateMachineArn"))
    name = call.get("name")
    if name is not None:
        try:
            check_name(name)
        except UsageError as e:
            raise invalid_name(e) from None
    input = payload(call.get("input"), "InvalidExecutionInput", "Invalid State Machine Execution Input")
    return reference, input, name


def workflow_to_start(call: ApiCall, reference: WorkflowReference, arn: str) -> Workflow:
    """The workflow of an ARN, ready to be started. Raises CallRefused."""
    try:
        return call.engine.find_workflow(str(reference))
    except NotFound:
        raise no_machine(arn) from None


def answer_start_sync_execution(call: ApiCall) -> dict[str, Json]:
    """StartSyncExecution: in memory, in the caller's thread; what it asks for of other executions is a call of this API
    of its own. Raises CallRefused."""
    from sm_cli.express import Express
    from sm_cli.handlers.registry import Registry
    from sm_cli.server.aws import within

    arn = call.text("stateMachineArn")
    reference, input, name = _start_parameters(call)
    workflow = workflow_to_start(call, reference, arn)
    if type_of_machine(call.engine, workflow.name) == "STANDARD":
        raise CallRefused("StateMachineTypeNotSupported", _NOT_EXPRESS)
    ours = within.handlers_of(call)
    handlers = Registry.of({**ours, **call.door.handlers})
    try:
        express = Express(
            workflow, handlers, limits=call.door.limits, max_payload=call.engine.settings.max_payload,
            account=call.arns.account, region=call.arns.region, answers=lambda resource: resource in ours,
        )  # fmt: skip
    except (InvalidDefinition, UsageError) as e:
        raise CallRefused("StateMachineTypeNotSupported", f"{_NOT_EXPRESS}: {e.message}") from None
    with express:
        express.start(input, name=name)
        express.run(lambda: express.current().closed is not None or call.door.stop.is_set())
        execution = express.current()
    if execution.closed is None:
        raise CallRefused("ServiceUnavailableException", "The server ends, and the execution with it.", status=503)
    return _sync_answer(call, execution)


def _sync_answer(call: ApiCall, execution: Execution) -> dict[str, Json]:
    closed = execution.closed or execution.started
    has_data = call.get("includedData") != "METADATA_ONLY"
    hundreds = -(-(closed - execution.started) // 100_000)
    answer: dict[str, Json] = {
        "executionArn": call.arns.execution(execution),
        "stateMachineArn": call.arns.machine(execution.workflow),
        "name": execution.name,
        "startDate": epoch_seconds(execution.started),
        "stopDate": epoch_seconds(closed),
        "status": execution.status.value,
        **_data(execution, has_data=has_data),
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100 * max(1, hundreds)},
    }
    return answer | ({} if call.get("traceHeader") is None else {"traceHeader": call.get("traceHeader")})


def _data(execution: Execution, *, has_data: bool) -> dict[str, Json]:
    """Input and output, error and cause, where there are any."""
    data: dict[str, Json] = {"inputDetails": {"included": has_data}}
    if has_data:
        data["input"] = dumps(execution.input)
    if execution.status is Status.SUCCEEDED:
        data["outputDetails"] = {"included": has_data}
        if has_data:
            data["output"] = dumps(execution.output)
    failure = {"error": execution.error, "cause": execution.cause}
    return data | {name: value for name, value in failure.items() if value is not None and has_data}


# -- one execution -------------------------------------------------------------------------------------


def execution_of_call(call: ApiCall) -> Execution:
    """The execution of a call's ARN. Raises CallRefused when there is none."""
    arn = call.text("executionArn")
    execution = execution_of_arn(call.engine, *execution_arn_parts(arn))
    if execution is None or execution.workflow.startswith(INTERNAL):
        raise no_execution(arn)
    return execution


def answer_describe_execution(call: ApiCall) -> dict[str, Json]:
    """DescribeExecution. Raises CallRefused."""
    execution = execution_of_call(call)
    answer: dict[str, Json] = {
        **_listed(call, execution),
        **_data(execution, has_data=call.get("includedData") != "METADATA_ONLY"),
        "redriveCount": execution.redrives,
        **_redrive_status(execution),
    }
    header, run = trace_header(call.engine, execution), run_above(call.engine, execution)
    if header is not None:
        answer["traceHeader"] = header
    return answer if run is None else {**answer, "mapRunArn": call.arns.map_run(run)}


def _redrive_status(execution: Execution) -> dict[str, Json]:
    if execution.parent is not None and execution.parent.run is not None and execution.status in _ENDED_BADLY:
        return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN"}
    if execution.type == "STANDARD" and execution.status in _ENDED_BADLY:
        return {"redriveStatus": "REDRIVABLE"}
    why = f"Execution is {execution.status.value} and cannot be redriven"
    if execution.type == "EXPRESS":
        why = "Execution is of an EXPRESS state machine and cannot be redriven"
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": why}


def _listed(call: ApiCall, execution: Execution) -> dict[str, Json]:
    """An execution as lists have it."""
    facts = call.arns.facts(execution)
    times = {"stopDate": execution.closed, "redriveDate": execution.redriven}
    status = Status.RUNNING if execution.status is Status.PENDING else execution.status
    return {
        "executionArn": facts.execution_arn,
        "stateMachineArn": facts.machine_arn,
        "name": execution.name,
        "status": status.value,
        "startDate": epoch_seconds(execution.started),
        **{name: epoch_seconds(at) for name, at in times.items() if at is not None},
        **facts.version_arns,
    }


def answer_describe_state_machine_for_execution(call: ApiCall) -> dict[str, Json]:
    """DescribeStateMachineForExecution. Raises CallRefused."""
    execution = execution_of_call(call)
    machine = text_of_execution(call.engine, execution)
    run = run_above(call.engine, execution)
    of_run: dict[str, Json] = {}
    if run is not None:
        of_run = {"mapRunArn": call.arns.map_run(run), "label": execution.workflow.partition("/")[2]}
    members = particulars_members(call.arns, machine)
    del members["type"]
    return {
        "stateMachineArn": call.arns.machine(execution.workflow),
        "name": machine.name,
        **definition_member(call, machine),
        "updateDate": epoch_seconds(machine.updated),
        **members,
        **of_run,
    }


def answer_stop_execution(call: ApiCall) -> dict[str, Json]:
    """StopExecution; one that has ended stays as it ended. Raises CallRefused."""
    execution = execution_of_call(call)
    try:
        execution = call.engine.stop(execution, error=call.get("error"), cause=call.get("cause"))
    except Conflict as e:
        execution = _now(call, execution)
        if execution.closed is None:
            not_valid(e.message)
    return {"stopDate": epoch_seconds(execution.closed or execution.started)}


def _now(call: ApiCall, execution: Execution) -> Execution:
    """As it is now. Raises CallRefused when it was deleted meanwhile."""
    current = execution_now(call.engine, execution.id)
    if current is None:
        raise no_execution(call.text("executionArn"))
    return current


def answer_redrive_execution(call: ApiCall) -> dict[str, Json]:
    """RedriveExecution; a call that is made again with its token is answered as before. Raises CallRefused."""
    execution = execution_of_call(call)
    try:
        redriven = redrive_once(call.engine, execution, call.get("clientToken"))
    except Conflict as e:
        raise CallRefused("ExecutionNotRedrivable", f"Execution is not redrivable: {e.message}") from None
    return {"redriveDate": epoch_seconds(redriven)}


# -- lists ---------------------------------------------------------------------------------------------


def answer_list_executions(call: ApiCall) -> dict[str, Json]:
    """ListExecutions, a page of it, newest first: of a state machine (a version, an alias), or of a map run."""
    machine, run = call.get("stateMachineArn"), call.get("mapRunArn")
    if (machine is None) == (run is None):
        not_valid("Must specify either a state machine ARN or a map run ARN, and not both")
    if machine is not None and call.get("redriveFilter") is not None:
        not_valid("The redriveFilter is only supported for child executions of a map run")
    filter, takes = _of_machine(call, machine) if machine is not None else _of_run(call, run)
    status = call.get("statusFilter")
    if status == "PENDING_REDRIVE":
        return {"executions": []}
    if status is not None:
        open = (Status.RUNNING, Status.PENDING) if run is not None else (Status.RUNNING,)
        filter = filter._replace(statuses=open if status == "RUNNING" else (Status(status),))
    place: Any = first_place(call)
    after: Cursor | None = None if place is None else (place[0], place[1])
    page = list_page(call.engine, filter, after, page_size(call), takes)
    rows: list[Json] = []
    for execution in page.executions:
        row = _listed(call, execution)
        if run is not None:
            items = 1 if execution.parent is None else execution.parent.items
            row |= {"mapRunArn": run, "itemCount": items, "redriveCount": execution.redrives}
        rows.append(row)
    return {"executions": rows, **token(call, None if page.next is None else list(page.next))}


def _of_machine(call: ApiCall, arn: str) -> tuple[ExecutionFilter, Callable[[Execution], bool] | None]:
    reference = reference_of(arn)
    machine_of_call(call, reference, arn)
    filter = ExecutionFilter(workflow=reference.workflow)
    if reference.qualifier is None:
        return filter, None
    number, qualifier = reference.version, reference.qualifier
    if number is None:
        return filter, lambda execution: execution.qualifier == qualifier
    return filter, lambda execution: execution.qualifier is not None and execution.version == number


def _of_run(call: ApiCall, arn: str) -> tuple[ExecutionFilter, Callable[[Execution], bool] | None]:
    parts_of(arn, "mapRun")
    try:
        run = find_run(call.engine, *map_run_ref(arn)).run
    except NotFound:
        raise no_resource(arn) from None
    wanted = call.get("redriveFilter")
    takes = None if wanted is None else lambda execution: (execution.redrives > 0) == (wanted == "REDRIVEN")
    return ExecutionFilter(run=run.id), takes


# -- the history ---------------------------------------------------------------------------------------


def answer_get_execution_history(call: ApiCall) -> dict[str, Json]:
    """GetExecutionHistory, a page of it. Raises CallRefused."""
    execution, most, place = execution_of_call(call), page_size(call), first_place(call)
    if call.get("reverseOrder") is True:
        last = execution.events if place is None else int(place)
        first = max(0, last - most)
        events = events_after(call.engine, execution, first, last - first)[::-1] if last else []
        next = first or None
    else:
        events = events_after(call.engine, execution, int(place or 0), most + 1)
        next = None if len(events) <= most else int(str(events[most - 1]["id"]))
        events = events[:most]
    has_data = call.get("includeExecutionData") is not False
    return {"events": [_event(event, has_data=has_data) for event in events], **token(call, next)}


def _event(event: Mapping[str, Json], *, has_data: bool) -> dict[str, Json]:
    at = event["timestamp"]
    assert isinstance(at, int), "microseconds"
    shaped = {**event, "timestamp": epoch_seconds(at)}
    return shaped if has_data else {name: _without_data(value) for name, value in shaped.items()}


def _without_data(details: Json) -> Json:
    if not isinstance(details, dict):
        return details
    left = {name: value for name, value in details.items() if name not in ("input", "output", "assignedVariables")}
    return {**left, "parameters": ""} if "parameters" in left else left  # a member that every client expects
