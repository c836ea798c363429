"""Retention beside a worker's work: what was closed long enough ago goes, a little at a time.

A thread of its own, so that no tick waits for more than one small transaction. Several workers may do it at once; each
looks again, inside its transactions, at what is there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sm_cli.engine.retention import SMALL, Pruned, prune
from sm_cli.errors import DatabaseError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

log = logging.getLogger("sm.engine")

#: Seconds between two sweeps, and between two of their transactions.
_SWEEP, _PAUSE = 60.0, 0.02


@contextmanager
def retaining(engine: Engine, span: int) -> Iterator[None]:
    """Inside the block, executions that were closed longer ago than `span`, in microseconds, are deleted."""
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(engine, span, over), name="sm-retention", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()  # it stops after the transaction that it is in


def _keep(engine: Engine, span: int, over: threading.Event) -> None:
    while True:
        try:
            sweep(engine, span, over)
        except DatabaseError as e:  # held by others, or away: the worker says so itself
            log.debug("retention tries again in %.0f s: %s", _SWEEP, e.message)
        if over.wait(_SWEEP):
            return


def sweep(engine: Engine, span: int, over: threading.Event) -> Pruned:
    """Delete all that is old enough now, until `over` is set; says how much. Raises DatabaseError."""
    before = engine.clock.now() - span
    total = prune(engine.store, before, portion=SMALL, goes_on=lambda: not over.wait(_PAUSE))
    if total.executions or total.children:
        log.debug("retention deleted %d executions and %d children of map runs", total.executions, total.children)
    return total
