"""Workflows as AWS's API has them: state machines that are made, changed, published and deleted by calls.

A state machine is a workflow like all others, with particulars that nothing here reads. Every text has a number from
the moment it is registered; what AWS calls a version is one that is no draft.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sm_cli.engine.programs import Workflow
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Transactions
from sm_cli.engine.versions.aliases import Targets, check_alias, check_targets
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.versions.resolving import no_alias, no_workflow, version_numbered
from sm_cli.engine.workflows.workflows import (
    Workflows,
    alias_of,
    check_unnamed,
    check_unneeded,
    check_workflow_name,
    write_alias,
)
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.records import Status
from sm_cli.store.versions import Alias

#: What a state machine that is made again may have otherwise and still be the same one, as on AWS.
_NOT_COMPARED = ("roleArn", "tags", "revisionId")
#: What a published version does not take from its state machine.
_NOT_OF_VERSIONS = ("tags", "publish", "versionDescription")
#: So many executions are ended in one transaction.
_PORTION = 100
#: So often executions that begin while a state machine is deleted are ended, too.
_ROUNDS = 5


class MachineChange(NamedTuple):
    """A state machine after a call."""

    #: Its particulars.
    particulars: Particulars
    #: The number of the text that a bare name means.
    number: int
    #: When that text was published as a version, microseconds since 1970 UTC; None: this call has not.
    publication: int | None = None


class Publish(NamedTuple):
    """That the text is to be a version."""

    #: What it is described by; None: by nothing.
    description: str | None = None


class Machines:
    """The state machines of an engine's database."""

    def __init__(self, engine: Transactions) -> None:
        self._engine = engine
        self._workflows = Workflows(engine)

    def create(self, workflow: Workflow, facts: dict[str, Json], publish: Publish | None = None) -> MachineChange:
        """Make a state machine with these particulars. One that is there with the same text and, but for role and tags,
        the same particulars is the same one. Raises Conflict for any other, UsageError for its name."""
        name = workflow.name
        check_workflow_name(name)
        facts = facts | ({} if publish is None else {"publish": True, "versionDescription": publish.description})

        def create(tick: Tick) -> MachineChange:
            before = tick.tx.particulars(ResourceKind.MACHINE, name)
            digest = _current_digest(tick, name)
            is_same = before is None or _compared(before.facts) == _compared(facts)
            if digest is not None and (digest != workflow.program.digest or not is_same):
                raise Conflict(f"there is a workflow {name!r} already, and it is another one", topic="workflow")
            number = _define(tick, workflow)
            if digest is None or before is None:
                before = _write(tick, ResourceKind.MACHINE, name, facts)
            return MachineChange(before, number, _publish(tick, name, number, before.facts, publish))

        return self._engine.answer(create)[0]

    def update(
        self,
        name: str,
        workflow: Workflow | None,
        facts: dict[str, Json],
        revision: str,
        publish: Publish | None = None,
    ) -> MachineChange:
        """Change the text, the particulars, or both; running executions go on as they began. revision: what this state
        of it is called from now on. Raises NotFound; Conflict for the text of a workflow that is a file."""

        def update(tick: Tick) -> MachineChange:
            digest = _current_digest(tick, name)
            if digest is None:
                raise no_workflow(tick.tx, name)
            if workflow is not None and workflow.program.digest != digest:
                check_no_file(tick, name)
            number = _define(tick, workflow) if workflow is not None else _current_number(tick, name)
            before = tick.tx.particulars(ResourceKind.MACHINE, name)
            changed = {**({} if before is None else before.facts), **facts, "revisionId": revision}
            machine = _write(tick, ResourceKind.MACHINE, name, changed, before)
            return MachineChange(machine, number, _publish(tick, name, number, changed, publish))

        return self._engine.answer(update)[0]

    def publish(self, name: str, publish: Publish, check: Callable[[str | None], None]) -> MachineChange:
        """Make the current text a version, unless it is one. check: called with the name of the current revision, to
        raise what it has against it. Raises NotFound."""

        def publish_(tick: Tick) -> MachineChange:
            if _current_digest(tick, name) is None:
                raise no_workflow(tick.tx, name)
            before = tick.tx.particulars(ResourceKind.MACHINE, name)
            revision = None if before is None else before.facts.get("revisionId")
            check(None if revision is None else str(revision))
            number = _current_number(tick, name)
            facts = {} if before is None else before.facts
            at = _publish(tick, name, number, facts, publish)
            machine = Particulars(ResourceKind.MACHINE, name, tick.now, tick.now, {}) if before is None else before
            return MachineChange(machine, number, at)

        return self._engine.answer(publish_)[0]

    def delete_version(self, name: str, number: int) -> None:
        """It is no version any more; its text stays as long as a bare name means it or an execution runs it. Nothing
        happens when there is none. Raises Conflict when an alias means it."""

        def delete(tick: Tick) -> None:
            try:
                version = version_numbered(tick.tx, name, number)
            except NotFound:
                return
            check_unnamed(tick, version)
            current = tick.tx.current_definition(name)
            is_needed = current is not None and current[1] == number
            try:
                check_unneeded(tick, version)
            except Conflict:
                is_needed = True
            if is_needed:
                _write(tick, ResourceKind.VERSION, f"{name}:{number}", {"draft": True})
                return
            tick.changes.versions_gone.append(version._replace(deleted=tick.now))
            tick.changes.particulars_gone.append((ResourceKind.VERSION, f"{name}:{number}"))

        self._engine.answer(delete)

    def delete(self, name: str) -> None:
        """Delete it with its versions and aliases; what runs ends as ABORTED. Nothing happens when there is none.

        Raises Conflict for a workflow that is a file, and for one that a batch runs or that others keep starting."""
        for _ in range(_ROUNDS):
            while self._engine.answer(lambda tick: _end_portion(tick, name))[0]:
                pass
            try:
                self._workflows.delete(name)
            except NotFound:
                return
            except Conflict as e:
                conflict = e
                continue
            return
        raise conflict

    def create_alias(self, name: str, alias: str, targets: Targets, description: str | None) -> Alias:
        """A new alias; one that is there and the same is the same one. Raises Conflict for any other, NotFound for a
        version that is not there, UsageError for what no alias can have."""
        check_alias(alias)
        check_targets(targets)

        def create(tick: Tick) -> Alias:
            _check_published(tick, name, targets)
            before = tick.tx.alias(name, alias)
            if before is not None:
                if before.targets != targets or _description_of(tick, before) != description:
                    raise Conflict(f"{name} has an alias {alias!r} already, and it is another one", topic="alias")
                return before
            _write(tick, ResourceKind.ALIAS, f"{name}:{alias}", {"description": description})
            return write_alias(tick, name, alias, targets)

        return self._engine.answer(create)[0]

    def update_alias(self, name: str, alias: str, targets: Targets | None, description: str | None) -> Alias:
        """Change what an alias means, how it is described, or both: None stays. Raises as `create_alias`, and NotFound
        when there is none."""
        if targets is not None:
            check_targets(targets)

        def update(tick: Tick) -> Alias:
            if tick.tx.alias(name, alias) is None:
                raise no_alias(tick.tx, WorkflowReference(name, alias))
            there = alias_of(tick, name, alias)
            if targets is not None:
                _check_published(tick, name, targets)
            if description is not None:
                _write(tick, ResourceKind.ALIAS, f"{name}:{alias}", {"description": description})
            return write_alias(tick, name, alias, targets or there.targets)

        return self._engine.answer(update)[0]


