"""Which files `sm validate` checks, what it asks of them, and what of the answers counts.

A problem that is not shown does not count either: not one below --severity, not one under --ignore.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import choice
from sm_cli.cli.validate.reports import CheckedFile
from sm_cli.project.reading import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sm_cli.asl.text.source import Document
    from sm_cli.cli.project.config import Project
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.project.reading import DefinitionReader, DefinitionSource
    from sm_cli.project.walking import FolderSearch

_LEVELS = ("error", "warning", "info")
_TYPES = ("STANDARD", "EXPRESS")
#: A sentence names at most so many files.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What is asked of every file. `handlers` are the names of those that there are, None when nobody asks."""

    handlers: Collection[str] | None
    #: The severities that are reported.
    levels: tuple[str, ...] = _LEVELS
    #: Codes that are not reported.
    codes_to_ignore: frozenset[str] = frozenset()
    #: The severities that a command fails for.
    fails: frozenset[str] = frozenset({"error"})
    #: Whether it is checked as an EXPRESS workflow.
    express: bool = False
    #: Whether to report what AWS reports, in its words.
    aws: bool = False
    #: Whether files that are named and hold no workflow are passed over, as in a folder.
    by_content: bool = False


def check_options(
    project: Project, *, handlers: str | None, run_handlers: bool, severity: str, ignore: Sequence[str], strict: bool,
    type: str, aws: bool, by_content: bool,
) -> CheckOptions:  # fmt: skip
    """What the options say. Raises UsageError for one that says nothing."""
    level = _LEVELS.index(choice(severity, "--severity", _LEVELS))
    return CheckOptions(
        None if aws else _handler_names(project, handlers, run_handlers),
        _LEVELS[: level + 1],
        frozenset(_code(part) for text in ignore for part in text.split(",")),
        frozenset(("error", "warning") if strict else ("error",)),
        choice(type.upper(), "--type", _TYPES) == "EXPRESS",
        aws,
        by_content,
    )


def _code(text: str) -> str:
    from sm_cli.asl.validation.validate import CATALOGUE
    from sm_cli.errors import UsageError

    code = text.strip().upper()
    codes = {*CATALOGUE, *(rule.aws_code for rule in CATALOGUE.values() if rule.aws_code)}
    if code not in codes:
        close = get_close_matches(code, codes, 1)
        hint = f"did you mean {close[0]}?" if close else "sm explain lists them all."
        raise UsageError(f"--ignore {text!r} is no code of a diagnostic", hint=hint)
    return code


def _handler_names(project: Project, option: str | None, run: bool) -> Collection[str] | None:
    """The names that handlers are registered under; None when there is no directory of them, or nobody can say."""
    from sm_cli.cli.terminal.failures import warn
    from sm_cli.errors import HandlerLoadError

    directory, is_named = project.handlers(option)
    if not is_named and not directory.is_dir():
        return None
    from sm_cli.cli.project.handlers import handler_names

    with out.guard_stdout():
        try:
            return handler_names(directory, run=run)
        except HandlerLoadError as e:
            if is_named:
                raise
            warn(f"{e.message}; so nothing is said about handlers")
            return None


def check_all(project: Project, paths: Sequence[str], options: CheckOptions) -> list[CheckedFile]:
    """Every definition that is meant, sorted by file, with its problems."""
    sources = sorted(
        definition_sources(project, paths, by_content=options.by_content),
        key=lambda source: (source.file, source.machine or ""),
    )
    return [_check(source, options) for source in sources]


