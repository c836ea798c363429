"""The scripts of the migrations, `migrations/0001_initial.sql` and on: one set for every database."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from sm_cli.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator


#: A database has its schema's number plus this one as long as a copy into it is under way: nobody knows that schema.
UNFINISHED = 1_000_000


@cache
def migrations() -> tuple[str, ...]:
    """The scripts in their order; the first one's number is 1. Raises ValueError for a hole in the numbers."""
    names = sorted(_files())
    if [int(name.split("_")[0]) for name in names] != list(range(1, len(names) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, …: {names}")
    return tuple((queries.SQL / "migrations" / name).read_text(encoding="utf-8") for name in names)


@cache
def newest_schema() -> int:
    """The schema that this sm writes."""
    return len(_files())


def _files() -> list[str]:
    names = os.listdir(queries.SQL / "migrations")  # noqa: PTH208 - a third of what glob costs
    return [name for name in names if name[:1].isdecimal() and name.endswith(".sql")]


def statements(script: str) -> Iterator[str]:
    """The statements of a script, each with its semicolon; triggers stay whole. Raises ValueError for one without an
    end."""
    from sqlite3 import complete_statement

    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip() and not all(line.startswith("--") for line in statement.strip().splitlines()):
        raise ValueError(f"a migration ends in the middle of a statement: {statement.strip()[:60]}")
