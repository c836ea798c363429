"""State machines, versions, aliases and activities, each with its particulars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.asl.resources import INTERNAL
from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.variable_references import variable_references
from sm_cli.engine.programs import Workflow
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.versions.resolving import find_stored_version, no_alias, no_workflow, version_numbered
from sm_cli.errors import NotFound
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.records import Execution
from sm_cli.store.versions import Alias, Definition, Version

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.sql.questions import Questions

__all__ = ["Alias", "MachineText", "Particulars", "ResourceKind", "Version"]


class MachineText(NamedTuple):
    """A text of a state machine."""

    #: The workflow's name.
    name: str
    #: As it was written.
    text: str
    #: When the state machine was made, or the version published; microseconds since 1970 UTC.
    created: int
    #: Of the state machine; of a version those that it was published with.
    facts: dict[str, Json]
    #: When text or particulars were changed last, microseconds since 1970 UTC.
    updated: int


@lru_cache(maxsize=256)
def json_definition(text: str) -> str:
    """A definition as AWS's clients read it: JSON as it was written, YAML made into JSON."""
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return text
    document = parse(text).document
    return text if document is None else dumps(document.value)


@lru_cache(maxsize=256)
def references_in(text: str) -> Mapping[str, list[str]]:
    """Which variables each state of a definition reads: names without `$`, by the names of states that read any."""
    document = parse(text).document
    return {} if document is None else variable_references(document)


class AliasText(NamedTuple):
    """An alias, and how it is described."""

    #: The alias itself.
    alias: Alias
    #: None: by nothing.
    description: str | None


def find_machine(engine: Engine, reference: WorkflowReference) -> MachineText:
    """What the reference means now: of a weighted alias the version with the larger share. Raises NotFound;
    InvalidDefinition for a file that cannot run."""
    name = reference.workflow
    library = engine.programs.library
    workflow = None if library is None or reference.qualifier is not None else library(name)
    with engine.store.read() as questions:
        machine = questions.particulars(ResourceKind.MACHINE, name)
        if workflow is not None:
            return _text_of_file(engine, questions, workflow, machine)
        version = _version(questions, reference)
        definition = questions.definition(version.digest)
        if definition is None:
            raise no_workflow(questions, name)
        if reference.qualifier is None:
            return _current(questions, definition, version, machine)
        own = questions.particulars(ResourceKind.VERSION, f"{name}:{version.number}")
        if own is not None and "draft" not in own.facts:
            return MachineText(name, definition.text, own.updated, own.facts, own.updated)
        return MachineText(name, definition.text, version.created, _facts(machine), version.created)


def type_of_machine(engine: Engine, name: str) -> str | None:
    """STANDARD or EXPRESS, as the machine was made; None when nobody has said."""
    with engine.store.read() as questions:
        type = _facts(questions.particulars(ResourceKind.MACHINE, name)).get("type")
    return None if type is None else str(type)


def _version(questions: Questions, reference: WorkflowReference) -> Version:
    if reference.qualifier is None or reference.version is not None:
        return find_stored_version(questions, reference, "")
    alias = questions.alias(reference.workflow, reference.qualifier)
    if alias is None:
        raise no_alias(questions, reference)
    return version_numbered(questions, reference.workflow, max(alias.targets, key=lambda target: target[1])[0])


def _current(
    questions: Questions, definition: Definition, version: Version, machine: Particulars | None
) -> MachineText:
    if machine is not None:
        return MachineText(version.name, definition.text, machine.created, machine.facts, machine.updated)
    first = min((each.created for each in questions.versions(version.name)), default=version.created)
    return MachineText(version.name, definition.text, first, {}, version.created)


def _text_of_file(engine: Engine, questions: Questions, workflow: Workflow, machine: Particulars | None) -> MachineText:
    """The text of a file, which the database has once it was started."""
    version = questions.version_of_text(workflow.name, workflow.program.digest)
    since = engine.clock.now() if version is None else version.created
    created = since if machine is None else machine.created
    return MachineText(workflow.name, workflow.document.own_text, created, _facts(machine), since)


def _facts(machine: Particulars | None) -> dict[str, Json]:
    return {} if machine is None else machine.facts


def machine_rows(engine: Engine, files: Iterable[str], after: str, limit: int) -> list[tuple[str, int, str]]:
    """(name, when it was made, STANDARD or EXPRESS), by name, those after this name. files: the names of workflows that
    are files."""
    now = engine.clock.now()
    with engine.store.read() as questions:
        created = dict.fromkeys(files, now)
        created |= {d.name: d.created for d, _ in questions.workflows() if not d.name.startswith(INTERNAL)}
        names = sorted(name for name in created if name > after)[:limit]
        rows: list[tuple[str, int, str]] = []
        for name in names:
            particulars = questions.particulars(ResourceKind.MACHINE, name)
            at = created[name] if particulars is None else particulars.created
            rows.append((name, at, str(_facts(particulars).get("type", "STANDARD"))))
    return rows


def published_versions(engine: Engine, name: str) -> list[tuple[int, int]]:
    """(number, when it was published) of the versions that are no drafts, newest first; none when there is no such
    workflow."""
    versions: list[tuple[int, int]] = []
    with engine.store.read() as questions:
        for version in questions.versions(name):
            own = questions.particulars(ResourceKind.VERSION, f"{name}:{version.number}")
            if own is None or "draft" not in own.facts:
                versions.append((version.number, version.created if own is None else own.updated))
    return versions


def aliases_meaning(engine: Engine, reference: WorkflowReference) -> list[Alias]:
    """Those of a workflow, or those that mean the version that is named, by name. Raises NotFound."""
    find_machine(engine, reference)
    with engine.store.read() as questions:
        aliases = questions.aliases(reference.workflow)
    number = reference.version
    return [a for a in aliases if number is None or any(target == number for target, _ in a.targets)]


def find_alias(engine: Engine, reference: WorkflowReference) -> AliasText:
    """The alias that is named. Raises NotFound."""
    workflow, name = reference
    with engine.store.read() as questions:
        alias = None if name is None else questions.alias(workflow, name)
        if alias is None:
            raise NotFound(f"the workflow {workflow} has no alias {name!r}", topic="alias")
        own = questions.particulars(ResourceKind.ALIAS, f"{workflow}:{name}")
    description = _facts(own).get("description")
    return AliasText(alias, None if description is None else str(description))


def text_of_execution(engine: Engine, execution: Execution) -> MachineText:
    """The text that an execution runs, which may be an older one of its workflow. Raises NotFound."""
    name = execution.workflow.partition("/")[0]
    with engine.store.read() as questions:
        definition = questions.definition(execution.digest)
        if definition is None:
            raise no_workflow(questions, name)
        machine = questions.particulars(ResourceKind.MACHINE, name)
    return MachineText(name, definition.text, definition.created, _facts(machine), definition.created)


def find_activity(engine: Engine, name: str) -> Particulars | None:
    """The activity that somebody has made under this name; None when nobody has."""
    with engine.store.read() as questions:
        return questions.particulars(ResourceKind.ACTIVITY, name)


def list_activities(engine: Engine, after: str, limit: int) -> list[Particulars]:
    """Those that somebody has made, by name, those after this name."""
    with engine.store.read() as questions:
        return questions.particulars_of_kind(ResourceKind.ACTIVITY, after, limit)


def has_free_task(engine: Engine, activity: str) -> bool:
    """Whether a task of an activity waits for a worker."""
    with engine.store.read() as questions:
        return bool(questions.claimable(engine.clock.now(), 1, resources=frozenset({activity})))