def _current_digest(tick: Tick, name: str) -> str | None:
    """The text that a bare name means: the file's, where there is one, else the database's; None: there is none."""
    library = tick.programs.library
    workflow = None if library is None else library(name)
    if workflow is not None:
        return workflow.program.digest
    current = tick.tx.current_definition(name)
    return None if current is None else current[0].digest


def _current_number(tick: Tick, name: str) -> int:
    """Its number; the text of a file is registered if it is new."""
    library = tick.programs.library
    workflow = None if library is None else library(name)
    if workflow is not None:
        return _define(tick, workflow)
    current = tick.tx.current_definition(name)
    assert current is not None, "the caller has seen that there is one"
    return current[1]


def check_no_file(tick: Tick, name: str) -> None:
    """Raises Conflict when a file of the project says what the workflow is."""
    library = tick.programs.library
    if library is not None and library(name) is not None:
        raise Conflict(f"the workflow {name!r} is a file of the project: change the file", topic="workflow")


def _define(tick: Tick, workflow: Workflow) -> int:
    """Register the text as the current one. A new one is a draft until it is published."""
    before = tick.tx.version_of_text(workflow.name, workflow.program.digest)
    number = tick.programs.define(workflow, tick.tx, tick.changes, tick.now)
    if before is None or before.deleted is not None:
        _write(tick, ResourceKind.VERSION, f"{workflow.name}:{number}", {"draft": True})
    return number


def _publish(tick: Tick, name: str, number: int, facts: dict[str, Json], publish: Publish | None) -> int | None:
    """When the version was published: now, or before; None: it is not to be."""
    if publish is None:
        return None
    reference = f"{name}:{number}"
    drafts = [each for each in tick.changes.particulars if (each.kind, each.name) == (ResourceKind.VERSION, reference)]
    before = drafts[-1] if drafts else tick.tx.particulars(ResourceKind.VERSION, reference)
    if before is not None and "draft" not in before.facts:
        return before.updated
    own: dict[str, Json] = {"description": publish.description}
    facts = {member: value for member, value in facts.items() if member not in _NOT_OF_VERSIONS}
    return _write(tick, ResourceKind.VERSION, reference, facts | own).updated


def _write(
    tick: Tick, kind: ResourceKind, name: str, facts: dict[str, Json], before: Particulars | None = None
) -> Particulars:
    created = tick.now if before is None else before.created
    particulars = Particulars(kind, name, created, tick.now, facts)
    tick.changes.particulars.append(particulars)
    return particulars


def _compared(facts: dict[str, Json]) -> dict[str, Json]:
    return {member: value for member, value in facts.items() if member not in _NOT_COMPARED and value is not None}


def _description_of(tick: Tick, alias: Alias) -> Json:
    particulars = tick.tx.particulars(ResourceKind.ALIAS, f"{alias.workflow}:{alias.name}")
    return None if particulars is None else particulars.facts.get("description")


def _check_published(tick: Tick, name: str, targets: Targets) -> None:
    """Raises NotFound unless each is a version, and no draft."""
    for number, _ in targets:
        version_numbered(tick.tx, name, number)
        particulars = tick.tx.particulars(ResourceKind.VERSION, f"{name}:{number}")
        if particulars is not None and "draft" in particulars.facts:
            raise NotFound(f"version {number} of the workflow {name} is not published", topic="version")


def _end_portion(tick: Tick, name: str) -> bool:
    """End some of what runs; false when nothing does. Raises Conflict for a workflow that is a file."""
    check_no_file(tick, name)
    running = tick.tx.running_of_workflow(name)[:_PORTION]
    for id in running:
        execution = tick.execution(id)
        if execution.status is Status.RUNNING:
            end(tick, execution, Status.ABORTED, None, None)
    return bool(running)
