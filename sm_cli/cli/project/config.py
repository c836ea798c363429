"""The project: where its configuration lies, and what that says about files and numbers.

An option wins over SM_*, that over the configuration, that over the default. Paths in the configuration
are relative to its file; everything else is relative to the current directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sm_cli.cli.project.trust import check_owner
from sm_cli.cli.terminal.options import source
from sm_cli.errors import SmError
from sm_cli.project.project import ProjectSettings
from sm_cli.project.settings import find_settings
from sm_cli.project.settings import relative_path as relative_path


class Project(ProjectSettings):
    """The directory that a command works in, and its settings."""

    def origin(self, key: str, option: str | None) -> str:
        """What says so, for a sentence about it: the option of that name or its variable when it was given, else the
        setting with its place."""
        return self.place(key) if option is None else source(f"--{key.replace('_', '-')}")


def find_project(start: Path | None = None, substitutions: Sequence[str] | None = None) -> Project:
    """Walk up to sm.toml, or a pyproject.toml with [tool.sm]. substitutions: `NAME=VALUE` or files, as an option gives
    them. Raises ConfigurationError for a configuration that is wrong, UsageError for substitutions that are none."""
    settings = find_settings(start or Path.cwd(), check_owner)
    project = Project(settings.root, settings.file, settings.table, settings.lines)
    if substitutions:
        from sm_cli.project.substitutions import read_substitutions

        project.given_substitutions = read_substitutions(substitutions)
    return project


@contextmanager
def blamed_on(place: str | None) -> Iterator[None]:
    """An error in here is told with the setting or the variable that it came from; None: what was typed."""
    try:
        yield
    except SmError as e:
        if place is not None:
            e.message = f"{place}: {e.message}"
            e.args = (e.message,)
        raise


def is_file(path: str) -> bool:
    """Like Path.is_file, but what cannot be a path is no file, however long it is."""
    try:
        return Path(path).is_file()
    except OSError:
        return False
