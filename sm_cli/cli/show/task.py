"""`sm task`: end tasks that wait for a callback with their token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import print_table
from sm_cli.cli.terminal.options import AsJson, Database, Limit, LockTimeout, TableOutput, Trust, count, table_format

if TYPE_CHECKING:
    pass

Token = Annotated[str, typer.Argument(metavar="TOKEN", show_default=False, help="The task token.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("success")(success)
    group.command("failure")(failure)
    group.command("heartbeat")(heartbeat)
    group.command("list")(list_tasks)
    app.add_typer(group, name="task", help="End tasks that wait for a callback with their token.")


def success(
    token: Token,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE|-|JSON", help="The task's result, JSON or YAML; {} unless given.")
    ] = "{}",
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """The work is done: the task succeeds with this output."""
    from sm_cli.cli.terminal.inputs import read_json

    with opened_engine(db) as engine:
        execution = engine.task_succeeded(token, read_json(output, "--output"))
    say(f"the task has succeeded; execution {execution.name} goes on")


def failure(
    token: Token,
    error: Annotated[str, typer.Option("--error", metavar="NAME", help="The error name.")] = "States.TaskFailed",
    cause: Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="What went wrong.")] = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """The work went wrong: the task fails; Retry and Catch apply."""
    with opened_engine(db) as engine:
        execution = engine.task_failed(token, error, cause)
    say(f"the task has failed with {error}; execution {execution.name} goes on with its Retry and Catch")


def heartbeat(token: Token, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """The work goes on: HeartbeatSeconds start anew."""
    with opened_engine(db) as engine:
        execution = engine.task_beat(token)
    say(f"heartbeat taken for execution {execution.name}")


def list_tasks(
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Tasks that wait for a callback, oldest first, with their tokens."""
    from sm_cli.views.tasks import handed_over_tasks, task_document

    format, wide = table_format(output, json)
    with opened_engine(db) as engine:
        tasks = handed_over_tasks(engine, count(limit, "--limit"))
    if format != "table":
        out.rows([task_document(task) for task in tasks], format)
    elif tasks:
        lines = [(e.name, e.workflow, state, token) for e, state, _, token, _ in tasks]
        print_table(("EXECUTION", "WORKFLOW", "STATE", "TOKEN"), lines, wide=wide, now=0, whole="TOKEN")
    else:
        say("no task waits for a callback")
