"""Map runs: the children of a distributed Map, each an execution of its own.

Rule: as for forks, a closing child touches its own rows and its parent's few counters, never its siblings. Children
are made for a portion of the items at a time; the next portion is asked for when few of them wait for their turn.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, TypeAlias

from sm_cli.asl.model import DistributedMap
from sm_cli.engine.endings import end
from sm_cli.interpreter.commands import Child, EndRun, Spawn, StartRun
from sm_cli.interpreter.events import ItemsWanted, Joined, JoinFailed
from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens
from sm_cli.interpreter.join import Verdict, settle, to_start
from sm_cli.jsonvalue import Json
from sm_cli.store.base import Execution, MapRun, Parent, Status

if TYPE_CHECKING:
    from sm_cli.engine.tick import Tick
    from sm_cli.store.base import Transaction

Fork: TypeAlias = tuple[int, int]

#: With fewer children that wait for their turn, the next portion of items is asked for.
_LOW = 250
_PAGE = 64


class Runs:
    """What a tick knows of map runs, by fork (the frame, and the seq it forked at): the runs themselves, the children
    that wait for their turn, the outputs that came, and the numbers of the last children that began."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.known: dict[Fork, MapRun] = {}
        self.stored: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.made: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.roots: dict[int, Frame] = {}  # execution -> root frame, of those made in this tick
        self.outputs: dict[Fork, dict[int, Json]] = defaultdict(dict)
        self.last: dict[Fork, int] = {}
        self.exhausted: set[Fork] = set()  # the store has no more that wait

    def next(self, fork: Fork) -> Execution:
        """The child whose turn it is: those in the store come first, they were made before."""
        stored = self.stored[fork]
        if not stored and fork not in self.exhausted:
            # The store still shows as PENDING what this tick began.
            stored.extend(self.tx.pending_executions(*fork, self.last.get(fork, -1) + 1, _PAGE))
            if len(stored) < _PAGE:
                self.exhausted.add(fork)
        child = (stored or self.made[fork]).popleft()
        assert child.parent is not None
        self.last[fork] = child.parent.number
        return child


def run_of(tick: Tick, frame: int, join: Join) -> MapRun:
    """The open run of a frame."""
    fork = frame, join.activation
    run = tick.runs.known.get(fork) or tick.tx.map_run(*fork)
    assert run is not None, "a frame whose join is a map run's has one"
    tick.runs.known[fork] = run
    return run


def start_run(tick: Tick, execution: Execution, frame: Frame, command: StartRun) -> None:
    workflow = f"{execution.workflow}/{command.label}"
    join = command.join
    run = MapRun(
        tick.tx.reserve("map_runs", 1), command.ref, execution.id, frame.id, join.activation, command.state, workflow,
        command.type, Status.RUNNING, tick.now, join,
    )  # fmt: skip
    tick.runs.known[frame.id, join.activation] = run
    tick.changes.new_map_runs.append(run)


def end_run(tick: Tick, frame: int, command: EndRun) -> None:
    how = Status.SUCCEEDED if command.succeeded else Status.FAILED
    close_run(tick, run_of(tick, frame, command.join), how, command.join)


def close_run(tick: Tick, run: MapRun, status: Status, join: Join) -> None:
    run.status, run.closed, run.join = status, tick.now, join
    write_run(tick, run)


def write_run(tick: Tick, run: MapRun) -> None:
    if run not in tick.changes.new_map_runs and run not in tick.changes.map_runs:
        tick.changes.map_runs.append(run)


def spawn(tick: Tick, execution: Execution, parent: Frame, command: Spawn) -> None:
    """Make the children; as many of them begin as the join's limit lets."""
    assert parent.join is not None
    run, children = run_of(tick, parent.id, parent.join), command.children
    count, items = len(children), sum(child.items for child in children)
    first, frames = (tick.tx.reserve(table, count or 1) for table in ("executions", "frames"))
    for i, child in enumerate(children):
        make(tick, execution, run, child, first + i, frames + i)
    parent.join = parent.join._replace(made=parent.join.made + count, read=parent.join.read + items)
    start_pending(tick, parent, to_start(parent.join))
    want_items(tick, parent)


def make(tick: Tick, parent: Execution, run: MapRun, child: Child, id: int, frame: int) -> None:
    """A child of the run, PENDING: its row and its root frame."""
    ref = tick.new_ref()
    made = Execution(
        id, ref, ref, run.workflow, parent.digest, run.type, Status.PENDING, tick.now, child.input,
        queue=parent.queue, priority=parent.priority, tree=parent.tree, machine=child.machine, limits=parent.limits,
        parent=Parent(run.frame, run.activation, child.index, child.items, run.id),
    )  # fmt: skip
    start_at = tick.program_of(parent.digest).machines[child.machine].start_at
    root = Frame(
        frame, id, None, 0, 0, child.machine, start_at, status=FrameStatus.PENDING, item=child.item, input=child.input
    )
    tick.executions[id] = made
    tick.changes.new_executions.append(made)
    tick.changes.new_frames[frame] = tick.frames[frame] = tick.runs.roots[id] = root
    tick.runs.made[run.frame, run.activation].append(made)


