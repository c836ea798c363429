"""`sm stop`: one execution, or all that filters choose, as ABORTED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.show.several import Chosen, Several, Since, Yes, selection
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, OfWorkflow, Trust

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json
    from sm_cli.views.listing import Execution


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stop")(stop)


def stop(
    execution: Chosen = None,
    error: Annotated[str | None, typer.Option("--error", metavar="NAME", help="The error name to record.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="The cause to record.")] = None,
    workflow: OfWorkflow = None,
    status: Annotated[str | None, typer.Option("--status", metavar="STATUS", help="RUNNING: all of these.")] = None,
    since: Since = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be stopped.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Stop an execution as ABORTED, or all that filters choose."""
    filters = selection(execution, ("RUNNING",), workflow=workflow, status=status, since=since)
    with opened_engine(db) as engine:

        def act(target: Execution) -> dict[str, Json]:
            if dry_run:
                if not json:
                    out.text(f"{target.ref}  {target.name}")
                return {"status": target.status.value}
            return {"status": engine.stop(target, error=error, cause=cause).status.value}

        if filters is not None:
            Several(engine, "stop", "stopped", dry_run, json).carry_out(filters, act, yes=yes)
            return
        record = engine.find(execution or "")
        if dry_run:
            if record.status != "RUNNING":
                from sm_cli.errors import Conflict

                raise Conflict(f"execution {record.name} is {record.status}")
            say(f"execution {record.name} would be stopped")
            return
        facts = act(record)
    if json:
        out.value({"id": record.ref, "name": record.name, "workflow": record.workflow, **facts})
    say(f"execution {record.name} {facts['status']}")
