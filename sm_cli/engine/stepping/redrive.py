"""Redrive: a failed execution goes on from where it failed, as AWS's RedriveExecution does.

What succeeded stays; a Parallel or Map runs again only the children that did not. A frame that is
reopened gets a new seq, so that nothing made for its first life reaches its second. Retry counters start again,
and the history keeps both lives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from sm_cli.asl.model import DistributedMap, Map, Parallel, Program, State
from sm_cli.engine.programs import Workflow, WorkflowVersion
from sm_cli.engine.stepping import map_runs
from sm_cli.engine.stepping.closing import run_of, write_run
from sm_cli.engine.stepping.forks import start_pending_branches
from sm_cli.engine.stepping.map_runs import run_result
from sm_cli.engine.stepping.other_version import change_version, check_fits
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.resolving import version_numbered
from sm_cli.errors import Conflict, NotFound
from sm_cli.interpreter.brake import next_round
from sm_cli.interpreter.events import Joined
from sm_cli.interpreter.frame import Brake, Frame, FrameStatus, Opens
from sm_cli.interpreter.join import to_start
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, Status

_REDRIVABLE = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


@dataclass(frozen=True, slots=True)
class Again:
    """One state that will run again. `where` names the iterations it is in, as "Name[3]"."""

    #: The state's name.
    state: str
    #: The state's type, such as Task.
    type: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherText:
    """The text that a redriven execution goes on with."""

    #: What a sentence calls it.
    name: str
    #: The same, compiled.
    program: Program
    #: Makes it a version of the workflow, in this transaction, and returns which.
    register: Callable[[], WorkflowVersion]


@dataclass(frozen=True, slots=True)
class From:
    """Go on from another state of the root machine, with this input."""

    #: The state's name.
    state: str
    #: Its raw input.
    input: Json


def redrive(
    unit: UnitOfWork, execution: Execution, origin: From | None = None, text: OtherText | None = None
) -> list[Again]:
    """Reopen a closed execution; what it does next comes with `tick.run`. text: what it goes on with; None: the
    version that it has.

    Raises Conflict unless it is a STANDARD execution that FAILED, TIMED_OUT or was ABORTED, and no child of a map run
    (the run has counted its end), or when the other text lacks what it needs; NotFound for an `origin` that is no state
    of its root machine. Nothing has changed then.
    """
    execution = unit.execution(execution.id)
    check_redrivable(execution)
    digest = execution.digest
    program = unit.program_of(digest) if text is None else text.program
    if origin is not None:
        check_origin(program, origin.state)
    other = None if text is None or text.program.digest == digest else text
    if other is not None:
        check_fits(unit, execution, program, other.name, has_origin=origin is not None)
    if other is not None:
        change_version(unit, execution, other.register())
    root = unit.tx.root(execution.id)
    reopen_execution(unit, execution, root, is_other_version=other is not None)
    if origin is not None:
        root = unit.reopen(root)
        root.state, root.input, root.join = origin.state, origin.input, None
        unit.wake(root)
        return [again_of(unit, root, ())]
    if other is not None and not root.entered:
        root = unit.reopen(root)
        root.state = program.root.start_at
    return Reopening(unit, execution, other_digest=None if other is None else digest).frame(root, ())


def text_of_version(unit: UnitOfWork, execution: Execution, number: int) -> OtherText:
    """A version of the execution's workflow. Raises NotFound."""
    row = version_numbered(unit.tx, execution.workflow, number)
    program = unit.program_of(row.digest)
    version = WorkflowVersion(execution.workflow, program, number)
    return OtherText(f"{execution.workflow}:{number}", program, lambda: version)


def text_of_definition(unit: UnitOfWork, execution: Execution, definition: Workflow) -> OtherText:
    """A text of a person's, under the name of the execution's workflow; registered when it is gone on with."""
    text = replace(definition, name=execution.workflow, version=None, qualifier=None)

    def register() -> WorkflowVersion:
        return unit.programs.version_to_start(text, unit.tx, unit.changes, unit.now)

    return OtherText("the other text", text.program, register)


def check_origin(program: Program, state: str) -> None:
    """Raises NotFound when the workflow has no such state at its top level."""
    if state not in program.root.states:
        names = ", ".join(program.root.states)
        raise NotFound(f"the workflow has no state {state!r} at its top level; it has {names}")


