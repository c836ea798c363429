"""`sm schema`: the JSON Schema by which an editor completes and checks workflows while they are written."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema() -> None:
    """Print a JSON Schema of workflows, for editors."""
    sys.stdout.write(schema_text())


def schema_text() -> str:
    """The schema as a file holds it."""
    import json

    from sm_cli.asl.editor.json_schema import editor_schema

    return json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n"
