"""Which files `sm validate` checks, what it asks of them, and what of the answers counts.

A problem that is not shown does not count either: not one below --severity, not one under --ignore.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import choice
from sm_cli.cli.validate.reports import CheckedFile, display_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sm_cli.asl.text.source import Document
    from sm_cli.cli.project.config import Project
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.jsonvalue import Json

_LEVELS = ("error", "warning", "info")
_TYPES = ("STANDARD", "EXPRESS")


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
    #: Values for `${Name}` by name; None: none were given.
    substitutions: Mapping[str, Json] | None = None


def check_options(
    project: Project, *, handlers: str | None, run_handlers: bool, severity: str, ignore: Sequence[str], strict: bool,
    type: str, aws: bool, substitutions: str | None,
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
        None if substitutions is None else _substitutions(substitutions),
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


def _substitutions(path: str) -> Mapping[str, Json]:
    from sm_cli.asl.text.source import parse
    from sm_cli.cli.project.workflows import read_definition
    from sm_cli.errors import UsageError

    parsed_file = parse(read_definition(path), file=display_name(path))
    if parsed_file.document is None or not isinstance(parsed_file.document.value, dict):
        first = f": {parsed_file.diagnostics[0].message}" if parsed_file.diagnostics else ""
        raise UsageError(f"{path} gives no substitutions{first}", hint='It holds an object such as {"Name": "value"}.')
    return parsed_file.document.value


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
    """Every file that is meant, sorted by name, with its problems."""
    files = sorted(definition_files(project, paths))
    return [
        checked_file for file, in_folder in files if (checked_file := _check_file(file, options, in_folder)) is not None
    ]


def definition_files(project: Project, paths: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """(file, whether it was found in a folder), each file once. Raises UsageError for a folder without any."""
    from sm_cli.cli.project.workflows import choose
    from sm_cli.errors import UsageError

    if not paths:
        has_setting = project.setting("workflow") is not None
        paths = [str(project.workflows)] if not has_setting and project.workflows.is_dir() else [choose(project, None)]
    files_so_far = set()
    for path in paths:
        if path != "-" and Path(path).is_dir():
            inside = [(str(file), True) for file in _definitions_below(Path(path))]
            if not inside:
                raise UsageError(f"{path} holds no workflow: no .yaml, .yml or .json file")
        else:
            inside = [(choose(project, path), False)]
        for file, in_folder in inside:
            if file not in files_so_far:
                files_so_far.add(file)
                yield file, in_folder


def _definitions_below(folder: Path) -> list[Path]:
    from sm_cli.cli.project.workflows import SUFFIXES

    below = (file for file in folder.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    return sorted(file for file in below if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def _check_file(file: str, options: CheckOptions, in_folder: bool) -> CheckedFile | None:
    """What is wrong with one file; None for a file of a folder that is JSON or YAML but no workflow."""
    from sm_cli.asl.text.source import parse
    from sm_cli.cli.project.workflows import read_definition

    content, display = read_definition(file), display_name(file)
    parsed_file = parse(content, file=display)
    text = content.decode("utf-8-sig", "replace")
    value = parsed_file.document.value if parsed_file.document is not None else None
    if in_folder and isinstance(value, dict) and "StartAt" not in value and "States" not in value:
        return None
    if options.aws:
        from sm_cli.cli.validate.as_aws import aws_problems

        problems = aws_problems(parsed_file, content, options.substitutions or {}, display, express=options.express)
    elif parsed_file.document is None:
        return CheckedFile(file, text, parsed_file.diagnostics, options.fails)
    else:
        problems = [*parsed_file.diagnostics, *problems_of(parsed_file.document, options)]
    return CheckedFile(file, text, [d for d in problems if _is_reported(d, options)], options.fails)


def problems_of(document: Document, options: CheckOptions) -> list[Diagnostic]:
    """All problems of a definition, those that nobody wants to hear of too."""
    from sm_cli.asl.validation.validate import validate

    return validate(document, handlers=options.handlers, express=options.express, substitutions=options.substitutions)


def _is_reported(problem: Diagnostic, options: CheckOptions) -> bool:
    return problem.severity in options.levels and problem.code not in options.codes_to_ignore
