"""Step Functions' own API as tasks (`aws-sdk:sfn:ACTION`), without a handler.

Rule: an action is carried out in the transaction that its task is stepped in: it happens once, whatever kills the
process. Results are in PascalCase with dates as ISO 8601 text; an error is `Sfn.` and the exception of AWS's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sm_cli.asl.resources import workflow_name
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.nested_executions import Refused, described_in_iso, hand_over, put, same, start_child
from sm_cli.engine.stepping.tasks import time_out
from sm_cli.engine.stepping.tokens import frame_of_token, task_of_token
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import InvalidJson, NotFound, TaskTimedOut, UsageError
from sm_cli.interpreter.advance import started, submitted
from sm_cli.interpreter.commands import CallSfn, StartExecution
from sm_cli.interpreter.env import Facts
from sm_cli.interpreter.events import DeadlinePassed, Event, HeartbeatMissed, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json, dumps, loads_exact
from sm_cli.store.records import (
    Execution,
    ExecutionFilter,
    Job,
    Status,
    Timer,
)
from sm_cli.timestamps import MICROSECONDS, rfc3339

#: AWS's limit on an execution that StartSyncExecution waits for, seconds.
_SYNC_LIMIT = 300
#: AWS's most results of one call, and how many it gives unless it is asked for a number.
_MOST, _USUAL = 1_000, 100

Parameters: TypeAlias = dict[str, Json]


def call(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> None:
    """Carry the action out, and go on with its answer, or wait for a callback or a child's end."""
    program = unit.program_of(execution.digest)
    frame = put(unit, execution, started(program, frame, unit.env(execution)))
    try:
        if command.action in ("startExecution", "startSyncExecution"):
            answer = start(unit, execution, frame, command)
            if answer is None:
                time_out(unit, frame, command.timeout, command.heartbeat)
                return
        else:
            answer = _ACTIONS[command.action](unit, command.parameters)
    except Refused as e:
        request = f"{execution.ref}-{frame.id}-{frame.seq}"
        error = e.name if e.name.endswith("Exception") else f"{e.name}Exception"
        cause = f"{e.cause} (Service: Sfn, Status Code: 400, Request ID: {request})"
        unit.deliver(frame.id, TaskFailed(frame.seq, f"Sfn.{error}", cause))
        return
    if command.pattern != "waitForTaskToken":
        unit.deliver(frame.id, TaskSucceeded(frame.seq, answer))
        return
    current = unit.frames[frame.id]
    if current.seq == frame.seq and not current.status.closed:
        frame = put(unit, execution, submitted(program, current, answer, unit.env(execution)))
        time_out(unit, frame, command.timeout, command.heartbeat)
        given = StartExecution("", None, command.parameters, command.pattern, command.timeout, command.heartbeat)
        hand_over(unit, execution, frame, given)


# -- callbacks -----------------------------------------------------------------------------------------


def send_success(unit: UnitOfWork, given: Parameters) -> Json:
    """SendTaskSuccess. Raises Refused with AWS's error name, as all of these do."""
    output = json_of(given["Output"], "InvalidOutput", "Invalid Output")
    return answer_token(unit, given, lambda seq: TaskSucceeded(seq, output))


def send_failure(unit: UnitOfWork, given: Parameters) -> Json:
    """SendTaskFailure; the error is States.TaskFailed unless given."""
    error, cause = text_of(given.get("Error")), text_of(given.get("Cause"))
    return answer_token(unit, given, lambda seq: TaskFailed(seq, error or "States.TaskFailed", cause))


def send_heartbeat(unit: UnitOfWork, given: Parameters) -> Json:
    """SendTaskHeartbeat: HeartbeatSeconds start anew."""
    frame, job = waiting(unit, str(given["TaskToken"]))
    if job.heartbeat is not None:
        due = unit.now + round(job.heartbeat * MICROSECONDS)
        unit.rearm(Timer(job.execution, frame.id, frame.seq, TimerKind.HEARTBEAT, due))
    return {}


def answer_token(unit: UnitOfWork, given: Parameters, event: Callable[[int], Event]) -> Json:
    """Hand the frame of the token an event, made for its seq."""
    frame, _ = waiting(unit, str(given["TaskToken"]))
    unit.deliver(frame.id, event(frame.seq))
    return {}


