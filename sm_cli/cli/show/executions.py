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
from sm_cli.cli.terminal.filters import (
    InState,
    NamePart,
    OfStatus,
    Since,
    SortBy,
    Until,
    WithError,
    WithTag,
    execution_filter,
    sort_order,
)
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
    count,
    output_format,
    table_format,
)

if TYPE_CHECKING:
    from sm_cli.views.listing import Execution, ExecutionFilter
    from sm_cli.views.records import Store


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_executions)
    app.command("show")(show)
    app.command("output")(output)


def list_executions(
    status: OfStatus = None,
    workflow: OfWorkflow = None,
    since: Since = None,
    until: Until = None,
    name: NamePart = None,
    state: InState = None,
    error: WithError = None,
    tag: WithTag = None,
    map_run: Annotated[str | None, typer.Option("--map-run", metavar="ID", help="The children of one map run.")] = None,
    sort: SortBy = "-started",
    after: Annotated[
        str | None, typer.Option("--after", metavar="EXECUTION", help="Go on after this one, the last of a list.")
    ] = None,
    limit: Limit = "50",
    count_only: Annotated[bool, typer.Option("--count", help="Print how many there are, and no list.")] = False,
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List executions, newest first."""
    format, wide = table_format(output, json)
    filter = execution_filter(
        statuses=status, workflow=workflow, since=since, until=until, name=name, state=state, error=error, tags=tag
    )
    order, most = sort_order(sort), count(limit, "--limit")
    with opened_store(db) as store:
        from sm_cli.views.listing import ExecutionPage, map_run_id, page_after
        from sm_cli.views.listing import list_executions as query_executions

        if map_run is not None:
            filter = filter._replace(run=map_run_id(store, map_run))
        if count_only:
            _print_count(store, filter, format)
            return
        page = ExecutionPage(most, order) if after is None else page_after(store, after, order, most)
        executions = query_executions(store, filter, page)
        if format == "table":
            _print_executions(store, executions, wide=wide) if executions else say(nothing_text(store, filter))
    if format != "table":
        from sm_cli.views.listing import execution_facts

        out.rows([execution_facts(execution) for execution in executions], format)


def _print_count(store: Store, filter: ExecutionFilter, format: str) -> None:
    from sm_cli.views.listing import count_executions

    number = count_executions(store, filter)
    if format == "table":
        out.text(str(number))
    else:
        out.one({"count": number}, format)


def _workflow_text(execution: Execution) -> str:
    """`order:3`; without a number where none is known, and for a workflow of ours, of which nobody has the text."""
    if execution.version is None or execution.workflow.startswith("sm:"):
        return execution.workflow
    return f"{execution.workflow}:{execution.version}"


def _print_executions(store: Store, executions: list[Execution], *, wide: bool) -> None:
    from sm_cli.cli.terminal.fitting import PublicId, TimeCell, all_refs, fits_terminal, print_table
    from sm_cli.views.listing import short_refs

    rows = [
        (
            PublicId(e.ref),
            "" if e.name == e.ref else e.name,
            _workflow_text(e),
            e.status.value,
            TimeCell(e.started),
            "" if e.closed is None else tables.duration(e.closed - e.started),
            e.error or "",
        )
        for e in executions
    ]
    refs = short_refs(store, all_refs(rows)) if fits_terminal(wide=wide) else None
    heads = ("ID", "NAME", "WORKFLOW", "STATUS", "STARTED", "DURATION", "ERROR")
    print_table(heads, rows, wide=wide, now=time.time_ns() // 1000, refs=refs)


def nothing_text(store: Store, filter: ExecutionFilter) -> str:
    """What is said when no execution is one of these."""
    from sm_cli.asl.validation.nearest import did_you_mean
    from sm_cli.views.listing import workflow_names

    text = "there is no execution" if filter.run is None else "the map run has no child"
    if filter.workflow is not None:
        text = f"no execution of workflow {filter.workflow!r}"
        names = workflow_names(store)
        hint = None if filter.workflow in names else did_you_mean(filter.workflow, names)
        if hint is not None:
            return f"{text}; {hint}"
    which = [f"is {' or '.join(filter.statuses)}"] if filter.statuses else []
    which += [] if filter.name_contains is None else [f"has {filter.name_contains!r} in its name"]
    which += [] if filter.state is None else [f"was in the state {filter.state!r}"]
    which += [] if filter.error is None else [f"ended with the error {filter.error!r}"]
    which += [f"has the tag {name}={value}" for name, value in filter.tags]
    that = " " if filter.workflow and filter.statuses else " that "
    text += f"{that}{', '.join(which)}" if which else ""
    text += "" if filter.since is None else f" since {tables.local_time(filter.since)}"
    return text if filter.until is None else f"{text} before {tables.local_time(filter.until)}"


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
        record = engine.find(execution)
        facts, failure = describe_execution(engine, record, project.root)
        runs = [] if format != "table" or failure is not None else child_failures(engine, record)
    if format != "table":
        out.one(facts, format)
        return
    failure_text = [] if failure is None else [*failure_lines(failure, project.root, whole=full)]
    if failure is not None and failure.state is not None:
        failure_text.insert(0, tables.clean(f"in {failure.state}"))
    failure_text += [line for run in runs for line in child_failure_lines(run, project.root)]
    for line in description_lines(facts, failure_text, full=full):
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
        record = engine.find(execution)
        if record.closed is None:
            hint = f"`sm history {record.ref} --follow` waits for its end."
            raise StillRunning(f"execution {record.name} is still running", hint=hint)
        if record.status == "SUCCEEDED":
            out.one(record.output, "json" if format == "table" else format)
            return
        for line in ending(engine, record, project.root):
            say(line)
    raise typer.Exit(1)
