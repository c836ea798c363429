"""What a test may give as a definition: a dict, text, a file, a folder; and definitions by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from sm_cli.asl.text.source import Document, from_value
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.asl.text.substitutions import substitute
from sm_cli.engine.engine import Workflow, prepare
from sm_cli.errors import InvalidDefinition, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.project.definitions import files_by_name, only_file, stem_of
from sm_cli.project.library import Library
from sm_cli.project.project import ProjectSettings
from sm_cli.project.reading import DefinitionReader, split_reference
from sm_cli.project.settings import find_settings

#: A dict, YAML or JSON text, or the path of a file or folder.
Definition: TypeAlias = "dict[str, Any] | str | bytes | os.PathLike[str]"
#: Definitions by name, or a folder that holds them.
Definitions: TypeAlias = "Mapping[str, Definition] | os.PathLike[str]"


def reader_for(definition: Definition, substitutions: Mapping[str, Json] | None) -> DefinitionReader:
    """What reads the definitions of a test: with its own values for `${Name}`, which win, and those of the settings of
    the project that a path lies in. Raises ConfigurationError."""
    values = dict(substitutions or {})
    if not isinstance(definition, os.PathLike):
        return DefinitionReader(values)
    settings = find_settings(Path(split_reference(os.fspath(definition))[0]).resolve())
    return ProjectSettings(settings.root, settings.file, settings.table, settings.lines, values).reader()


def workflow_of(definition: Definition, reader: DefinitionReader, name: str | None = None) -> Workflow:
    """A workflow ready to run, under its name (that of its file or in its template unless `name` says otherwise).
    Raises InvalidDefinition, NotFound for a path that is not there, UsageError for a folder that is not of one."""
    if isinstance(definition, os.PathLike):
        file, machine = split_reference(os.fspath(definition))
        path = str(_file_of(Path(file)))
        machine, document = reader.named_document(path, machine)
        return prepare(document, name or machine or stem_of(path))
    return prepare(substitute(read_given(definition), reader.substitutions), name or "simulated")


def read_given(definition: dict[str, Any] | str | bytes) -> Document:
    """A dict or a text, read. Raises InvalidDefinition, and NotFound for a text that looks like a path."""
    parse_result = parse_source(definition) if isinstance(definition, (str, bytes)) else from_value(definition)
    if parse_result.document is None or not isinstance(parse_result.document.value, dict):
        if isinstance(definition, str) and "\n" not in definition and definition.endswith((".yaml", ".yml", ".json")):
            raise NotFound(f"a text is a definition itself; the file is Path({definition!r})", topic="definition")
        raise InvalidDefinition(parse_result.diagnostics)
    return parse_result.document


def library_of(
    workflows: Definitions | None, definition: Definition, reader: DefinitionReader
) -> Callable[[str], Workflow | None]:
    """The workflows that others start, by name: those given, else those in the folder of the definition's file. Raises
    InvalidDefinition for one that cannot run, when it is given; for one in a folder when it is started."""
    if workflows is None:
        if not isinstance(definition, os.PathLike):
            return lambda _: None
        path, machine = split_reference(os.fspath(definition))
        file = _file_of(Path(path))
        return Library(file.parent, reader, () if machine is None else (str(file),))
    if not isinstance(workflows, Mapping):
        return Library(_workflows_in(Path(workflows)), reader)
    return {name: _child(name, source, reader) for name, source in workflows.items()}.get


def _child(name: str, source: Definition, reader: DefinitionReader) -> Workflow:
    """One of the definitions by name; of a folder with several it is the one of that name."""
    if isinstance(source, os.PathLike) and Path(source).is_dir():
        file = files_by_name(_workflows_in(Path(source))).get(name)
        source = source if file is None else file
    return workflow_of(source, reader, name)


def _file_of(path: Path) -> Path:
    """The file itself; of a folder its project's workflow, or the only one. Raises NotFound, UsageError."""
    if not path.is_dir():
        if not path.exists():
            raise NotFound(f"there is no file {path}")
        return path
    settings = find_settings(path.resolve())
    setting = settings.table.get("workflow") if settings.root == path.resolve() else None
    return only_file(_workflows_in(path), None if setting is None else str(setting), path)


def _workflows_in(folder: Path) -> Path:
    """`workflows/` of a project's folder, else the folder. Raises NotFound for one that is not there."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    inner = folder / "workflows"
    return inner if inner.is_dir() else folder
