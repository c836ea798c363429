"""Nested executions: a Task that is an execution of another workflow (states:startExecution).

The child is started in the transaction that schedules the task, and its end is the task's result in the
transaction that closes it. A task that waits for it (`.sync`) stops it when the wait ends in any other way.
"""

from __future__ import annotations

from sm_cli.asl.model import Task
from sm_cli.engine.execution_names import check_name
from sm_cli.engine.programs import WorkflowVersion
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.starting import begin, find_version
from sm_cli.engine.stepping.tasks import run_task, time_out
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import InvalidDefinition, NotFound, UsageError
from sm_cli.interpreter.advance import submitted
from sm_cli.interpreter.commands import RunTask, StartExecution
from sm_cli.interpreter.events import Event, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.interpreter.step import Step
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json, canonical, dumps
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    Job,
    Parent,
    Status,
)
from sm_cli.timestamps import rfc3339

#: So many executions may wait for one another in a row. A workflow that starts itself and waits would go on for ever.
DEEPEST = 100
#: AWS's limit on a cause, in characters.
_LONGEST_CAUSE = 32_768
#: An answer of more characters fails the task. Text in text in text doubles its backslashes at every level.
_LONGEST_ANSWER = 32 * 1024 * 1024


class StartRefused(Exception):
    """AWS's StartExecution would answer with this error."""

    def __init__(self, error: str, cause: str) -> None:
        self.name, self.error = error, f"StepFunctions.{error}"
        self.cause = cause


def start_execution(unit: UnitOfWork, execution: Execution, frame: Frame, command: StartExecution) -> None:
    """Start the child, and go on, or wait for its end or for a callback."""
    if is_left_to_handler(unit, "states:startExecution", WorkflowReference(command.workflow, command.qualifier)):
        arguments = (command.arguments, sum(frame.retries) + 1, command.timeout, command.heartbeat)
        run_task(unit, execution, frame, RunTask("states:startExecution", *arguments))
        return
    program = unit.program_of(execution.digest)
    frame = unit.note_started(execution, frame)
    running = None if command.pattern else running_duplicate(unit, command)
    if running is not None:
        child = running
    else:
        try:
            child = start_child(unit, execution, frame, command)
        except StartRefused as e:
            unit.deliver(frame.id, TaskFailed(frame.seq, e.error, e.cause))
            return
    answer: dict[str, Json] = {
        "ExecutionArn": unit.env(child).facts.execution_arn, "StartDate": child.started // 1000
    }  # fmt: skip
    if command.pattern:
        frame = put(unit, execution, submitted(program, frame, answer, unit.env(execution)))
        time_out(unit, frame, command.timeout, command.heartbeat)
        if command.pattern == "waitForTaskToken" or holds_token(unit, frame, command):
            hand_over(unit, execution, frame, command)
    else:
        unit.deliver(frame.id, TaskSucceeded(frame.seq, answer))


def is_left_to_handler(unit: UnitOfWork, resource: str, workflow: WorkflowReference | None) -> bool:
    """Whether a handler answers this task in the engine's place. workflow: the one that it would start; None: it starts
    none."""
    if unit.settings.has_handler is not None and unit.settings.has_handler(resource):
        return True
    if not unit.settings.has_stub or workflow is None:
        return False
    try:
        nested_version(unit, workflow, "")
    except NotFound:
        return True
    except InvalidDefinition:
        pass  # it is there, and starting it gives the error
    return False


def nested_version(unit: UnitOfWork, workflow: WorkflowReference, ref: str) -> WorkflowVersion:
    """What a Task's reference means now. A definition that also runs on AWS may name an alias that is there: while
    nobody has set any for the workflow here, its name alone counts. ref: as for `find_version`. Raises NotFound,
    InvalidDefinition."""
    name, qualifier = workflow
    if qualifier is not None and workflow.version is None and not unit.tx.aliases(name):
        workflow = WorkflowReference(name)
    return find_version(unit, workflow, ref)


def start_child(
    unit: UnitOfWork, starter: Execution, frame: Frame, command: StartExecution, type: str = "STANDARD",
    timeout: float | None = None,
) -> Execution:  # fmt: skip
    """Start the execution that a Task asks for; `timeout` in seconds. Raises Refused."""
    name, reference = command.workflow, WorkflowReference(command.workflow, command.qualifier)
    ref = unit.new_ref()
    try:
        version = nested_version(unit, reference, ref)
    except InvalidDefinition as e:
        raise StartRefused("InvalidDefinition", f"The workflow {name} cannot run: {e}") from None
    except NotFound:
        raise StartRefused(
            "StateMachineDoesNotExistException", f"State Machine Does Not Exist: '{reference}'"
        ) from None
    child_name = ref if command.name is None else command.name
    try:
        check_name(child_name)
    except UsageError as e:
        raise StartRefused("InvalidNameException", f"Invalid Name: '{child_name}': {e}") from None
    if command.name is not None and execution_named(unit, name, command.name) is not None:
        raise StartRefused("ExecutionAlreadyExistsException", f"Execution Already Exists: '{name}:{child_name}'")
    waits = command.pattern.startswith("sync")
    if waits and is_deep(unit, starter):
        raise StartRefused("ExecutionLimitExceededException", f"{DEEPEST} executions wait for one another already")
    return begin(
        unit, version, command.input, ref=ref, name=child_name, type=type, timeout=timeout, starter=starter,
        parent=Parent(frame.id, frame.seq) if waits else None,
    )  # fmt: skip


