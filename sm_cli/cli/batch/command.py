"""`sm batch`: run, list, show, pause, resume, update, cancel, retry-failed, results."""

from __future__ import annotations

from typing import Annotated

import typer

from sm_cli.cli.batch.run import run_batch
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Buckets,
    Database,
    Limit,
    LockTimeout,
    Output,
    TableOutput,
    Trust,
    choice,
    count,
    output_format,
    table_format,
)

_Which = Annotated[
    str,
    typer.Argument(metavar="BATCH", show_default=False, help="An id or its beginning, a prefix of names, or @last."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("run")(run_batch)
    group.command("list")(print_batch_list)
    group.command("show")(show_batch)
    group.command("pause")(pause_batch)
    group.command("resume")(resume_batch)
    group.command("update")(update_batch)
    group.command("cancel")(cancel_batch)
    group.command("retry-failed")(retry_batch)
    group.command("results")(print_results)
    app.add_typer(group, name="batch", help="Run a workflow once for each item of a list.")


def print_batch_list(
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List batches, newest first."""
    from sm_cli.cli.batch.tables import print_batches
    from sm_cli.views.batches.batch import list_batches
    from sm_cli.views.batches.documents import batch_document

    format, wide = table_format(output, json)
    with opened_engine(db) as engine:
        batches = list_batches(engine, count(limit, "--limit"))
        if format != "table":
            out.rows([batch_document(batch) for batch in batches], format)
        elif batches:
            print_batches(engine, batches, wide=wide)
        else:
            say("there is no batch: sm batch run WORKFLOW --inputs FILE starts one")


def show_batch(
    which: _Which,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show how it goes on, until it ends.")] = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show a batch: how far it is, what holds it back, and what failed."""
    from sm_cli.cli.batch.tables import print_batch
    from sm_cli.views.batches.batch import batch_now, find_batch
    from sm_cli.views.batches.documents import batch_document

    format = output_format(output, json)
    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        if follow:
            from sm_cli.cli.batch.progress import follow_batch

            follow_batch(engine, batch)
            batch = batch_now(engine, batch.execution.id)
        if format != "table":
            out.one(batch_document(batch), format)
        else:
            print_batch(engine, batch)


def pause_batch(which: _Which, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Start nothing more of a batch; what runs goes on to its end."""
    from sm_cli.engine.batches import control
    from sm_cli.views.batches.batch import batch_now, find_batch

    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        control.pause(engine, batch.execution)
        running = batch_now(engine, batch.execution.id).join.running
    rest = f"; {running:,} still run" if running else ""
    say(f"batch {batch.execution.name} is paused{rest}; sm batch resume {batch.execution.name} goes on with it")


def resume_batch(which: _Which, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Go on with a paused batch."""
    from sm_cli.engine.batches import control
    from sm_cli.views.batches.batch import find_batch

    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        control.resume(engine, batch.execution)
    say(f"batch {batch.execution.name} goes on; a worker takes its tasks: sm worker")


def update_batch(
    which: _Which,
    concurrency: Annotated[
        str | None, typer.Option("--concurrency", metavar="N", help="Executions at once from now on.")
    ] = None,
    tolerate: Annotated[
        str | None, typer.Option("--tolerate", metavar="N", help="How many items may fail; one more ends it.")
    ] = None,
    max_failure_rate: Annotated[
        str | None, typer.Option("--max-failure-rate", metavar="PERCENT", help="With more failures than that it fails.")
    ] = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Give a batch that runs other limits."""
    from sm_cli.engine.batches import control
    from sm_cli.engine.batches.options import concurrency_of, rate_of
    from sm_cli.errors import UsageError
    from sm_cli.views.batches.batch import find_batch

    if concurrency is None and tolerate is None and max_failure_rate is None:
        raise UsageError("nothing is to be changed: give --concurrency, --tolerate or --max-failure-rate")
    new = control.NewLimits(
        None if concurrency is None else concurrency_of(_number(concurrency, "--concurrency")),
        None if tolerate is None else _number(tolerate, "--tolerate"),
        rate_of(max_failure_rate, "--max-failure-rate"),
    )
    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        control.update(engine, batch.execution, new)
    say(f"batch {batch.execution.name} goes on under its new limits")


def cancel_batch(which: _Which, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """End a batch: what runs is stopped, the rest is not started."""
    from sm_cli.engine.batches import control
    from sm_cli.views.batches.batch import batch_now, find_batch

    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        control.cancel(engine, batch.execution)
        after = batch_now(engine, batch.execution.id)
    say(f"batch {batch.execution.name} is {after.execution.status}; its executions that ran were stopped")


def retry_batch(which: _Which, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Go on with what failed, was stopped or was not started in a batch that is over."""
    from sm_cli.engine.batches import control
    from sm_cli.views.batches.batch import find_batch

    with opened_engine(db) as engine:
        batch = find_batch(engine, which)
        again = control.try_again(engine, batch.execution)
    what = f"{again:,} execution{'' if again == 1 else 's'} of it" if again else "what was not started of it"
    say(f"batch {batch.execution.name}: {what} will run again; a worker takes the tasks: sm worker")


def print_results(
    which: _Which,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="Only these: FAILED, SKIPPED, SUCCEEDED, …")
    ] = None,
    buckets: Buckets = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Print what became of every item, in order: a line of JSON each."""
    from sm_cli.engine.batches.results import ItemStatus, item_results
    from sm_cli.jsonvalue import dumps
    from sm_cli.views.batches.batch import find_batch
    from sm_cli.views.batches.documents import result_row

    chosen_status = None if status is None else choice(status.upper(), "--status", tuple(ItemStatus))
    with opened_engine(db, buckets=buckets) as engine:
        batch = find_batch(engine, which)
        for each in item_results(engine.store, engine.buckets, batch.execution):
            if chosen_status is None or each.status == chosen_status:
                out.text(dumps(result_row(each)))


def _number(text: str, option: str) -> int:
    from sm_cli.errors import UsageError

    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError(f"{option} takes a whole number from 0 on, not {text!r}")
    return int(text)
