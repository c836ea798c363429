"""The handlers of a project: executed where tasks are run, only read where their names are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.cli.project.trust import check_handlers_owner
from sm_cli.cli.terminal.failures import say, warn

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sm_cli.cli.project.config import Project
    from sm_cli.errors import HandlerLoadError
    from sm_cli.handlers.registry import Registry


def load_trusted(directory: Path, problems: list[HandlerLoadError] | None = None) -> Registry:
    """The handlers of a directory that is the user's own. problems: where what is wrong with each file is gathered, not
    only said of the first. Raises ConfigurationError for another user's, and HandlerLoadError."""
    from sm_cli.cli.terminal.logs import escape_the_rest
    from sm_cli.handlers.loading import load_handlers

    check_handlers_owner(directory)
    escape_the_rest()
    return load_handlers(directory, problems)


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


class HandlerFacts(NamedTuple):
    """What a folder of handlers shows."""

    #: The folder, for people; None where there is none.
    place: str | None
    #: The names, without those that sm brings; None where they are not known.
    names: Collection[str] | None
    #: Why they are not known; None when they are, or when `problems` says it.
    why_unknown: str | None = None
    #: A sentence for each file that cannot be imported, or read.
    problems: Sequence[str] = ()


def read_handlers(project: Project, option: str | None, *, run: bool) -> HandlerFacts:
    """What the project's handlers are, and what is wrong with which file. run: execute the files, as `load_trusted`."""
    from sm_cli.cli.terminal.output import guard_stdout
    from sm_cli.errors import ConfigurationError, HandlerLoadError
    from sm_cli.handlers.reading import read_handler_names

    place = None
    try:
        directory, is_given = project.handlers(option)
        if not is_given and not directory.is_dir():
            return HandlerFacts(None, ())
        place = str(directory)
        if not run:
            reading = read_handler_names(directory)
            names = reading.names if reading.is_complete else None
            why = None if reading.why_incomplete is None else f"{reading.why_incomplete} (--import executes the files)"
            return HandlerFacts(place, names, why, reading.problems)
        with guard_stdout():
            errors: list[HandlerLoadError] = []
            registry = load_trusted(directory, errors)
    except (ConfigurationError, HandlerLoadError) as e:
        return HandlerFacts(place, None, None, [e.message])
    return HandlerFacts(place, None if errors else registry.keys(), None, [error.message for error in errors])


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
