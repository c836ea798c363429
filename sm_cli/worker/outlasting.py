"""A worker outlasts whoever holds the database, and a server that is away: it says once what it is, and waits on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sm_cli.errors import DatabaseAway
from sm_cli.store.protocol import Store
from sm_cli.store.waiting import Holder, Patience
from sm_cli.timestamps import MICROSECONDS

log = logging.getLogger("sm.worker")


#: Seconds between two tries to reach a server: the first pause, doubled up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Away:
    """A server that cannot be reached or cannot write: said once, and once that it is back."""

    def __init__(self) -> None:
        self._pause = 0.0

    def pause(self, error: DatabaseAway) -> float:
        """Seconds to wait before the next try."""
        if not self._pause:
            log.warning("%s; trying again until it works, nothing is lost", error.message)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) or _FIRST_PAUSE
        return self._pause

    def over(self) -> None:
        """It answered."""
        if self._pause:
            self._pause = 0.0
            log.warning("the database answers again; going on")


@contextmanager
def outlasting(store: Store, until: Callable[[], bool]) -> Iterator[None]:
    """In this block the store waits without limit for who writes; once `until` is true, as long as it did before."""
    before = store.patience
    store.patience = Patience(lambda: before.limit() if until() else None, _log_holder)
    try:
        yield
    finally:
        store.patience = before


def _log_holder(holder: Holder) -> None:
    since = datetime.fromtimestamp(holder.since / MICROSECONDS, UTC).isoformat(timespec="seconds")
    log.warning("%s has held the database since %s; waiting for it, nothing is lost", holder, since)
