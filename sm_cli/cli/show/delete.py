"""`sm delete`: closed executions, by name."""

from __future__ import annotations

from typing import Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Trust


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("delete")(delete_closed)


def delete_closed(
    executions: Annotated[
        list[str],
        typer.Argument(metavar="EXECUTION", show_default=False, help="Ids or their beginnings, names, ARNs, …"),
    ],
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Delete closed executions with their histories; all of them are looked up before the first one goes."""
    from sm_cli.engine.retention import Pruned, delete_execution, delete_leftovers
    from sm_cli.errors import NotFound

    total = Pruned()
    with opened_engine(db) as engine:
        try:
            records = {record.id: record for record in map(engine.find, executions)}
        except NotFound:
            delete_leftovers(engine.store)  # of one that was killed when the execution itself had gone
            raise
        for record in records.values():
            total = total.plus(*delete_execution(engine.store, record))
            if not json:
                out.text(f"{record.ref}  {record.name}")
    if json:
        names = [record.ref for record in records.values()]
        out.value({"deleted": [*names], "map_run_children": total.children, "event_count": total.events})
    what = f"{total.executions:,} execution{'' if total.executions == 1 else 's'}"
    say(f"{what} deleted, with {total.events:,} events")
