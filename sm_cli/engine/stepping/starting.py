"""Where every execution is created: its row, its root frame, and the first event of its history.

The caller (the engine, a Task, a map run) says what it is; no other place builds an `Execution`. A large batch calls
`begin` in a loop inside one unit of work.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from sm_cli.engine.chaining.source import Source, link_to
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.commands import Child
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, MapRun, Parent, Status
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.asl.model import Program


def begin(
    unit: UnitOfWork,
    workflow: str,
    program: Program,
    input: Json,
    *,
    ref: str,
    name: str,
    type: str = "STANDARD",
    timeout: float | None = None,
    queue: str = "default",
    limits: bool = False,
    starter: Execution | None = None,
    parent: Parent | None = None,
    source: Source | None = None,
) -> Execution:
    """A new RUNNING execution of `workflow`: row, root frame, ExecutionStarted, and its first step unless this unit
    has made many.

    ref: its public id. name: checked already. type: STANDARD or EXPRESS. timeout: seconds; a shorter TimeoutSeconds
    of the definition holds, and that alone when None. limits: whether AWS's hold. starter: the execution that starts
    it; it gives tree, queue, priority and limits, and `queue` and `limits` are not used then. parent: who waits for
    its end. source: whose data the input is; the link to it is written with the start.
    """
    if starter is not None:
        queue, limits = starter.queue, starter.limits
    priority, tree = (0, 0) if starter is None else (starter.priority, starter.tree)
    execution = Execution(
        unit.tx.reserve("executions", 1), ref, name, workflow, program.digest, type, Status.RUNNING, unit.now, input,
        queue=queue, priority=priority, tree=tree, limits=limits, parent=parent,
    )  # fmt: skip
    execution.events = 1
    limits_of_time = [seconds for seconds in (program.timeout_seconds, timeout) if seconds is not None]
    if limits_of_time:
        execution.deadline = unit.now + round(min(limits_of_time) * MICROSECONDS)
    unit.executions[execution.id] = execution
    unit.changes.new_executions.append(execution)
    if source is not None:
        unit.changes.new_links.append(link_to(execution, source, unit.now))
    detail: dict[str, Json] = {"input": execution.input, "roleArn": unit.env(execution).facts.role}
    unit.note(execution, 1, 0, 0, "ExecutionStarted", detail)
    root = Frame(unit.tx.reserve("frames", 1), execution.id, None, 0, 0, "", program.root.start_at)
    root.input = execution.input
    unit.changes.new_frames[root.id] = unit.frames[root.id] = root
    if unit.steps < unit.settings.steps:  # else a workflow that starts itself would keep this tick for ever
        unit.wake(root)
    return execution


def make_children(unit: UnitOfWork, parent: Execution, run: MapRun, children: list[Child]) -> None:
    """The next children of a map run, PENDING: rows and root frames. `map_runs.begin_child` starts them."""
    first, frames = (unit.tx.reserve(table, len(children) or 1) for table in ("executions", "frames"))
    machines = unit.program_of(parent.digest).machines
    waiting = unit.runs.new_children[run.frame, run.activation]
    for id, frame, child in zip(itertools.count(first), itertools.count(frames), children, strict=False):
        ref = unit.new_ref()
        execution = Execution(
            id, ref, ref, run.workflow, parent.digest, run.type, Status.PENDING, unit.now, child.input,
            queue=parent.queue, priority=parent.priority, tree=parent.tree, machine=child.machine,
            limits=parent.limits, parent=Parent(run.frame, run.activation, child.index, child.items, run.id),
        )  # fmt: skip
        root = Frame(
            frame, id, None, 0, 0, child.machine, machines[child.machine].start_at, status=FrameStatus.PENDING,
            item=child.item, input=child.input,
        )  # fmt: skip
        unit.executions[id] = execution
        unit.changes.new_executions.append(execution)
        unit.changes.new_frames[frame] = unit.frames[frame] = unit.runs.roots[id] = root
        waiting.append(execution)


def copy_closed(unit: UnitOfWork, execution: Execution) -> Execution:
    """The row of an execution that ended in another store, under an id of this one; it has no frames here."""
    copy = replace(execution, id=unit.tx.reserve("executions", 1), tree=0)
    unit.changes.new_executions.append(copy)
    return copy
