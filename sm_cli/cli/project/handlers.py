"""The handlers of a project: executed where tasks are run, only read where their names are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.project.trust import check_handlers_owner
from sm_cli.cli.terminal.failures import say, warn

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sm_cli.cli.project.config import Project
    from sm_cli.handlers.registry import Registry


def load_trusted(directory: Path) -> Registry:
    """The handlers of a directory that is the user's own. Raises ConfigurationError for another user's, and
    HandlerLoadError."""
    from sm_cli.cli.terminal.logs import escape_the_rest
    from sm_cli.handlers.loading import load_handlers

    check_handlers_owner(directory)
    escape_the_rest()
    return load_handlers(directory)


def handler_names(directory: Path, *, run: bool) -> Collection[str] | None:
    """The names that handlers are registered under; None, and a sentence on stderr, when reading does not show all.

    run: execute the files. Raises HandlerLoadError, with `run` also ConfigurationError as `load_trusted` does.
    """
    if run:
        return load_trusted(directory).keys()
    from sm_cli.handlers.reading import read_handler_names

    reading = read_handler_names(directory)
    for problem in reading.problems:
        warn(f"{problem}; so nothing is said about handlers")
    if (why := reading.why_incomplete) is not None and not reading.problems:
        say(f"sm: note: {why}; so nothing is said about handlers (--import executes the files and knows)")
    return reading.names if reading.is_complete else None


def known_handler_names(project: Project, option: str | None, *, run: bool) -> Collection[str] | None:
    """The names of all handlers that a project's worker has, those that sm brings among them; None, and a sentence on
    stderr, where that is not known. option, run: as above."""
    from sm_cli.asl.resources import BUILT_IN
    from sm_cli.cli.terminal.output import guard_stdout
    from sm_cli.errors import HandlerLoadError

    try:
        directory, is_given = project.handlers(option)
        if not is_given and not directory.is_dir():
            return BUILT_IN
        with guard_stdout():
            names = handler_names(directory, run=run)
    except HandlerLoadError as e:
        warn(f"the handlers cannot be loaded: {e.message}")
        return None
    return None if names is None else [*BUILT_IN, *names]
