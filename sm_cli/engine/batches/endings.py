"""What is done when a batch ends: the items that were kept for it go, if nobody will ask for them any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sm_cli.engine.stepping.batch.plan import DIGEST
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import DatabaseError

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store

log = logging.getLogger("sm.engine")


def forget_items_of_ended(store: Store) -> Callable[[UnitOfWork], None]:
    """An observer of an engine over this store. What it does not come to is done when the next items are kept."""

    def observe(tick: UnitOfWork) -> None:
        ended = [execution for execution in tick.closed_executions if execution.digest == DIGEST]
        if not ended:
            return
        from sm_cli.engine.batches.kept import forget_unless_needed  # who has no batch does not wait for the formats

        for execution in ended:
            try:
                forget_unless_needed(store, execution.ref)
            except DatabaseError as e:
                log.debug("the items of batch %s stay for now: %s", execution.name, e.message)

    return observe
