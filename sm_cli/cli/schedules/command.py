"""`sm schedule`: add, list, show, pause, resume, run-now, remove."""

from __future__ import annotations

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.schedules.adding import add_schedule
from sm_cli.cli.schedules.listing import ScheduleName, list_schedules, short_times, show_schedule
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Output, Trust, output_format


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("add")(add_schedule)
    group.command("list")(list_schedules)
    group.command("show")(show_schedule)
    group.command("pause")(pause_schedule)
    group.command("resume")(resume_schedule)
    group.command("run-now")(run_schedule_now)
    group.command("remove")(remove_schedule)
    app.add_typer(group, name="schedule", help="Start executions by the clock.")


def pause_schedule(
    schedule: ScheduleName, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False
) -> None:
    """Let a schedule fire no more until it is resumed; what runs goes on."""
    with opened_engine(db) as engine:
        record, is_changed = engine.schedules.pause(schedule)
    say(f"schedule {record.name} {'is' if is_changed else 'was'} paused{'' if is_changed else ' already'}")


def resume_schedule(
    schedule: ScheduleName, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False
) -> None:
    """Let a schedule fire again, from its next time on."""
    from sm_cli.views.schedules.documents import times_to_come

    with opened_engine(db) as engine:
        record, is_changed = engine.schedules.resume(schedule)
    how = "fires again" if is_changed else "was not paused"
    times = short_times(times_to_come(record))
    say(f"schedule {record.name} {how}{f'; next {times}' if times else ''}")


def run_schedule_now(
    schedule: ScheduleName,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Start an execution of a schedule now and print its id; workers do the rest."""
    from sm_cli.views.schedules.documents import firing_document

    format = output_format(output, json)
    with opened_engine(db) as engine:
        firing = engine.schedules.run_now(schedule)
        executions = {} if firing.execution is None else {firing.execution: engine.find(firing.execution)}
    if format != "table":
        out.one(firing_document(firing, executions), format)
    elif firing.execution is not None:
        out.text(firing.execution)
    if firing.execution is None:
        say(f"it starts when those before it are closed: {firing.reason}")


def remove_schedule(
    schedule: ScheduleName, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False
) -> None:
    """Forget a schedule; what runs goes on."""
    with opened_engine(db) as engine:
        record = engine.schedules.remove(schedule)
    say(f"schedule {record.name} is removed")
