"""`sm db`: backup, info, check, compact, migrate, copy, query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sm_cli.cli.database.copy import copy_to_database
from sm_cli.cli.database.export import export_tables
from sm_cli.cli.database.prune import prune_executions
from sm_cli.cli.project.opening import opened_store, url_and_patience
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, Full, LockTimeout, Output, Trust, output_format

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("backup")(backup)
    group.command("info")(info)
    group.command("check")(check_soundness)
    group.command("compact")(compact)
    group.command("vacuum", help="The same as sm db compact.")(compact)
    group.command("migrate")(migrate)
    group.command("copy")(copy_to_database)
    group.command("export")(export_tables)
    group.command("prune")(prune_executions)
    group.command("query")(query)
    app.add_typer(group, name="db", help="Back up, check, shorten and ask the database.")


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", show_default=False, help="Where the copy goes.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Copy the database to a file, while workers go on."""
    from sm_cli.views.upkeep import back_up

    with opened_store(db) as store:
        size = back_up(store, Path(file), force=force)
    say(f"{file}: {size_text(size)}, with the key of the task tokens")


def info(db: Database = None, json: AsJson = False, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Show how large the database is, and what is in it."""
    from sm_cli.views.upkeep import database_document

    with opened_store(db) as store:
        facts = database_document(store)
    if json:
        out.value(facts)
        return
    for head, text in _facts(facts):
        out.text(f"{head:<12}{text}")


def _facts(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    size = size_text(facts["bytes"])
    if "path" in facts:
        yield "path", facts["path"]
        yield "size", f"{size}, of which {size_text(facts['free_bytes'])} are free"
        yield "log", size_text(facts["wal_bytes"])
    else:
        yield "server", f"{facts['url']}, Postgres {facts['server_version']}"
        yield "size", f"{size}; {facts['dead_rows']:,} rows are dead"
    yield "schema", str(facts["schema"])
    counts = [f"{count:,} {status}" for status, count in facts["execution_counts"].items()]
    if facts["map_run_children"]:
        counts.append(f"{facts['map_run_children']:,} children of map runs")
    yield "executions", ", ".join(counts) or "none"
    if facts["bytes_per_execution"] is not None:
        yield "growth", f"{size_text(facts['bytes_per_execution'])} an execution"
    if (oldest := facts["oldest_open"]) is not None:
        yield "oldest", f"{oldest['name']} of {oldest['workflow']} has been open since {oldest['started']}"
    yield "rows", ", ".join(f"{count:,} {table}" for table, count in sorted(facts["tables"].items()) if count)


def check_soundness(
    fix: Annotated[bool, typer.Option("--fix", help="Put right what can be without losing anything.")] = False,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Check that nothing in the database is damaged or missing."""
    from sm_cli.errors import DatabaseError
    from sm_cli.views.upkeep import database_problems, repair_database

    repairs: list[str] = []
    with opened_store(db) as store:
        if fix:
            before, problems = repair_database(store)
            still = {problem.text for problem in problems}
            repairs = [problem.text for problem in before if problem.text not in still]
        else:
            problems = database_problems(store)
    texts = [problem.text for problem in problems]
    if json:
        repairable = [problem.text for problem in problems if problem.is_repairable]
        out.value({"ok": not problems, "problems": [*texts], "repairable": [*repairable], "fixed": [*repairs]})
    else:
        for text in repairs:
            out.text(f"fixed: {text}")
        for text in texts:
            out.text(text)
    if problems:
        say(f"the database is damaged: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
        if not fix and any(problem.is_repairable for problem in problems):
            say("sm db check --fix puts right what can be without losing anything")
        raise typer.Exit(DatabaseError.exit_code)
    say("the database is sound")


def compact(db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Give free room in the database back to the disk; nobody writes meanwhile."""
    from sm_cli.views.upkeep import compact_database

    with opened_store(db) as store:
        before, after = compact_database(store)
    say(f"{size_text(before)} before, {size_text(after)} now")


def migrate(
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="NAME", help="Make an engine's own tables too: procrastinate has some."),
    ] = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Make the database, or bring it to this program's schema."""
    from sm_cli.views.upkeep import migrate_database

    url, patience = url_and_patience(db)
    before, now = migrate_database(url, patience)
    if before is None:
        say(f"made, with schema {now}")
    elif before < now:
        say(f"brought from schema {before} to {now}")
    else:
        say(f"its schema is {now} already")
    if engine is not None:
        from sm_cli.carriers.open import set_up

        say(f"the tables of {engine} are {'made' if set_up(engine, url) else 'there already'}")


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", show_default=False, help="One question: SELECT …")],
    full: Full = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Ask the database a question of your own; nothing is changed by it."""
    from sm_cli.views.upkeep import answer_select

    format = output_format(output, json)
    with opened_store(db) as store:
        rows = answer_select(store, sql)
        if format == "jsonl":
            for row in rows:
                out.rows([_plain(row)], format)
        elif format != "table":
            out.rows([_plain(row) for row in rows], format)
        else:
            _table(rows, full=full)


def _plain(row: dict[str, Any]) -> dict[str, Json]:
    return {name: f"0x{value.hex()}" if isinstance(value, bytes) else value for name, value in row.items()}


def _table(rows: Iterator[dict[str, Any]], *, full: bool) -> None:
    from itertools import chain

    from sm_cli.cli.terminal.growing import growing_table

    first = next(rows, None)
    if first is None:
        say("no rows")
        return

    def cells(row: dict[str, Any]) -> list[str]:
        return ["" if value is None else str(value) for value in _plain(row).values()]

    for _, line in growing_table(list(first), chain([first], rows), cells, full=full):
        out.text(line)


def size_text(size: int) -> str:
    """`35.0 MB`: as much as a person wants to know of so many bytes."""
    number, unit = float(size), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{size} bytes" if not unit else f"{number:.1f} {_UNITS[unit]}"
