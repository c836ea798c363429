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
    wanted = selection(execution, ("RUNNING",), workflow=workflow, status=status, since=since)
    with opened_engine(db) as engine:

        def act(found: Execution) -> dict[str, Json]:
            if dry_run:
                if not json:
                    out.text(f"{found.ref}  {found.name}")
                return {"status": found.status.value}
            return {"status": engine.stop(found, error=error, cause=cause).status.value}

        if wanted is not None:
            Several(engine, "stop", "stopped", dry_run, json).carry_out(wanted, act, yes=yes)
            return
        found = engine.find(execution or "")
        if dry_run:
            if found.status != "RUNNING":
                from sm_cli.errors import Conflict

                raise Conflict(f"execution {found.name} is {found.status}")
            say(f"execution {found.name} would be stopped")
            return
        facts = act(found)
    if json:
        out.value({"id": found.ref, "name": found.name, "workflow": found.workflow, **facts})
    say(f"execution {found.name} {facts['status']}")
