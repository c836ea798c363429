"""Nested executions: a Task that is an execution of another workflow (states:startExecution).

Rule: the child is started in the transaction that schedules the task, and its end is the task's result in the
transaction that closes it. Who waits for it (`.sync`) stops it when the wait ends in any other way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.asl.model import Task
from sm_cli.engine.names import check_name
from sm_cli.engine.tasks import time_out
from sm_cli.errors import InvalidDefinition, UsageError
from sm_cli.interpreter.advance import Step, started, submitted
from sm_cli.interpreter.commands import StartExecution
from sm_cli.interpreter.events import Event, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.jsonvalue import Json, canonical, dumps
from sm_cli.store.base import HANDED_OVER, Execution, Job, Parent, Status

if TYPE_CHECKING:
    from sm_cli.asl.model import Program
    from sm_cli.engine.tick import Tick


#: So many executions may wait for one another in a row. A workflow that starts itself and waits would go on for ever.
DEEPEST = 100
#: AWS's limit on a cause, in characters.
_LONGEST_CAUSE = 32_768
#: An answer of more characters fails the task. Text in text in text doubles its backslashes at every level.
_LONGEST_ANSWER = 32 * 1024 * 1024


class _Refused(Exception):
    """AWS's StartExecution would answer with this error."""

    def __init__(self, error: str, cause: str) -> None:
        self.error = f"StepFunctions.{error}"
        self.cause = cause


def start_execution(tick: Tick, execution: Execution, frame: Frame, command: StartExecution) -> None:
    """Start the child, and go on, or wait for its end or for a callback."""
    program = tick.program_of(execution.digest)
    frame = put(tick, execution, started(program, frame, tick.env(execution)))
    running = None if command.pattern else same(tick, command)
    if running is not None:
        child = running
    else:
        try:
            child, of_child = begin(tick, execution, frame, command)
        except _Refused as e:
            tick.deliver(frame.id, TaskFailed(frame.seq, e.error, e.cause))
            return
        tick.start(child, of_child)
    answer: dict[str, Json] = {
        "ExecutionArn": tick.env(child).facts.execution_arn, "StartDate": child.started // 1000
    }  # fmt: skip
    if command.pattern:
        frame = put(tick, execution, submitted(program, frame, answer, tick.env(execution)))
        time_out(tick, frame, command.timeout, command.heartbeat)
        if command.pattern == "waitForTaskToken":
            hand_over(tick, execution, frame, command)
    else:
        tick.deliver(frame.id, TaskSucceeded(frame.seq, answer))


def begin(tick: Tick, parent: Execution, frame: Frame, command: StartExecution) -> tuple[Execution, Program]:
    """The child's row and program. Raises _Refused."""
    name = command.workflow
    try:
        program = tick.programs.named(name, tick.tx, tick.changes, tick.now)
    except InvalidDefinition as e:
        raise _Refused("InvalidDefinition", f"The workflow {name} cannot run: {e}") from None
    if program is None:
        raise _Refused("StateMachineDoesNotExistException", f"State Machine Does Not Exist: '{name}'")
    ref = tick.new_ref()
    called = ref if command.name is None else command.name
    try:
        check_name(called)
    except UsageError as e:
        raise _Refused("InvalidNameException", f"Invalid Name: '{called}': {e}") from None
    if command.name is not None and named(tick, name, command.name) is not None:
        raise _Refused("ExecutionAlreadyExistsException", f"Execution Already Exists: '{name}:{called}'")
    waits = command.pattern.startswith("sync")
    if waits and is_deep(tick, parent):
        raise _Refused("ExecutionLimitExceededException", f"{DEEPEST} executions wait for one another already")
    child = Execution(
        tick.tx.reserve("executions", 1), ref, called, name, program.digest, "STANDARD", Status.RUNNING, tick.now,
        command.input, queue=parent.queue, priority=parent.priority, tree=parent.tree, limits=parent.limits,
        parent=Parent(frame.id, frame.seq) if waits else None,
    )  # fmt: skip
    return child, program


def is_deep(tick: Tick, execution: Execution) -> bool:
    """Whether as many executions as may be wait for this one, the last in the row, and for each other."""
    waiting = 1
    while execution.parent is not None and waiting < DEEPEST:
        tick.load([execution.parent.frame])
        execution = tick.execution(tick.frames[execution.parent.frame].execution)
        waiting += 1
    return waiting >= DEEPEST


def same(tick: Tick, command: StartExecution) -> Execution | None:
    """The running execution of that name and input: as on AWS, to start it again is to be told of it."""
    known = None if command.name is None else named(tick, command.workflow, command.name)
    if known is None or known.status is not Status.RUNNING or canonical(known.input) != canonical(command.input):
        return None
    return known


def named(tick: Tick, workflow: str, name: str) -> Execution | None:
    """The execution of this name, as it is now."""
    for execution in tick.changes.new_executions:
        if (execution.workflow, execution.name) == (workflow, name):
            return execution
    known = tick.tx.execution_named(workflow, name)
    return None if known is None else tick.execution(known.id)


def hand_over(tick: Tick, execution: Execution, frame: Frame, command: StartExecution) -> None:
    """The child has the task's token, or its input has: a callback ends the task."""
    frame.opens |= Opens.JOB
    tick.jobs[frame.id] = Job(
        tick.tx.reserve("jobs", 1), execution.id, frame.id, frame.seq, frame.state, "states:startExecution",
        command.input, sum(frame.retries) + 1, execution.queue, execution.priority, tick.now, command.timeout,
        command.heartbeat, HANDED_OVER,
    )  # fmt: skip


def put(tick: Tick, execution: Execution, step: Step) -> Frame:
    tick.put(execution, step)
    return step.frame


def child_closed(tick: Tick, child: Execution, parent: Parent) -> None:
    """The end of a child is the result of the task that waits for it."""
    tick.load([parent.frame])
    frame = tick.frames[parent.frame]
    execution = tick.execution(frame.execution)
    state = tick.program_of(execution.digest).machines[frame.machine].states[frame.state]
    parsed = isinstance(state, Task) and state.resource.pattern == "sync:2"
    described = description(tick, child, parsed=parsed)
    event: Event = TaskSucceeded(parent.activation, described)
    if child.status is not Status.SUCCEEDED:
        event = TaskFailed(parent.activation, "States.TaskFailed", dumps(described)[:_LONGEST_CAUSE])
    elif len(dumps(described)) > _LONGEST_ANSWER:
        told = f"The description of execution {child.name} has more than {_LONGEST_ANSWER:,} characters."
        event = TaskFailed(parent.activation, "States.DataLimitExceeded", told)
    tick.deliver(frame.id, event)


def description(tick: Tick, child: Execution, *, parsed: bool) -> dict[str, Json]:
    """As AWS's DescribeExecution tells it: input and output as JSON text, or (`.sync:2`) as what they hold.

    Dates are milliseconds since 1970 UTC.
    """
    facts = tick.env(child).facts
    found: dict[str, Json] = {
        "ExecutionArn": facts.execution_arn,
        "Input": child.input if parsed else dumps(child.input),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": child.started // 1000,
        "StateMachineArn": facts.machine_arn,
        "Status": child.status.value,
        "StopDate": (child.closed or tick.now) // 1000,
    }
    if child.status is Status.SUCCEEDED:
        found["Output"] = child.output if parsed else dumps(child.output)
        found["OutputDetails"] = {"Included": True}
    said = {"Error": child.error, "Cause": child.cause}
    found |= {name: value for name, value in said.items() if value is not None}
    return dict(sorted(found.items()))