def waiting(unit: UnitOfWork, token: str) -> tuple[Frame, Job]:
    """The frame and job that a token is for, unless their time is up: then that is stepped first. Raises Refused."""
    try:
        frame = frame_of_token(unit, token)
        execution = unit.execution(frame.execution)
        if is_overdue(unit, execution):
            end(unit, execution, Status.TIMED_OUT)
        frame, job = task_of_token(unit, token)
    except TaskTimedOut:
        raise Refused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'") from None
    except NotFound:
        raise Refused("TaskDoesNotExist", "Task does not exist") from None
    except UsageError:
        raise Refused("InvalidToken", "Invalid Token: 'Invalid token'") from None
    for timer in unit.tx.due_timers_of([frame.id], unit.now - 1):
        moved = unit.timers.get((timer.frame, timer.kind))
        if timer.seq == frame.seq and (moved is None or moved.due < unit.now):
            late = HeartbeatMissed if timer.kind is TimerKind.HEARTBEAT else DeadlinePassed
            unit.deliver(frame.id, late(frame.seq))
            raise Refused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    if unit.agenda.has(frame.id, frame.seq):
        raise Refused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    return frame, job


def is_overdue(unit: UnitOfWork, execution: Execution) -> bool:
    """Whether the time of a running execution was up before this transaction."""
    deadline = execution.deadline
    return execution.status is Status.RUNNING and deadline is not None and deadline < unit.now


# -- executions ----------------------------------------------------------------------------------------


