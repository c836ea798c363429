"""`sm workflow list`, `show` and `versions`: what there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.project.workflows import files_in, name_of_file
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Output, TableOutput, Trust, table_format
from sm_cli.cli.workflow.words import Reference, Workflow, bare_name, read_reference, targets_text
from sm_cli.errors import DatabaseError, InvalidDefinition, SmError

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import Store
    from sm_cli.views.workflows.versions import VersionRow, WorkflowRow


def list_all(
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List workflows: those of the database and those of the project's files, with what `sm run` takes of each."""
    from sm_cli.views.workflows.versions import list_workflows as rows_of
    from sm_cli.views.workflows.versions import workflow_document

    format, wide = table_format(output, json)
    project = find_project()
    with opened_store(db, project, create=True) as store:
        rows = {row.name: row for row in rows_of(store)}
        files = {name_of_file(str(file)): file for file in _files(project)}
        texts = {name: _file_text(project, store, name, file) for name, file in files.items()}
    names = sorted({*rows, *files})
    if format != "table":
        documents: list[Json] = []
        for name in names:
            row, file = rows.get(name), files.get(name)
            facts: dict[str, Json] = {
                "name": name,
                "version": None,
                "version_count": 0,
                "aliases": {},
                "registered": None,
            }
            facts |= {} if row is None else workflow_document(row)
            version, problem = texts.get(name, (None, None))
            facts["file"] = None if file is None else {"path": str(file), "version": version, "problem": problem}
            documents.append(facts)
        out.rows(documents, format)
        return
    if not names:
        say(f"there is no workflow, neither in the database nor in {project.workflows}/")
        return
    _print_workflows([(name, rows.get(name), files.get(name), *texts.get(name, (None, None))) for name in names], wide)


def _files(project: Project) -> list[Path]:
    return files_in(project.workflows) if project.workflows.is_dir() else []


def _file_text(project: Project, store: Store, name: str, file: Path) -> tuple[int | None, str | None]:
    """(the version that the text of a file is, why it has none)."""
    from sm_cli.cli.project.workflows import document
    from sm_cli.jsonvalue import digest
    from sm_cli.views.workflows.versions import version_of_digest

    try:
        version = version_of_digest(store, name, digest(document(project, str(file)).value))
    except DatabaseError:
        raise
    except InvalidDefinition:
        return None, "not valid"
    except SmError as e:
        return None, e.message
    return (None, "new text") if version is None else (version.number, None)


def _print_workflows(
    rows: list[tuple[str, WorkflowRow | None, Path | None, int | None, str | None]], wide: bool
) -> None:
    from sm_cli.cli.terminal.fitting import TimeCell, print_table

    lines = [
        (
            name,
            "" if row is None else str(row.current),
            "" if row is None else str(row.versions),
            "" if row is None else "  ".join(f"{alias.name}={targets_text(alias.targets)}" for alias in row.aliases),
            "" if row is None else TimeCell(row.created),
            "" if file is None else f"{file} ({problem or f'version {version}'})",
        )
        for name, row, file, version, problem in rows
    ]
    heads = ("WORKFLOW", "CURRENT", "VERSIONS", "ALIASES", "REGISTERED", "FILE")
    print_table(heads, lines, wide=wide, now=time.time_ns() // 1000)


def versions(
    workflow: Workflow,
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List the versions of a workflow, newest first, with the executions that run them now."""
    from sm_cli.cli.terminal.fitting import TimeCell, print_table
    from sm_cli.views.workflows.versions import version_document, versions_of

    format, wide = table_format(output, json)
    with opened_store(db) as store:
        rows = versions_of(store, bare_name(workflow))
    if format != "table":
        out.rows([version_document(row) for row in rows], format)
        return
    lines = [
        (
            str(row.version.number),
            "current" if row.is_current else "",
            _aliases_text(row),
            TimeCell(row.version.created),
            str(row.running or ""),
            row.version.digest[:12],
        )
        for row in rows
    ]
    heads = ("VERSION", "", "ALIASES", "REGISTERED", "RUNNING", "DEFINITION")
    print_table(heads, lines, wide=wide, now=time.time_ns() // 1000)


def _aliases_text(row: VersionRow) -> str:
    return ", ".join(name if weight == 100 else f"{name} ({weight} %)" for name, weight in row.aliases)


def show_version(
    reference: Reference,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show a version of a workflow; the current one unless one is named."""
    from sm_cli.cli.terminal.options import output_format
    from sm_cli.views.workflows.versions import definition_value, version_document, version_text

    format = output_format(output, json)
    with opened_store(db) as store:
        row, definition = version_text(store, read_reference(reference))
    value = definition_value(definition)
    if format != "table":
        out.one({**version_document(row), "format": definition.format, "definition": value}, format)
        return
    states = value.get("States") if isinstance(value, dict) else None
    comment = value.get("Comment") if isinstance(value, dict) else None
    facts = [
        ("workflow", row.version.name),
        ("version", f"{row.version.number}, the current one" if row.is_current else str(row.version.number)),
        ("aliases", _aliases_text(row)),
        ("registered", tables.local_time(row.version.created)),
        ("running", f"{row.running:,} executions" if row.running != 1 else "1 execution"),
        ("definition", f"{row.version.digest} ({definition.format})"),
        ("comment", comment if isinstance(comment, str) else ""),
        ("states", ", ".join(states) if isinstance(states, dict) else ""),
    ]
    for name, text in facts:
        if text:
            out.text(f"{name:<11} {tables.cut(tables.clean(text))}")
