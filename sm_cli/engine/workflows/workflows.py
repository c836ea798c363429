"""What a person, or a program, does with the versions of workflows: register, name by an alias, go back, delete.

Each call is one transaction. No text is ever changed: a version is there or not, and what a name means moves.
"""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.engine.programs import Workflow
from sm_cli.engine.stepping.batch.plan import WORKFLOW as BATCH
from sm_cli.engine.stepping.batch.plan import plan_of
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Transactions
from sm_cli.engine.versions.aliases import Targets, check_alias, check_targets
from sm_cli.engine.versions.references import WorkflowReference, version_number
from sm_cli.engine.versions.resolving import no_alias, no_workflow, version_numbered
from sm_cli.errors import Conflict, UsageError
from sm_cli.store.particulars import ResourceKind
from sm_cli.store.versions import Alias, Version

_ALL = 100
#: AWS's limit on a name of a state machine, in characters.
_LONGEST_NAME = 80


class Registration(NamedTuple):
    """What became of a text that was registered."""

    #: The number of the version that it is.
    number: int
    #: Whether there was no such version before.
    is_new: bool
    #: The alias that means it from now on; None: none was asked for.
    alias: Alias | None = None


class Move(NamedTuple):
    """What a name or an alias meant, and what it means from now on: (version, share in percent)."""

    #: One version, or two of an alias.
    before: Targets
    #: One version with all starts.
    after: Targets


class Workflows:
    """The versions and aliases of an engine's database."""

    def __init__(self, engine: Transactions) -> None:
        self._engine = engine

    def register(self, workflow: Workflow, alias: str | None = None) -> Registration:
        """Make the text the current version of its name, and let an alias mean it. Raises UsageError for a name that
        cannot be asked for, or that no alias can have."""
        check_workflow_name(workflow.name)
        if alias is not None:
            check_alias(alias)

        def register(tick: Tick) -> Registration:
            newest = tick.tx.version_of_text(workflow.name, workflow.program.digest)
            number = tick.programs.define(workflow, tick.tx, tick.changes, tick.now)
            is_new = newest is None or newest.deleted is not None
            tick.changes.particulars_gone += _draft(tick, workflow.name, number)
            if alias is None:
                return Registration(number, is_new)
            return Registration(number, is_new, write_alias(tick, workflow.name, alias, ((number, _ALL),)))

        return self._engine.answer(register)[0]

    def set_alias(self, workflow: str, alias: str, targets: Targets) -> Alias:
        """Let an alias mean these versions. Raises UsageError for shares that do not add up, NotFound for a version
        that is not there."""
        check_alias(alias)
        check_targets(targets)

        def set_alias(tick: Tick) -> Alias:
            for number, _ in targets:
                version_numbered(tick.tx, workflow, number)
            return write_alias(tick, workflow, alias, targets)

        return self._engine.answer(set_alias)[0]

    def delete_alias(self, workflow: str, alias: str) -> Alias:
        """Forget an alias, and return what it was. Executions that were started by it keep its name. Raises
        NotFound."""

        def delete_alias(tick: Tick) -> Alias:
            there = alias_of(tick, workflow, alias)
            tick.changes.aliases_gone.append((workflow, alias))
            tick.changes.particulars_gone.append((ResourceKind.ALIAS, f"{workflow}:{alias}"))
            return there

        return self._engine.answer(delete_alias)[0]

    def roll_back(self, reference: WorkflowReference, to: int | None = None) -> Move:
        """Let a bare name, or an alias, mean an older version: that of the number `to`, else the one before the newest
        that it means. Running executions stay on theirs. Raises NotFound, and Conflict when there is none before."""
        workflow, alias = reference
        if version_number(alias) is not None:
            raise UsageError(f"{reference} is one version for good: a name or an alias goes back")

        def roll_back(tick: Tick) -> Move:
            before = _current(tick, workflow) if alias is None else alias_of(tick, workflow, alias).targets
            number = _version_before(tick, reference, before) if to is None else to
            version_numbered(tick.tx, workflow, number)
            after = ((number, _ALL),)
            if alias is not None:
                write_alias(tick, workflow, alias, after)
            else:
                tick.changes.current_versions.append((workflow, number))
            return Move(before, after)

        return self._engine.answer(roll_back)[0]

    def delete(self, workflow: str, number: int | None = None) -> list[Version]:
        """Delete a version, or all of a workflow with its aliases, and return what went. Its number is not given to
        another text. Raises NotFound; Conflict when an open execution runs it, or an alias means it.

        The texts go when no execution has them any more."""

        def delete(tick: Tick) -> list[Version]:
            there = tick.tx.versions(workflow)
            if number is not None:
                versions = [version_numbered(tick.tx, workflow, number)]
                check_unnamed(tick, versions[0])
            elif not there:
                raise no_workflow(tick.tx, workflow)
            else:
                versions = there
                aliases = [alias.name for alias in tick.tx.aliases(workflow)]
                tick.changes.aliases_gone += [(workflow, alias) for alias in aliases]
                tick.changes.particulars_gone += [(ResourceKind.ALIAS, f"{workflow}:{alias}") for alias in aliases]
                tick.changes.particulars_gone.append((ResourceKind.MACHINE, workflow))
            for version in versions:
                check_unneeded(tick, version)
            tick.changes.versions_gone += [version._replace(deleted=tick.now) for version in versions]
            tick.changes.particulars_gone += [(ResourceKind.VERSION, f"{workflow}:{each.number}") for each in versions]
            left = [each.number for each in there if each not in versions]
            if not any(current in left for current, _ in _current(tick, workflow)):
                tick.changes.current_versions.append((workflow, left[0] if left else None))
            return versions

        return self._engine.answer(delete)[0]


