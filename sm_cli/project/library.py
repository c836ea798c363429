"""The workflows of a folder by name, ready to run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.errors import NotFound
from sm_cli.project.definitions import files_by_name
from sm_cli.project.reading import DefinitionReader

if TYPE_CHECKING:
    from sm_cli.asl.text.source import Document
    from sm_cli.engine.engine import Engine, Workflow
    from sm_cli.project.reading import DefinitionSource

#: Nanoseconds. A file system counts time in steps; no step is longer.
_UNSETTLED = 2_000_000_000


class Library:
    """The workflows of a folder by name, as they stand there now; each is compiled again only when its file changed."""

    def __init__(self, folder: Path, reader: DefinitionReader | None = None, templates: Sequence[str] = ()) -> None:
        """templates: files whose machines are workflows too, by the names that they are deployed under."""
        self.folder = folder
        self.templates = templates
        self._reader = reader or DefinitionReader()
        self._listing: tuple[int, Mapping[str, Path]] | None = None
        self._workflows: dict[str, tuple[tuple[str, int, int], Workflow]] = {}

    def __call__(self, name: str) -> Workflow | None:
        """None when there is none. Raises InvalidDefinition for one that cannot run."""
        file = self._files_now().get(name)
        if file is None:
            return self._of_templates(name)
        return self._workflow(name, str(file), lambda: self._reader.document(str(file)))

    def file_of(self, name: str) -> Path | None:
        """The file of this workflow; None when it has none of its own."""
        return self._files_now().get(name)

    def source(self, name: str) -> DefinitionSource | None:
        """What stands in the workflow's file, also when it cannot run; None when it has none of its own, or one that is
        a template. Raises NotFound and UsageError for one that cannot be read."""
        file = self.file_of(name)
        sources = [] if file is None else self._reader.sources(str(file))
        return sources[0] if len(sources) == 1 and sources[0].machine is None else None

    def _files_now(self) -> Mapping[str, Path]:
        """The files of the folder, listed again when something came, went or got another name there. A server asks for
        each start."""
        try:
            changed = os.stat(self.folder).st_mtime_ns  # noqa: PTH116 - as below
        except OSError:
            return files_by_name(self.folder)
        if self._listing is None or self._listing[0] != changed:
            files = files_by_name(self.folder)
            if time.time_ns() - changed < _UNSETTLED:
                return files  # what changes in the same moment would not be noticed
            self._listing = changed, files
        return self._listing[1]

    def _of_templates(self, name: str) -> Workflow | None:
        for template in self.templates:
            with suppress(NotFound):
                workflow = self._workflow(name, template, partial(self._reader.machine_called, template, name))
                if workflow is not None:
                    return workflow
        return None

    def _workflow(self, name: str, file: str, read: Callable[[], Document | None]) -> Workflow | None:
        """The workflow that `read` gives, read again when the file is another one."""
        stat = os.stat(file)  # noqa: PTH116 - once for each task that starts a workflow
        version = (file, stat.st_mtime_ns, stat.st_size)
        entry = self._workflows.get(name)
        if entry is None or entry[0] != version:
            from sm_cli.engine.engine import prepare  # only who runs one waits for the import

            document = read()
            if document is None:
                return None
            entry = self._workflows[name] = (version, prepare(document, name))
        return entry[1]

    def find(self, name: str) -> Workflow:
        """The workflow of this name. Raises NotFound, with near names, and InvalidDefinition."""
        workflow = self(name)
        if workflow is None:
            there = files_by_name(self.folder)
            more = did_you_mean(name, there) or (f"there are {', '.join(there)}" if there else None)
            sentence = f"{self.folder} has no workflow {name!r}"
            raise NotFound(sentence if more is None else f"{sentence}; {more}", topic="workflow")
        return workflow

    def register_nested(self, engine: Engine, workflow: Workflow) -> None:
        """Register the machines of the templates that a workflow starts: whoever else works on it does not know the
        template."""
        own = files_by_name(self.folder) if self.templates else {}
        for each in nested(workflow, self) if self.templates else ():
            if each.name not in own:
                engine.workflows.register(each)


def nested(workflow: Workflow, library: Callable[[str], Workflow | None]) -> list[Workflow]:
    """The workflows of the library that this one starts by a name that stands in it, or that one of them starts."""
    from sm_cli.handlers.needs import nested_workflows

    names, queue = {workflow.name}, [workflow]
    others: list[Workflow] = []
    while queue:
        here = queue.pop()
        for name in nested_workflows(here.program, here.document.value):
            if name not in names and (nested_workflow := library(name)) is not None:
                queue.append(nested_workflow)
                others.append(nested_workflow)
            names.add(name)
    return others