def start(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> Json:
    """StartExecution's answer; None when the end of the child is waited for (StartSyncExecution)."""
    given = command.parameters
    machine, name = str(given["StateMachineArn"]), given.get("Name")
    input = json_of(given.get("Input", {}), "InvalidExecutionInput", "Invalid State Machine Execution Input")
    waits = command.action == "startSyncExecution"
    wanted = StartExecution(
        workflow_name(machine), None if name is None else str(name), input, "sync" if waits else "", None, None
    )
    child = None if waits else same(unit, wanted)
    if child is None:
        type, limit = ("EXPRESS", _SYNC_LIMIT) if waits else ("STANDARD", None)
        child = start_child(unit, execution, frame, wanted, type, limit)
        if waits:
            return None
    return {"ExecutionArn": unit.env(child).facts.execution_arn, "StartDate": rfc3339(child.started)}


def stop(unit: UnitOfWork, given: Parameters) -> Json:
    """StopExecution; one that is closed stays as it ended."""
    execution = the_execution(unit, given)
    if execution.status is Status.RUNNING:
        end(unit, execution, Status.ABORTED, text_of(given.get("Error")), text_of(given.get("Cause")))
    return {"StopDate": rfc3339(execution.closed or unit.now)}


def describe(unit: UnitOfWork, given: Parameters) -> Json:
    """DescribeExecution."""
    execution = the_execution(unit, given)
    redriven = {} if execution.redriven is None else {"RedriveDate": rfc3339(execution.redriven)}
    return {**described_in_iso(unit, execution), "RedriveCount": execution.redrives, **redriven}


def history(unit: UnitOfWork, given: Parameters) -> Json:
    """GetExecutionHistory, a page of it, with what this transaction will write."""
    execution = the_execution(unit, given)
    written = unit.tx.history(execution.id)
    events = aws_events([*written, *(e for e in unit.changes.history if e.execution == execution.id)])
    if given.get("ReverseOrder") is True:
        events.reverse()
    first, most = page(given)
    found: Parameters = {"Events": [pascal(event) for event in events[first : first + most]]}
    return found | ({"NextToken": str(first + most)} if len(events) > first + most else {})


def list_executions(unit: UnitOfWork, given: Parameters) -> Json:
    """The newest first, as they were before this transaction."""
    machine, status = given.get("StateMachineArn"), given.get("StatusFilter")
    first, most = page(given)
    workflow = None if machine is None else the_workflow(unit, str(machine))
    known = {status.value: status for status in Status}
    if status is not None and status not in known:
        raise Refused("Sfn", f"1 validation error detected: Value '{status}' at 'statusFilter' is not valid")
    wanted = None if status is None else known[str(status)]
    before = first or None
    found = unit.tx.list_executions(ExecutionFilter(wanted, workflow, before_id=before, limit=most + 1))
    rows = [row(unit, execution) for execution in found[:most]]
    return {"Executions": rows} | ({"NextToken": str(found[most - 1].id)} if len(found) > most else {})


def row(unit: UnitOfWork, execution: Execution) -> Json:
    """An execution as ListExecutions has it."""
    told = described_in_iso(unit, execution)
    names = ("ExecutionArn", "Name", "StartDate", "StateMachineArn", "Status", "StopDate")
    return {name: told[name] for name in names if name in told}


def describe_machine(unit: UnitOfWork, given: Parameters) -> Json:
    """DescribeStateMachine, of the newest definition of the name."""
    name = the_workflow(unit, str(given["StateMachineArn"]))
    new = (each for each in reversed(unit.changes.new_definitions) if each.name == name)
    stored = next(new, None) or unit.tx.newest(name)
    assert stored is not None, "the workflow was found"
    return {
        **machine_row(name, stored.created),
        "Definition": stored.text,
        "Status": "ACTIVE",
        "RoleArn": facts_of(name).role,
    }


def list_machines(unit: UnitOfWork, given: Parameters) -> Json:
    """ListStateMachines, a page of it."""
    first, most = page(given)
    stored = unit.tx.workflows()
    found: list[Json] = [machine_row(each.name, each.created) for each in stored[first : first + most]]
    return {"StateMachines": found} | ({"NextToken": str(first + most)} if len(stored) > first + most else {})


def facts_of(workflow: str) -> Facts:
    """The facts from which the ARNs of a workflow are made."""
    return Facts("", "", workflow, "STANDARD", None, "")


def machine_row(name: str, created: int) -> Parameters:
    """A workflow as ListStateMachines has it. created: microseconds since 1970 UTC."""
    facts = facts_of(name)
    return {"StateMachineArn": facts.machine_arn, "Name": name, "Type": "STANDARD", "CreationDate": rfc3339(created)}


# -- parameters ----------------------------------------------------------------------------------------


def the_execution(unit: UnitOfWork, given: Parameters) -> Execution:
    """The execution of an ARN, its time judged. Raises Refused."""
    arn = str(given["ExecutionArn"])
    parts = arn.split(":")
    if len(parts) < 8 or parts[5] not in ("execution", "express"):
        raise Refused("InvalidArn", f"Invalid Arn: '{arn}'")
    workflow, name = parts[6], parts[7]
    found: Execution | None = None
    for new in unit.changes.new_executions:
        if (new.workflow, new.name) == (workflow, name):
            found = new
    if found is None:
        stored = unit.tx.execution_named(workflow, name)
        if stored is None:
            raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        found = unit.execution(stored.id)
    if is_overdue(unit, found):
        end(unit, found, Status.TIMED_OUT)
    return found


def the_workflow(unit: UnitOfWork, arn: str) -> str:
    """The name of the workflow of an ARN. Raises Refused when there is none."""
    name = workflow_name(arn)
    if unit.programs.named(name, unit.tx, unit.changes, unit.now) is None:
        raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    return name


def json_of(value: Json, error: str, what: str) -> Json:
    """What a parameter of JSON text holds; an object given in its place is what its text would hold."""
    if not isinstance(value, str):
        return value
    try:
        return loads_exact(value)
    except InvalidJson as e:
        raise Refused(error, f"{what}: '{e.message}'") from None


def text_of(value: Json) -> str | None:
    """A string as it is, another value as its JSON text."""
    return value if value is None or isinstance(value, str) else dumps(value)


def page(given: Parameters) -> tuple[int, int]:
    """(where the page begins, how many results it has at most)."""
    most, token = given.get("MaxResults"), given.get("NextToken", "0")
    if not isinstance(token, str) or not token.isascii() or not token.isdigit():
        raise Refused("InvalidToken", f"Invalid Token: '{token}'")
    count = int(most) if isinstance(most, (int, float)) and not isinstance(most, bool) and most > 0 else _USUAL
    return int(token), min(count, _MOST)


def pascal(value: Json) -> Json:
    """An answer of the API with its members' names as the SDK integrations write them."""
    if isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: inner if name == "assignedVariables" else pascal(inner)
            for name, inner in value.items()
        }
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


_ACTIONS: Mapping[str, Callable[[UnitOfWork, Parameters], Json]] = {
    "sendTaskSuccess": send_success,
    "sendTaskFailure": send_failure,
    "sendTaskHeartbeat": send_heartbeat,
    "stopExecution": stop,
    "describeExecution": describe,
    "getExecutionHistory": history,
    "listExecutions": list_executions,
    "describeStateMachine": describe_machine,
    "listStateMachines": list_machines,
}
