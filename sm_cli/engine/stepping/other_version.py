"""Going on with another text: what of an execution that ended has to be in it, and what is not.

Every state that was passed has to be there, under its name and in the machine of the same place, and so has every state
that is to be gone on from. What is below a fork that goes on belongs to it: a Parallel keeps its number of
branches, a Map stays a Map of its kind. What never began, begins where the other text says.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.model import DistributedMap, Machine, Map, Parallel, Program, Role, State
from sm_cli.engine.programs import WorkflowVersion
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import Conflict
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.store.records import Execution
from sm_cli.timestamps import MICROSECONDS

#: So many rows of a history are read at once.
_PAGE = 200
#: A sentence names at most so many things that do not fit.
_MOST_NAMED = 10


def check_fits(unit: UnitOfWork, execution: Execution, program: Program, text_name: str, *, has_origin: bool) -> None:
    """Check that a closed execution can go on with another program, before anything is changed. text_name: what the
    other text is called. has_origin: it goes on from a state that a person names: where it failed, and what is below
    that, is given up.

    Raises Conflict that names what does not fit."""
    old = unit.program_of(execution.digest)
    root = unit.tx.root(execution.id)
    problems = list(dict.fromkeys(_Comparison(unit, old, program).problems(execution, root, has_origin=has_origin)))
    if not problems:
        return
    more = len(problems) - _MOST_NAMED
    sentence = "; ".join(problems[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
    raise Conflict(f"execution {execution.name} cannot go on with {text_name}: {sentence}", topic="other version")


def change_version(unit: UnitOfWork, execution: Execution, version: WorkflowVersion) -> None:
    """Let a closed execution run this version when it goes on. A deadline that the old text gave becomes the new
    one's."""
    old = unit.program_of(execution.digest)
    start = execution.redriven or execution.started
    if old.timeout_seconds is not None and execution.deadline == start + round(old.timeout_seconds * MICROSECONDS):
        execution.deadline = None
    if version.program.timeout_seconds is not None:
        deadline = start + round(version.program.timeout_seconds * MICROSECONDS)
        execution.deadline = deadline if execution.deadline is None else min(deadline, execution.deadline)
    execution.digest, execution.version, execution.qualifier = version.program.digest, version.number, None


class _Comparison:
    """One execution against another program."""

    def __init__(self, unit: UnitOfWork, old: Program, new: Program) -> None:
        self.unit = unit
        self.old = old
        self.new = new

    def problems(self, execution: Execution, root: Frame, *, has_origin: bool = False) -> Iterator[str]:
        """What of an execution is not in the new program, in the order in which it happened."""
        for machine, state in self._visits(execution):
            if not (has_origin and (machine != root.machine or state == root.state)):
                yield from self._missing(machine, state, "was passed")
        if not has_origin:
            yield from self._frame(root)

    def _visits(self, execution: Execution) -> Iterator[tuple[str, str]]:
        """(machine, state) of each visit, once each."""
        machines: dict[int, str] = {}
        visits: dict[tuple[str, str], None] = {}
        after = 0
        while page := self.unit.tx.history_page(execution.id, after, _PAGE, large=False):
            after = page[-1].number
            entries = [event for event in page if event.type.endswith("StateEntered")]
            unknown = {event.frame for event in entries} - machines.keys()
            machines |= {id: frame.machine for id, frame in self.unit.tx.frames(sorted(unknown)).items()}
            for event in entries:
                visits.setdefault((machines.get(event.frame, ""), str(event.detail["name"])))
        return iter(visits)

    def _missing(self, pointer: str, state: str, what: str) -> Iterator[str]:
        machine = self.new.machines.get(pointer)
        if machine is None:
            yield f"there is nothing {self._place(pointer)}, where {state!r} {what}"
        elif state not in machine.states:
            yield f"{state!r}, which {what}, is not {self._place(pointer)}"

    def _place(self, pointer: str) -> str:
        machine = self.old.machines[pointer]
        if machine.owner == "":
            return "at the top level"
        if machine.role is Role.BRANCH:
            return f"in branch {int(pointer.rpartition('/')[2]) + 1} of {machine.owner!r}"
        return f"in the processor of {machine.owner!r}"

    def _frame(self, frame: Frame) -> Iterator[str]:
        """What goes on of a frame that did not succeed, and below it."""
        machine = self.new.machines.get(frame.machine)
        if self.is_not_begun(frame):
            if machine is None:
                yield f"there is nothing {self._place(frame.machine)}, which has yet to begin"
            return
        yield from self._missing(frame.machine, frame.state, "is to be gone on from")
        if machine is None or frame.state not in machine.states or frame.join is None:
            return
        before, after = self._old_machine(frame).states[frame.state], machine.states[frame.state]
        changes = list(_kind_changes(before, after))
        yield from changes
        if changes:
            return
        if isinstance(before, DistributedMap):
            yield from self._map_run(frame)
        else:
            for child in self.unit.tx.children(frame.id, frame.join.activation):
                if child.status is not FrameStatus.SUCCEEDED:
                    yield from self._frame(child)

    def _map_run(self, frame: Frame) -> Iterator[str]:
        """The children of a map run that did not succeed: executions of their own."""
        assert frame.join is not None
        children = self.unit.tx.failed_executions(frame.id, frame.join.activation)
        roots = {root.execution: root for root in self.unit.tx.roots([child.id for child in children])}
        for child in children:
            if child.events and child.digest == self.old.digest:
                yield from self.problems(child, roots[child.id])

    def is_not_begun(self, frame: Frame) -> bool:
        """Whether the frame stands where its machine begins, and was never stepped."""
        return not frame.entered and frame.state == self._old_machine(frame).start_at

    def _old_machine(self, frame: Frame) -> Machine:
        return self.old.machines[frame.machine]


def _kind_changes(before: State, after: State) -> Iterator[str]:
    """Why what a fork has begun does not belong to the state of the same name."""
    if isinstance(before, Parallel):
        if not isinstance(after, Parallel):
            yield f"{before.name!r} is under way as a Parallel, and is a {after.type} there"
        elif len(before.branches) != len(after.branches):
            counts = f"{len(before.branches)} branches, and has {len(after.branches)} there"
            yield f"{before.name!r} is under way with {counts}"
    elif isinstance(before, DistributedMap):
        if not isinstance(after, DistributedMap):
            yield f"{before.name!r} is under way as a distributed Map, and is none there"
        elif (before.child_type, before.label) != (after.child_type, after.label):
            yield f"{before.name!r} is under way with other children (ExecutionType, Label) than it has there"
    elif isinstance(before, Map) and (not isinstance(after, Map) or isinstance(after, DistributedMap)):
        yield f"{before.name!r} is under way as a Map, and is none of its kind there"
