"""`sm links`: which execution was started with the data of which other one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.chaining.words import DELETED
from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Limit,
    LockTimeout,
    TableOutput,
    Trust,
    count,
    table_format,
)

if TYPE_CHECKING:
    from sm_cli.cli.terminal.fitting import Cell
    from sm_cli.views.chaining.links import LinkEnds
    from sm_cli.views.records import Store

_HEADS = ("STARTED", "SOURCE", "WORKFLOW", "STATE", "LED TO", "WORKFLOW", "STATUS", "TRANSFORM")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("links")(links)


def links(
    execution: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXECUTION]", show_default=False, help="Only those from and to this one: an id, a name, @last, …"
        ),
    ] = None,
    source_workflow: Annotated[
        str | None, typer.Option("--source-workflow", metavar="NAME", help="Only those from executions of this one.")
    ] = None,
    target_workflow: Annotated[
        str | None, typer.Option("--target-workflow", metavar="NAME", help="Only those to executions of this one.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="NAME", help="Only those with the output of this state.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Made since: 1h, 2d, 2026-01-31.")
    ] = None,
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List executions that were started with the data of others, newest first."""
    format, wide = table_format(output, json)
    most = count(limit, "--limit")
    moment = None
    if since is not None:
        from sm_cli.cli.terminal.moments import microseconds_of

        moment = microseconds_of(since, "--since")
    with opened_store(db) as store:
        from sm_cli.views.chaining.links import LinkFilter, link_document, list_links

        filter = LinkFilter(None, source_workflow, target_workflow, state, moment, most)
        rows = list_links(store, filter, execution)
        if format == "table":
            is_narrowed = execution is not None or filter != LinkFilter(limit=most)
            _print(store, rows, wide=wide) if rows else say("there is no such link" if is_narrowed else _NO_LINK)
            return
    out.rows([link_document(ends) for ends in rows], format)


_NO_LINK = "no execution was started with the data of another one: sm run WORKFLOW --from-execution EXECUTION does that"


def _print(store: Store, rows: list[LinkEnds], *, wide: bool) -> None:
    from sm_cli.cli.terminal.fitting import all_refs, fits_terminal, print_table
    from sm_cli.views.listing import short_refs

    cells = [_cells(ends) for ends in rows]
    refs = short_refs(store, all_refs(cells)) if fits_terminal(wide=wide) else None
    print_table(_HEADS, cells, wide=wide, now=time.time_ns() // 1000, refs=refs)


def _cells(ends: LinkEnds) -> tuple[Cell, ...]:
    from sm_cli.cli.terminal.fitting import PublicId, TimeCell

    link = ends.link
    return (
        TimeCell(link.at), PublicId(link.source_ref), link.source_workflow, link.state or "",
        PublicId(link.target_ref), link.target_workflow,
        DELETED if ends.target_status is None else ends.target_status.value, link.transform or "",
    )  # fmt: skip
