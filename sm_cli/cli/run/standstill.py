"""Nothing moves: what an execution stands still for, said by whoever waits for it.

It is asked only when nothing has moved for a second, and takes no more than a twentieth of the time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sm_cli.cli.show.places import from_root
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sm_cli.cli.terminal.live import Watcher
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.unit_of_work import UnitOfWork
    from sm_cli.views.records import Execution
    from sm_cli.views.why import Reason

#: Microseconds without a move before it is asked, and between two answers; an answer costs a fraction of them.
_PATIENCE = MICROSECONDS
_FRACTION = 20


class Standstill:
    """Notices that nothing moves in an execution, and shows why. reasons: asks what holds it up. root: the project's
    directory."""

    def __init__(
        self, engine: Engine, watching: Watcher, reasons: Callable[[Execution], list[Reason]], root: Path
    ) -> None:
        self.reasons = reasons
        self.root = root
        self.watching = watching
        self._clock = engine.clock
        self._events = 0
        self._is_on_screen = False
        self._next = self._clock.monotonic() + _PATIENCE
        engine.observe(self.observe)

    def observe(self, tick: UnitOfWork) -> None:
        """After a commit of this process: leases may have been renewed, or something has moved."""
        changes = tick.changes
        if changes.frames or changes.new_frames or changes.executions or changes.new_executions:
            self._moves()

    def look(self, execution: Execution) -> None:
        """As the execution is now, whoever works on it."""
        if execution.events != self._events:
            self._events = execution.events
            self._moves()
        start = self._clock.monotonic()
        if start < self._next or execution.closed is not None:
            return
        reasons = [replace(reason, text=from_root(reason.text, self.root)) for reason in self.reasons(execution)]
        end = self._clock.monotonic()
        self._next = end + max(_PATIENCE, _FRACTION * (end - start))
        self._is_on_screen = bool(reasons)
        self.watching.stands_still(reasons)

    def _moves(self) -> None:
        self._next = self._clock.monotonic() + _PATIENCE
        if self._is_on_screen:
            self._is_on_screen = False
            self.watching.stands_still([])