def check_workflow_name(name: str) -> None:
    """Raises UsageError for a name of a workflow that could not be asked for."""
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise UsageError(f"the name of a workflow has 1 to {_LONGEST_NAME} characters; this one has {len(name)}")
    sentence = f"a workflow {name!r} could not be asked for"
    if ":" in name:
        raise UsageError(f"{sentence}: a colon stands before a version or an alias")
    if "/" in name or name in (".", ".."):
        raise UsageError(f"{sentence}: its name is one part of a path and of an address")
    if not name.isprintable() or name != name.strip():
        raise UsageError(f"{sentence}: its name has a sign that cannot be seen, or a blank at an end")


def write_alias(tick: Tick, workflow: str, name: str, targets: Targets) -> Alias:
    """Let an alias mean these versions, whatever it meant before."""
    before = tick.tx.alias(workflow, name)
    alias = Alias(workflow, name, targets, tick.now if before is None else before.created, tick.now)
    tick.changes.aliases.append(alias)
    return alias


def _draft(tick: Tick, workflow: str, number: int) -> list[tuple[ResourceKind, str]]:
    """What says that a version is a draft, if anything does: whoever registers the text makes it a version."""
    particulars = tick.tx.particulars(ResourceKind.VERSION, f"{workflow}:{number}")
    return (
        [(ResourceKind.VERSION, particulars.name)] if particulars is not None and "draft" in particulars.facts else []
    )


def alias_of(tick: Tick, workflow: str, name: str) -> Alias:
    """The alias of this name. Raises NotFound."""
    alias = tick.tx.alias(workflow, name)
    if alias is None:
        raise no_alias(tick.tx, WorkflowReference(workflow, name))
    return alias


def _current(tick: Tick, workflow: str) -> Targets:
    current = tick.tx.current_definition(workflow)
    return () if current is None else ((current[1], _ALL),)


def _version_before(tick: Tick, reference: WorkflowReference, targets: Targets) -> int:
    if not targets:
        raise no_workflow(tick.tx, reference.workflow)
    newest = max(number for number, _ in targets)
    older = [each.number for each in tick.tx.versions(reference.workflow) if each.number < newest]
    if not older:
        raise Conflict(f"{reference} means version {newest}, and there is none before it")
    return older[0]


def check_unnamed(tick: Tick, version: Version) -> None:
    """Raises Conflict when an alias means the version."""
    names = [
        alias.name for alias in tick.tx.aliases(version.name)
        if any(number == version.number for number, _ in alias.targets)
    ]  # fmt: skip
    if names:
        raise Conflict(
            f"version {version.number} of {version.name} is what {', '.join(names)} means",
            hint="Let the alias mean another version first, or delete it.",
        )


def check_unneeded(tick: Tick, version: Version) -> None:
    """Raises Conflict when an open execution, or an open batch, runs the version."""
    for batch in tick.tx.executions(tick.tx.running_of_workflow(BATCH)).values():
        plan = plan_of(batch)
        if plan is not None and (plan.workflow, plan.digest) == (version.name, version.digest):
            raise Conflict(
                f"version {version.number} of {version.name} is needed by the batch {batch.name}, which runs"
            )
    count, first = tick.tx.running_on_version(version)
    if first is None:
        return
    ref = tick.tx.refs([first])[first]
    why = f"by execution {ref}, which runs" if count == 1 else f"by {count:,} executions that run, such as {ref}"
    raise Conflict(f"version {version.number} of {version.name} is needed {why}")
