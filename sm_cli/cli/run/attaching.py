"""`sm attach`: the live picture of an execution that others work on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

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
    Reference,
    Trust,
    Verbose,
    output_format,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Execution
    from sm_cli.views.why import Reason

#: Seconds between two questions whether it is time for a look, or a signal has come.
_PAUSE = 0.05
#: Reasons that say nothing of what holds an execution up.
_NO_STANDSTILL = ("ready", "deadline", "events", "ended")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("attach")(attach)


def attach(
    execution: Reference,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
) -> None:
    """Show an execution that others work on as it goes on; Ctrl-C leaves it running."""
    format = output_format(output, json)
    project = find_project()
    with opened_engine(db, project) as engine:
        code = _watch(engine, engine.find(execution), sys.stdout, format, project.root)
        out.flush()
    raise typer.Exit(code)


def _watch(engine: Engine, execution: Execution, result: TextIO, format: str, root: Path) -> int:
    from sm_cli.cli.run.following import Onlooker
    from sm_cli.cli.run.results import print_end
    from sm_cli.cli.run.signals import Interrupts
    from sm_cli.cli.run.standstill import Standstill
    from sm_cli.cli.show.describe import ending
    from sm_cli.cli.terminal import logs
    from sm_cli.cli.terminal.picture import watcher
    from sm_cli.cli.terminal.tables import local_time
    from sm_cli.views.executions import execution_now
    from sm_cli.views.why import why

    def reasons(current: Execution) -> list[Reason]:
        all_reasons = why(engine, current, time_text=local_time)
        return [reason for reason in all_reasons if reason.kind not in _NO_STANDSTILL]

    with Interrupts() as interrupts:
        # Who attaches wants to see something, also where no picture can be drawn.
        with watcher(logs.is_verbose() or not sys.stderr.isatty()) as watching:
            onlooker = Onlooker(engine, execution, watching, root, Standstill(engine, watching, reasons, root))
            while not onlooker.is_closed() and interrupts.signal is None:
                time.sleep(_PAUSE)
        current = execution_now(engine, execution.id)
        assert current is not None, "executions stay in the database"
        if current.closed is None:
            say(f"execution {execution.name} goes on without you; to see it again: sm attach {execution.ref}")
            return print_end(current, result, format, interrupts.exit_code)
    for line in ending(engine, current, root, whole=logs.is_verbose()):
        say(line)
    return print_end(current, result, format, 0 if current.status == "SUCCEEDED" else 1)
