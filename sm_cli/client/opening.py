"""Which project and which database a Client is for, and opening them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.errors import DatabaseError
from sm_cli.project.library import Library
from sm_cli.project.owners import files_of_database, owner_who_denies, refuse_others
from sm_cli.project.project import ProjectSettings, engine_settings
from sm_cli.project.settings import find_settings

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

_ADVICE = "give trust=True"


class Home:
    """What a Client was made for: the URL of a database, and the project that its workflows are of."""

    def __init__(
        self, url_or_path: str | os.PathLike[str], project: str | os.PathLike[str] | None, *, trust: bool
    ) -> None:
        """Raises ConfigurationError for settings that are wrong or, unless trusted, another user's."""
        from sm_cli.views.database import file_of

        self.trust = trust
        path_text = os.fspath(url_or_path)
        if Path(path_text).is_dir():
            self.project = self._project(Path(path_text if project is None else project))
            self.url = self._project(Path(path_text)).database(None)[0]
        else:
            file = file_of(path_text)
            self.project = self._project(Path(project) if project is not None else _home_of(file))
            self.url = path_text if file is None or path_text.startswith("sqlite:") else str(file.absolute())
        self.file = file_of(self.url)
        self.library = Library(self.project.workflows.absolute(), self.project.reader())

    def _project(self, folder: Path) -> ProjectSettings:
        settings = find_settings(folder.absolute(), (lambda _: None) if self.trust else _check_owner)
        return ProjectSettings(settings.root, settings.file, settings.table, settings.lines)

    def open(self, *, create: bool, lock_timeout: float) -> Engine:
        """An engine over the database. Raises DatabaseError when it is not there (unless `create`) or cannot be used,
        ConfigurationError when it is another user's."""
        from sm_cli.engine.engine import Engine
        from sm_cli.views.database import Patience, open_store

        if self.file is not None and not self.trust:
            refuse_others(files_of_database(self.file), _ADVICE)
        try:
            store = open_store(self.url, create=create, patience=Patience(lambda: lock_timeout))
        except DatabaseError as e:
            if self.file is not None and e.hint is None:
                e.hint = owner_who_denies(self.file)
            raise
        buckets = self.project.buckets(None).absolute()
        return Engine(store, settings=engine_settings(self.project, store), library=self.library, buckets=buckets)


def _check_owner(file: Path) -> None:
    refuse_others([file], _ADVICE)


def _home_of(file: Path | None) -> Path:
    """The folder of the project that a database belongs to: that above `.sm`, or its own."""
    if file is None:
        return Path.cwd()
    folder = file.absolute().parent
    return folder.parent if folder.name == ".sm" else folder