def definition_sources(project: Project, paths: Sequence[str], *, by_content: bool = False) -> list[DefinitionSource]:
    """Every definition that is meant, once. Raises UsageError for a folder without any, InvalidDefinition, NotFound."""
    from sm_cli.cli.project.workflows import STDIN, choose, read_definition
    from sm_cli.errors import NotFound
    from sm_cli.project.reading import split_reference
    from sm_cli.project.walking import search

    is_named = bool(paths)
    if not paths:
        has_setting = project.setting("workflow") is not None
        paths = [str(project.workflows)] if not has_setting and project.workflows.is_dir() else [choose(project, None)]
    reader = project.reader()
    sources: dict[tuple[str, str | None], DefinitionSource] = {}
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            inside = _sources_below(project, Path(path), reader, is_named=is_named)
        elif by_content and Path(path).is_file():
            inside = search([Path(path)], reader, _claims(project)).sources
        else:
            file, machine = split_reference(choose(project, path))
            inside = reader.sources(file, read_definition(file) if file == STDIN else None)
            if machine is not None:
                inside = [source for source in inside if source.machine == machine]
            if not inside:
                missing = f"has no state machine {machine!r}" if machine else "is a template without a state machine"
                raise NotFound(f"{file} {missing}")
        for source in inside:
            sources.setdefault((source.file, source.machine), source)
    in_templates = {source.file for source in sources.values() if source.machine is not None}
    return [source for source in sources.values() if source.machine is not None or source.file not in in_templates]


def _sources_below(
    project: Project, folder: Path, reader: DefinitionReader, *, is_named: bool
) -> list[DefinitionSource]:
    """The definitions of a folder. is_named: whether somebody named it, and wants to know what is in it."""
    from sm_cli.cli.terminal.counting import Counter
    from sm_cli.errors import UsageError
    from sm_cli.project.walking import candidates, search

    files = list(candidates(folder))
    with Counter("files", len(files)) as counter:
        result = search(files, reader, _claims(project), counter.show)
    if is_named or result.others:
        say(_search_words(folder, result))
    if not result.sources:
        raise UsageError(f"{folder} holds no workflow: no file there is an object with StartAt and States")
    return result.sources


def _claims(project: Project) -> Callable[[Path], bool]:
    """Whether the project says of a file that it is a definition."""
    claims = [project.workflows.resolve()]
    if (setting := project.setting("workflow")) is not None and (file := project.root / setting).is_file():
        claims.append(file.resolve())
    return lambda path: any(path.resolve().is_relative_to(each) for each in claims)


def _search_words(folder: Path, result: FolderSearch) -> str:
    """`sm: looked at 812 files in .: 12 workflows in 11 files, 801 passed over`."""
    count, inside = len(result.sources), result.files_with_definitions
    workflows = _count(count, "workflow")
    where = "" if count == inside else f" in {_count(inside, 'file')}"
    words = (
        f"sm: looked at {_count(result.files, 'file')} in {folder}: {workflows}{where}, {result.others:,} passed over"
    )
    if result.unreadable_files:
        names = ", ".join(result.unreadable_files[:_MOST_NAMED])
        more = "" if len(result.unreadable_files) <= _MOST_NAMED else ", …"
        number = len(result.unreadable_files)
        words += f"; of these {number:,} {'names' if number == 1 else 'name'} StartAt but cannot be read: {names}{more}"
    return words


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _check(source: DefinitionSource, options: CheckOptions) -> CheckedFile:
    """What is wrong with one definition."""
    document = source.result.document
    if options.aws and (document is not None or source.machine is None):
        from sm_cli.cli.validate.as_aws import aws_problems

        problems = aws_problems(source.result, source.text, display_name(source.file), express=options.express)
    elif document is None:
        problems = source.result.diagnostics
    else:
        problems = [*source.result.diagnostics, *problems_of(document, options)]
    problems = problems if document is None else [d for d in problems if _is_reported(d, options)]
    is_known = document is not None or any(problem.severity == "error" for problem in problems)
    return CheckedFile(source.file, source.text, problems, options.fails, source.machine, source.template, is_known)


def problems_of(document: Document, options: CheckOptions) -> list[Diagnostic]:
    """All problems of a definition, those that nobody wants to hear of too."""
    from sm_cli.asl.validation.validate import validate

    return validate(document, handlers=options.handlers, express=options.express)


def _is_reported(problem: Diagnostic, options: CheckOptions) -> bool:
    return problem.severity in options.levels and problem.code not in options.codes_to_ignore
