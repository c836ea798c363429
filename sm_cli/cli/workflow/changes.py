"""`sm workflow register`, `alias`, `rollback` and `delete`: what a name means, and what is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.opening import opened_engine, opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    LockTimeout,
    Output,
    Substitutions,
    TableOutput,
    Trust,
    output_format,
    table_format,
)
from sm_cli.cli.workflow.words import Reference, Workflow, bare_name, project_file, read_reference, targets_text
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Alias


def register_text(
    file: Annotated[
        str,
        typer.Argument(metavar="WORKFLOW", show_default=False, help="A file, a name in workflows/, or - for stdin."),
    ],
    alias: Annotated[
        str | None, typer.Option("--alias", metavar="ALIAS", help="Let this alias mean the version from now on.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The workflow's name; the file's unless given.")
    ] = None,
    substitutions: Substitutions = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Register the text of a file as a version of its workflow, which a bare name means from then on. The same text
    again is the same version."""
    from dataclasses import replace

    from sm_cli.cli.project import workflows

    format = output_format(output, json)
    project = find_project(substitutions=substitutions)
    workflow = workflows.load(project, workflows.choose(project, file))
    workflow = workflow if name is None else replace(workflow, name=name)
    with opened_engine(db, project, workflow, create=True) as engine:
        registration = engine.workflows.register(workflow, alias)
    reference = f"{workflow.name}:{registration.number}"
    if format != "table":
        out.one(
            {"workflow": workflow.name, "version": registration.number, "new": registration.is_new, "alias": alias},
            format,
        )
        return
    out.text(reference)
    note = "is new" if registration.is_new else "was registered before: the text is the same"
    say(f"{reference} {note}" + ("" if alias is None else f"; {workflow.name}:{alias} means it from now on"))


def set_alias(
    workflow: Workflow,
    change: Annotated[
        str | None,
        typer.Argument(
            metavar="ALIAS=VERSION[:SHARE,…]", show_default=False,
            help="prod=5, or prod=5:90,4:10 for shares in percent; without it the aliases are listed.",
        ),
    ] = None,
    delete: Annotated[
        str | None, typer.Option("--delete", metavar="ALIAS", help="Forget this alias.")
    ] = None,
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:  # fmt: skip
    """Let an alias mean a version, or two that share the starts; or list the aliases of a workflow."""
    format, wide = table_format(output, json)
    name = bare_name(workflow)
    if delete is not None:
        if change is not None:
            raise UsageError("set an alias, or forget one: not both")
        with opened_engine(db) as engine:
            engine.workflows.delete_alias(name, delete)
        say(f"{name}:{delete} means nothing any more")
        return
    if change is None:
        _list_aliases(db, name, format, wide=wide)
        return
    from sm_cli.engine.versions.aliases import parse_targets
    from sm_cli.views.workflows.versions import alias_document

    alias_name, sign, targets = change.partition("=")
    if not sign:
        raise UsageError(f"{change!r} says no version: {alias_name}=5, or {alias_name}=5:90,4:10")
    with opened_engine(db) as engine:
        alias = engine.workflows.set_alias(name, alias_name, parse_targets(targets))
    if format != "table":
        out.one(alias_document(alias), format)
        return
    say(f"{name}:{alias_name} means {_meaning(alias)}")


def _meaning(alias: Alias) -> str:
    """`version 5`, or `version 5 for 90 % of the starts and version 4 for 10 %`."""
    first, *rest = alias.targets
    if not rest:
        return f"version {first[0]}"
    return f"version {first[0]} for {first[1]} % of the starts and version {rest[0][0]} for {rest[0][1]} %"


def _list_aliases(db: str | None, workflow: str, format: str, *, wide: bool) -> None:
    from sm_cli.cli.terminal.fitting import TimeCell, print_table
    from sm_cli.views.workflows.versions import alias_document, aliases_of

    with opened_store(db) as store:
        aliases = aliases_of(store, workflow)
    if format != "table":
        out.rows([alias_document(each) for each in aliases], format)
    elif not aliases:
        say(f"the workflow {workflow} has no alias")
    else:
        lines = [(each.name, targets_text(each.targets), TimeCell(each.updated)) for each in aliases]
        print_table(("ALIAS", "VERSIONS", "SET"), lines, wide=wide, now=time.time_ns() // 1000)


def rollback(
    reference: Reference,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="This version; the one before unless given.")
    ] = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Let a name, or an alias (order:prod), mean an older version; what runs stays on its own."""
    from sm_cli.engine.versions.references import version_number

    format = output_format(output, json)
    number = version_number(to)
    if to is not None and number is None:
        raise UsageError(f"--to takes the number of a version, not {to!r}")
    target = read_reference(reference)
    project = find_project()
    with opened_engine(db, project) as engine:
        move = engine.workflows.roll_back(target, number)
    if format != "table":
        out.one(
            {"workflow": target.workflow, "alias": target.qualifier,
             "before": {str(version): share for version, share in move.before},
             "after": {str(version): share for version, share in move.after}},
            format,
        )  # fmt: skip
        return
    after = targets_text(move.after)
    if move.before == move.after:
        say(f"{target} means version {after} already")
        return
    say(f"{target} means version {after} from now on, before it was {targets_text(move.before)}")
    file = None if target.qualifier is not None else project_file(project, target.workflow)
    if file is not None:
        say(
            f"{file} stays as it is, and `sm run {target.workflow}` here takes its text: "
            f"sm workflow export {target.workflow}:{after} prints the older one"
        )


def delete_versions(
    reference: Reference,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete all versions without a question.")] = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Delete a version, or a workflow with all versions and aliases. Refused while an open execution needs it."""
    from sm_cli.cli.show.several import ask
    from sm_cli.engine.versions.references import version_number

    name, qualifier = read_reference(reference)
    number = version_number(qualifier)
    if qualifier is not None and number is None:
        raise UsageError(
            f"{qualifier!r} is no number of a version; sm workflow alias {name} --delete {qualifier} forgets an alias"
        )
    with opened_engine(db) as engine:
        if number is None and not yes and not ask(f"delete {_count_text(engine, name)} of {name}?", "--yes does it"):
            say("nothing was deleted")
            raise typer.Exit(1)
        versions = engine.workflows.delete(name, number)
    numbers = ", ".join(str(each.number) for each in reversed(versions))
    what, verb = ("version", "is") if len(versions) == 1 else ("versions", "are")
    say(f"{what} {numbers} of {name} {verb} deleted; closed executions keep their text")


def _count_text(engine: Engine, name: str) -> str:
    from sm_cli.views.workflows.versions import versions_of

    count = len(versions_of(engine.store, name))
    return "the only version" if count == 1 else f"all {count} versions"
