"""`sm validate`: every problem of a definition, with its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import AsJson, Handlers, Import, Substitutions, Trust, choice
from sm_cli.cli.validate.checking import CheckOptions, check_all, check_options

if TYPE_CHECKING:
    from sm_cli.cli.project.config import Project
    from sm_cli.cli.validate.reports import CheckedFile

FORMATS = ("text", "json", "sarif", "github", "junit")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate")(validate)


def validate(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", show_default=False,
                       help="Files, folders, or - for stdin; the project's workflows unless given."),
    ] = None,
    format: Annotated[str | None, typer.Option("--format", metavar="FORMAT",
                                               help="text, json, sarif, github or junit.")] = None,
    severity: Annotated[str, typer.Option("--severity", metavar="LEVEL",
                                          help="The least to show: error, warning or info.")] = "info",
    ignore: Annotated[list[str] | None, typer.Option("--ignore", metavar="CODE", show_default=False,
                                                     help="Say nothing of this code; may be given again.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings make a workflow invalid too.")] = False,
    type: Annotated[str, typer.Option("--type", metavar="TYPE", help="STANDARD or EXPRESS.")] = "STANDARD",
    aws: Annotated[bool, typer.Option("--aws", help="Only what AWS would refuse, in its codes and words.")] = False,
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what has one remedy only, and show it as a diff.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: show the diff, write nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever a file changes, until Ctrl-C.")] = False,
    by_content: Annotated[bool, typer.Option("--by-content", help="Pass over named files that hold no workflow, too.")
                          ] = False,
    import_: Import = False,
    json: AsJson = False,
    _trust: Trust = False,
) -> None:  # fmt: skip
    """Check workflows: OK, or every problem."""
    from sm_cli.errors import UsageError

    shape = choice(format, "--format", FORMATS) if format is not None else "json" if json else "text"
    names = paths or []
    if dry_run and not fix:
        raise UsageError("--dry-run says what --fix would do; give both")
    if fix and watch:
        raise UsageError("--fix and --watch exclude each other")
    if fix and not dry_run and "-" in names:
        raise UsageError("--fix writes files, and stdin is none", hint="--fix --dry-run - shows what would change.")
    project = find_project(substitutions=substitutions)

    def options() -> CheckOptions:
        return check_options(project, handlers=handlers, run_handlers=import_, severity=severity, ignore=ignore or [],
                   strict=strict, type=type, aws=aws, by_content=by_content)  # fmt: skip

    if watch:
        from sm_cli.cli.validate.watching import watching

        also = [place for place in (handlers, *(substitutions or ())) if place is not None and Path(place).exists()]

        def again() -> None:
            _once(find_project(substitutions=substitutions), names, options(), shape)

        watching(project, names, also, again)
        return
    if not (_fix_files(project, names, options(), shape, dry_run) if fix else _once(project, names, options(), shape)):
        raise typer.Exit(1)


def _once(project: Project, paths: list[str], options: CheckOptions, format: str) -> bool:
    """Check and tell; whether all is valid."""
    files = check_all(project, paths, options)
    _report(files, format)
    return all(each.is_valid for each in files)


def _fix_files(project: Project, paths: list[str], options: CheckOptions, format: str, dry_run: bool) -> bool:
    """Fix the files, then check them; with `dry_run` only show what would be fixed."""
    from sm_cli.cli.validate.fixing import fix_files

    before = check_all(project, paths, options)
    fix_files(before, options, project.reader(), to_stdout=format == "text", write=not dry_run)
    if dry_run:
        return all(each.is_valid for each in before)
    return _once(project, paths, options, format)


def _report(files: Sequence[CheckedFile], format: str) -> None:
    if format != "text":
        from sm_cli.cli.validate.reports import write_report

        write_report(files, format)
        return
    problems = any(each.problems for each in files)
    for each in files:
        if each.problems:
            from sm_cli.cli.validate.excerpts import Frames

            frames = Frames(each.text)
            for problem in each.problems:
                for line in frames.show(problem):
                    out.lines(line)
        if each.is_valid:
            out.text(f"{each.display_name}: {'OK' if each.is_known else 'not checked'}")
    if problems:
        from sm_cli.cli.validate.excerpts import summary

        out.text(summary([each.problems for each in files]))
