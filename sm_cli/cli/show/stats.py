"""`sm stats`: executions in numbers, as a table with bars, CSV or JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.filters import (
    InState,
    NamePart,
    OfStatus,
    Until,
    WithError,
    WithTag,
    execution_filter,
)
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Trust, choice, output_format

if TYPE_CHECKING:
    from sm_cli.cli.terminal.fitting import Cell
    from sm_cli.views.numbers.statistics import Group, Statistics

_BY = ("status", "workflow", "version", "state", "error", "hour")
#: Cells of the longest bar.
_BAR = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stats")(stats)


def stats(
    workflow: Annotated[
        str | None,
        typer.Argument(metavar="WORKFLOW", show_default=False, help="Only executions of this workflow."),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="Started since: 1h, 2d, 2026-01-31; all for all there are.")
    ] = "24h",
    until: Until = None,
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="status, workflow, version, state, error or hour.")
    ] = "status",
    status: OfStatus = None,
    name: NamePart = None,
    state: InState = None,
    error: WithError = None,
    tag: WithTag = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FORMAT",
            help="table, wide (cut nowhere), csv, json, jsonl, yaml or jsonpath=EXPR.",
        ),
    ] = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Count executions, and say how long they take."""
    wide = output == "wide"
    format = output_format(None if wide else output, json, csv=True)
    groups = choice(by.lower(), "--by", _BY)
    filter = execution_filter(
        statuses=status, workflow=workflow, since=None if since == "all" else since, until=until, name=name,
        state=state, error=error, tags=tag,
    )  # fmt: skip
    from sm_cli.engine.clock import SystemClock
    from sm_cli.views.numbers.statistics import By, group_document, statistics, statistics_document

    now = SystemClock().now()
    with opened_store(db) as store:
        result = statistics(store, filter, By(groups), now)
        if format == "table" and not result.groups:
            from sm_cli.cli.show.executions import nothing_text

            say(nothing_text(store, filter))
    if format == "table":
        _print(result, wide=wide, now=now)
    elif format == "csv":
        _print_csv(result)
    elif format == "jsonl":
        out.rows([group_document(result, group) for group in result.groups], format)
    else:
        out.one(statistics_document(result), format)


def _print(result: Statistics, *, wide: bool, now: int) -> None:
    from sm_cli.cli.terminal import tables
    from sm_cli.cli.terminal.fitting import print_table

    begin, end = tables.local_time(result.since), tables.local_time(result.until)
    if not result.groups:
        return
    say(f"{begin} to {end}")
    largest = max(group.count for group in result.groups)
    rows = [_row(result, group, largest) for group in result.groups]
    if len(rows) > 1:
        rows.append(_row(result, result.total, 0, name="total"))
    heads = [head.upper() for head in result.heads]
    heads += ["COUNT", "", "RATE", "FAILURES", "RETRIES", "WORKING", "WAITING"]
    heads += ["AVERAGE", "P50", "P95", "P99", "MAX", "FIRST", "LAST"]
    print_table(heads, rows, wide=wide, now=now)


def _row(result: Statistics, group: Group, largest: int, name: str | None = None) -> list[Cell]:
    from sm_cli.cli.terminal import tables
    from sm_cli.cli.terminal.fitting import TimeCell

    names = _names(result, group) if name is None else [name, *[""] * (len(result.heads) - 1)]
    spans = group.durations
    times = ["", "", "", "", ""]
    if spans is not None:
        times = [tables.duration(span) for span in (spans.average, spans.p50, spans.p95, spans.p99, spans.max)]
    moments: list[Cell] = ["" if at is None else TimeCell(at) for at in (group.first, group.last)]
    failures = f"{group.failures:,}" if group.failures else ""
    work = ["", "", ""]
    if group.work is not None:
        totals = [tables.duration(span) if span else "" for span in (group.work.working, group.work.waiting)]
        work = [f"{group.work.retries:,}" if group.work.retries else "", *totals]
    bar = _bar(group.count, largest)
    return [
        *names,
        f"{group.count:,}",
        bar,
        _rate(group.rate) if group.count else "",
        failures,
        *work,
        *times,
        *moments,
    ]


def _names(result: Statistics, group: Group) -> list[str]:
    from sm_cli.cli.terminal import tables

    if result.by == "hour":
        return [tables.local_time(int(group.key[0] or 0) * 3_600_000_000)[:16]]
    return ["-" if part is None else str(part) for part in group.key]


def _rate(an_hour: float) -> str:
    """`3.2/s`, `12.0/min`, `1.5/h`, `0.3/d`: in the unit of which there is one at least."""
    for unit, size in (("s", 3600), ("min", 60), ("h", 1)):
        if an_hour >= size:
            return f"{an_hour / size:,.1f}/{unit}"
    return f"{an_hour * 24:,.1f}/d"


def _bar(count: int, largest: int) -> str:
    if not largest:
        return ""
    eighths = round(count / largest * _BAR * 8)
    if count and not eighths:
        eighths = 1
    if (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") != "utf8":
        return "#" * (-(-eighths // 8))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _print_csv(result: Statistics) -> None:
    import csv
    from io import StringIO

    from sm_cli.views.numbers.statistics import group_document

    rows = [group_document(result, group) for group in result.groups]
    buffer = StringIO()
    heads = [*group_document(result, result.total)]
    heads = [*result.heads, *(head for head in heads if head not in result.heads)]
    writer = csv.DictWriter(buffer, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    for line in buffer.getvalue().splitlines():
        out.text(line)
