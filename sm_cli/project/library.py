"""The workflows of a folder by name, ready to run."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.errors import NotFound
from sm_cli.project.definitions import files_by_name
from sm_cli.project.reading import DefinitionReader

if TYPE_CHECKING:
    from sm_cli.engine.engine import Workflow


class Library:
    """The workflows of a folder by name, as they stand there now; each is compiled again only when its file changed."""

    def __init__(self, folder: Path, reader: DefinitionReader | None = None) -> None:
        self.folder = folder
        self._reader = reader or DefinitionReader()
        self._workflows: dict[str, tuple[tuple[str, int, int], Workflow]] = {}

    def __call__(self, name: str) -> Workflow | None:
        """None when there is none. Raises InvalidDefinition for one that cannot run."""
        file = files_by_name(self.folder).get(name)
        if file is None:
            return None
        stat = os.stat(file)  # noqa: PTH116 - once for each task that starts a workflow
        version = (str(file), stat.st_mtime_ns, stat.st_size)
        entry = self._workflows.get(name)
        if entry is None or entry[0] != version:
            from sm_cli.engine.engine import prepare  # only who runs one waits for the import

            entry = self._workflows[name] = (version, prepare(self._reader.document(str(file)), name))
        return entry[1]

    def find(self, name: str) -> Workflow:
        """The workflow of this name. Raises NotFound, with near names, and InvalidDefinition."""
        workflow = self(name)
        if workflow is None:
            there = files_by_name(self.folder)
            close = get_close_matches(name, there, 1)
            more = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(there)}" if there else ""
            raise NotFound(f"{self.folder} has no workflow {name!r}{more}", topic="workflow")
        return workflow
