"""`sm why`: one paragraph about what an execution waits for, and the commands that move it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import logs, tables
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Handlers,
    Import,
    LockTimeout,
    Output,
    Reference,
    Trust,
    Verbose,
    output_format,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Execution

_BEGINS = {"PENDING": "has been PENDING since", "RUNNING": "has been RUNNING since"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    execution: Reference,
    handlers: Handlers = None,
    output: Output = None,
    import_: Import = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
) -> None:
    """Say why an execution does not go on, or a schedule does not fire, and what would move it."""
    from sm_cli.cli.show.places import child_failure_lines, failure_text, from_root, traceback_lines, with_places
    from sm_cli.cli.show.schedule_reasons import print_schedule_reasons, schedule_called
    from sm_cli.cli.terminal.actions import command_of
    from sm_cli.timestamps import rfc3339
    from sm_cli.views.executions import execution_failure, failure_document
    from sm_cli.views.map_runs import child_failures
    from sm_cli.views.why import why as reasons_of

    format = output_format(output, json)
    project = find_project()
    with opened_engine(db, project) as engine:
        if (schedule := schedule_called(engine, execution)) is not None:
            print_schedule_reasons(engine, schedule, format)
            return
        record = engine.find(execution)
        names = _handlers(engine, record, project, handlers, run=import_)
        begins = _BEGINS.get(record.status.value, "began at")
        failure = execution_failure(engine, record)
        reasons = reasons_of(engine, record, handlers=names, time_text=tables.local_time)
        runs = [] if format != "table" or failure is not None else child_failures(engine, record)
    if format != "table":
        out.one({
            "execution_id": record.ref,
            "status": record.status.value,
            "failure": with_places(failure_document(failure), project.root),
            "reasons": [
                {"kind": r.kind, "text": from_root(r.text, project.root), "state": r.state,
                 "command": None if r.action is None else command_of(r.action),
                 "until": None if r.until is None else rfc3339(r.until),
                 "traceback": None if r.traceback is None else r.traceback.text}
                for r in reasons
            ],
        }, format)  # fmt: skip
        return
    label = record.ref if record.name == record.ref else f"{record.name} ({record.ref})"
    failure_note = "" if failure is None else failure_text(failure, project.root)
    start = f"Execution {label} of {record.workflow} {begins} {tables.local_time(record.started)}{failure_note}."
    texts = [tables.cut(tables.clean(from_root(r.text, project.root))) for r in reasons]
    out.text(" ".join([tables.cut(start), *texts]))
    tracebacks = [r.traceback for r in reasons] if failure is None else [failure.innermost.traceback]
    for each in tracebacks if logs.is_verbose() else ():
        for line in [] if each is None else traceback_lines(each.text, project.root):
            out.text(line)
    for run in runs:
        for line in child_failure_lines(run, project.root):
            out.text(f"  {line}")
    for command in dict.fromkeys(command_of(r.action) for r in reasons if r.action is not None):
        out.text(f"  {tables.cut(tables.clean(command))}")


def _handlers(
    engine: Engine, execution: Execution, project: Project, option: str | None, *, run: bool
) -> Collection[str] | None:
    """The names of the handlers that there are, when that matters: a job waits that nobody has taken."""
    from sm_cli.cli.project.handlers import known_handler_names
    from sm_cli.views.executions import has_free_jobs

    if not has_free_jobs(engine, execution):
        return None
    return known_handler_names(project, option, run=run)
