"""Redrive: a failed execution goes on from where it failed, as AWS's RedriveExecution does.

Rule: what succeeded stays; a Parallel or Map runs again only the children that did not. A frame that is
reopened gets a new seq, so that nothing made for its first life reaches its second. Retry counters start anew,
and the history keeps both lives.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sm_cli.asl.model import Map, Parallel, State
from sm_cli.engine.forks import start_pending
from sm_cli.engine.tick import Tick
from sm_cli.errors import Conflict, NotFound
from sm_cli.interpreter.events import Joined
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.join import to_start
from sm_cli.jsonvalue import Json
from sm_cli.store.base import Execution, Status

_REDRIVABLE = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


@dataclass(frozen=True, slots=True)
class Again:
    """One state that will run again. `where` names the iterations it is in, as "Name[3]"."""

    state: str
    type: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class From:
    """Go on from another state of the root machine, with this input."""

    state: str
    input: Json


def redrive(tick: Tick, execution: Execution, origin: From | None = None) -> list[Again]:
    """Reopen a closed execution; what it does next comes with `tick.run`.

    Raises Conflict unless it is a STANDARD execution that FAILED, TIMED_OUT or was ABORTED, NotFound for an
    `origin` that is no state of its root machine.
    """
    execution = tick.execution(execution.id)
    check(execution)
    program = tick.program_of(execution.digest)
    if origin is not None and origin.state not in program.root.states:
        names = ", ".join(program.root.states)
        raise NotFound(f"the workflow has no state {origin.state!r} at its top level; it has {names}")
    root = tick.tx.root(execution.id)
    reopen_execution(tick, execution, root)
    if origin is not None:
        root = tick.reopened(root)
        root.state, root.input, root.join = origin.state, origin.input, None
        tick.wake(root)
        return [again(tick, root, ())]
    return Reopening(tick, execution).frame(root, ())


def check(execution: Execution) -> None:
    if execution.type != "STANDARD":
        raise Conflict(f"execution {execution.name} is {execution.type}: only STANDARD ones can be redriven")
    if execution.status not in _REDRIVABLE:
        raise Conflict(f"execution {execution.name} is {execution.status}: there is nothing to redrive")


def reopen_execution(tick: Tick, execution: Execution, root: Frame) -> None:
    program = tick.program_of(execution.digest)
    execution.status, execution.closed = Status.RUNNING, None
    execution.error = execution.cause = execution.output = None
    execution.redrives += 1
    execution.redriven = tick.now
    if program.timeout_seconds is not None:
        execution.deadline = tick.now + round(program.timeout_seconds * 1_000_000)
    execution.events += 1
    tick.envs.pop(execution.id, None)  # its facts changed
    tick.changes.executions[execution.id] = execution
    detail: dict[str, Json] = {"redriveCount": execution.redrives}
    tick.note(execution, execution.events, root.last, root.id, "ExecutionRedriven", detail)


def again(tick: Tick, frame: Frame, where: tuple[str, ...]) -> Again:
    state = state_of(tick, frame)
    return Again(state.name, state.type, where)


def state_of(tick: Tick, frame: Frame) -> State:
    program = tick.program_of(tick.execution(frame.execution).digest)
    return program.machines[frame.machine].states[frame.state]


class Reopening:
    def __init__(self, tick: Tick, execution: Execution) -> None:
        self.tick = tick
        self.execution = execution

    def frame(self, frame: Frame, where: tuple[str, ...]) -> list[Again]:
        """Reopen a frame that did not succeed, and below it what did not; tells which states run again."""
        tick, state = self.tick, state_of(self.tick, frame)
        forked = isinstance(state, (Parallel, Map)) and frame.join is not None
        children = tick.tx.children(frame.id, frame.join.activation) if forked and frame.join else []
        frame = tick.reopened(frame)
        if not children:
            frame.join = None
            tick.wake(frame)
            return [again(tick, frame, where)]
        frame.status, frame.opens = FrameStatus.BLOCKED, Opens.CHILDREN
        return self.fork(frame, children, where)

    def fork(self, parent: Frame, children: list[Frame], where: tuple[str, ...]) -> list[Again]:
        """The children that did not succeed go on; those that never began wait for their turn as before."""
        tick, join = self.tick, parent.join
        assert join is not None
        lost = [child for child in children if child.status is not FrameStatus.SUCCEEDED]
        begun = [child for child in lost if child.entered]
        succeeded = len(children) - len(lost)
        parent.join = join._replace(succeeded=succeeded, failed=0, started=succeeded + len(begun))
        if not lost:
            outputs = [child.output for child in children]
            tick.deliver(parent.id, Joined(parent.seq, outputs, parent.last))
            return [again(tick, parent, where)]
        found: list[Again] = []
        state = state_of(tick, parent)
        for child in begun:
            place = (*where, f"{state.name}[{child.index}]") if isinstance(state, Map) else where
            found += self.frame(child, place)
        waiting = deque(tick.reopened(child, FrameStatus.PENDING) for child in lost if not child.entered)
        tick.children.waiting[parent.id, join.activation] = waiting
        start_pending(tick, parent, parent.join.started, to_start(parent.join), parent.last)
        return found
