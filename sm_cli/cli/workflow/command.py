"""`sm workflow`: the group of its commands."""

from __future__ import annotations

import typer

from sm_cli.cli.workflow.changes import delete_versions, register_text, rollback, set_alias
from sm_cli.cli.workflow.diff import diff
from sm_cli.cli.workflow.export import export
from sm_cli.cli.workflow.list import list_all, show_version, versions


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("list")(list_all)
    group.command("show")(show_version)
    group.command("register")(register_text)
    group.command("versions")(versions)
    group.command("diff")(diff)
    group.command("alias")(set_alias)
    group.command("rollback")(rollback)
    group.command("delete")(delete_versions)
    group.command("export")(export)
    app.add_typer(group, name="workflow", help="Number, compare, name and go back to the texts of workflows.")