def is_deep(unit: UnitOfWork, execution: Execution) -> bool:
    """Whether as many executions as may be wait for this one, the last in the row, and for each other."""
    waiting = 1
    while execution.parent is not None and waiting < DEEPEST:
        unit.load([execution.parent.frame])
        execution = unit.execution(unit.frames[execution.parent.frame].execution)
        waiting += 1
    return waiting >= DEEPEST


def running_duplicate(unit: UnitOfWork, command: StartExecution) -> Execution | None:
    """The running execution of that name and input: as on AWS, starting it again returns it."""
    namesake = None if command.name is None else execution_named(unit, command.workflow, command.name)
    if namesake is None or namesake.status is not Status.RUNNING:
        return None
    return namesake if canonical(namesake.input) == canonical(command.input) else None


def execution_named(unit: UnitOfWork, workflow: str, name: str) -> Execution | None:
    """The execution of this name, as it is now."""
    for execution in unit.changes.new_executions:
        if (execution.workflow, execution.name) == (workflow, name):
            return execution
    namesake = unit.tx.find_execution(workflow, name)
    if namesake is None:
        return None
    namesake = unit.execution_if_there(namesake.id)
    if namesake is None:
        return None
    if namesake.status is Status.RUNNING and namesake.deadline is not None and namesake.deadline < unit.now:
        end(unit, namesake, Status.TIMED_OUT)
    return namesake


def holds_token(unit: UnitOfWork, frame: Frame, command: StartExecution) -> bool:
    """Whether what the child is started with has the task's token in it. On AWS a callback then ends a task that waits
    for its child (`.sync`), whichever comes first."""
    return make_token(unit.settings.token_key, frame.id, frame.seq) in dumps(command.arguments)


def hand_over(unit: UnitOfWork, execution: Execution, frame: Frame, command: StartExecution) -> None:
    """The child has the task's token, or its input has: a callback ends the task."""
    frame.opens |= Opens.JOB
    unit.jobs[frame.id] = Job(
        unit.tx.reserve("jobs", 1), execution.id, frame.id, frame.seq, frame.state, "states:startExecution",
        command.input, sum(frame.retries) + 1, execution.queue, execution.priority, unit.now, command.timeout,
        command.heartbeat, HANDED_OVER,
    )  # fmt: skip


def put(unit: UnitOfWork, execution: Execution, step: Step) -> Frame:
    """Write the step, and return its frame."""
    unit.put(execution, step)
    return step.frame


def nested_closed(unit: UnitOfWork, child: Execution, parent: Parent) -> None:
    """The end of a child is the result of the task that waits for it."""
    unit.load([parent.frame])
    frame = unit.frames[parent.frame]
    execution = unit.execution(frame.execution)
    state = unit.program_of(execution.digest).machines[frame.machine].states[frame.state]
    if isinstance(state, Task) and state.resource.sfn_action is not None:  # how it ended is no matter for the call
        unit.deliver(frame.id, TaskSucceeded(parent.activation, described_in_iso(unit, child)))
        return
    as_values = isinstance(state, Task) and state.resource.pattern == "sync:2"
    description = describe_child(unit, child, as_values=as_values)
    event: Event = TaskSucceeded(parent.activation, description)
    if child.status is not Status.SUCCEEDED:
        event = TaskFailed(parent.activation, "States.TaskFailed", dumps(description)[:_LONGEST_CAUSE])
    elif len(dumps(description)) > _LONGEST_ANSWER:
        cause = f"The description of execution {child.name} has more than {_LONGEST_ANSWER:,} characters."
        event = TaskFailed(parent.activation, "States.DataLimitExceeded", cause)
    unit.deliver(frame.id, event)


def described_in_iso(unit: UnitOfWork, child: Execution) -> dict[str, Json]:
    """As `describe_child`, with dates as the SDK integrations give them: ISO 8601 text."""
    description = describe_child(unit, child, as_values=False)
    description["StartDate"] = rfc3339(child.started)
    if child.closed is None:
        del description["StopDate"]
    else:
        description["StopDate"] = rfc3339(child.closed)
    return description


def describe_child(unit: UnitOfWork, child: Execution, *, as_values: bool) -> dict[str, Json]:
    """As AWS's DescribeExecution gives it: input and output as JSON text, or (`.sync:2`) as what they hold.

    Dates are milliseconds since 1970 UTC.
    """
    facts = unit.env(child).facts
    description: dict[str, Json] = {
        "ExecutionArn": facts.execution_arn,
        "Input": child.input if as_values else dumps(child.input),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": child.started // 1000,
        "StateMachineArn": facts.machine_arn,
        "Status": child.status.value,
        "StopDate": (child.closed or unit.now) // 1000,
    }
    description |= {f"{name[:1].upper()}{name[1:]}": arn for name, arn in facts.version_arns.items()}
    if child.status is Status.SUCCEEDED:
        description["Output"] = child.output if as_values else dumps(child.output)
        description["OutputDetails"] = {"Included": True}
    failure = {"Error": child.error, "Cause": child.cause}
    description |= {name: value for name, value in failure.items() if value is not None}
    return dict(sorted(description.items()))
