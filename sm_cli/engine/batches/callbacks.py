"""What a program is told of a batch that its own process works on: each execution that begins, and each that ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.store.records import Execution

log = logging.getLogger("sm.engine")

#: Called with an execution of the batch, after the commit.
Callback: TypeAlias = Callable[[Execution], object]


class BatchCallbacks:
    """Observes an engine: `observe` is one of its observers. A callback that raises is logged, and the batch goes on.

    batch: the id of its parent execution."""

    def __init__(self, batch: int, on_start: Callback | None, on_complete: Callback | None) -> None:
        self.batch = batch
        self.on_start = on_start
        self.on_complete = on_complete

    def observe(self, tick: UnitOfWork) -> None:
        """Tell what this commit has begun and ended, the beginnings first."""
        if self.on_start is not None:
            for event in tick.changes.history:
                if event.type == "ExecutionStarted":
                    self._tell(self.on_start, tick.executions[event.execution])
        if self.on_complete is not None:
            for execution in tick.closed_executions:
                if execution.closed is not None and (execution.events or execution.error is not None):
                    self._tell(self.on_complete, execution)

    def _tell(self, callback: Callback, execution: Execution) -> None:
        parent = execution.parent
        if parent is None or not parent.is_listed or execution.tree != self.batch:
            return
        try:
            callback(execution)
        except Exception:
            log.exception("a callback of the batch failed for %s", execution.name)
