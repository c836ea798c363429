"""Where every execution is created: its row, its root frame, and the first event of its history.

The caller (the engine, a Task, a map run) says what it is; no other place builds an `Execution`. A large batch calls
`begin` in a loop inside one unit of work.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from sm_cli.engine.chaining.source import Source, link_to
from sm_cli.engine.programs import WorkflowVersion
from sm_cli.engine.stepping.batch.origins import link_to_origin, origin_id
from sm_cli.engine.stepping.batch.plan import REFUSED, Plan, plan_of
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.interpreter.commands import Child
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.records import Execution, MapRun, Parent, Status
from sm_cli.timestamps import MICROSECONDS


def find_version(unit: UnitOfWork, workflow: WorkflowReference, ref: str) -> WorkflowVersion:
    """What the reference means now; a text of the project's own files is registered if it is new. ref: the public id of
    the execution that is started by it, which a weighted alias draws by.

    Raises NotFound when there is no such workflow, version or alias, InvalidDefinition for a file that cannot run."""
    lot = f"{unit.settings.draw_seed}{ref}"
    return unit.programs.find_version(workflow, unit.tx, unit.changes, unit.now, lot)


def begin(
    unit: UnitOfWork,
    version: WorkflowVersion,
    input: Json,
    *,
    ref: str,
    name: str,
    type: str = "STANDARD",
    timeout: float | None = None,
    queue: str = "default",
    limits: bool = False,
    tags: dict[str, str] | None = None,
    starter: Execution | None = None,
    parent: Parent | None = None,
    source: Source | None = None,
    facts: Mapping[str, Json] | None = None,
) -> Execution:
    """A new RUNNING execution of this version: row, root frame, ExecutionStarted, and its first step unless this unit
    has made many.

    ref: its public id. name: checked already. type: STANDARD or EXPRESS. timeout: seconds; a shorter TimeoutSeconds
    of the definition holds, and that alone when None. limits: whether AWS's hold. tags: checked already. starter: the
    execution that starts it; it gives tree, queue, priority and limits, and `queue` and `limits` are not used then.
    parent: who waits for its end. source: whose data the input is; the link to it is written with the start. facts:
    what AWS's API keeps of it.
    """
    if starter is not None:
        queue, limits = starter.queue, starter.limits
    priority, tree, part = (0, 0, 0) if starter is None else (starter.priority, starter.tree, starter.part)
    program = version.program
    execution = Execution(
        unit.tx.reserve("executions", 1), ref, name, version.name, program.digest, type, Status.RUNNING, unit.now,
        input, queue=queue, priority=priority, tags=tags or {}, tree=tree, limits=limits, parent=parent,
        version=version.number, qualifier=version.qualifier, part=part,
        starter=None if starter is None or parent is not None else starter.id,
    )  # fmt: skip
    execution.events = 1
    limits_of_time = [seconds for seconds in (program.timeout_seconds, timeout) if seconds is not None]
    if limits_of_time:
        execution.deadline = unit.now + round(min(limits_of_time) * MICROSECONDS)
    unit.executions[execution.id] = execution
    unit.changes.new_executions.append(execution)
    if source is not None:
        unit.changes.new_links.append(link_to(execution, source, unit.now))
    if facts:
        own = Particulars(ResourceKind.EXECUTION, execution.ref, unit.now, unit.now, {**facts})
        unit.changes.particulars.append(own)
    unit.note(execution, 1, 0, 0, "ExecutionStarted", started_detail(unit, execution))
    root = Frame(unit.tx.reserve("frames", 1), execution.id, None, 0, 0, "", program.root.start_at)
    root.input = execution.input
    unit.changes.new_frames[root.id] = unit.frames[root.id] = root
    if unit.steps < unit.settings.steps:  # else a workflow that starts itself would keep this tick for ever
        unit.wake(root)
    return execution


def started_detail(unit: UnitOfWork, execution: Execution) -> dict[str, Json]:
    """What ExecutionStarted tells. As on AWS it names the version, and the alias, only where who started the execution
    named one."""
    facts = unit.env(execution).facts
    return {"input": execution.input, "roleArn": facts.role, **facts.version_arns}


def make_children(unit: UnitOfWork, parent: Execution, run: MapRun, children: list[Child]) -> int:
    """The next children of a map run, PENDING: rows and root frames. `map_runs.begin_child` starts them. Returns how
    many were made: of a batch, an execution that is there already under its name is not made again."""
    plan = plan_of(parent)
    if plan is not None:
        return make_batch_children(unit, parent, run, plan, children)
    first, frames = (unit.tx.reserve(table, len(children) or 1) for table in ("executions", "frames"))
    machines = unit.program_of(parent.digest).machines
    waiting = unit.runs.new_children[run.frame, run.activation]
    for id, frame, child in zip(itertools.count(first), itertools.count(frames), children, strict=False):
        ref = unit.new_ref()
        execution = Execution(
            id, ref, ref, run.workflow, parent.digest, run.type, Status.PENDING, unit.now, child.input,
            queue=parent.queue, priority=parent.priority, tree=parent.tree, machine=child.machine,
            limits=parent.limits, parent=Parent(run.frame, run.activation, child.index, child.items, run.id),
            version=parent.version, part=id,
        )  # fmt: skip
        root = Frame(
            frame, id, None, 0, 0, child.machine, machines[child.machine].start_at, status=FrameStatus.PENDING,
            item=child.item, input=child.input,
        )  # fmt: skip
        unit.executions[id] = execution
        unit.changes.new_executions.append(execution)
        unit.changes.new_frames[frame] = unit.frames[frame] = unit.runs.roots[id] = root
        waiting.append(execution)
    return len(children)


def make_batch_children(unit: UnitOfWork, parent: Execution, run: MapRun, plan: Plan, children: list[Child]) -> int:
    """As `make_children`, of a batch: executions of its target, from the root machine on, each under its own name."""
    program = unit.program_of(plan.digest)
    version = unit.tx.version_of_text(plan.workflow, plan.digest)
    names = [plan.name(child.index) for child in children]
    in_use = unit.tx.names_in_use(plan.workflow, names)
    in_use |= {each.name for each in unit.changes.new_executions if each.workflow == plan.workflow}
    led = origins_that_led(unit, plan, children)
    items = [
        (name, child)
        for name, child in zip(names, children, strict=True)
        if name not in in_use and not (child.origin is not None and origin_id(child.origin) in led)
    ]
    first, frames = (unit.tx.reserve(table, len(items) or 1) for table in ("executions", "frames"))
    waiting = unit.runs.new_children[run.frame, run.activation]
    for id, frame, (name, child) in zip(itertools.count(first), itertools.count(frames), items, strict=False):
        refusal = child.refusal
        if refusal is None and plan.is_too_long(child.index):
            refusal = f"its name, {name}, would be longer than a name may be"
        execution = Execution(
            id, unit.new_ref(), name, plan.workflow, plan.digest, run.type, Status.PENDING, unit.now, child.input,
            error=None if refusal is None else REFUSED, cause=refusal, queue=parent.queue, priority=parent.priority,
            tree=parent.tree, limits=parent.limits,
            parent=Parent(run.frame, run.activation, child.index, 1, run.id, is_listed=True),
            version=None if version is None else version.number, qualifier=plan.qualifier, part=id,
        )  # fmt: skip
        root = Frame(frame, id, None, 0, 0, "", program.root.start_at, status=FrameStatus.PENDING, input=child.input)
        unit.executions[id] = execution
        unit.changes.new_executions.append(execution)
        unit.changes.new_frames[frame] = unit.frames[frame] = unit.runs.roots[id] = root
        waiting.append(execution)
        if child.origin is not None and refusal is None:
            unit.changes.new_links.append(link_to_origin(plan.source, child.origin, execution, unit.now))
    return len(items)


def origins_that_led(unit: UnitOfWork, plan: Plan, children: list[Child]) -> set[int]:
    """Of the executions whose data these children get those that led to an execution of the target before, where each
    is to do so once; their ids."""
    if not plan.source.get("unique"):
        return set()
    ids = [origin_id(child.origin) for child in children if child.origin is not None]
    new = {link.source for link in unit.changes.new_links if link.target_workflow == plan.workflow}
    return new | unit.tx.first_links(ids, plan.workflow).keys()


def copy_closed(unit: UnitOfWork, execution: Execution, version: WorkflowVersion) -> Execution:
    """The row of an execution of this version that ended in another store, under an id of this one; it has no frames
    here."""
    id = unit.tx.reserve("executions", 1)
    copy = replace(execution, id=id, tree=0, part=0, version=version.number, qualifier=version.qualifier)
    unit.changes.new_executions.append(copy)
    return copy
