"""Map runs: the children of a distributed Map, each an execution of its own.

As for forks, a closing child touches its own rows and its parent's few counters, never its siblings. Children
are made for a portion of the items at a time; the next portion is asked for when few of them wait for their turn.
"""

from __future__ import annotations

from sm_cli.asl.model import DistributedMap
from sm_cli.engine.stepping.batch.plan import plan_of
from sm_cli.engine.stepping.closing import abort_children, close_run, finish, run_of
from sm_cli.engine.stepping.starting import make_children, started_detail
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.brake import after_child
from sm_cli.interpreter.commands import EndRun, Spawn, StartRun
from sm_cli.interpreter.dataflow import drops_result
from sm_cli.interpreter.events import ItemsWanted, Joined, JoinFailed
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.join import Verdict, settle, to_start, verdict
from sm_cli.jsonvalue import Json, TooLarge
from sm_cli.store.records import (
    EndedChild,
    Execution,
    MapRun,
    Parent,
    Status,
)
from sm_cli.timestamps import MICROSECONDS

#: With fewer children that wait for their turn, the next portion of items is asked for.
_LOW = 250


def start_run(unit: UnitOfWork, execution: Execution, frame: Frame, command: StartRun) -> None:
    """Carry out StartRun: make the map run. Its children come with Spawn."""
    workflow, join = f"{execution.workflow}/{command.label}", command.join
    plan = plan_of(execution)
    if plan is not None:
        workflow = plan.workflow
        frame.join = join = plan.limits.join(join.activation, plan.total)
    run = MapRun(
        unit.tx.reserve("map_runs", 1), command.ref, execution.id, frame.id, join.activation, command.state, workflow,
        command.type, Status.RUNNING, unit.now, join,
    )  # fmt: skip
    unit.runs.runs_by_fork[frame.id, join.activation] = run
    unit.runs.exhausted_forks.add((frame.id, join.activation))  # the store has none of its children
    unit.changes.new_map_runs.append(run)


def end_run(unit: UnitOfWork, execution: Execution, frame: Frame, command: EndRun) -> None:  # noqa: ARG001 - the table's
    """Carry out EndRun: close the map run with the counts of the command."""
    how = Status.SUCCEEDED if command.succeeded else Status.FAILED
    close_run(unit, run_of(unit, frame.id, command.join), how, command.join)


def spawn(unit: UnitOfWork, execution: Execution, parent: Frame, command: Spawn) -> None:
    """Make the children; as many of them begin as the join's limit lets."""
    assert parent.join is not None
    run, children = run_of(unit, parent.id, parent.join), command.children
    count = make_children(unit, execution, run, children)
    join, items = parent.join, sum(child.items for child in children)
    join = join._replace(made_children=join.made_children + count, read_items=join.read_items + items)
    if join.brake is not None and count < len(children):
        existing = len(children) - count
        join = join._replace(
            settled_items=join.settled_items + existing,
            brake=join.brake._replace(existing=join.brake.existing + existing),
        )
    parent.join = join
    if join.brake is not None and verdict(join) is Verdict.COMPLETE:  # all that there were had been started before
        unit.agenda.appendleft((parent.id, run_result(unit, parent)))
        return
    start_pending_children(unit, parent, to_start(join))
    want_items(unit, parent)


def begin_child(unit: UnitOfWork, child: Execution, root: Frame, *, at_once: bool) -> None:
    """A child's turn has come."""
    unit.changes.executions[child.id] = child
    if child.events:
        unit.again.append((child, root))  # it goes on from where it failed
        return
    if child.error is not None:  # its item cannot be worked on
        root.status = FrameStatus.FAILED
        finish(unit, child, Status.FAILED, error=child.error, cause=child.cause)
        return
    child.status, child.started, child.events = Status.RUNNING, unit.now, 1
    if child.parent is not None and child.parent.is_listed:
        seconds = unit.program_of(child.digest).timeout_seconds
        child.deadline = None if seconds is None else unit.now + round(seconds * MICROSECONDS)
    unit.envs.pop(child.id, None)
    unit.note(child, 1, 0, 0, "ExecutionStarted", started_detail(unit, child))
    root.status = FrameStatus.READY
    if at_once:
        unit.wake(root)


def child_closed(unit: UnitOfWork, child: Execution, parent: Parent) -> None:
    """Settle a closed child with its parent, unless it belongs to a run that is over."""
    unit.load([parent.frame])
    frame = unit.frames[parent.frame]
    join = frame.join
    if join is None or join.activation != parent.activation or not frame.opens & Opens.EXECUTIONS:
        return
    is_success = child.status is Status.SUCCEEDED
    if is_success:
        unit.runs.outputs[frame.id, join.activation][parent.number] = child.output
    frame = unit.touch(frame)
    frame.join, _ = settle(join, is_success, parent.items)
    go_on(unit, child.id, frame)


