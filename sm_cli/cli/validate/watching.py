"""`sm validate --watch`: check again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import report, say
from sm_cli.errors import ConfigurationError, SmError, UsageError
from sm_cli.project.walking import SUFFIXES

if TYPE_CHECKING:
    from sm_cli.cli.project.config import Project

_SUFFIXES = (*SUFFIXES, ".py", ".toml", ".env")
#: Milliseconds between two looks at nothing.
_TURN = 250
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"


def watching(project: Project, paths: Sequence[str], also: Sequence[str], check: Callable[[], object]) -> None:
    """Call `check` now and after every change below the paths, the handlers and what `also` names; ends only by
    KeyboardInterrupt.

    What goes wrong in a check is told, and the watch goes on. Raises ConfigurationError without watchfiles.
    """
    try:
        from watchfiles import DefaultFilter, watch
    except ImportError:
        raise ConfigurationError(
            "--watch needs the package watchfiles, which is not installed", hint="pip install watchfiles"
        ) from None

    if "-" in paths:
        raise UsageError("--watch follows files, and stdin is none")
    gc.enable()
    places = _places(project, paths, also)
    default_filter = DefaultFilter()
    has_begun = False
    # The first turn comes when the watch has begun: no change after the first check is missed.
    for changes in watch(
        *places, debounce=200, step=50, rust_timeout=_TURN, yield_on_timeout=True, stop_event=_set_by_interrupt(),
        watch_filter=lambda kind, path: path.endswith(_SUFFIXES) and default_filter(kind, path),
    ):  # fmt: skip
        if has_begun and not changes:
            continue
        if not has_begun:
            say(f"watching {', '.join(str(place) for place in places)}; Ctrl-C ends")
        elif sys.stdout.isatty():
            sys.stdout.write(_CLEAR)
        has_begun = True
        _check(check)
    raise KeyboardInterrupt


def _set_by_interrupt() -> threading.Event:
    """An event that ends the watch in its next turn, should it lose the KeyboardInterrupt that comes at once."""
    stop = threading.Event()

    def interrupt(_signal: int, _frame: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    return stop


def _places(project: Project, paths: Sequence[str], also: Sequence[str]) -> list[Path]:
    """The folders whose changes matter: of a file the one that it lies in, because editors replace files."""
    from sm_cli.cli.project.workflows import choose
    from sm_cli.project.reading import split_reference

    folders = [Path(path) for path in paths if Path(path).is_dir()]
    files = [path for path in paths if not Path(path).is_dir()]
    if not paths and project.setting("workflow") is None and project.workflows.is_dir():
        folders.append(project.workflows)
    elif files or not paths:
        references = [choose(project, file) for file in files] or [choose(project, None)]
        folders += [Path(split_reference(reference)[0]).parent for reference in references]
    handlers, _ = project.handlers(None)
    if handlers.is_dir():
        folders.append(handlers)
    folders += [Path(path) if Path(path).is_dir() else Path(path).parent for path in also]
    return list(dict.fromkeys(folders))


def _check(check: Callable[[], object]) -> None:
    try:
        check()
    except SmError as e:
        report(e)
    out.flush()
