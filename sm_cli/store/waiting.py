"""Waiting for another writer: how long, and the notice that says which process that is.

A wait of less than two seconds gives no notice, a longer one gives one.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

#: Seconds after which a notice says who holds the file, and between two looks whether the wait is over.
TELL_AFTER, _LOOK = 2.0, 0.25
#: Seconds between two attempts at SQLite's lock: at first, at most, and at most when it was held for a second already.
_SHORTEST, _LONGEST, _LONG_HELD = 0.0001, 0.001, 0.05

#: Asked before each stretch of waiting how long that may be, in seconds; raises TimeoutError when the wait is over.
TimeLeft: TypeAlias = Callable[[], float]


class Holder(NamedTuple):
    """Who holds a database's lock for writing."""

    #: The process; None for a program that takes no turns: nothing is known of it.
    pid: int | None
    #: What the process calls itself, "sm worker"; "" when it is not known.
    program: str
    #: Since when, microseconds since 1970 UTC; of a program that takes no turns, since when we have waited for it.
    since: int
    #: Whether `pid` is that of a session on a database's server.
    is_session: bool = False

    def __str__(self) -> str:
        if self.pid is None:
            return "another program"
        what = f"session {self.pid} of the server" if self.is_session else f"process {self.pid}"
        return what + (f" ({self.program})" if self.program else "")


class Patience(NamedTuple):
    """How a store waits for other writers."""

    #: Asked now and then: seconds that a wait may last; None for as long as it takes.
    limit: Callable[[], float | None]
    #: Called once in a wait of more than two seconds, in the thread that waits.
    tell: Callable[[Holder], None] | None = None


class LockWait:
    """One wait. `holder` says who is waited for; None when that cannot be seen."""

    def __init__(self, patience: Patience, holder: Callable[[], Holder | None]) -> None:
        self.patience = patience
        self.start = time.monotonic()
        self.since = time.time_ns() // 1000
        self.holder = holder
        self._has_told = patience.tell is None

    def time_left(self) -> float:
        """Seconds to wait before this is asked again. Raises TimeoutError when the wait is over."""
        wait_time = time.monotonic() - self.start
        if not self._has_told and wait_time >= TELL_AFTER:
            holder = self.holder()
            assert self.patience.tell is not None
            if holder is not None:
                self._has_told = True
                self.patience.tell(holder)
        limit = self.patience.limit()
        if limit is None:
            return _LOOK
        if wait_time >= limit:
            raise TimeoutError
        return min(_LOOK, limit - wait_time)


def program_name() -> str:
    """How this process was called, in two words: "sm worker"."""
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    first = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return " ".join(f"{name} {first}".split())[:40] if first.replace("-", "").isalpha() else name[:40]


def poll(attempt: Callable[[], bool], time_left: TimeLeft) -> None:
    """Call `attempt` until it answers True, in pauses that grow. Raises TimeoutError, from `time_left`."""
    pause, start = _SHORTEST, time.monotonic()
    while not attempt():
        longest = _LONGEST if time.monotonic() - start < 1 else _LONG_HELD
        time.sleep(min(pause, time_left()))
        pause = min(pause * 1.5, longest)
