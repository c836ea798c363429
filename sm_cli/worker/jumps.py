"""Jumps of the wall clock: it was set, or the machine slept.

Inside a process spans of time are counted by the monotonic clock; what is written for others is wall time. When
the two come apart by a second or more between two looks, that is a jump. Less is absorbed: clocks are adjusted slowly.
A worker looks when a round begins and again at the beginning of its transaction, whose time it then takes anew: so all
that a transaction writes is of one clock, and a jump after that look is noticed in the next round, which re-bases what
this one has leased. Not covered: a jump while `Worker.start`, which no round is around, waits for the database: the
seconds of the tasks that this start takes are then those of the other clock, once.
"""

from __future__ import annotations

import logging

from sm_cli.engine.clock import Clock, ServerClock, set_right
from sm_cli.timestamps import MICROSECONDS

log = logging.getLogger("sm.engine")

_NOTICED = MICROSECONDS


class Jumps:
    """Sees when the wall clock was set while the process ran."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        warn_of_skew(clock)
        #: Microseconds that the wall clock was ahead of the monotonic one at the last look.
        self.apart = self._apart()

    def look(self) -> int:
        """Microseconds by which the wall clock jumped since the last look, backwards below 0; 0 for none. Logs it.
        Raises DatabaseError, and the next look sees it again."""
        apart = self._apart()
        if abs(apart - self.apart) >= _NOTICED:
            set_right(self._clock)  # where a server says what time it is, a clock that was set is no jump any more
            apart = self._apart()
        jump, self.apart = apart - self.apart, apart
        if abs(jump) < _NOTICED:
            return 0
        log.warning(
            "the clock jumped %s by %.0f s (it was set, or this machine slept); leases and timeouts go with it",
            "forward" if jump > 0 else "back", abs(jump) / MICROSECONDS,
        )  # fmt: skip
        return jump

    def _apart(self) -> int:
        return self._clock.now() - self._clock.monotonic()


def warn_of_skew(clock: Clock) -> None:
    """A machine whose clock is wrong: its log and its cron jobs go by another time than the workflows."""
    if isinstance(clock, ServerClock) and abs(clock.ahead) > MICROSECONDS:
        log.warning(
            "the clock of this machine is %.1f s %s that of the database's server; "
            "leases and timers go by the server's",
            abs(clock.ahead) / MICROSECONDS, "behind" if clock.ahead > 0 else "ahead of",
        )  # fmt: skip