def begin(tick: Tick, child: Execution, root: Frame, *, at_once: bool) -> None:
    """A child's turn has come."""
    tick.changes.executions[child.id] = child
    if child.events:
        from sm_cli.engine.redrive import child_again  # the rare case; it needs this module

        child_again(tick, child, root)
        return
    child.status, child.started, child.events = Status.RUNNING, tick.now, 1
    tick.envs.pop(child.id, None)
    tick.note(child, 1, 0, 0, "ExecutionStarted", {"input": child.input, "roleArn": tick.env(child).facts.role})
    root.status = FrameStatus.READY
    if at_once:
        tick.wake(root)


def child_closed(tick: Tick, child: Execution, parent: Parent) -> None:
    """Settle a closed child with its parent, unless it belongs to a run that is over."""
    tick.load([parent.frame])
    frame = tick.frames[parent.frame]
    join = frame.join
    if join is None or join.activation != parent.activation or not frame.opens & Opens.EXECUTIONS:
        return
    succeeded = child.status is Status.SUCCEEDED
    if succeeded:
        tick.runs.outputs[frame.id, join.activation][parent.number] = child.output
    join, verdict = settle(join, succeeded, parent.items)
    frame = tick.touch(frame)
    frame.join = join
    match verdict:
        case Verdict.WAIT:
            start_pending(tick, frame, to_start(join))
            want_items(tick, frame)
        case Verdict.COMPLETE:
            tick.agenda.appendleft((frame.id, Joined(frame.seq, outputs(tick, frame), frame.last)))
        case Verdict.FAIL:
            abort_children(tick, frame)
            tick.agenda.appendleft((frame.id, JoinFailed(frame.seq, child.error, child.cause, frame.last)))


def start_pending(tick: Tick, parent: Frame, count: int) -> None:
    """The next `count` children begin; the first of them in this tick."""
    if count <= 0:
        return
    join = parent.join
    assert join is not None
    parent.join = join._replace(started=join.started + count)
    chosen = [tick.runs.next((parent.id, join.activation)) for _ in range(count)]
    roots = tick.tx.roots([child.id for child in chosen if child.id not in tick.runs.roots])
    tick.adopt(roots)
    stored = {root.execution: tick.frames[root.id] for root in roots}
    for i, child in enumerate(chosen):
        made = tick.runs.roots.get(child.id)
        if made is None:
            tick.executions[child.id] = child
        root = made or tick.touch(stored[child.id])
        begin(tick, child, root, at_once=i < tick.settings.chunk and tick.steps < tick.settings.steps)


def want_items(tick: Tick, parent: Frame) -> None:
    """Ask for the next portion, unless it is on its way or enough children wait."""
    join = parent.join
    assert join is not None
    if join.read < join.total and join.made - join.started < _LOW and not parent.opens & Opens.JOB:
        tick.agenda.append((parent.id, ItemsWanted(parent.seq)))


def outputs(tick: Tick, parent: Frame) -> list[Json]:
    """Outputs of the children that succeeded, by number; none where a job takes them to a ResultWriter."""
    state = tick.program_of(tick.execution(parent.execution).digest).machines[parent.machine].states[parent.state]
    assert isinstance(state, DistributedMap) and parent.join is not None
    if state.writer is not None:
        return []
    fork = parent.id, parent.join.activation
    found = dict(tick.tx.executions_outputs(*fork))
    found.update(tick.runs.outputs[fork])
    return [found[number] for number in sorted(found)]


def abort_children(tick: Tick, frame: Frame) -> None:
    """Close every execution that this frame started, waits for, and that is still open. Not one of an earlier wait,
    which somebody has redriven."""
    activation = frame.seq if frame.join is None else frame.join.activation
    opened = {child.id: tick.executions.get(child.id, child) for child in tick.tx.open_executions(frame.id)}
    for child in tick.changes.new_executions:
        if child.parent is not None and child.parent.frame == frame.id:
            opened[child.id] = child
    for child in opened.values():
        if child.closed is None and child.parent is not None and child.parent.activation == activation:
            end(tick, child, Status.ABORTED, tell=False)


def leave(tick: Tick, frame: Frame, how: Status) -> None:
    """The frame moves on while it waits for executions: they are closed, and so is its run, if it is one."""
    abort_children(tick, frame)
    if frame.join is not None:
        run = run_of(tick, frame.id, frame.join)
        if run.closed is None:
            close_run(tick, run, how, frame.join)
