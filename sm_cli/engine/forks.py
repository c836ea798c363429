"""Fork and join: children are made, take their turns, and end; the last one wakes their parent.

Rule: a closing child touches its own row and its parent's few counters, never its siblings; so the ten-thousandth
item of a Map costs what the first one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.interpreter.commands import Close, Fork
from sm_cli.interpreter.events import Joined, JoinFailed
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.join import Verdict, settle, to_start
from sm_cli.store.base import Execution

if TYPE_CHECKING:
    from sm_cli.engine.tick import Tick


def fork(tick: Tick, execution: Execution, parent: Frame, command: Fork) -> None:
    """Make the children; as many of them begin as the join's limit lets, the first of those in this tick."""
    parent.opens |= Opens.CHILDREN
    machines = tick.program_of(execution.digest).machines
    count = len(command.children)
    first = tick.tx.reserve("frames", count) if count else 0
    join = command.join._replace(made=count, read=command.join.total, activation=parent.seq)
    begun = to_start(join)
    for i, child in enumerate(command.children):
        machine = machines[child.machine]
        frame = Frame(first + i, execution.id, parent.id, parent.seq, child.index, child.machine, machine.start_at)
        frame.input, frame.item, frame.vars = child.input, child.item, parent.vars
        frame.last = parent.last
        frame.status = FrameStatus.READY if i < begun else FrameStatus.PENDING
        tick.changes.new_frames[frame.id] = tick.frames[frame.id] = frame
        tick.children.born(frame)
        if i < begun and i < tick.settings.chunk:
            tick.wake(frame)
    parent.join = join._replace(started=begun)
    if not command.children:
        tick.agenda.append((parent.id, Joined(parent.seq, [], parent.last)))


def child_closed(tick: Tick, frame: Frame, parent: Frame, command: Close) -> None:
    """Settle a closed child with its parent, unless it belongs to a fork that is over."""
    if parent.join is None or parent.join.activation != frame.activation or parent.status.closed:
        return
    if command.succeeded:
        tick.children.succeeded(frame)
    join, verdict = settle(parent.join, command.succeeded)
    parent = tick.touch(parent)
    parent.join = join
    match verdict:
        case Verdict.WAIT:
            start_pending(tick, parent, join.started, to_start(join), frame.last)
        case Verdict.COMPLETE:
            outputs = tick.children.outputs(parent)
            tick.agenda.appendleft((parent.id, Joined(parent.seq, outputs, command.tail)))
        case Verdict.FAIL:
            tick.abort(tick.children.open_below(parent))
            failed = JoinFailed(parent.seq, command.error, command.cause, frame.last)
            tick.agenda.appendleft((parent.id, failed))


def start_pending(tick: Tick, parent: Frame, first: int, count: int, last: int) -> None:
    """Start the next `count` children, from index `first` on; their history follows the one that ended."""
    if count == 0:
        return
    assert parent.join is not None
    parent.join = parent.join._replace(started=first + count)
    for child in tick.children.pending(parent, first, count):
        tick.adopt([child])
        child = tick.touch(tick.frames[child.id])
        child.status = FrameStatus.READY
        child.last = last
        if tick.steps < tick.settings.steps:
            tick.wake(child)
