"""`sm send-message --wait`: until those who received a message are closed, or wait for another one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import Execution

#: Seconds between two looks; after so many without a worker, a person is told.
_PAUSE, _PATIENCE = 0.05, 2.0


def ends_of(engine: Engine, refs: Sequence[str]) -> list[dict[str, Json]]:
    """What became of these executions: their facts, and for one that waits again what for."""
    executions = [engine.find(ref) for ref in refs]
    ends: dict[str, dict[str, Json]] = {}
    start, has_told = time.monotonic(), False
    while executions:
        executions = [e for e in executions if not _has_ended(engine, e, ends)]
        if executions and not has_told and time.monotonic() - start > _PATIENCE:
            has_told = True
            _tell(engine, executions)
        if executions:
            time.sleep(_PAUSE)
    return [ends[ref] for ref in refs]


def _has_ended(engine: Engine, execution: Execution, ends: dict[str, dict[str, Json]]) -> bool:
    from sm_cli.views.executions import execution_now
    from sm_cli.views.listing import execution_facts
    from sm_cli.views.why import only_messages_move

    current = execution_now(engine, execution.id)
    assert current is not None, "executions stay in the database"
    waits = [] if current.closed is not None else only_messages_move(engine, execution.id)
    if current.closed is None and not waits:
        return False
    ends[execution.ref] = {**execution_facts(current), "waits_for": [f"{s.key}={s.value}" for s in waits]}
    return True


def _tell(engine: Engine, executions: list[Execution]) -> None:
    from sm_cli.views.why import working

    if not working(engine):
        say(f"execution {executions[0].name} needs a worker to go on, and none is running: sm worker")


def ends_table(ends: list[dict[str, Json]]) -> list[str]:
    """The lines of a table of these ends."""
    rows = []
    for end in ends:
        waits = end["waits_for"]
        what_waits = (
            f"waits for {', '.join(map(str, waits))}" if isinstance(waits, list) and waits else end["error"] or ""
        )
        name = "" if end["name"] == end["id"] else end["name"]
        rows.append((str(end["id"]), str(name), str(end["workflow"]), str(end["status"]), str(what_waits)))
    return tables.table(("ID", "NAME", "WORKFLOW", "STATUS", ""), rows)
