"""Executions that go on for longer than AWS lets them: one warning for each, when it passes AWS's number of events."""

from __future__ import annotations

import logging

from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.step import EVENT_LIMIT

log = logging.getLogger("sm.engine")


def warn_of_many_events(tick: UnitOfWork) -> None:
    """Observes an engine: warns of the executions that passed AWS's limit in this tick, where it is not on."""
    if tick.settings.limits:
        return
    for execution in tick.changes.executions.values():
        if execution.events < EVENT_LIMIT or execution.limits or execution.closed is not None:
            continue
        new_events = sum(event.execution == execution.id for event in tick.changes.history)
        if execution.events - new_events < EVENT_LIMIT:
            log.warning(
                "execution %s of %r has %s events; AWS ends an execution at %s, and here it fails at %s (max_events)",
                execution.ref, execution.workflow, f"{execution.events:,}", f"{EVENT_LIMIT:,}",
                f"{tick.settings.max_events:,}",
            )  # fmt: skip
