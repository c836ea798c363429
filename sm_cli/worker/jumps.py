"""Jumps of the wall clock: it was set, or the machine slept.

Rule: inside a process spans of time are counted by the monotonic clock; what is written for others is wall time. When
the two come apart by a second or more between two looks, that is a jump. Less is absorbed: clocks are adjusted slowly.
"""

from __future__ import annotations

from sm_cli.engine.clock import Clock
from sm_cli.timestamps import MICROSECONDS

_NOTICED = MICROSECONDS


class Jumps:
    """Sees when the wall clock was set while the process ran."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart = clock.now() - clock.monotonic()

    def look(self) -> int:
        """Microseconds by which the wall clock jumped since the last look, backwards below 0; 0 for no jump."""
        apart = self._clock.now() - self._clock.monotonic()
        jump, self._apart = apart - self._apart, apart
        return jump if abs(jump) >= _NOTICED else 0
