"""`sm waits`: the messages that executions wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import Cell, PublicId, TimeCell, print_table
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Limit,
    LockTimeout,
    OfValue,
    OfWorkflow,
    TableOutput,
    Trust,
    count,
    table_format,
)
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.views.records import OpenWait


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("waits")(waits)


def waits(
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only waits for this key.")] = None,
    value: OfValue = None,
    workflow: OfWorkflow = None,
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List the messages that executions wait for, oldest first."""
    from sm_cli.views.listing import short_refs
    from sm_cli.views.messages import list_waits, wait_document
    from sm_cli.views.records import WaitFilter

    format, wide = table_format(output, json)
    if value is not None and key is None:
        raise UsageError("--value belongs to --key")
    with opened_store(db) as store:
        records = list_waits(store, WaitFilter(key, value, workflow, limit=count(limit, "--limit")))
        short = short_refs(store, [wait.ref for wait in records])
    if format != "table":
        out.rows([wait_document(wait) for wait in records], format)
    elif records:
        heads = ("KEY", "VALUE", "ID", "NAME", "WORKFLOW", "STATE", "SINCE", "UNTIL")
        print_table(heads, [_row(wait) for wait in records], wide=wide, now=time.time_ns() // 1000, refs=short)
    else:
        say("no execution waits for a message" if key is None and workflow is None else "no execution waits for that")


def _row(wait: OpenWait) -> tuple[Cell, ...]:
    s = wait.subscription
    return (
        s.key, s.value, PublicId(wait.ref), "" if wait.name == wait.ref else wait.name, wait.workflow, wait.state,
        TimeCell(s.since), "" if s.deadline is None else TimeCell(s.deadline),
    )  # fmt: skip
