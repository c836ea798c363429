"""`sm export`: a workflow as a project that AWS's tools deploy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say, warn
from sm_cli.cli.terminal.options import (
    Database,
    Handlers,
    Import,
    LockTimeout,
    Substitutions,
    Trust,
    choice,
)

if TYPE_CHECKING:
    from sm_cli.asl.export.plan import ExportPlan, LogLevel, MachineType
    from sm_cli.cli.export.sources import ExportSource
    from sm_cli.diagnostics import Diagnostic

_FORMATS = ("sam", "cloudformation", "terraform", "cdk", "serverless")
_TYPES = ("STANDARD", "EXPRESS")
_LEVELS = ("ALL", "ERROR", "FATAL", "OFF")
#: What comes next, by the format.
_NEXT = {
    "sam": "sam build && sam deploy --guided",
    "cloudformation": "pip install -r functions/*/requirements.txt -t …, then aws cloudformation package and deploy",
    "terraform": "pip install -r functions/*/requirements.txt -t …, then terraform init && terraform apply",
    "cdk": "pip install -r requirements.txt, and those of functions/* beside their app.py, then cdk deploy",
    "serverless": "npm install serverless-step-functions serverless-python-requirements, then serverless deploy",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export_workflow)


def export_workflow(
    workflow: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORKFLOW]", show_default=False,
            help="A file, template.yaml#Order, a name, order:3, order:prod, or - for stdin; the only one unless given.",
        ),
    ] = None,
    format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="sam, cloudformation, terraform, cdk or serverless.")
    ] = "sam",
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="DIR|FILE",
                     help="A folder for the whole project, or a file for the template alone; stdout unless given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Only list what AWS would refuse; write nothing.")] = False,
    replace_messages: Annotated[
        bool, typer.Option("--replace-messages", help="Let each Message become a task that waits for a token.")
    ] = False,
    allow_refused: Annotated[
        bool, typer.Option("--allow-refused", help="Write it also when AWS would refuse it.")
    ] = False,
    type: Annotated[str, typer.Option("--type", metavar="TYPE", help="STANDARD or EXPRESS.")] = "STANDARD",
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="What AWS logs: ALL, ERROR, FATAL or OFF.")
    ] = "OFF",
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    import_: Import = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:  # fmt: skip
    """Write a workflow as a project for AWS: a template, the definition, and its handlers as Lambda functions."""
    from sm_cli.asl.export.planning import plan_export
    from sm_cli.cli.export.sources import find_handler_files, find_source

    choice(format, "--format", _FORMATS)
    level = choice(log_level.upper(), "--log-level", _LEVELS)
    kind = cast("MachineType", choice(type.upper(), "--type", _TYPES))
    project = find_project(substitutions=substitutions)
    source = find_source(project, workflow, db, express=kind == "EXPRESS")
    files = find_handler_files(project, handlers, run=import_)
    plan = plan_export(
        source.name, source.definition, {name: file.stem for name, file in files.items()}, type=kind,
        log_level=None if level == "OFF" else cast("LogLevel", level), messages=replace_messages,
    )  # fmt: skip
    problems = source.aws_problems(plan)
    refusals = [each for each in problems if each.severity == "error"]
    if aws:
        _list_problems(source, problems)
        raise typer.Exit(1 if refusals else 0)
    if refusals and not allow_refused:
        raise _refusal(refusals, plan, has_messages=not replace_messages)
    _write(source, plan, format, output, files, force=force)
    if problems:
        _warn_of(problems)


def _warn_of(problems: list[Diagnostic]) -> None:
    """Say in one line that AWS has something against what was written."""
    verb = "refuses" if any(each.severity == "error" for each in problems) else "warns of"
    warn(f"AWS {verb} {len(problems)} thing{'s'[: len(problems) != 1]} in it: sm export --aws lists them")


def _list_problems(source: ExportSource, problems: list[Diagnostic]) -> None:
    """What AWS would refuse, or warns of: on stdout, as `sm validate --aws` says it."""
    if problems:
        from sm_cli.cli.validate.excerpts import Frames, summary

        frames = Frames(source.text)
        for problem in problems:
            for line in frames.show(problem):
                out.lines(line)
        out.text(summary([problems]))
    if not any(each.severity == "error" for each in problems):
        out.text(f"{source.name}: OK")


def _refusal(refusals: list[Diagnostic], plan: ExportPlan, *, has_messages: bool) -> Exception:
    """What AWS refuses, as an error: nothing is written."""
    from sm_cli.asl.outline import outline
    from sm_cli.errors import InvalidDefinition

    error = InvalidDefinition(refusals)
    states = (state for machine in outline(plan.definition) for state in machine.states.values())
    more = ""
    if has_messages and any(state.type == "Message" for state in states):
        more = " With --replace-messages each Message becomes a task that waits for a token."
    error.hint = f"AWS would refuse this, so nothing was written; --allow-refused writes it all the same.{more}"
    return error


def _write(
    source: ExportSource, plan: ExportPlan, format: str, output: str | None, files: dict[str, Path], *, force: bool
) -> None:
    from sm_cli.asl.export.formats import files_of, template_of

    for note in source.notes(plan):
        say(f"sm: note: {note}")
    if output is None:
        out.exact_text(template_of(plan, format))
    elif _is_file(output):
        from sm_cli.cli.export.writing import write_files

        path = Path(output)
        write_files(path.parent, {path.name: template_of(plan, format)}, force=force)
        say(f"{output} was written")
    else:
        from sm_cli.cli.export.packaging import code_files, local_packages
        from sm_cli.cli.export.writing import write_files

        code = code_files(plan, files)
        texts: dict[str, str | bytes] = {**files_of(plan, format), **code}
        write_files(Path(output), texts, force=force)
        for line in local_packages(code):
            say(f"sm: note: only here can be installed what requirements.txt has: {line}")
        say(f"{output}: {', '.join(_display_names(texts))} written; next, there: {_NEXT[format]}")
        return
    if plan.functions:
        folders = ", ".join(f"functions/{module}" for module in plan.modules)
        say(f"sm: note: the template names {folders}, which --output DIR writes")


def _is_file(output: str) -> bool:
    """Whether a template alone is meant: the path has an ending, and is no folder."""
    return not output.endswith("/") and not Path(output).is_dir() and Path(output).suffix != ""


def _display_names(files: dict[str, str | bytes]) -> list[str]:
    """The files at the top, and each folder once with the number of its files."""
    folders: dict[str, int] = {}
    names: list[str] = []
    for path in files:
        folder, slash, _ = path.partition("/")
        if not slash:
            names.append(path)
        else:
            folders[folder] = folders.get(folder, 0) + 1
    return [*names, *(f"{folder}/ ({count} file{'s'[: count != 1]})" for folder, count in folders.items())]
