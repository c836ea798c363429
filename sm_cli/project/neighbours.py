"""The files around a template or a definition: what a template names, and the templates that may name a definition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sm_cli.asl.templates.files import NeighbourFile
from sm_cli.asl.templates.words import TERRAFORM, may_be_template, may_hold_machines

#: How the names of templates end.
_TEMPLATES = (".yaml", ".yml", ".json", ".template")
#: In so many folders above a definition a template of it is looked for, the largest that is read, and how many.
_FOLDERS, _MOST_BYTES, _MOST_FILES = 4, 5_000_000, 200


class Neighbours:
    """Finds the files that a template names: relative to itself, else to the project."""

    def __init__(self, template: str, root: Path) -> None:
        self._folder = Path() if template == "-" else Path(template).parent
        self._root = root
        self._template = template

    def __call__(self, path: str) -> NeighbourFile | None:
        """None for what is in neither place, and for what lies outside of both."""
        name = path.partition("://")[2].partition("/")[2] if "://" in path else path
        if not name or "\0" in name or "${" in name:
            return None
        for folder in (self._folder, self._root):
            for each in dict.fromkeys((name, name.lstrip("/"), Path(name).name)):
                file = Path(os.path.normpath(folder / each))
                if not Path(each).is_absolute() and self._is_inside(file):
                    try:
                        return NeighbourFile(str(file), file.read_bytes())
                    except OSError:
                        continue
        return None

    def beside(self) -> list[NeighbourFile]:
        """The other files of a Terraform module."""
        files: list[NeighbourFile] = []
        files_of_module = (each for ending in TERRAFORM for each in self._folder.glob(f"*{ending}"))
        for file in sorted(files_of_module)[:_MOST_FILES]:
            if str(file) != os.path.normpath(self._template) and file.is_file():
                with suppress(OSError):
                    files.append(NeighbourFile(str(file), file.read_bytes()))
        return files

    def _is_inside(self, file: Path) -> bool:
        """Whether it lies in the project or below the template's folder: a template reads no file of others."""
        real = file.resolve()
        return any(real.is_relative_to(folder.resolve()) for folder in (self._root, self._folder))


class TemplateFolders:
    """Finds the templates that may name a definition; each folder is looked at once."""

    def __init__(self) -> None:
        self._templates: dict[Path, list[tuple[str, bytes]]] = {}

    def near(self, file: str, root: Path) -> Iterator[tuple[str, bytes]]:
        """(file, content) of the templates beside a definition and in the folders above it, up to the project's."""
        if file == "-":
            return
        folder, top = Path(file).parent, root.resolve()
        for _ in range(_FOLDERS):
            if folder not in self._templates:
                self._templates[folder] = list(_templates_in(folder))
            yield from self._templates[folder]
            real = folder.resolve()
            if real == top or not real.is_relative_to(top):
                return
            folder = folder.parent if folder.name not in ("", "..") else folder / ".."


def _templates_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    try:
        files = sorted(each for each in folder.iterdir() if each.name.endswith(_TEMPLATES))[:_MOST_FILES]
    except OSError:
        return
    for file in files:
        try:
            content = file.read_bytes() if file.is_file() and file.stat().st_size <= _MOST_BYTES else b""
        except OSError:
            continue
        if may_hold_machines(content) and may_be_template(content, file.name):
            yield str(file), content
