"""`sm worker --reload`: handlers are loaded anew when their files change.

A directory that cannot be loaded is told about and changes nothing: the worker goes on with what it has.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sm_cli.cli.terminal.logs import tell_state
from sm_cli.errors import ConfigurationError, HandlerLoadError

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.handlers.handler import Handler
    from sm_cli.handlers.registry import Registry
    from sm_cli.worker.worker import Worker


def need_watchfiles(is_needed: bool) -> None:
    """Raises ConfigurationError when the package is needed and not installed."""
    if not is_needed:
        return
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "--reload needs the package watchfiles, which is not installed", hint="pip install watchfiles"
        ) from None


@contextmanager
def reloading(
    loop: Worker,
    directory: Path,
    merge: Callable[[Registry], Mapping[str, Handler]],
    load: Callable[[Path], Registry],
) -> Iterator[None]:
    """Inside the block, changes below the directory reach the loop, as what `merge` makes of what `load` gives."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(loop, directory, merge, load, over), name="sm-reload", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()


def _watch(
    loop: Worker, directory: Path, merge: Callable[[Registry], Mapping[str, Handler]],
    load: Callable[[Path], Registry], over: threading.Event,
) -> None:  # fmt: skip
    from watchfiles import PythonFilter, watch

    for _ in watch(directory, watch_filter=PythonFilter(), stop_event=over, debounce=200):
        try:
            handlers = load(directory)
        except (ConfigurationError, HandlerLoadError) as e:
            text = f"sm: error: {e.message}; the handlers stay as they were"
            tell_state("worker.not_reloaded", text, {"worker": loop.name, "error": e.message}, level=logging.ERROR)
            continue
        loop.reload(merge(handlers))
        text = f"worker {loop.name}: {len(handlers)} handlers loaded again from {directory}/"
        tell_state("worker.reloaded", text, {"worker": loop.name, "handlers": len(handlers)})
