"""Which workflow a person means, and its definition.

A name is looked up in one folder, `workflows/` of the project; a path is a path. What cannot be decided
is asked back, never guessed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.cli.project.config import Project, blamed_on, is_file, relative_path
from sm_cli.cli.terminal.inputs import read_stdin
from sm_cli.errors import InvalidDefinition, NotFound, UsageError
from sm_cli.project.definitions import SUFFIXES as SUFFIXES
from sm_cli.project.definitions import files_in as files_in
from sm_cli.project.definitions import read_file, stem_of
from sm_cli.project.library import Library as Library
from sm_cli.project.reading import split_reference

if TYPE_CHECKING:
    from sm_cli.asl.text.source import Document
    from sm_cli.engine.engine import Workflow

STDIN = "-"
#: What a workflow from stdin is called.
_FROM_STDIN = "stdin"
#: No file has a longer name; sentences show no more of it.
_LONGEST = 200
#: A hint names at most so many files.
_MOST_NAMED = 5


def name_of_file(path: str) -> str:
    """The name of the workflow in a file, or in stdin; of `FILE#NAME` that which a template has for it."""
    file, machine = split_reference(path)
    return machine or (_FROM_STDIN if file == STDIN else stem_of(file))


def choose(project: Project, name: str | None) -> str:
    """The path of the workflow that is meant: named (also by SM_WORKFLOW), configured, or the only one there is.
    Raises UsageError when that is none or several."""
    setting = project.setting("workflow")
    if name is not None:
        return _closest_hint(project.workflows, name)
    if (variable := os.environ.get("SM_WORKFLOW")) is not None:
        with blamed_on("SM_WORKFLOW"):
            return _closest_hint(project.workflows, variable)
    if setting is not None:
        beside = relative_path(project.root / setting)
        with blamed_on(project.place("workflow")):
            return str(beside) if beside.is_file() else _closest_hint(project.workflows, setting)
    there = files_in(project.workflows) if project.workflows.is_dir() else []
    if len(there) == 1:
        return str(there[0])
    if not there:
        raise UsageError(
            f"there is no workflow to take: {project.workflows}/ holds none",
            hint="Name a file, or set workflow in sm.toml or [tool.sm].",
        )
    names = ", ".join(name_of_file(str(file)) for file in there)
    raise UsageError(f"{project.workflows}/ holds several workflows: {names}", hint="Name one of them.")


def _closest_hint(folder: Path, name: str) -> str:
    if name == STDIN or is_file(split_reference(name)[0]):
        return name
    path = Path(name[:_LONGEST])
    if path.is_dir():
        files = [str(file) for file in files_in(path)]
        hint = f"Name a file in it: {', '.join(files[:_MOST_NAMED])}." if files else None
        raise UsageError(f"{name} is a folder, not a workflow", hint=hint)
    if path.exists():
        return name  # a pipe: `sm run <(generate)`
    there = {name_of_file(str(file)): str(file) for file in (files_in(folder) if folder.is_dir() else [])}
    if name in there:
        return there[name]
    if "/" in name or path.suffix in SUFFIXES:
        raise NotFound(f"there is no file {path}")
    hint = did_you_mean(name, there) or (f"{folder}/ has {', '.join(there)}." if there else None)
    raise NotFound(f"there is no file {str(path)!r} and no workflow of that name in {folder}/", hint=hint)


def read_definition(path: str) -> bytes:
    """The bytes of a file, or of stdin. Raises UsageError or NotFound."""
    from sm_cli.asl.text.source import MAX_BYTES

    return read_stdin(MAX_BYTES + 1) if path == STDIN else read_file(path)


def load(project: Project, reference: str) -> Workflow:
    """A workflow ready to run. Raises InvalidDefinition with every problem."""
    from sm_cli.engine.engine import prepare

    machine, definition = named_document(project, reference)
    file, _ = split_reference(reference)
    if machine is not None and file != STDIN:
        project.templates.append(file)
    try:
        return prepare(definition, machine or name_of_file(reference))
    except InvalidDefinition as e:
        if isinstance(definition.value, dict) and not {"StartAt", "States"} & definition.value.keys():
            e.hint = f"This is no workflow; an input is given with --input {reference}."
        elif all(problem.code == "SM901" for problem in e.diagnostics):
            e.hint = "Give the value with --substitutions NAME=VALUE, or in the table substitutions of sm.toml."
        raise


def document(project: Project, reference: str) -> Document:
    """The definition that `FILE`, `FILE#NAME` or `-` means. Raises InvalidDefinition, NotFound, UsageError."""
    return named_document(project, reference)[1]


def named_document(project: Project, reference: str) -> tuple[str | None, Document]:
    """The same with the name that a template has for it; None for a file of its own. Raises as `document`."""
    file, machine = split_reference(reference)
    return project.reader().named_document(file, machine, read_definition(file) if file == STDIN else None)
