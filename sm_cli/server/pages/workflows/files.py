"""Workflows that are files of the project: what stands there, and that a start by the name runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.asl.validation.validate import validate
from sm_cli.jsonvalue import digest
from sm_cli.project.reading import display_name

if TYPE_CHECKING:
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.jsonvalue import Json
    from sm_cli.project.library import Library


class ProjectFile(NamedTuple):
    """The file of a workflow, as it stands there now."""

    #: Where it is.
    path: str
    #: The whole text.
    text: str
    #: json or yaml.
    format: str
    #: The definition; None when the text cannot be read.
    value: Json
    #: What is wrong with it.
    problems: list[Diagnostic]

    def has_text_of(self, other: str) -> bool:
        """Whether it is the definition with this digest."""
        return self.value is not None and digest(self.value) == other


def file_of_workflow(library: Library, name: str) -> ProjectFile | None:
    """The file of a workflow; None when it has none. Raises NotFound and UsageError for one that cannot be read."""
    source = library.source(name)
    if source is None:
        return None
    document = source.result.document
    problems = source.result.diagnostics + ([] if document is None else validate(document))
    return ProjectFile(
        display_name(source.file), source.text, _format_of(source.file) if document is None else document.format,
        None if document is None else document.value, problems,
    )  # fmt: skip


def _format_of(file: str) -> str:
    return "json" if file.endswith(".json") else "yaml"


def file_sentence(library: Library, name: str) -> str:
    """That the file goes before the versions of the database, after a blank; "" where there is none."""
    file = library.file_of(name)
    if file is None:
        return ""
    return (
        f" {display_name(str(file))} goes before it, though: a start of {name} without a version runs the file's text."
    )
