"""Fork and join: children are made, take their turns, and end; the last one wakes their parent.

A closing child touches its own row and its parent's few counters, never its siblings; so the ten-thousandth
item of a Map costs what the first one does.
"""

from __future__ import annotations

from sm_cli.asl.model import Resulting
from sm_cli.engine.stepping.closing import abort
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.commands import Close, Fork
from sm_cli.interpreter.dataflow import drops_result
from sm_cli.interpreter.events import Joined, JoinFailed
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.join import Verdict, settle, to_start
from sm_cli.interpreter.step import RUNTIME
from sm_cli.jsonvalue import TooLarge
from sm_cli.store.records import Execution


def fork(unit: UnitOfWork, execution: Execution, parent: Frame, command: Fork) -> None:
    """Make the children; as many of them begin as the join's limit lets, the first of those in this unit."""
    parent.opens |= Opens.CHILDREN
    machines = unit.program_of(execution.digest).machines
    count = len(command.children)
    first = unit.tx.reserve("frames", count) if count else 0
    join = command.join._replace(made_children=count, read_items=command.join.total, activation=parent.seq)
    start_count = to_start(join)
    for i, child in enumerate(command.children):
        machine = machines[child.machine]
        frame = Frame(first + i, execution.id, parent.id, parent.seq, child.index, child.machine, machine.start_at)
        frame.input, frame.item, frame.vars = child.input, child.item, parent.vars
        frame.last = parent.last
        frame.status = FrameStatus.READY if i < start_count else FrameStatus.PENDING
        unit.changes.new_frames[frame.id] = unit.frames[frame.id] = frame
        unit.children.add_child(frame)
        if i < start_count and i < unit.settings.chunk:
            unit.wake(frame)
    parent.join = join._replace(started=start_count)
    if not command.children:
        unit.agenda.append((parent.id, Joined(parent.seq, [], parent.last)))


def branch_closed(unit: UnitOfWork, frame: Frame, parent: Frame, command: Close) -> None:
    """Settle a closed child with its parent, unless it belongs to a fork that is over."""
    if parent.join is None or parent.join.activation != frame.activation or parent.status.closed:
        return
    if command.succeeded:
        unit.children.add_output(frame)
    join, verdict = settle(parent.join, command.succeeded)
    if command.error == RUNTIME:  # it fails the execution, whatever a Map tolerates
        verdict = Verdict.FAIL
    parent = unit.touch(parent)
    parent.join = join
    match verdict:
        case Verdict.WAIT:
            start_pending_branches(unit, parent, join.started, to_start(join), frame.last)
        case Verdict.COMPLETE:
            unit.agenda.appendleft((parent.id, fork_result(unit, parent, command.tail)))
        case Verdict.FAIL:
            abort(unit, unit.children.open_below(parent), in_history=command.error != RUNTIME)
            failure = JoinFailed(parent.seq, command.error, command.cause, frame.last)
            unit.agenda.appendleft((parent.id, failure))


def fork_result(unit: UnitOfWork, parent: Frame, last: int) -> Joined:
    """The end of the parent's fork: the outputs of its children, unless nobody looks at them or they are too large."""
    state = unit.program_of(unit.execution(parent.execution).digest).machines[parent.machine].states[parent.state]
    if isinstance(state, Resulting) and drops_result(state):
        return Joined(parent.seq, [], last)
    try:
        return Joined(parent.seq, unit.children.outputs(parent, unit.settings.max_payload), last)
    except TooLarge:
        return Joined(parent.seq, [], last, too_large=True)


def start_pending_branches(unit: UnitOfWork, parent: Frame, first: int, count: int, last: int) -> None:
    """Start the next `count` children, from index `first` on; their history follows the one that ended."""
    if count == 0:
        return
    assert parent.join is not None
    parent.join = parent.join._replace(started=first + count)
    for child in unit.children.pending(parent, first, count):
        unit.adopt([child])
        child = unit.touch(unit.frames[child.id])
        child.status = FrameStatus.READY
        child.last = last
        if unit.steps < unit.settings.steps:
            unit.wake(child)
