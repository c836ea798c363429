"""A worker outlasts whoever holds the database, and a server that is away: it says once what it is, and waits on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from sm_cli.carriers.away import Away as Away
from sm_cli.carriers.away import pauses
from sm_cli.errors import DatabaseAway, DatabaseBusy
from sm_cli.handlers.handler import Context, Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.protocol import Store
from sm_cli.store.waiting import Holder, Patience
from sm_cli.timestamps import MICROSECONDS

log = logging.getLogger("sm.worker")
T = TypeVar("T")


@contextmanager
def outlasting(store: Store, until: Callable[[], bool]) -> Iterator[None]:
    """In this block the store waits without limit for who writes; once `until` is true, as long as it did before."""
    before = store.patience
    newest: Holder | None = None

    def log_holder(holder: Holder) -> None:
        nonlocal newest
        if holder != newest:  # a worker may come back to what it has waited for in vain
            _log_holder(holder)
        newest = holder

    store.patience = Patience(lambda: before.limit() if until() else None, log_holder)
    try:
        yield
    finally:
        store.patience = before


def outlast(act: Callable[[], T], cancelled: threading.Event) -> T:
    """What `act` returns, in a handler's thread: while the database is away it is tried again, until nobody waits for
    the handler any more. Raises what `act` raises. That the database is away is said by the worker's loop."""
    for pause in pauses():
        try:
            return act()
        except (DatabaseAway, DatabaseBusy):
            if cancelled.wait(pause):
                raise
    raise AssertionError("pauses have no end")


def outlasting_handlers(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """These handlers of ours, which ask the database, such that they outlast it. They may run again from their
    beginning."""
    return {name: _outlasting(handler) for name, handler in handlers.items()}


def _outlasting(handler: Handler) -> Handler:
    function = handler.function

    def call(input: Json, context: Context) -> Json:
        result: Json = outlast(lambda: function(input), context.cancelled)
        return result

    assert not handler.wants_context, "what is asked of it is in its input"
    return replace(handler, function=call)


def _log_holder(holder: Holder) -> None:
    since = datetime.fromtimestamp(holder.since / MICROSECONDS, UTC).isoformat(timespec="seconds")
    log.warning("%s has held the database since %s; waiting for it, nothing is lost", holder, since)
