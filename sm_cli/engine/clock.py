"""The only file that reads the clock or makes random."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Clock(Protocol):
    """What the engine asks for the time and for public ids."""

    def now(self) -> int:
        """Microseconds since 1970 UTC, as the wall clock has it: it may be set back or forward."""

    def monotonic(self) -> int:
        """Microseconds that only grow, whatever the wall clock is set to; for spans inside this process."""

    def new_ref(self) -> str:
        """A fresh public id; later ones sort after earlier ones."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> int:
        """Microseconds that only grow."""
        return time.monotonic_ns() // 1000

    def new_ref(self) -> str:
        """A public id that sorts by time; 80 of its bits are random."""
        return make_ref(self.now() // 1000, secrets.randbits(80))


#: Seconds that this thread has had of the processor: a busy machine, or a clock that is set, does not move it.
processor_seconds = time.thread_time


def make_ref(milliseconds: int, entropy: int) -> str:
    """26 characters of Crockford's base 32: 48 bits of time, 80 bits of chance."""
    number = (milliseconds << 80) | entropy
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -5, -5))
