"""`sm workflow diff`: what two versions differ in, as text or as a list of values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sm_cli.cli.project.config import find_project, is_file
from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Output, Substitutions, Trust, output_format
from sm_cli.cli.workflow.words import Reference, project_file, read_reference
from sm_cli.jsonvalue import Json
from sm_cli.project.reading import split_reference

if TYPE_CHECKING:
    from sm_cli.engine.versions.references import WorkflowReference

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_OFF = "\x1b[0m"


class Side(NamedTuple):
    """One of the two texts that are compared."""

    #: What it is called above the differences.
    label: str
    #: As it was written; empty when it was made by a program.
    text: str
    #: json or yaml.
    format: str
    #: The definition that it is.
    value: Json


def diff(
    before: Reference,
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="WORKFLOW[:VERSION]|FILE", show_default=False,
            help="As the first, or a file; unless given, the file in workflows/, or else the version before.",
        ),
    ] = None,
    substitutions: Substitutions = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:  # fmt: skip
    """Show what two versions of a workflow, or a version and a file, differ in."""
    from sm_cli.views.workflows.versions import differences

    format = output_format(output, json)
    one, other = _sides(before, after, substitutions, db)
    changes = list(differences(one.value, other.value))
    if format != "table":
        out.rows([{"pointer": c.pointer, "before": c.before, "after": c.after} for c in changes], format)
        return
    if not changes:
        say(f"{one.label} and {other.label} are the same definition")
        return
    _print_diff(one, other)


def _sides(before: str, after: str | None, substitutions: list[str] | None, db: str | None) -> tuple[Side, Side]:
    """What is compared: a version with another one or a file; alone, a version with what the workflow's file says now,
    or the version before it with it where there is no file."""
    from sm_cli.views.workflows.versions import version_before

    reference = read_reference(before)
    if after is not None:
        is_of_file = is_file(split_reference(after)[0])
        other = _file_side(after, substitutions) if is_of_file else _stored_side(read_reference(after), db)
        return _stored_side(reference, db), other
    file = project_file(find_project(), reference.workflow)
    if file is not None:
        return _stored_side(reference, db), _file_side(str(file), substitutions)
    with opened_store(db) as store:
        earlier = version_before(store, reference)
    return _stored_side(earlier, db), _stored_side(reference, db)


def _stored_side(reference: WorkflowReference, db: str | None) -> Side:
    from sm_cli.views.workflows.versions import definition_value, version_text

    with opened_store(db) as store:
        row, definition = version_text(store, reference)
    label = f"{row.version.name}:{row.version.number}"
    return Side(label, definition.text, definition.format, definition_value(definition))


def _file_side(path: str, substitutions: list[str] | None) -> Side:
    from sm_cli.cli.project.workflows import document

    definition = document(find_project(substitutions=substitutions), path)
    return Side(path, definition.own_text, definition.format, definition.value)


def _print_diff(one: Side, other: Side) -> None:
    """A unified diff of the texts as they were written; of two that are written in other forms, as JSON."""
    from difflib import unified_diff

    from sm_cli.cli.escaping import escape

    before, after = one.text, other.text
    if one.format != other.format or not (before and after):
        import json

        before, after = (json.dumps(side.value, indent=2, ensure_ascii=False) for side in (one, other))
    lines = unified_diff(before.splitlines(), after.splitlines(), one.label, other.label, lineterm="")
    is_coloured = out.is_coloured(sys.stdout)
    for line in lines:
        colour = _COLOURS.get(line[:1], "") if is_coloured else ""
        out.lines(f"{colour}{escape(line)}{_OFF if colour else ''}")
