"""`sm db prune`: closed executions that are old enough go."""

from __future__ import annotations

from typing import Annotated

import typer

from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, OfWorkflow, Trust, choice, seconds

_CLOSED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def prune_executions(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="Closed longer ago than this: 30d, 12h.")
    ],
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only these; may be given again."),
    ] = None,
    workflow: OfWorkflow = None,
    keep_failed: Annotated[
        bool, typer.Option("--keep-failed", help="Keep those that FAILED or TIMED_OUT, however old.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how much would go.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Delete closed executions with their histories, and what only they refer to."""
    from sm_cli.engine.clock import SystemClock
    from sm_cli.engine.retention import CLOSED, count_prunable, prune
    from sm_cli.errors import UsageError
    from sm_cli.views.listing import Status

    before = SystemClock().now() - round(seconds(older_than, "--older-than") * 1_000_000)
    names = [choice(each.upper().replace("-", "_"), "--status", _CLOSED) for each in status or ()]
    statuses = tuple(map(Status, dict.fromkeys(names))) or CLOSED
    if keep_failed:
        if names:
            raise UsageError("--keep-failed and --status both say which executions go: give one of them")
        statuses = tuple(each for each in CLOSED if each not in (Status.FAILED, Status.TIMED_OUT))
    with opened_store(db) as store:
        totals = (count_prunable if dry_run else prune)(store, before, statuses, workflow)
    if json:
        counts = {
            "execution_count": totals.executions,
            "map_run_children": totals.children,
            "event_count": totals.events,
        }
        out.value({"dry_run": dry_run, **counts})
    children = f", {totals.children:,} children of map runs" if totals.children else ""
    what = f"{totals.executions:,} execution{'' if totals.executions == 1 else 's'}{children}"
    say(f"{what} {'would be deleted' if dry_run else 'deleted'}, with {totals.events:,} events")
    if totals.executions and not dry_run:
        say("the room is free for what comes; sm db compact gives it back to the disk")
