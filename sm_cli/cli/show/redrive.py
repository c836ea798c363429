"""`sm redrive`: a failed execution goes on from where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say, warn
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Reference, Trust

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("redrive")(redrive)


def redrive(
    execution: Reference,
    state: Annotated[
        str | None, typer.Option("--from", metavar="STATE", help="Go on from this state of the workflow's top level.")
    ] = None,
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE|-|JSON", help="With --from: its input, unless what it last had will do."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would run again.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Go on with a failed, timed out or stopped execution; what succeeded is not done again."""
    from sm_cli.cli.terminal.inputs import read_json
    from sm_cli.errors import UsageError

    if input is not None and state is None:
        raise UsageError("--input belongs to --from: without it every state keeps the input that it had")
    with opened_engine(db) as engine:
        found = engine.find(execution)
        given = None if input is None else read_json(input, "--input")
        again = engine.redrive(found, state=state, input=given, dry_run=dry_run)
    for each in again:
        if each.type == "Fail":
            warn(f"{each.state} is a Fail state, so it fails again; --from STATE goes on from another one")
    if json:
        runs: list[Json] = [{"state": a.state, "type": a.type, "where": list(a.where)} for a in again]
        out.value({"executionId": found.ref, "dryRun": dry_run, "again": runs})
        return
    for each in again:
        out.text(" / ".join((*each.where, f"{each.state} ({each.type})")))
    if dry_run:
        say(f"execution {found.name} stays {found.status}; without --dry-run the above runs again")
    else:
        say(f"execution {found.name} goes on; a worker takes its tasks: sm worker")
