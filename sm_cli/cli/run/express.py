"""`sm run --express`: an execution in memory, with nothing left of it unless somebody asks.

What it does, shows and prints is what `sm run` does; only the database is missing.
"""

from __future__ import annotations

import gc
from contextlib import nullcontext
from typing import TYPE_CHECKING

from sm_cli import express as engine
from sm_cli.cli.project.config import Project
from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.run.following import Eyes
from sm_cli.cli.run.results import print_end
from sm_cli.cli.run.signals import Interrupts
from sm_cli.cli.show.describe import ending
from sm_cli.cli.terminal import logs
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.picture import watcher
from sm_cli.engine.workflows.account import DATABASE_ACCOUNT
from sm_cli.interpreter.env import REGION
from sm_cli.jsonvalue import MAX_PAYLOAD
from sm_cli.views.listing import has_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from sm_cli.engine.engine import Workflow
    from sm_cli.handlers.handler import Handler
    from sm_cli.jsonvalue import Json


def run_in_memory(
    workflow: Workflow, data: Json, registry: Mapping[str, Handler], result: TextIO, *, project: Project,
    name: str | None, timeout: float | None, concurrency: int, keep: bool, db: str | None,
    limits: bool, format: str = "table", tags: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """Run it to its end and print what became of it; returns the exit code. With `keep` the database gets it
    afterwards."""
    gc.enable()  # `main` has disabled it for the short commands
    logs.escape_the_rest()
    with (
        engine.Express(
            workflow,
            registry,
            history=True,
            concurrency=concurrency,
            limits=limits,
            max_payload=project.max_payload or MAX_PAYLOAD,
            account=project.account or DATABASE_ACCOUNT,
            region=project.region or REGION,
        ) as express,  # fmt: skip
        opened_store(db, project, create=True) if keep else nullcontext() as store,
    ):
        if store is not None and name is not None and has_name(store, workflow.name, name):
            raise engine.name_conflict(name)
        execution = express.start(data, name=name, timeout=timeout, tags=tags)
        with Interrupts() as interrupts:
            with watcher(logs.is_verbose()) as watching:
                eyes = Eyes(express.loop, execution, watching, project.root)
                express.run(lambda: eyes.is_closed() or interrupts.signal is not None)
            if express.current().closed is None:
                express.engine.stop(execution)
        end = express.current()
        if store is not None:
            engine.keep(express, store)
        for line in ending(express.engine, end, project.root, whole=logs.is_verbose()):
            say(line)
    code = 0 if end.status == "SUCCEEDED" else 1
    if interrupts.signal is not None and end.status == "ABORTED":
        code = interrupts.exit_code
    return print_end(end, result, format, code)
