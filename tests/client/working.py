"""A worker beside a client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sm_cli.engine.engine import Engine
from sm_cli.handlers.registry import Registry
from sm_cli.store.open import open_store
from sm_cli.worker.worker import Worker


@contextmanager
def working(project: Path, handlers: Registry) -> Iterator[None]:
    """Inside the block a worker works, with a store of its own, as in another process."""
    store = open_store(str(project / ".sm" / "sm.db"), create=False)
    worker = Worker(Engine(store), handlers)
    thread = threading.Thread(target=worker.run, args=(lambda: False,))
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
        worker.pool.close()
        store.close()
