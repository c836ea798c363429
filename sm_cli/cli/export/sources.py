"""What is exported: a definition from a file, a template or the database, and the files of the handlers."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.project import workflows
from sm_cli.cli.terminal.failures import say, warn
from sm_cli.errors import InvalidDefinition, NotFound

if TYPE_CHECKING:
    from sm_cli.asl.export.plan import ExportPlan
    from sm_cli.asl.text.source import Document
    from sm_cli.cli.project.config import Project
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.handlers.registry import Registry
    from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class ExportSource:
    """A valid definition, and where it comes from."""

    #: The workflow's name.
    name: str
    #: With its places, where it has a text.
    document: Document
    #: The definition.
    definition: dict[str, Json]
    #: Whether it is a machine of a template, whose references have become ARNs.
    is_from_template: bool = False

    @property
    def text(self) -> str:
        """What the places of problems are places in."""
        return self.document.text or ""

    def aws_problems(self, plan: ExportPlan) -> list[Diagnostic]:
        """What AWS has against the definition that is deployed, placed in the text that it was made of."""
        from sm_cli.asl.text.source import Parsed
        from sm_cli.cli.validate.as_aws import aws_problems

        document = replace(self.document, value=plan.definition, is_whole=False)
        file = self.document.file or self.name
        return aws_problems(Parsed(document, []), self.text, file, express=plan.type == "EXPRESS")

    def notes(self, plan: ExportPlan) -> list[str]:
        """What is said beside the template, one sentence each."""
        more = []
        if self.is_from_template:
            more.append("references of its template that no handler serves are ARNs now, of an account that is made up")
        if plan.parameters:
            names = ", ".join(each.name for each in plan.parameters)
            more.append(f"to be given when it is deployed: {names}")
        return [*plan.notes, *more]


def find_source(project: Project, text: str | None, db: str | None, *, express: bool) -> ExportSource:
    """The definition that is meant: a file, a machine of a template, a name, or a version that was registered. Raises
    NotFound, UsageError, InvalidDefinition with every problem."""
    try:
        reference = workflows.choose(project, text)
        machine, document = workflows.named_document(project, reference)
        return _checked_source(machine or workflows.name_of_file(reference), document, express, machine is not None)
    except NotFound as missing:
        reference = text or os.environ.get("SM_WORKFLOW") or project.setting("workflow") or ""
        if not reference or "/" in reference or "#" in reference or reference.endswith(workflows.SUFFIXES):
            raise
        return _find_version(project, reference, db, missing, express=express)


def _find_version(project: Project, text: str, db: str | None, missing: NotFound, *, express: bool) -> ExportSource:
    from sm_cli.asl.text.source import from_value
    from sm_cli.asl.text.substitutions import substitute
    from sm_cli.cli.project.opening import opened_store
    from sm_cli.engine.versions.references import parse_reference
    from sm_cli.errors import DatabaseError, UsageError
    from sm_cli.views.workflows.versions import definition_value, version_text

    qualifier = None
    try:
        reference = parse_reference(text)
        qualifier = reference.qualifier
        with opened_store(db, project) as store:
            row, definition = version_text(store, reference)
    except (NotFound, UsageError, DatabaseError) as e:
        if qualifier is None and not (isinstance(e, DatabaseError) and e.topic != "no database"):
            raise missing from None
        raise
    document = from_value(definition_value(definition)).document
    assert document is not None, "what is registered was read before"
    return _checked_source(row.version.name, substitute(document, project.reader().substitutions), express, False)


def _checked_source(name: str, document: Document, express: bool, is_from_template: bool) -> ExportSource:
    from sm_cli.asl.validation.validate import validate

    problems = [each for each in validate(document, express=express) if each.severity == "error"]
    if problems or not isinstance(document.value, dict):
        raise InvalidDefinition(problems)
    return ExportSource(name, document, document.value, is_from_template)


def find_handler_files(project: Project, option: str | None, *, run: bool) -> dict[str, Path]:
    """The names of handlers and the file of each. run: execute the files. Raises HandlerLoadError, and for another
    user's directory ConfigurationError."""
    directory, is_named = project.handlers(option)
    if not is_named and not directory.is_dir():
        return {}
    from sm_cli.handlers.reading import read_handler_names

    reading = read_handler_names(directory)
    if run:
        from sm_cli.cli.project.handlers import load_trusted
        from sm_cli.cli.terminal.output import guard_stdout

        with guard_stdout():
            return _files_of(load_trusted(directory), reading.files, directory.resolve())
    for problem in reading.problems:
        warn(problem)
    if reading.why_incomplete is not None and not reading.problems:
        say(f"sm: note: {reading.why_incomplete} (--import executes the files and knows)")
    return reading.files


def _files_of(registry: Registry, files: dict[str, Path], directory: Path) -> dict[str, Path]:
    """By name the file that a handler is written in; where that is none of the directory, the one that imports it."""
    from inspect import unwrap

    result = dict(files)
    for name, handler in registry.items():
        code = getattr(unwrap(handler.function), "__code__", None)
        file = Path("" if code is None else code.co_filename)
        if file.parent == directory:
            result[name] = file
    return {name: file for name, file in result.items() if name in registry}