def check_redrivable(execution: Execution) -> None:
    """Raises Conflict when the execution cannot be redriven."""
    if execution.type != "STANDARD":
        raise Conflict(f"execution {execution.name} is {execution.type}: only STANDARD ones can be redriven")
    if execution.parent is not None and execution.parent.is_listed:
        raise Conflict(f"execution {execution.name} belongs to a batch: try what failed in the batch again")
    if execution.parent is not None and execution.parent.run is not None:
        raise Conflict(f"execution {execution.name} belongs to a map run: redrive the execution that the Map is in")
    if execution.status not in _REDRIVABLE:
        raise Conflict(f"execution {execution.name} is {execution.status}: there is nothing to redrive")


def reopen_execution(unit: UnitOfWork, execution: Execution, root: Frame, *, is_other_version: bool = False) -> None:
    """Let a closed execution run again, its deadline as far away as at first. is_other_version: its history is to say
    which one it runs from now on."""
    # The same span again, whether the definition gave it or who started the execution.
    span = None if execution.deadline is None else execution.deadline - (execution.redriven or execution.started)
    execution.status, execution.closed = Status.RUNNING, None
    execution.error = execution.cause = execution.output = None
    execution.redrives += 1
    execution.redriven = unit.now
    unit.executions[execution.id] = execution
    if span is not None:
        execution.deadline = unit.now + span
    unit.envs.pop(execution.id, None)  # its facts changed
    unit.changes.executions[execution.id] = execution
    detail: dict[str, Json] = {"redriveCount": execution.redrives}
    if is_other_version:
        detail["stateMachineVersionArn"] = f"{unit.env(execution).facts.machine_arn}:{execution.version}"
    note(unit, execution, root, "ExecutionRedriven", detail)


def note(unit: UnitOfWork, execution: Execution, frame: Frame, type: str, detail: dict[str, Json]) -> None:
    """Record what a redrive does to a frame."""
    execution.events += 1
    unit.env(execution).events = execution.events
    unit.note(execution, execution.events, frame.last, frame.id, type, detail)


def child_again(unit: UnitOfWork, child: Execution, root: Frame) -> None:
    """The turn of a child of a map run has come again: it goes on from where it failed."""
    reopen_execution(unit, child, root)
    Reopening(unit, child).frame(root, ())


def again_of(unit: UnitOfWork, frame: Frame, where: tuple[str, ...]) -> Again:
    """What is shown of a frame that will run again."""
    state = state_of(unit, frame)
    return Again(state.name, state.type, where)


def state_of(unit: UnitOfWork, frame: Frame) -> State:
    """The state that the frame is in."""
    program = unit.program_of(unit.execution(frame.execution).digest)
    return program.machines[frame.machine].states[frame.state]


def can_run(child: Execution) -> bool:
    """Whether this child of a map run, which did not succeed, can run again: whether its item can be worked on."""
    return bool(child.events) or child.status is not Status.FAILED


