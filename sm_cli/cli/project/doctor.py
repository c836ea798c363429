"""`sm doctor`: what is wrong with the project, its database and its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.engines import engine_findings
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.options import AsJson, Database, Handlers, Import, LockTimeout, Trust
from sm_cli.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from sm_cli.views.doctor.findings import DoctorFinding

_MARKS = {"fine": "ok", "warning": "warning", "broken": "BROKEN"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    handlers: Handlers = None,
    import_: Import = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Look for what is wrong: the database, workers, tasks that nobody does, schedules that do not fire."""
    from sm_cli.cli.project.handlers import known_handler_names
    from sm_cli.views.doctor.findings import Severity

    project = find_project()
    try:
        with opened_engine(db, project) as engine:
            from sm_cli.views.doctor.checks import examine

            names = known_handler_names(project, handlers, run=import_)
            findings = examine(engine, time_text=tables.local_time, handlers=names)
    except DatabaseError as e:
        findings = [_database_finding(project, e)]
    findings += engine_findings(project, project.database(db)[0])
    is_broken = any(finding.severity is Severity.BROKEN for finding in findings)
    if json:
        out.value({"ok": not is_broken, "findings": [_document(finding) for finding in findings]})
    for finding in findings if not json else ():
        _print(finding)
    if is_broken:
        raise typer.Exit(ConfigurationError.exit_code)


def _database_finding(project: Project, error: DatabaseError) -> DoctorFinding:
    """A database that cannot be opened. A new project has none yet, and nothing is broken."""
    from sm_cli.views.doctor.findings import DoctorFinding, Severity

    if error.topic == "no database" and project.file is not None:
        return DoctorFinding("database", Severity.WARNING, f"{error.message} yet; sm run makes it")
    text = ". ".join(part.removesuffix(".") for part in (error.message, error.hint) if part)
    return DoctorFinding("database", Severity.BROKEN, text)


def _document(finding: DoctorFinding) -> dict[str, Any]:
    from sm_cli.cli.terminal.actions import command_of

    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "text": finding.text,
        "command": None if finding.action is None else command_of(finding.action),
    }


def _print(finding: DoctorFinding) -> None:
    from sm_cli.cli.terminal.actions import command_of

    out.text(f"{_MARKS[finding.severity.value]:<8} {finding.check:<10} {tables.cut(finding.text)}")
    if finding.action is not None:
        out.text(f"{'':<19} {command_of(finding.action)}")
