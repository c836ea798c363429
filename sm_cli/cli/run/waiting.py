"""`sm wait`: until executions that others work on are closed; ends with their exit code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    LockTimeout,
    Output,
    Trust,
    output_format,
    seconds,
)
from sm_cli.errors import StillRunning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Execution

#: Seconds between two looks, and how many times as long as a look took; a person is told after so many microseconds
#: that nobody works.
_PAUSE, _SHARE, _PATIENCE = 0.05, 20, 2_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("wait")(wait)


def wait(
    executions: Annotated[
        list[str],
        typer.Argument(metavar="EXECUTION...", show_default=False, help="Ids, their beginnings, names, ARNs, @last, …"),
    ],
    any: Annotated[bool, typer.Option("--any", help="Until one of them is closed.")] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="SPAN", help="Exit with 6 when it takes longer than 30s, 5m, …")
    ] = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Wait until executions are closed; the exit code is theirs."""
    from sm_cli.cli.run.signals import Interrupts

    format = output_format(output, json)
    span = None if timeout is None else seconds(timeout, "--timeout")
    project = find_project()
    with opened_engine(db, project) as engine, Interrupts() as interrupts:
        executions_by_id = {record.id: record for record in map(engine.find, executions)}
        for batch in _looks(engine, executions_by_id, span):
            for current in batch:
                executions_by_id[current.id] = current
                _tell(engine, current, project.root, format)
            out.flush()
            closed_executions = [execution for execution in executions_by_id.values() if execution.closed is not None]
            if interrupts.signal is not None or (
                closed_executions if any else len(closed_executions) == len(executions_by_id)
            ):
                break
        if format != "table":
            from sm_cli.views.executions import result_document

            out.rows([result_document(execution) for execution in executions_by_id.values()], format)
        if interrupts.signal is not None:
            raise typer.Exit(interrupts.exit_code)
    raise typer.Exit(_exit_code(list(executions_by_id.values()), any=any))


def _looks(engine: Engine, executions: dict[int, Execution], span: float | None) -> Iterator[list[Execution]]:
    """Again and again those that have ended since, until `span` seconds are over."""
    from sm_cli.views.executions import executions_now
    from sm_cli.views.why import working

    clock = engine.clock
    start, has_told = clock.monotonic(), False
    closed_ids: set[int] = set()
    while True:
        start_of_look = time.monotonic()
        now = executions_now(engine, [id for id in executions if id not in closed_ids])
        closed_executions = [execution for execution in now if execution.closed is not None]
        closed_ids.update(execution.id for execution in closed_executions)
        yield closed_executions
        waiting_time = clock.monotonic() - start
        if span is not None and waiting_time >= span * 1_000_000:
            return
        if not has_told and waiting_time > _PATIENCE:
            has_told = True
            if not working(engine):
                say("nobody works on executions here, and those that need a worker stand still: sm worker")
        time.sleep(max(_PAUSE, _SHARE * (time.monotonic() - start_of_look)))


def _tell(engine: Engine, execution: Execution, root: Path, format: str) -> None:
    """One that has ended: its line, and why it failed."""
    from sm_cli.cli.show.describe import ending

    if format == "table":
        out.text(f"{execution.ref} {execution.status}")
    if execution.status != "SUCCEEDED":
        for line in ending(engine, execution, root):
            say(line)


def _exit_code(executions: list[Execution], *, any: bool) -> int:
    """1 when one that has ended did not succeed; else 6 when one that was waited for has not; else 0."""
    closed_executions = [execution for execution in executions if execution.closed is not None]
    if [execution for execution in closed_executions if execution.status != "SUCCEEDED"]:
        return 1
    if len(closed_executions) < (1 if any else len(executions)):
        remaining = len(executions) - len(closed_executions)
        say(f"{remaining} execution{' is' if remaining == 1 else 's are'} still running")
        return StillRunning.exit_code
    return 0
