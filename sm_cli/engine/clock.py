"""The only file that reads the clock or makes random.

What is written by wall time (leases, timers, deadlines) is read by workers of other machines. Where they share a
server, each corrects its own clock by its skew against that one, so theirs agree with each other to a few
milliseconds, whatever the machines think that the time is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: A skew of less than this is measured once, a larger one is measured so many times and the quickest answer believed.
_SMALL, _TIMES = MICROSECONDS // 10, 5


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


class ServerClock:
    """A machine's clock set right by a server's. here: the machine's. server_time: asks the server, microseconds."""

    def __init__(self, here: Clock, server_time: Callable[[], int]) -> None:
        self._here = here
        self._server_time = server_time
        #: Microseconds by which the server's clock is ahead of this machine's, below 0 when it is behind.
        self.ahead = 0
        #: Microseconds by which `ahead` may be wrong: half of the round trip.
        self.within = 0
        self.measure()

    def now(self) -> int:
        """Microseconds since 1970 UTC, as the server has it."""
        return self._here.now() + self.ahead

    def monotonic(self) -> int:
        """Microseconds that only grow, of this machine."""
        return self._here.monotonic()

    def new_ref(self) -> str:
        """A public id that sorts by the server's time."""
        return make_ref(self.now() // 1000, secrets.randbits(80))

    def measure(self) -> None:
        """Ask the server again: this machine's clock was set. A skew that the round trip may have made is none.
        Raises DatabaseError."""
        ahead, within = self._sample()
        if abs(ahead) > _SMALL:
            samples = [(ahead, within), *(self._sample() for _ in range(_TIMES - 1))]
            ahead, within = min(samples, key=lambda sample: sample[1])
        self.ahead, self.within = (ahead if abs(ahead) > within else 0), within

    def _sample(self) -> tuple[int, int]:
        """The skew, and by how much that may be wrong: the answer was made at some time of the round trip."""
        start, before = self._here.monotonic(), self._here.now()
        server = self._server_time()
        half = (self._here.monotonic() - start) // 2
        return server - before - half, half


def clock_of(store: Store) -> Clock:
    """What time it is for whoever works on this database. Raises DatabaseError."""
    return SystemClock() if store.server_time is None else ServerClock(SystemClock(), store.server_time)


def set_right(clock: Clock) -> None:
    """This machine's clock was set: what does not depend on it alone measures it anew. Raises DatabaseError."""
    if isinstance(clock, ServerClock):
        clock.measure()


#: Seconds that this thread has had of the processor: a busy machine, or a clock that is set, does not move it.
processor_seconds = time.thread_time


def make_ref(milliseconds: int, entropy: int) -> str:
    """26 characters of Crockford's base 32: 48 bits of time, 80 bits of chance."""
    number = (milliseconds << 80) | entropy
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -5, -5))
