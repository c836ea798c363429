"""`sm db export`: executions, states and events as files, for pandas, DuckDB and the like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, LockTimeout, Trust, choice


def export_tables(
    folder: Annotated[str, typer.Argument(metavar="DIR", show_default=False, help="Where the three files go.")],
    format: Annotated[str, typer.Option("--format", metavar="FORMAT", help="jsonl, csv or parquet.")] = "jsonl",
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help="Started since: 1h, 2d, …")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Write executions, states and events into three files, for pandas, DuckDB and the like."""
    from sm_cli.views.operating.export import FORMATS, export_database

    choice(format, "--format", FORMATS)
    moment = None
    if since is not None:
        from sm_cli.cli.terminal.moments import microseconds_of

        moment = microseconds_of(since, "--since")
    with opened_store(db) as store:
        counts = export_database(store, Path(folder), format, since=moment, force=force)
    if json:
        out.value({f"{name}.{format}": count for name, count in counts.items()})
    say(", ".join(f"{folder}/{name}.{format}: {count:,} rows" for name, count in counts.items()))
