"""From a reference to the stored version that it means now."""

from __future__ import annotations

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.engine.versions.aliases import draw
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import NotFound
from sm_cli.store.changes import Changes
from sm_cli.store.sql.questions import Questions
from sm_cli.store.versions import Version

#: A sentence names at most so many versions or aliases.
_MOST_NAMED = 10


def find_stored_version(
    questions: Questions, reference: WorkflowReference, lot: str, changes: Changes | None = None
) -> Version:
    """The version that a reference means in the database. lot: what a weighted alias draws by, another text for each
    start. changes: what the caller's transaction will write, which counts as written.

    Raises NotFound when there is no such workflow, version or alias."""
    if reference.qualifier is None:
        return _current(questions, reference.workflow, changes)
    alias = None
    number = reference.version
    if number is None:
        alias = questions.alias(reference.workflow, reference.qualifier)
        if alias is None:
            raise no_alias(questions, reference)
        number = draw(alias, lot)
    return version_numbered(questions, reference.workflow, number, changes)


def version_numbered(questions: Questions, workflow: str, number: int, changes: Changes | None = None) -> Version:
    """The version of this number. changes: as for `find_stored_version`. Raises NotFound when it is not there."""
    version = questions.version(workflow, number)
    if version is not None and version.deleted is None:
        return version
    for new in reversed(() if changes is None else changes.new_versions):
        if (new.name, new.number) == (workflow, number):
            return new
    if version is not None:
        raise NotFound(f"version {number} of the workflow {workflow} was deleted", topic="version")
    there = questions.versions(workflow)
    if not there:
        raise no_workflow(questions, workflow)
    numbers = ", ".join(str(each.number) for each in there[:_MOST_NAMED])
    more = ", …" if len(there) > _MOST_NAMED else ""
    raise NotFound(f"the workflow {workflow} has no version {number}; it has {numbers}{more}", topic="version")


def _current(questions: Questions, workflow: str, changes: Changes | None) -> Version:
    for new in reversed(() if changes is None else changes.new_versions):
        if new.name == workflow:
            return new
    current = questions.current_definition(workflow)
    if current is None:
        raise no_workflow(questions, workflow)
    definition, number = current
    return Version(workflow, number, definition.digest, definition.created)


def no_workflow(questions: Questions, workflow: str) -> NotFound:
    """There is no workflow of this name; with a name of the database that is spelt alike."""
    names = [definition.name for definition, _ in questions.workflows()]
    return NotFound(f"there is no workflow {workflow!r}", hint=did_you_mean(workflow, names), topic="workflow")


def no_alias(questions: Questions, reference: WorkflowReference) -> NotFound:
    """The workflow has no alias of this name; with those that it has."""
    workflow, name = reference
    if not questions.newest_number(workflow):
        return no_workflow(questions, workflow)
    there = ", ".join(each.name for each in questions.aliases(workflow)[:_MOST_NAMED])
    return NotFound(
        f"the workflow {workflow} has no alias {name!r}" + (f"; it has {there}" if there else " and no other"),
        topic="alias",
    )
