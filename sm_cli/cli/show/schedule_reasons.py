"""`sm why` of a schedule: when it fires, or why it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.errors import NotFound

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.schedules.documents import Schedule


def schedule_called(engine: Engine, name: str) -> Schedule | None:
    """The schedule of this name, where no execution is meant by it; None when none is. Raises Conflict where several
    executions may be meant."""
    try:
        engine.find(name)
    except NotFound:
        return next((each for each in engine.schedules.list() if each.name == name), None)
    return None


def print_schedule_reasons(engine: Engine, schedule: Schedule, format: str) -> None:
    """A paragraph about it, and the commands that help; or a document."""
    from sm_cli.cli.terminal.actions import command_of
    from sm_cli.timestamps import rfc3339
    from sm_cli.views.schedules.documents import schedule_status, when_text
    from sm_cli.views.schedules.reasons import schedule_reasons

    reasons = schedule_reasons(engine, schedule, time_text=tables.local_time)
    if format != "table":
        out.one({
            "schedule": schedule.name,
            "status": schedule_status(schedule),
            "reasons": [
                {"kind": r.kind, "text": r.text, "command": None if r.action is None else command_of(r.action),
                 "until": None if r.until is None else rfc3339(r.until)}
                for r in reasons
            ],
        }, format)  # fmt: skip
        return
    start = f"Schedule {schedule.name} starts {schedule.workflow}: {when_text(schedule)}."
    out.text(" ".join(tables.cut(tables.clean(text)) for text in (start, *(r.text for r in reasons))))
    for command in dict.fromkeys(command_of(r.action) for r in reasons if r.action is not None):
        out.text(f"  {tables.cut(tables.clean(command))}")