class Reopening:
    """Opens the failed frames of one execution again, from the root down. other_digest: of the definition that they
    were made for, where the execution has another one now: what never began, begins where that does; None: it is the
    same."""

    def __init__(self, unit: UnitOfWork, execution: Execution, *, other_digest: str | None = None) -> None:
        self.unit = unit
        self.execution = execution
        self.other_digest = other_digest

    def frame(self, frame: Frame, where: tuple[str, ...]) -> list[Again]:
        """Reopen a frame that did not succeed, and below it what did not. Returns which states run again."""
        unit, state = self.unit, state_of(self.unit, frame)
        if isinstance(state, DistributedMap) and frame.join is not None and frame.join.made_children:
            return self.run(unit.reopen(frame), state, where)
        is_fork = isinstance(state, (Parallel, Map)) and frame.join is not None
        children = unit.tx.children(frame.id, frame.join.activation) if is_fork and frame.join else []
        frame = unit.reopen(frame)
        if not children:
            frame.join = None
            unit.wake(frame)
            return [again_of(unit, frame, where)]
        frame.status, frame.opens = FrameStatus.BLOCKED, Opens.CHILDREN
        return self.fork(frame, children, where)

    def run(self, parent: Frame, state: DistributedMap, where: tuple[str, ...]) -> list[Again]:
        """A map run: its children that did not succeed wait for their turn, as at first."""
        unit, join = self.unit, parent.join
        assert join is not None
        run = run_of(unit, parent.id, join)
        run.status, run.closed, run.redrives = Status.RUNNING, None, run.redrives + 1
        write_run(unit, run)
        parent.status, parent.opens = FrameStatus.BLOCKED, Opens.EXECUTIONS
        parent.join = join._replace(
            failed=0, failed_items=0, settled_items=join.settled_items - join.failed_items, started=join.succeeded
        )
        detail: dict[str, Json] = {"mapRunArn": unit.env(self.execution).facts.map_run_arn(state.label, run.ref)}
        note(unit, self.execution, parent, "MapRunRedriven", {**detail, "redriveCount": run.redrives})
        failures = unit.tx.failed_executions(parent.id, join.activation)
        if join.brake is not None:
            failures = self.leave_refused(parent, join.brake, failures)
        roots = {root.execution: root for root in unit.tx.roots([child.id for child in failures])}
        again = [self.wait(child, roots[child.id], (*where, state.name)) for child in failures]
        unit.runs.new_children[parent.id, join.activation].extend(failures)
        if not failures and join.read_items == join.total:  # only its results were not written
            unit.deliver(parent.id, run_result(unit, parent))
        map_runs.start_pending_children(unit, parent, to_start(parent.join))
        map_runs.want_items(unit, parent)
        return again or [again_of(unit, parent, where)]

    def leave_refused(self, parent: Frame, brake: Brake, failures: list[Execution]) -> list[Execution]:
        """Of a batch's children those that run again: an item that could not be worked on has failed for good. The
        others are counted anew, and a round begins."""
        again = [child for child in failures if can_run(child)]
        count, join = len(failures) - len(again), parent.join
        assert join is not None
        join = join._replace(
            failed=count, failed_items=count, settled_items=join.settled_items + count,
            started=join.started + count,
        )  # fmt: skip
        parent.join = next_round(join, brake._replace(paused_since=0))
        return again

    def wait(self, child: Execution, root: Frame, where: tuple[str, ...]) -> Again:
        """A child of a map run waits for its turn again."""
        unit = self.unit
        child.status, child.closed = Status.PENDING, None
        child.error = child.cause = child.output = None
        if child.digest == self.other_digest:  # a batch's are executions of another workflow
            child.digest, child.version = self.execution.digest, self.execution.version
        unit.executions[child.id] = unit.changes.executions[child.id] = child
        unit.runs.roots[child.id] = root
        if not child.events:
            root = unit.runs.roots[child.id] = self.put_back(root)
        assert child.parent is not None
        place = f"{where[-1]}[{child.parent.number}]"
        return Again(root.state, state_of(unit, root).type, (*where[:-1], place))

    def put_back(self, frame: Frame) -> Frame:
        """A frame that never began waits for its turn as at first."""
        frame = self.unit.reopen(frame, FrameStatus.PENDING)
        machine = self.unit.program_of(self.unit.execution(frame.execution).digest).machines[frame.machine]
        if self.other_digest is not None or frame.state not in machine.states:
            frame.state = machine.start_at
        return frame

    def fork(self, parent: Frame, children: list[Frame], where: tuple[str, ...]) -> list[Again]:
        """The children that did not succeed go on; those that never began wait for their turn as before."""
        unit, join = self.unit, parent.join
        assert join is not None
        failures = [child for child in children if child.status is not FrameStatus.SUCCEEDED]
        again_at_once = [child for child in failures if child.entered]
        successes = len(children) - len(failures)
        parent.join = join._replace(
            succeeded=successes, failed=0, started=successes + len(again_at_once), settled_items=successes,
            failed_items=0,
        )  # fmt: skip
        if not failures:
            outputs = [child.output for child in children]
            unit.deliver(parent.id, Joined(parent.seq, outputs, parent.last))
            return [again_of(unit, parent, where)]
        again: list[Again] = []
        state = state_of(unit, parent)
        for child in again_at_once:
            place = (*where, f"{state.name}[{child.index}]") if isinstance(state, Map) else where
            again += self.frame(child, place)
        waiting = deque(self.put_back(child) for child in failures if not child.entered)
        unit.children.waiting[parent.id, join.activation] = waiting
        start_pending_branches(unit, parent, parent.join.started, to_start(parent.join), parent.last)
        return again
