"""`sm why`: one paragraph about what an execution waits for, and the commands that move it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import warn
from sm_cli.cli.terminal.options import AsJson, Database, Handlers, Output, Reference, output_format

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.protocol import Execution

_BEGINS = {"PENDING": "has been PENDING since", "RUNNING": "has been RUNNING since"}


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    execution: Reference, handlers: Handlers = None, output: Output = None, json: AsJson = False, db: Database = None
) -> None:
    """Say why an execution does not go on, and what would move it."""
    from sm_cli.cli.show.describe import failed_state
    from sm_cli.timestamps import rfc3339
    from sm_cli.views.why import why as reasons_of

    format = output_format(output, json)
    project = find_project()
    with opened_engine(db, project) as engine:
        found = engine.find(execution)
        known = _handlers(engine, found, project, handlers)
        now = engine.clock.now()
        begins = _BEGINS.get(found.status.value, "began at")
        state = failed_state(engine.store, found) if found.status == "FAILED" else None
        failed = "" if state is None else f" and failed in {state}"
        reasons = reasons_of(engine.store, found, now, handlers=known, shown=tables.local_time)
    if format != "table":
        out.one({
            "executionId": found.ref,
            "status": found.status.value,
            "reasons": [
                {"kind": r.kind, "text": r.text, "state": r.state, "command": r.command,
                 "until": None if r.until is None else rfc3339(r.until)}
                for r in reasons
            ],
        }, format)  # fmt: skip
        return
    named = found.ref if found.name == found.ref else f"{found.name} ({found.ref})"
    begun = f"Execution {named} of {found.workflow} {begins} {tables.local_time(found.started)}{failed}."
    out.text(tables.clean(" ".join([begun, *(r.text for r in reasons)])))
    for command in dict.fromkeys(r.command for r in reasons if r.command is not None):
        out.text(f"  {tables.clean(command)}")


def _handlers(engine: Engine, execution: Execution, project: Project, option: str | None) -> list[str] | None:
    """The names of the handlers that there are, when that matters: a job waits that nobody has taken."""
    from sm_cli.asl.resources import BUILT_IN
    from sm_cli.errors import HandlerLoadError
    from sm_cli.handlers.loading import load_handlers

    if not any(job.leased_until is None for job in engine.store.jobs_of(execution.id)):
        return None
    directory, named = project.handlers(option)
    if not named and not directory.is_dir():
        return list(BUILT_IN)
    try:
        with out.guarded():
            return [*BUILT_IN, *load_handlers(directory)]
    except HandlerLoadError as e:
        warn(f"the handlers cannot be loaded: {e.message}")
        return None
