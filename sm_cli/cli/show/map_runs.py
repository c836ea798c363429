"""`sm map-runs`: the map runs of distributed Maps, their counts, and how they go on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import Cell, PublicId, TimeCell, print_table
from sm_cli.cli.terminal.options import AsJson, Database, Limit, LockTimeout, TableOutput, Trust, count, table_format
from sm_cli.cli.terminal.progress import Rates, map_words
from sm_cli.cli.terminal.region import Line, Painted, Region
from sm_cli.views.map_runs import find_map_runs, pending, running

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import MapRun

#: Seconds between two looks of `--follow`.
_PAUSE = 0.2
_HEADS = ("MAP RUN", "WORKFLOW", "STATUS", "ITEMS", "DONE", "FAILED", "RUNNING", "PENDING", "STARTED", "DURATION")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("map-runs")(map_runs)


def map_runs(
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="EXECUTION|MAP-RUN", show_default=False, help="Those of an execution, or one by its id."
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show how they go on, until they end.")] = False,
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List map runs, newest first. `sm list --map-run ID` lists the children of one."""
    from sm_cli.views.listing import short_refs
    from sm_cli.views.map_runs import map_run_document, refs_of

    format, wide = table_format(output, json)
    most = count(limit, "--limit")
    with opened_engine(db) as engine:
        runs = find_map_runs(engine, which, most)
        if follow:
            watch(engine, which, most)
            runs = find_map_runs(engine, which, most)
        refs = refs_of(engine, runs)
        short = short_refs(engine.store, [run.ref for run in runs], map_runs=True)
    if format != "table":
        out.rows([map_run_document(run, refs[run.execution]) for run in runs], format)
    elif runs:
        now = engine.clock.now()
        print_table(_HEADS, [table_row(run, now) for run in runs], wide=wide, now=now, refs=short)
    else:
        say("there is no map run: a Map with Mode DISTRIBUTED has one")


def watch(engine: Engine, which: str | None, limit: int) -> None:
    """Tell on stderr what changes: on a terminal a line for each run, elsewhere a line for each change."""
    if sys.stderr.isatty():
        _draw(engine, which, limit)
        return
    last = ""
    for runs in _looks(engine, which, limit):
        text = "; ".join(progress(run) for run in runs)
        if text != last:
            say(text)
            last = text


def _looks(engine: Engine, which: str | None, limit: int) -> Iterator[list[MapRun]]:
    """The runs as they are, again and again, until all have ended."""
    while True:
        runs = find_map_runs(engine, which, limit)
        yield runs
        if all(run.closed is not None for run in runs):
            return
        time.sleep(_PAUSE)


def _draw(engine: Engine, which: str | None, limit: int) -> None:
    rates = Rates()
    runs_on_screen: list[MapRun] = []

    def lines(size: os.terminal_size) -> list[Line]:
        return [_run_line(run, rates, size.columns - 1) for run in runs_on_screen[: max(1, size.lines - 2)]]

    with Region(sys.stderr, lines) as region:
        for runs in _looks(engine, which, limit):
            with region.lock:
                for run in runs:
                    rates.note(run.frame, run.join, engine.clock.now())
                runs_on_screen[:] = runs


def _run_line(run: MapRun, rates: Rates, room: int) -> Line:
    name = tables.cut_to_width(tables.clean(run.workflow), max(8, room // 3))
    if run.closed is not None:
        return [Painted(f"{name} {run.status.value}  "), *map_words(run.join, None, None)]
    return [Painted(f"{name} "), *map_words(run.join, rates.of(run.frame, run.join), room - tables.width(name) - 1)]


def progress(run: MapRun) -> str:
    """`Orders: 1,200 of 5,000 items done, 3 failed, 40 under way`."""
    join = run.join
    if join.total == 0 and run.closed is None:
        return f"{run.state}: its items are being read"
    failures = f", {join.failed_items:,} failed" if join.failed_items else ""
    going = f", {running(run):,} under way" if run.closed is None else f", {run.status.value}"
    progress_text = f"{join.settled_items - join.failed_items:,} of {tables.total(join.item_count)} items done"
    return f"{run.state}: {progress_text}{failures}{going}"


def table_row(run: MapRun, now: int) -> tuple[Cell, ...]:
    """The row of a table. now: microseconds since 1970 UTC."""
    join = run.join
    return (
        PublicId(run.ref), run.workflow, run.status.value,
        tables.total(join.item_count), f"{join.settled_items - join.failed_items}", f"{join.failed_items}",
        f"{running(run)}", f"{pending(run)}",
        TimeCell(run.started), tables.duration((run.closed or now) - run.started),
    )  # fmt: skip