def count_ended(unit: UnitOfWork, children: list[EndedChild]) -> None:
    """Settle children of one run that ended while others held their parent, each as `child_closed` does; what waits for
    its turn begins after all of them. Raises DamagedDefinition when they are settled."""
    last = children[-1]
    unit.changes.children_counted += children
    frame = unit.frames.get(last.frame)
    if frame is None or frame.join is None or not frame.opens & Opens.EXECUTIONS:
        return
    join, failed_by = frame.join, None
    for each in children:
        if each.activation != join.activation:
            return  # of a run that is over, as all of them are then
        join, how = settle(join, bool(each.succeeded), each.items)
        if how is Verdict.FAIL:
            failed_by = failed_by or each
        elif how is Verdict.WAIT and failed_by is None and each is not last:
            join = after_child(join, unit.now)
    frame = unit.touch(frame)
    frame.join = join
    go_on(unit, (failed_by or last).child, frame, has_failed=failed_by is not None)


def go_on(unit: UnitOfWork, child: int, frame: Frame, *, has_failed: bool = False) -> None:
    """What the counts of a run ask for after the end of this child (its id). has_failed: it has failed by it already.
    Raises DamagedDefinition before all else."""
    unit.program_of(unit.execution(frame.execution).digest)
    join = frame.join
    assert join is not None
    match Verdict.FAIL if has_failed else verdict(join):
        case Verdict.WAIT:
            frame.join = join = after_child(join, unit.now)
            start_pending_children(unit, frame, to_start(join))
            want_items(unit, frame)
        case Verdict.COMPLETE:
            unit.agenda.appendleft((frame.id, run_result(unit, frame)))
        case Verdict.FAIL:
            abort_children(unit, frame)
            failure = unit.execution(child)
            unit.agenda.appendleft((frame.id, JoinFailed(frame.seq, failure.error, failure.cause, frame.last)))


def counts_changed(unit: UnitOfWork, frame: Frame) -> None:
    """Somebody changed the limits of an open run: it goes on under them, or has failed by them."""
    join = frame.join
    assert join is not None
    match verdict(join):
        case Verdict.FAIL:
            abort_children(unit, frame)
            unit.agenda.appendleft((frame.id, JoinFailed(frame.seq, None, None, frame.last)))
        case _:
            start_pending_children(unit, frame, to_start(join))
            want_items(unit, frame)


def settle_repaired(unit: UnitOfWork, child: Execution, parent: Parent) -> None:
    """The turn of a frame that waited for the repair of its definition; the child is counted already."""
    frame = unit.frames[parent.frame]
    unit.program_of(unit.execution(frame.execution).digest)
    frame = unit.touch(frame)
    frame.status, frame.wake = FrameStatus.BLOCKED, None
    go_on(unit, child.id, frame)


def start_pending_children(unit: UnitOfWork, parent: Frame, count: int) -> None:
    """The next `count` children begin; the first of them in this unit."""
    if count <= 0:
        return
    join = parent.join
    assert join is not None
    parent.join = join._replace(started=join.started + count)
    children = [unit.runs.next((parent.id, join.activation)) for _ in range(count)]
    roots = unit.tx.roots([child.id for child in children if child.id not in unit.runs.roots])
    unit.adopt(roots)
    stored_roots = {root.execution: unit.frames[root.id] for root in roots}
    for i, child in enumerate(children):
        new_root = unit.runs.roots.get(child.id)
        if new_root is None:
            unit.executions[child.id] = child
        root = new_root or unit.touch(stored_roots[child.id])
        begin_child(unit, child, root, at_once=i < unit.settings.chunk and unit.steps < unit.settings.steps)


def want_items(unit: UnitOfWork, parent: Frame) -> None:
    """Ask for the next portion, unless it is on its way or enough children wait."""
    join = parent.join
    assert join is not None
    if join.brake is not None and join.brake.paused_since:
        return
    if join.read_items < join.total and join.made_children - join.started < _LOW and not parent.opens & Opens.JOB:
        unit.agenda.append((parent.id, ItemsWanted(parent.seq)))


def run_result(unit: UnitOfWork, parent: Frame) -> Joined:
    """The end of the run: the outputs of its children, unless nobody looks at them or they are too large."""
    try:
        return Joined(parent.seq, outputs(unit, parent), parent.last)
    except TooLarge:
        return Joined(parent.seq, [], parent.last, too_large=True)


def outputs(unit: UnitOfWork, parent: Frame) -> list[Json]:
    """Outputs of the children that succeeded, by number; none where a job takes them to a ResultWriter, or the state
    drops its result. Raises TooLarge when those in the store are larger than a value may be; they are not read then."""
    state = unit.program_of(unit.execution(parent.execution).digest).machines[parent.machine].states[parent.state]
    assert isinstance(state, DistributedMap) and parent.join is not None
    if state.writer is not None or drops_result(state):
        return []
    fork = parent.id, parent.join.activation
    values = dict(unit.tx.executions_outputs(*fork, unit.settings.max_payload))
    values.update(unit.runs.outputs[fork])
    return [values[number] for number in sorted(values)]
