"""A clock that stands still until somebody moves it."""

from __future__ import annotations

from sm_cli.engine.clock import make_ref
from sm_cli.timestamps import MICROSECONDS

#: Where virtual time starts unless the caller says otherwise.
EPOCH = 1_767_225_600 * MICROSECONDS  # 2026-01-01T00:00:00Z


class FakeClock:
    """A clock that only moves when it is told to. `now` is microseconds since 1970 UTC."""

    def __init__(self, now: int = EPOCH) -> None:
        self.time = now
        self.total_jump = 0
        self.refs = 0

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return self.time

    def monotonic(self) -> int:
        """Microseconds that `jump` does not change."""
        return self.time - self.total_jump

    def jump(self, microseconds: int) -> None:
        """Set the wall clock forward, or back; no time passes."""
        self.time += microseconds
        self.total_jump += microseconds

    def new_ref(self) -> str:
        """A public id, counted from 1: the same in every run."""
        self.refs += 1
        return make_ref(self.time // 1000, self.refs)

    def advance_to(self, time: int) -> None:
        """Go on to this time, in microseconds since 1970 UTC; never back."""
        self.time = max(self.time, time)
