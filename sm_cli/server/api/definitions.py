"""Definitions and transformers as requests give them: by name, as objects, as texts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sm_cli.asl.text.source import from_value, parse
from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.engine.chaining.transform import Transform, jsonata_transform
from sm_cli.engine.engine import Workflow, prepare
from sm_cli.errors import InvalidDefinition, NotFound, UsageError
from sm_cli.project.definitions import files_by_name
from sm_cli.views.listing import workflow_names

if TYPE_CHECKING:
    from sm_cli.server.backend import Backend

_INLINE = "inline"


def requested_workflow(
    backend: Backend, reference: str | None, definition: dict[str, Any] | None, name: str | None = None
) -> Workflow:
    """What a request names: a workflow of the project's files or of the database, a version, an alias; or what it
    brings along. Raises UsageError when that is both or neither, NotFound, InvalidDefinition."""
    if (reference is None) == (definition is None):
        raise UsageError("name a workflow, or give a definition: one of them")
    if definition is not None:
        return workflow_from(definition, name or _INLINE)
    if name is not None:
        raise UsageError("workflow_name says what a definition is called: a workflow has its name")
    assert reference is not None
    if ":" in reference:
        return backend.engine.find_workflow(reference)
    try:
        return backend.library.find(reference)
    except NotFound:
        with suppress(NotFound):
            return backend.engine.find_workflow(reference)
        names = {*files_by_name(backend.library.folder), *workflow_names(backend.store)}
        hint = did_you_mean(reference, names)
        raise NotFound(f"there is no workflow {reference!r}", hint=hint, topic="workflow") from None


def workflow_from(definition: dict[str, Any] | str | bytes, name: str) -> Workflow:
    """A definition, or its text, ready to run. Raises InvalidDefinition with every problem."""
    result = parse(definition) if isinstance(definition, str | bytes) else from_value(definition)
    if result.document is None:
        raise InvalidDefinition(result.diagnostics)
    return prepare(result.document, name)


def transform_of(text: str | None) -> Transform | None:
    """What a JSONata expression makes; None for None. Raises UsageError."""
    return None if text is None else jsonata_transform(text)
