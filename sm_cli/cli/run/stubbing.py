"""`--stub`: which handlers there are then, and what is said about them.

Nothing is answered in silence: each resource without a handler is told once, on stderr.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sm_cli.cli.terminal.failures import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.registry import Registry
    from sm_cli.handlers.stub import Stub


@contextmanager
def stubbing(on: bool) -> Iterator[Stub | None]:
    """A stub, when it was asked for; what it answered is told at the end."""
    if not on:
        yield None
        return
    from sm_cli.cli.terminal.tables import clean
    from sm_cli.handlers.stub import Stub

    stub = Stub()
    try:
        yield stub
    finally:
        if stub.resources:
            say(clean(f"stubbed, each answered with {{}}: {', '.join(stub.resources)}"))


def telling_stub(worker: str) -> Stub:
    """For who works on and on: each resource is told when it is first answered."""
    from sm_cli.cli.terminal.logs import tell_state
    from sm_cli.handlers.stub import Stub

    def tell(resource: str) -> None:
        text = f"worker {worker}: {resource!r} has no handler and is answered with {{}}"
        tell_state("handler.stubbed", text, {"worker": worker, "handler": resource}, level=logging.WARNING)

    return Stub(tell)


def stubbed_engine(engine: Engine, stubs: bool) -> Engine:
    """The engine; with a stub it leaves it those tasks that start a workflow which is not there."""
    engine.settings.has_stub = stubs
    return engine


def stubbed_handlers(stub: Stub, directory: Path, is_named: bool, load: Callable[[Path], Registry]) -> Registry:
    """The handlers of the directory, which need not be there unless somebody named it, and the stub for the rest.
    Raises HandlerLoadError."""
    return stub.under(load(directory) if is_named or directory.is_dir() else {})
