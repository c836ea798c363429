"""Step Functions' own API as tasks (`aws-sdk:sfn:ACTION`), without a handler.

An action is carried out in the transaction that its task is stepped in: it happens once, whatever kills the
process. What is due in the tree that it is about goes before it, as at every other door. Results are in PascalCase
with dates as ISO 8601 text; an error is `Sfn.` and the exception of AWS's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from sm_cli.asl.resources import workflow_name, workflow_reference
from sm_cli.engine.stepping.nested_executions import StartRefused, hand_over, is_left_to_handler, put
from sm_cli.engine.stepping.sfn import callbacks, executions, machines, runs
from sm_cli.engine.stepping.sfn.parameters import Parameters, the_execution, the_run
from sm_cli.engine.stepping.tasks import run_task, time_out
from sm_cli.engine.stepping.unit_of_work import Arrival, UnitOfWork
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.interpreter.advance import submitted
from sm_cli.interpreter.commands import CallSfn, RunTask, StartExecution
from sm_cli.interpreter.events import TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, Status

#: What a READY frame is woken by whose call has to see what the transaction before it has written.
_CALL_SFN = "CallSfn"

_STARTING = ("startExecution", "startSyncExecution")

#: Ids of executions, and of frames of theirs.
About: TypeAlias = tuple[list[int], list[int]]


def call(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> None:
    """Carry the action out, and go on with its answer, or wait for a callback or a child's end."""
    resource, machine = f"aws-sdk:sfn:{command.action}", command.parameters.get("StateMachineArn")
    starts = WorkflowReference(*workflow_reference(str(machine))) if command.action in _STARTING else None
    if is_left_to_handler(unit, resource, starts):
        arguments = (command.parameters, sum(frame.retries) + 1, command.timeout, command.heartbeat)
        run_task(unit, execution, frame, RunTask(resource, *arguments))
        return
    frame = unit.note_started(execution, frame)
    if command.action == "redriveExecution" and not executions.is_as_stored(unit, command.parameters):
        frame = unit.touch(frame)
        frame.status = FrameStatus.READY
        frame.wake = {
            "event": _CALL_SFN, "parameters": command.parameters, "pattern": command.pattern,
            "timeout": command.timeout, "heartbeat": command.heartbeat, "action": command.action,
        }  # fmt: skip
        return
    arrive(unit, execution, frame, command)


def woken(frame: Frame) -> CallSfn | None:
    """The call that a READY frame waits for; None when it waits for something else."""
    match frame.wake:
        case {"event": event, **call} if event == _CALL_SFN:
            return CallSfn(**call)  # type: ignore[arg-type]  # as `call` has written it
        case _:
            return None


def call_at_last(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> None:
    """The turn of a frame whose call waited for this transaction. Raises DamagedDefinition before all else."""
    unit.program_of(execution.digest)
    frame = unit.touch(frame)
    frame.status, frame.wake = FrameStatus.BLOCKED, None
    arrive(unit, execution, frame, command)


def arrive(unit: UnitOfWork, execution: Execution, frame: Frame, command: CallSfn) -> None:
    """Carry the action out at once, or, where something is due in the trees that it is about, after that."""
    what = partial(carry_out, unit, execution.id, frame.id, frame.seq, command)
    try:
        about, frames = _ABOUT[command.action](unit, command.parameters) if command.action in _ABOUT else ([], [])
    except StartRefused:
        about, frames = [], []  # its own answer
    if about and not unit.is_judged(about):
        unit.arrivals.append(Arrival(execution.id, about, frames, what))
    else:
        what()


def carry_out(unit: UnitOfWork, caller: int, id: int, seq: int, command: CallSfn) -> None:
    """Do what the command asks for, and hand its frame the answer, unless what was due before has ended the wait."""
    execution, frame = unit.execution(caller), unit.frames[id]
    if frame.seq != seq or frame.status.closed or execution.status is not Status.RUNNING:
        return
    try:
        if command.action in _STARTING:
            answer = executions.start(unit, execution, frame, command)
            if answer is None:
                time_out(unit, frame, command.timeout, command.heartbeat)
                return
        else:
            answer = _ACTIONS[command.action](unit, command.parameters)
    except StartRefused as e:
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
        program = unit.program_of(execution.digest)
        frame = put(unit, execution, submitted(program, current, answer, unit.env(execution)))
        time_out(unit, frame, command.timeout, command.heartbeat)
        stand_in = StartExecution("", None, command.parameters, command.pattern, command.timeout, command.heartbeat)
        hand_over(unit, execution, frame, stand_in)


# -- what an action is about ---------------------------------------------------------------------------


def of_token(unit: UnitOfWork, parameters: Parameters) -> About:
    """The execution and frame that a token is for."""
    frame = callbacks.find_frame(unit, parameters)
    return [frame.execution], [frame.id]


def of_activity(unit: UnitOfWork, parameters: Parameters) -> About:
    """The executions whose tasks may be handed out, and their frames."""
    jobs = callbacks.free_tasks(unit, callbacks.activity_of(parameters))
    return [job.execution for job in jobs], [job.frame for job in jobs]


def of_execution(unit: UnitOfWork, parameters: Parameters) -> About:
    """The execution of an ARN."""
    return [the_execution(unit, parameters).id], []


def of_run(unit: UnitOfWork, parameters: Parameters) -> About:
    """The execution that a map run belongs to."""
    return [the_run(unit, parameters).execution], []


def of_name(unit: UnitOfWork, parameters: Parameters) -> About:
    """The execution that has the name which a new one is to have."""
    name = parameters.get("Name")
    if name is None:
        return [], []
    namesake = unit.tx.find_execution(workflow_name(str(parameters["StateMachineArn"])), str(name))
    return ([] if namesake is None else [namesake.id]), []


_ABOUT: Mapping[str, Callable[[UnitOfWork, Parameters], About]] = {
    "sendTaskSuccess": of_token,
    "sendTaskFailure": of_token,
    "sendTaskHeartbeat": of_token,
    "getActivityTask": of_activity,
    "startExecution": of_name,
    "startSyncExecution": of_name,
    "stopExecution": of_execution,
    "redriveExecution": of_execution,
    "describeExecution": of_execution,
    "getExecutionHistory": of_execution,
    "describeMapRun": of_run,
    "listMapRuns": of_execution,
    "updateMapRun": of_run,
}

_ACTIONS: Mapping[str, Callable[[UnitOfWork, Parameters], Json]] = {
    "sendTaskSuccess": callbacks.send_success,
    "sendTaskFailure": callbacks.send_failure,
    "sendTaskHeartbeat": callbacks.send_heartbeat,
    "getActivityTask": callbacks.get_activity_task,
    "stopExecution": executions.stop,
    "redriveExecution": executions.redrive_execution,
    "describeExecution": executions.describe,
    "getExecutionHistory": executions.history,
    "listExecutions": executions.list_executions,
    "describeMapRun": runs.describe_run,
    "listMapRuns": runs.list_runs,
    "updateMapRun": runs.update_run,
    "describeStateMachine": machines.describe_machine,
    "describeStateMachineForExecution": machines.describe_for_execution,
    "listStateMachines": machines.list_machines,
    "listStateMachineVersions": machines.list_versions,
    "listStateMachineAliases": machines.list_aliases,
    "describeStateMachineAlias": machines.describe_alias,
    "validateStateMachineDefinition": machines.validate,
}
