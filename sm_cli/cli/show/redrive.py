"""`sm redrive`: a failed execution, or all that filters choose, goes on from where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.show.several import Chosen, Several, Since, Yes, selection
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say, warn
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, OfWorkflow, Substitutions, Trust
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sm_cli.engine.engine import Workflow
    from sm_cli.engine.stepping.redrive import Again
    from sm_cli.jsonvalue import Json
    from sm_cli.views.listing import Execution, ExecutionFilter

_REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("redrive")(redrive)


def redrive(
    execution: Chosen = None,
    state: Annotated[
        str | None, typer.Option("--from", metavar="STATE", help="Go on from this state of the workflow's top level.")
    ] = None,
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE|-|JSON", help="With --from: its input, unless what it last had will do."),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="N", help="Go on with this version of its workflow.")
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option("--definition", metavar="FILE", help="Go on with this text, which becomes a version."),
    ] = None,
    substitutions: Substitutions = None,
    workflow: OfWorkflow = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="Only these: FAILED, TIMED_OUT or ABORTED.")
    ] = None,
    since: Since = None,
    error: Annotated[str | None, typer.Option("--error", metavar="NAME", help="Only those that ended with it.")] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would run again.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Go on with a failed, timed out or stopped execution, or all that filters choose; what succeeded is not done
    again."""
    from sm_cli.cli.terminal.inputs import read_json
    from sm_cli.views.executions import execution_now, redrive_document

    if input is not None and state is None:
        raise UsageError("--input belongs to --from: without it every state keeps the input that it had")
    number, text = _other_text(version, definition, substitutions)
    filters = selection(execution, _REDRIVABLE, workflow=workflow, status=status, since=since, error=error)
    with opened_engine(db) as engine:
        record = engine.find(execution or "") if filters is None else None
        document = None if input is None else read_json(input, "--input")

        def go_on(each: Execution) -> list[Again]:
            return engine.redrive(each, state=state, input=document, dry_run=dry_run, version=number, definition=text)

        if record is None:
            _redrive_several(Several(engine, "redrive", "redriven", dry_run, json), filters, go_on, yes=yes)
            return
        again = go_on(record)
        current = execution_now(engine, record.id)
    for each in again:
        if each.type == "Fail":
            warn(f"{each.state} is a Fail state, so it fails again; --from STATE goes on from another one")
    goes_on = number if dry_run or current is None else current.version
    if json:
        out.value(redrive_document(record, again, version=goes_on, dry_run=dry_run))
    else:
        _print_again(record, again, dry_run, None if (number, text) == (None, None) else goes_on, definition)


def _print_again(
    record: Execution, again: list[Again], dry_run: bool, version: int | None, definition: str | None
) -> None:
    """What runs again, and on what. version: the other one that it goes on with, where it is known."""
    for each in again:
        out.text(_line(each))
    reference = f"{record.workflow}:{version}"
    if dry_run:
        other = f" on the text of {definition}" if definition is not None else f" on {reference}"
        other = "" if definition is None and version is None else other
        say(f"execution {record.name} stays {record.status}; without --dry-run the above runs again{other}")
    else:
        other = "" if version is None else f" with {reference}"
        say(f"execution {record.name} goes on{other}; a worker takes its tasks: sm worker")


def _other_text(
    version: str | None, definition: str | None, substitutions: list[str] | None
) -> tuple[int | None, Workflow | None]:
    """(the number of the version to go on with, the text to go on with). Raises UsageError, InvalidDefinition."""
    if version is not None and definition is not None:
        raise UsageError("go on with a version, or with a text: not both")
    if definition is not None:
        from sm_cli.cli.project import workflows

        project = find_project(substitutions=substitutions)
        return None, workflows.load(project, workflows.choose(project, definition))
    if version is None:
        return None, None
    from sm_cli.engine.versions.references import version_number

    number = version_number(version)
    if number is None:
        raise UsageError(f"--version takes the number of a version, not {version!r}")
    return number, None


def _redrive_several(
    several: Several, filters: ExecutionFilter | None, go_on: Callable[[Execution], list[Again]], *, yes: bool
) -> None:
    from sm_cli.views.executions import again_documents

    def act(execution: Execution) -> dict[str, Json]:
        again = go_on(execution)
        if not several.json:
            out.text(f"{execution.ref}  {execution.name}: {', '.join(map(_line, again))}")
        return {"again": again_documents(again)}

    assert filters is not None
    several.carry_out(filters, act, yes=yes)
    if several.successes and not several.dry_run:
        say("a worker takes their tasks: sm worker")


def _line(again: Again) -> str:
    return " / ".join((*again.where, f"{again.state} ({again.type})"))
