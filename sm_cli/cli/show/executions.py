"""`sm list`, `sm show`, `sm output`: executions as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.opening import opened_engine, opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Full,
    Limit,
    LockTimeout,
    OfWorkflow,
    Output,
    Reference,
    TableOutput,
    Trust,
    choice,
    count,
    output_format,
    table_format,
)

if TYPE_CHECKING:
    from sm_cli.views.listing import Execution, ExecutionFilter
    from sm_cli.views.records import Store

_STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_executions)
    app.command("show")(show)
    app.command("output")(output)


def list_executions(
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="Only these: RUNNING, FAILED, …")
    ] = None,
    workflow: OfWorkflow = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Started since: 1h, 2d, 2026-01-31.")
    ] = None,
    map_run: Annotated[str | None, typer.Option("--map-run", metavar="ID", help="The children of one map run.")] = None,
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List executions, newest first."""
    format, wide = table_format(output, json)
    wanted = _filter(status, workflow, since, limit)
    with opened_store(db) as store:
        from sm_cli.views.listing import list_executions as listed
        from sm_cli.views.listing import map_run_id

        if map_run is not None:
            wanted = wanted._replace(run=map_run_id(store, map_run))
        found = listed(store, wanted)
        if format == "table":
            _print_executions(store, found, wide=wide) if found else say(_none(store, wanted))
    if format != "table":
        from sm_cli.views.listing import execution_facts

        out.rows([execution_facts(execution) for execution in found], format)


def _filter(status: str | None, workflow: str | None, since: str | None, limit: str) -> ExecutionFilter:
    from sm_cli.views.listing import ExecutionFilter, Status

    wanted = None if status is None else Status(choice(status.upper().replace("-", "_"), "--status", _STATUSES))
    if since is None:
        moment = None
    else:
        from sm_cli.cli.terminal.moments import microseconds_of

        moment = microseconds_of(since, "--since")
    return ExecutionFilter(status=wanted, workflow=workflow, since=moment, limit=count(limit, "--limit"))


def _print_executions(store: Store, found: list[Execution], *, wide: bool) -> None:
    from sm_cli.cli.terminal.fitting import PublicId, TimeCell, all_refs, fits_terminal, print_table
    from sm_cli.views.listing import short_refs

    rows = [
        (
            PublicId(e.ref),
            "" if e.name == e.ref else e.name,
            e.workflow,
            e.status.value,
            TimeCell(e.started),
            "" if e.closed is None else tables.duration(e.closed - e.started),
            e.error or "",
        )
        for e in found
    ]
    refs = short_refs(store, all_refs(rows)) if fits_terminal(wide=wide) else None
    heads = ("ID", "NAME", "WORKFLOW", "STATUS", "STARTED", "DURATION", "ERROR")
    print_table(heads, rows, wide=wide, now=time.time_ns() // 1000, refs=refs)


def _none(store: Store, wanted: ExecutionFilter) -> str:
    """What is said when no execution is one of these."""
    from difflib import get_close_matches

    from sm_cli.views.listing import workflow_names

    told = "there is no execution" if wanted.run is None else "the map run has no child"
    if wanted.workflow is not None:
        told = f"no execution of workflow {wanted.workflow!r}"
        known = workflow_names(store)
        close = [] if wanted.workflow in known else get_close_matches(wanted.workflow, known, 1)
        if close:
            return f"{told}; did you mean {close[0]!r}?"
    told += "" if wanted.status is None else f" is {wanted.status}" if wanted.workflow else f" that is {wanted.status}"
    return f"{told} since {tables.local_time(wanted.since)}" if wanted.since is not None else told


def show(
    execution: Reference,
    full: Full = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show an execution, what it waits for, and where it failed."""
    from sm_cli.cli.show.describe import describe_execution, description_lines
    from sm_cli.cli.show.places import child_failure_lines, failure_lines
    from sm_cli.views.map_runs import child_failures

    format = output_format(output, json)
    project = find_project()
    with opened_engine(db, project) as engine:
        found = engine.find(execution)
        facts, failure = describe_execution(engine, found, project.root)
        runs = [] if format != "table" or failure is not None else child_failures(engine, found)
    if format != "table":
        out.one(facts, format)
        return
    failed = [] if failure is None else [*failure_lines(failure, project.root, whole=full)]
    if failure is not None and failure.state is not None:
        failed.insert(0, tables.clean(f"in {failure.state}"))
    failed += [line for run in runs for line in child_failure_lines(run, project.root)]
    for line in description_lines(facts, failed, full=full):
        out.text(line)


def output(
    execution: Reference,
    output: Output = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Print the output of an execution."""
    from sm_cli.cli.show.describe import ending
    from sm_cli.errors import StillRunning

    format = output_format(output or "json")
    project = find_project()
    with opened_engine(db, project) as engine:
        found = engine.find(execution)
        if found.closed is None:
            hint = f"`sm history {found.ref} --follow` waits for its end."
            raise StillRunning(f"execution {found.name} is still running", hint=hint)
        if found.status == "SUCCEEDED":
            out.one(found.output, "json" if format == "table" else format)
            return
        for line in ending(engine, found, project.root):
            say(line)
    raise typer.Exit(1)
