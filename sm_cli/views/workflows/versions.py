"""Workflows with their versions and aliases, as a front end shows them; and what two versions differ in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.asl.resources import INTERNAL
from sm_cli.engine.programs import document_of
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.versions.resolving import no_alias, no_workflow, version_numbered
from sm_cli.errors import NotFound
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json, canonical
from sm_cli.store.versions import Alias, Definition, Version
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.sql.questions import Questions


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version, as a list of a workflow's versions has it."""

    #: The version itself.
    version: Version
    #: Whether a bare name means it.
    is_current: bool
    #: The aliases that mean it, each with its share of the starts in percent.
    aliases: tuple[tuple[str, int], ...]
    #: How many executions run it now, without children of map runs.
    running: int


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One workflow, as a list of all has it."""

    #: Its name.
    name: str
    #: The number of the current version.
    current: int
    #: How many versions it has.
    versions: int
    #: By name.
    aliases: tuple[Alias, ...]
    #: When the current version was registered, microseconds since 1970 UTC.
    created: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two definitions differ in; None stands for one that is not there, also for the JSON null."""

    #: A JSON pointer.
    pointer: str
    #: What the first definition has there.
    before: Json
    #: What the second has there.
    after: Json


def list_workflows(store: Store, limit: int | None = None, after: str = "") -> list[WorkflowRow]:
    """Those of the database that have a version, by name; none of the engine's own. limit: at most so many; None: all.
    after: the name that the page before ended with."""
    with store.read() as questions:
        rows = [row for row in questions.workflows() if row[0].name > after and not row[0].name.startswith(INTERNAL)]
        return [
            WorkflowRow(
                each.name, number, len(questions.versions(each.name)), tuple(questions.aliases(each.name)), each.created
            )
            for each, number in rows[:limit]
        ]


def versions_of(
    store: Store, workflow: str, limit: int | None = None, before: int | None = None
) -> list[VersionRow]:  # fmt: skip
    """Those of a workflow, highest number first; at most `limit`, and only numbers below `before`, where these are
    given. Raises NotFound when it has none."""
    with store.read() as questions:
        versions = questions.versions(workflow)
        if not versions:
            raise no_workflow(questions, workflow)
        page = [each for each in versions if before is None or each.number < before][:limit]
        return [_row(questions, version) for version in page]


def version_numbers(store: Store, workflow: str) -> list[int]:
    """The numbers of the versions of a workflow, highest first. Raises NotFound when it has none."""
    with store.read() as questions:
        versions = questions.versions(workflow)
        if not versions:
            raise no_workflow(questions, workflow)
        return [version.number for version in versions]


def aliases_of(store: Store, workflow: str) -> list[Alias]:
    """Those of a workflow, by name. Raises NotFound when there is no such workflow."""
    with store.read() as questions:
        if not questions.versions(workflow):
            raise no_workflow(questions, workflow)
        return questions.aliases(workflow)


def _row(questions: Questions, version: Version) -> VersionRow:
    current = questions.current_definition(version.name)
    names = tuple(
        (alias.name, weight)
        for alias in questions.aliases(version.name)
        for number, weight in alias.targets
        if number == version.number
    )
    running, _ = questions.running_on_version(version)
    return VersionRow(version, current is not None and current[1] == version.number, names, running)


def version_text(store: Store, reference: WorkflowReference) -> tuple[VersionRow, Definition]:
    """A version with its text: the current one for a bare name, of a weighted alias the one with the larger share.
    Raises NotFound."""
    workflow, qualifier = reference
    with store.read() as questions:
        number = reference.version
        if qualifier is None:
            current = questions.current_definition(workflow)
            if current is None:
                raise no_workflow(questions, workflow)
            number = current[1]
        elif number is None:
            alias = questions.alias(workflow, qualifier)
            if alias is None:
                raise no_alias(questions, reference)
            number = max(alias.targets, key=lambda target: target[1])[0]
        version = version_numbered(questions, workflow, number)
        definition = questions.definition(version.digest)
        if definition is None:
            raise NotFound(f"the definition {version.digest[:12]} is not in the database")
        return _row(questions, version), definition


def version_before(store: Store, reference: WorkflowReference) -> WorkflowReference:
    """The version before the one that a reference means. Raises NotFound, also when that one is the first."""
    row, _ = version_text(store, reference)
    earlier = versions_of(store, reference.workflow, 1, row.version.number)
    if not earlier:
        number = row.version.number
        raise NotFound(f"the workflow {reference.workflow} has no version before {number}", topic="version")
    return WorkflowReference(reference.workflow, str(earlier[0].version.number))


def version_of_digest(store: Store, workflow: str, digest: str) -> Version | None:
    """The version that a text is of a workflow; None when it is none, or was deleted."""
    with store.read() as questions:
        version = questions.version_of_text(workflow, digest)
    return None if version is None or version.deleted is not None else version


def definition_value(definition: Definition) -> Json:
    """The definition that a text is. Raises DatabaseError when it is damaged."""
    return document_of(definition).value


def workflow_document(row: WorkflowRow) -> dict[str, Json]:
    """A workflow as JSON. Times are RFC 3339, UTC."""
    return {
        "name": row.name,
        "version": row.current,
        "version_count": row.versions,
        "aliases": {alias.name: targets_document(alias) for alias in row.aliases},
        "registered": rfc3339(row.created),
    }


def version_document(row: VersionRow) -> dict[str, Json]:
    """A version as JSON. Times are RFC 3339, UTC; shares are percents."""
    version = row.version
    return {
        "workflow": version.name,
        "version": version.number,
        "current": row.is_current,
        "aliases": dict(row.aliases),
        "registered": rfc3339(version.created),
        "running": row.running,
        "digest": version.digest,
    }


def alias_document(alias: Alias) -> dict[str, Json]:
    """An alias as JSON. Times are RFC 3339, UTC."""
    return {
        "workflow": alias.workflow,
        "alias": alias.name,
        "versions": targets_document(alias),
        "created": rfc3339(alias.created),
        "updated": rfc3339(alias.updated),
    }


def targets_document(alias: Alias) -> dict[str, Json]:
    """Number of a version, as text, to its share of the starts in percent."""
    return {str(number): weight for number, weight in alias.targets}


def differences(before: Json, after: Json, pointer: str = "") -> Iterator[Difference]:
    """What two definitions differ in, in their order: the smallest values that are not the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name), after.get(name), child(pointer, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{pointer}/{i}")
    elif canonical(before) != canonical(after):
        yield Difference(pointer, before, after)
