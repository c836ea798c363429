"""Where the input of an execution comes from: the output of another one, or what a state of it was left with.

The last time that a state ended is the last event of the history that says that it was left, by its Next, its End or
a catcher: in a loop that of the last round, after a redrive that of the newest life that came so far, in branches and
iterations that of whichever left it last. A visit that failed, or was cut off, left nothing. What runs inside a
distributed Map ends in executions of its own, and those are sources of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sm_cli.asl.model import DistributedMap, Map, Parallel, Program
from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.engine.chaining.transform import Transform
from sm_cli.engine.programs import Programs
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.links import Link
from sm_cli.store.records import Execution, HistoryEvent, Status
from sm_cli.store.sql.questions import Questions

#: Rows of the history that are read first, and at most, at a time.
_FIRST_ROWS, _MOST_ROWS = 4, 1000
#: So many states are named in the error about one that is not there.
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Source:
    """What an execution is to be started with, and what is asked of it.

    allow_failed: one that FAILED, TIMED_OUT or was ABORTED will do; its output is what a catcher would get, error and
    cause. unique: refused when it led to an execution of the same workflow already, whatever state it was from.
    """

    #: The execution; its input and output are not needed.
    execution: Execution
    #: The state whose output it is; None: the output of the execution.
    state: str | None = None
    #: What makes the input of it; None: it is the input.
    transform: Transform | None = None
    allow_failed: bool = False
    unique: bool = False


def read_source(questions: Questions, programs: Programs, source: Source) -> tuple[Execution, Json]:
    """(the source as it is, the output that a start is to take). Raises NotFound for an execution that is gone and a
    state that never ended, Conflict for an execution that is open or failed."""
    read = questions.execution_without_input if source.state is None else questions.short_execution
    execution = read(source.execution.id)
    if execution is None:
        raise _absence(source.execution)
    _check_status(execution, allow_failed=source.allow_failed)
    if source.state is not None:
        return execution, _output_of_state(questions, programs, execution, source.state)
    if execution.status is Status.SUCCEEDED:
        return execution, execution.output
    default = "States.Timeout" if execution.status is Status.TIMED_OUT else "States.TaskFailed"
    return execution, {"Error": execution.error or default, "Cause": execution.cause or ""}


def check_unchanged(questions: Questions, source: Source, before: Execution) -> None:
    """Inside the transaction of the start. Raises NotFound and Conflict when the source is not what it was when its
    output was read."""
    now = questions.short_execution(source.execution.id)
    if now is None:
        raise _absence(source.execution)
    if (now.status, now.redrives) != (before.status, before.redrives):
        raise Conflict(f"execution {now.name} was redriven meanwhile: it is {now.status}")


def _absence(execution: Execution) -> NotFound:
    """That it was deleted since it was found."""
    return NotFound(f"execution {execution.name} is not there any more")


def _check_status(execution: Execution, *, allow_failed: bool) -> None:
    if execution.closed is None:
        raise Conflict(f"execution {execution.name} is {execution.status}: only one that has ended can be a source")
    if execution.status is not Status.SUCCEEDED and not allow_failed:
        raise Conflict(f"execution {execution.name} is {execution.status}, so it is no source", topic="failed source")


# -- a state's output ------------------------------------------------------------------------------


def _output_of_state(questions: Questions, programs: Programs, execution: Execution, state: str) -> Json:
    event = last_exit(questions, execution, state)
    if event is not None:
        return event.detail["output"]
    if not questions.history(execution.id, limit=1):
        raise NotFound(f"no history of execution {execution.name} was kept, so what its states gave is not known")
    raise _no_exit(programs.of(execution.digest, questions), execution, state)


def last_exit(questions: Questions, execution: Execution, state: str) -> HistoryEvent | None:
    """The event of the last time that this state was left, whole; None when it never was."""
    before, rows = execution.events + 1, _FIRST_ROWS
    while page := questions.history_page_before(execution.id, before, rows):
        for event in reversed(page):
            if event.type.endswith("StateExited") and event.detail["name"] == state:
                return questions.history(execution.id, event.number - 1, 1)[0]
        before, rows = page[0].number, min(4 * rows, _MOST_ROWS)
    return None


def _no_exit(program: Program, execution: Execution, state: str) -> NotFound:
    """Why there is no output of that state."""
    names = set(_state_names(program, execution.machine))
    if state in names:
        lack = "" if execution.events > 1 else ": no history of it was kept"
        return NotFound(f"state {state!r} never ended in execution {execution.name}{lack}")
    if any(state in machine.states for machine in program.machines.values()):
        return NotFound(
            f"state {state!r} did not run in execution {execution.name} itself",
            hint="What is inside a distributed Map runs in executions of its own: name one of those as the source.",
        )
    hint = did_you_mean(state, names) or f"It has {', '.join(sorted(names)[:_MOST_NAMED])}."
    return NotFound(f"workflow {execution.workflow} has no state {state!r}", hint=hint)


def _state_names(program: Program, pointer: str) -> Iterator[str]:
    """The states that an execution which runs this machine may pass itself."""
    waiting = [pointer]
    while waiting:
        for name, state in program.machines[waiting.pop()].states.items():
            yield name
            match state:
                case Parallel(branches=branches):
                    waiting.extend(branches)
                case DistributedMap():
                    pass
                case Map(processor=processor):
                    waiting.append(processor)


# -- links -----------------------------------------------------------------------------------------


def link_to(target: Execution, source: Source, now: int) -> Link:
    """The row that tells that this execution was started with the data of that source. now: microseconds since 1970
    UTC."""
    origin = source.execution
    return Link(
        target.id, target.ref, target.workflow, origin.id, origin.ref, origin.workflow, now, source.state,
        None if source.transform is None else source.transform.label, source.unique,
    )  # fmt: skip


def check_unique(questions: Questions, source: Source, workflow: str) -> None:
    """Inside the transaction of the start, so that the refusal names the execution that there is; the row itself is
    refused, too. Raises Conflict when the source is to lead once to this workflow, and did."""
    if source.unique and (links := questions.first_links([source.execution.id], workflow)):
        target = links[source.execution.id].target_ref
        raise Conflict(
            f"execution {source.execution.name} has led to an execution of workflow {workflow} already: {target}"
        )
