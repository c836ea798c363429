"""A worker outlasts whoever holds the database, and a server that is away: it says once what it is, and waits on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sm_cli.carriers.away import Away as Away
from sm_cli.store.protocol import Store
from sm_cli.store.waiting import Holder, Patience
from sm_cli.timestamps import MICROSECONDS

log = logging.getLogger("sm.worker")


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
