"""Whose files a command obeys: its user's own and root's; those of anybody else only with `--trust`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sm_cli.cli.terminal.failures import shorten_path
from sm_cli.cli.terminal.options import is_trusted
from sm_cli.project import owners

_ADVICE = "give --trust or set SM_TRUST=1"


def check_owner(*paths: Path) -> None:
    """Raises ConfigurationError for the first that another user owns; says nothing of what is not there."""
    _refuse(paths)


def check_database(file: Path) -> None:
    """The database's file, what lies beside it, and its folder when that is the project's own, `.sm`.

    Raises ConfigurationError."""
    _refuse(owners.files_of_database(file))


def check_handlers_owner(directory: Path) -> None:
    """The directory and everything below it: an import may execute any of it. Raises ConfigurationError."""
    _refuse(_below(directory))


def _below(directory: Path) -> Iterator[Path]:
    yield directory
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            yield Path(folder, name)


def _refuse(paths: Iterable[Path]) -> None:
    if not is_trusted():
        owners.refuse_others(paths, _ADVICE, shorten_path)
