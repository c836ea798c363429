"""`sm queues` and `sm workers`: what waits where, and who is there for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import TimeCell, print_table
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, TableOutput, Trust, table_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sm_cli.cli.terminal.fitting import Cell
    from sm_cli.views.operating.workforce import QueueCounts, WorkerRow

_HOUR = 3600 * 1_000_000
#: So many handlers are named in a table.
_MOST = 5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("queues")(queues)
    app.command("workers")(workers)


def queues(
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show by queue how many tasks wait, run, are tried again, and ended in the last hour."""
    from sm_cli.views.operating.workforce import queue_document, queue_report

    format, wide = table_format(output, json)
    with opened_engine(db) as engine:
        report = queue_report(engine)
    if format != "table":
        out.rows([queue_document(report, queue) for queue in report.queues], format)
        return
    if not report.queues:
        say("no queue has work, and none had any in the last hour")
        return
    heads = ("QUEUE", "PENDING", "ACTIVE", "CALLBACK", "RETRYING", "TIMED", "OLDEST", "DONE 1H", "FAILED 1H")
    print_table(heads, [_queue_row(queue, report.now) for queue in report.queues], wide=wide, now=report.now)
    if report.since > report.now - _HOUR:
        say(f"done and failed are counted since {tables.local_time(report.since)}: there were more than are looked at")


def _queue_row(queue: QueueCounts, now: int) -> Sequence[Cell]:
    counts = (queue.pending, queue.active, queue.callbacks, queue.retrying, queue.on_time)
    age = "" if queue.oldest is None else tables.rough_duration(max(0, now - queue.oldest))
    return queue.name, *(f"{n:,}" for n in counts), age, f"{queue.successes:,}", f"{queue.failures:,}"


def workers(
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show the workers: who is alive, since when, what each serves."""
    from sm_cli.views.operating.workforce import worker_document, worker_rows

    format, wide = table_format(output, json)
    with opened_engine(db) as engine:
        rows, now = worker_rows(engine), engine.clock.now()
    if format != "table":
        out.rows([worker_document(row) for row in rows], format)
        return
    if not rows:
        say("no worker is running; sm worker starts one")
        return
    heads = ("NAME", "STATE", "HOST", "PID", "STARTED", "SEEN", "TASKS", "QUEUES", "HANDLERS")
    print_table(heads, [_worker_row(row, wide=wide) for row in rows], wide=wide, now=now)


def _worker_row(row: WorkerRow, *, wide: bool) -> Sequence[Cell]:
    record = row.record
    serves: Any = record.serves or {}
    slots = f"{row.jobs} of {serves['concurrency']}" if serves else str(row.jobs)
    queues = serves.get("queues")
    names = serves.get("handlers", [])
    first = names if wide else names[:_MOST]
    more = f" and {len(names) - len(first)} more" if len(names) > len(first) else ""
    return (
        record.name, row.state, record.host, str(record.pid), TimeCell(record.started), TimeCell(record.seen), slots,
        ", ".join(queues) if queues else "all" if serves else "", ", ".join(first) + more,
    )  # fmt: skip
