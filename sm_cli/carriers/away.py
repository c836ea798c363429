"""A server that is away: said once, tried again with growing pauses, and said once that it is back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

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
    """A server that cannot be reached or cannot write. name: what it is called when it is back."""

    def __init__(self, name: str = "the database") -> None:
        self.name = name
        self._pause = 0.0

    def pause(self, error: SmError) -> float:
        """Seconds to wait before the next try."""
        if not self._pause:
            log.warning("%s; trying again until it works, nothing is lost", error.message)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) or _FIRST_PAUSE
        return self._pause

    def over(self) -> None:
        """It answered."""
        if self._pause:
            self._pause = 0.0
            log.warning("%s answers again; going on", self.name)


def carrier_away(error: Exception) -> CarrierAway:
    """What a carrier raised, whatever it is: hints are worth no worker. What its library lets out beside what the
    carrier knows of is told by its kind alone, for its text may hold anything."""
    if isinstance(error, CarrierAway):
        return error
    log.debug("what carries hints has failed", exc_info=error)
    return CarrierAway(f"what carries hints has failed ({type(error).__name__})")
