"""`sm doctor`: what is wrong with the project, its database and its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.engines import engine_findings
from sm_cli.cli.project.handlers import read_handlers
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.project.values import find_wrong_settings
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import advice_for
from sm_cli.cli.terminal.options import AsJson, Database, Handlers, Import, LockTimeout, Trust
from sm_cli.errors import ConfigurationError, SmError

if TYPE_CHECKING:
    from sm_cli.views.doctor.findings import DoctorFinding, Surroundings

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
    """Look for what is wrong: libraries, configuration, handlers, the database, clocks, workers, tasks, schedules."""
    from sm_cli.views.doctor.findings import Severity
    from sm_cli.views.doctor.surroundings import look_around

    project, surroundings = _surroundings(handlers, run=import_)
    findings = look_around(surroundings)
    if project is not None:
        try:
            findings += _examine(db, project, surroundings)
            findings += engine_findings(project, project.database(db)[0])
        except SmError as e:
            if _sentence(e) not in surroundings.setting_problems:
                raise
    is_broken = any(finding.severity is Severity.BROKEN for finding in findings)
    if json:
        out.value({"ok": not is_broken, "findings": [_document(finding) for finding in findings]})
    for finding in findings if not json else ():
        _print(finding)
    if is_broken:
        raise typer.Exit(ConfigurationError.exit_code)


def _surroundings(handlers: str | None, *, run: bool) -> tuple[Project | None, Surroundings]:
    """The project, None when its configuration cannot be used, and what there is of it without a database."""
    from sm_cli.views.doctor.findings import Surroundings

    try:
        project = find_project()
    except ConfigurationError as e:
        return None, Surroundings(configuration_error=_sentence(e))
    file = None if project.file is None else str(project.file)
    facts = read_handlers(project, handlers, run=run)
    return project, Surroundings(
        configuration=file, settings=sorted(project.settings),
        setting_problems=[_sentence(each) for each in find_wrong_settings(project)],
        handlers_place=facts.place, handlers=facts.names,
        handlers_unknown=facts.why_unknown, is_executed=run, handler_problems=facts.problems,
    )  # fmt: skip


def _examine(db: str | None, project: Project, surroundings: Surroundings) -> list[DoctorFinding]:
    from sm_cli.asl.resources import BUILT_IN

    names = None if surroundings.handlers is None else [*BUILT_IN, *surroundings.handlers]
    try:
        with opened_engine(db, project) as engine:
            from sm_cli.views.doctor.checks import examine

            return examine(engine, time_text=tables.local_time, handlers=names)
    except ConfigurationError as e:
        if _sentence(e) in surroundings.setting_problems:
            raise
        return [_database_finding(project, e)]


def _sentence(error: SmError) -> str:
    return ". ".join(part.removesuffix(".") for part in (error.message, *advice_for(error)))


def _database_finding(project: Project, error: SmError) -> DoctorFinding:
    """A database that cannot be opened. A new project has none yet, and nothing is broken."""
    from sm_cli.views.doctor.findings import DoctorFinding, Severity

    if error.topic == "no database" and project.file is not None:
        return DoctorFinding("database", Severity.WARNING, f"{error.message} yet; sm run makes it")
    return DoctorFinding("database", Severity.BROKEN, _sentence(error))


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
