"""`sm schedule list` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import Cell, TimeCell, print_table
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Full,
    LockTimeout,
    Output,
    TableOutput,
    Trust,
    output_format,
    table_format,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Execution
    from sm_cli.views.schedules.documents import Firing, Schedule

ScheduleName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SCHEDULE", show_default=False, help="The schedule's name.")
]


def list_schedules(
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List schedules with their next three times and what became of the last one."""
    from sm_cli.views.schedules.documents import last_executions, schedule_document

    format, wide = table_format(output, json)
    with opened_engine(db) as engine:
        schedules = engine.schedules.list()
        executions = last_executions(engine, schedules)
        if format != "table":
            out.rows([schedule_document(each, executions) for each in schedules], format)
            return
        if not schedules:
            say("there is no schedule; sm schedule add makes one")
            return
        heads = ("NAME", "STATUS", "NEXT", "LAST", "WHEN", "WORKFLOW", "REASON")
        now = engine.clock.now()
        print_table(heads, [_row(each, executions, now) for each in schedules], wide=wide, now=now)
        for line in _late(engine, schedules):
            say(line)


def _row(schedule: Schedule, executions: dict[str, Execution], now: int) -> Sequence[Cell]:
    from sm_cli.views.schedules.documents import schedule_status, times_to_come, when_text

    last, reason = _outcome(schedule.firings[-1], executions) if schedule.firings else ("", "")
    if schedule.waiting:
        reason = f"{len(schedule.waiting)} in line; {reason}".removesuffix("; ")
    times, status = short_times(times_to_come(schedule), now), schedule_status(schedule)
    return schedule.name, status, times, last, when_text(schedule), schedule.workflow, reason


def _outcome(firing: Firing, executions: dict[str, Execution]) -> tuple[str, str]:
    """What became of a time (the status of its execution, or that none was started), and why."""
    execution = executions.get(firing.execution or "")
    return firing.outcome.value if execution is None else execution.status.value, firing.reason or ""


def _late(engine: Engine, schedules: list[Schedule]) -> Iterator[str]:
    """What is said of schedules that are due where no worker is."""
    from sm_cli.views.why import working

    late = [each.name for each in schedules if each.due is not None and each.due < engine.clock.now()]
    if late and not working(engine):
        names = ", ".join(late[:3]) + (f" and {len(late) - 3} more" if len(late) > 3 else "")
        yield f"{names} {'is' if len(late) == 1 else 'are'} due, and no worker is running: sm worker"


def short_times(times: list[int], now: int | None = None) -> str:
    """`2026-11-30 02:00, 12-01 02:00, 12-02 02:00`, on this machine's clock: of each only what the one before has not
    said, and seconds where there are any. now: a time whose year is not said."""
    texts: list[str] = []
    day = "" if now is None else tables.local_time(now)[:4]
    for time in times:
        text = tables.local_time(time).removesuffix(":00")
        date, _, clock = text.partition(" ")
        texts.append(clock if date == day else f"{date[5:]} {clock}" if day[:4] == date[:4] else text)
        day = date
    return ", ".join(texts)


def show_schedule(
    schedule: ScheduleName,
    full: Full = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show a schedule: what it says, its next times, and what became of the newest ones."""
    from sm_cli.cli.terminal.actions import command_of
    from sm_cli.jsonvalue import dumps
    from sm_cli.views.schedules.documents import firing_executions, whole_document
    from sm_cli.views.schedules.reasons import schedule_reasons

    format = output_format(output, json)
    with opened_engine(db) as engine:
        record = engine.schedules.find(schedule)
        if format != "table":
            out.one(whole_document(engine, record), format)
            return
        for head, text in _facts(record):
            out.text(f"{head:<10}{text}")
        out.text(f"{'input':<10}{tables.screenful(dumps(record.input), full=full)}")
        reasons = schedule_reasons(engine, record, time_text=tables.local_time)
        for reason in reasons[:1]:
            out.text(f"{'state':<10}{reason.text}")
            if reason.action is not None:
                out.text(f"{'':<10}{command_of(reason.action)}")
        if not record.firings:
            return
        out.text("")
        executions = firing_executions(engine, record)
        rows = [_firing_row(firing, executions) for firing in reversed(record.firings)]
        print_table(("TIME", "OUTCOME", "EXECUTION", "STATUS", "REASON"), rows, wide=full, now=engine.clock.now())


def _facts(schedule: Schedule) -> Iterator[tuple[str, str]]:
    from sm_cli.views.schedules.documents import schedule_status, span_text, times_to_come, when_text

    yield "name", schedule.name
    yield "workflow", schedule.workflow
    yield "status", schedule_status(schedule)
    yield "when", when_text(schedule) + (f", up to {span_text(schedule.jitter)} later" if schedule.jitter else "")
    yield "overlap", f"{schedule.overlap.value}, catch-up {schedule.catch_up.value}, queue {schedule.queue}"
    if times := times_to_come(schedule):
        yield "next", short_times(times)
    if schedule.waiting:
        yield "waiting", short_times([*schedule.waiting])


def _firing_row(firing: Firing, executions: dict[str, Execution]) -> Sequence[Cell]:
    execution = executions.get(firing.execution or "")
    name, status = ("", "") if execution is None else (execution.name, execution.status.value)
    return TimeCell(firing.time), firing.outcome.value, name, status, firing.reason or ""
