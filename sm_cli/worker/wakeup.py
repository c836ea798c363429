"""What wakes the loop.

A ring is never lost and never heard twice; any thread may ring, one listens. A lock that is waited for wakes
up at half the cost of a threading.Event, and an idle worker does little else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Wakeup:
    """Wakes one thread that sleeps; whoever rings never waits."""

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake the sleeper, or let its next sleep end at once."""
        try:
            self._silence.release()
        except RuntimeError:
            return  # it rings already

    def wait_for_ring(self, seconds: float) -> bool:
        """Wait for a ring, at most so long; afterwards it is silent again."""
        return self._silence.acquire(timeout=seconds)

    def wait_for_rings(self, seconds: float, more: Callable[[], bool]) -> None:
        """As long as there is `more()` to come, wait for a ring from now on, at most so long, and for those that come
        close behind it. Who rang before has been heard."""
        self.wait_for_ring(0)
        close = seconds / 5
        while more() and self.wait_for_ring(seconds):
            seconds = close
