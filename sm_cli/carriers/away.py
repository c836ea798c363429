"""A server that is away: said once, tried again with growing pauses, and said once that it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from sm_cli.errors import CarrierAway, SmError

log = logging.getLogger("sm.worker")

#: Seconds between two tries to reach a server: the first pause, doubled up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try, without end."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)


class Away:
    """A server that cannot be reached or cannot write. name: what it is called when it is back. now: seconds that only
    grow. One that answers and fails again at once is tried with pauses that grow on, so that it does not fill a log.
    level: of what is said; another one in the same process may say it already."""

    def __init__(
        self, name: str = "the database", now: Callable[[], float] = time.monotonic, *, level: int = logging.WARNING
    ) -> None:
        self.name = name
        self._level = level
        self._now = now
        self._is_away = False
        self._pauses = pauses()
        self._back_since = 0.0

    def pause(self, error: SmError) -> float:
        """Seconds to wait before the next try."""
        if not self._is_away:
            self._is_away = True
            log.log(self._level, "%s; trying again until it works, nothing is lost", error.message)
            if self._now() - self._back_since > _LONGEST_PAUSE:
                self._pauses = pauses()
        return next(self._pauses)

    def over(self) -> None:
        """It answered."""
        if self._is_away:
            self._is_away, self._back_since = False, self._now()
            log.log(self._level, "%s answers again; going on", self.name)


def carrier_away(error: Exception) -> CarrierAway:
    """What a carrier raised, whatever it is: hints are worth no worker. What its library lets out beside what the
    carrier knows of is told by its kind alone, for its text may hold anything."""
    if isinstance(error, CarrierAway):
        return error
    log.debug("what carries hints has failed", exc_info=error)
    return CarrierAway(f"what carries hints has failed ({type(error).__name__})")
