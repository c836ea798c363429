"""The database as a file, for front ends: backup, size, soundness, compacting, somebody's own questions.

All of it needs a database in a file; one in memory or on a server is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sm_cli.errors import ConfigurationError
from sm_cli.jsonvalue import Json

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.sqlite.database import SqliteStore
    from sm_cli.store.sqlite.upkeep import FileFacts


def _file(store: Store) -> SqliteStore:
    from sm_cli.store.sqlite.database import SqliteStore

    if not isinstance(store, SqliteStore):
        raise ConfigurationError("this needs a database in an SQLite file, and this one is in none", topic="other path")
    return store


def back_up(store: Store, target: Path, *, force: bool = False) -> int:
    """Copy the database to a file, mode 0600, while others go on writing; returns its bytes. force: replace a file.

    Raises Conflict for a file that is there, DatabaseError, ConfigurationError."""
    from sm_cli.store.sqlite.backup import write_backup

    return write_backup(_file(store), target, force=force)


def database_facts(store: Store) -> FileFacts:
    """Path, size and schema. Raises ConfigurationError."""
    from sm_cli.store.sqlite.upkeep import file_facts

    return file_facts(_file(store))


def database_document(store: Store) -> dict[str, Json]:
    """Path, bytes, schema, free pages, executions by status, and rows of every table. Raises ConfigurationError."""
    from sm_cli.store.sqlite.reading import count_rows

    facts = database_facts(store)
    with store.read() as questions:
        counts, children = questions.count_executions()
    statuses: dict[str, Json] = dict(counts)
    tables: dict[str, Json] = dict(count_rows(_file(store)))
    return {
        "path": facts.path,
        "bytes": facts.size,
        "walBytes": facts.wal_size,
        "freeBytes": facts.free_pages * facts.page_size,
        "pages": facts.pages,
        "freePages": facts.free_pages,
        "pageBytes": facts.page_size,
        "schema": facts.schema,
        "executions": statuses,
        "mapRunChildren": children,
        "tables": tables,
    }


def database_problems(store: Store) -> list[str]:
    """What is wrong in the database, a sentence each; empty when it is sound. Raises ConfigurationError."""
    from sm_cli.store.sqlite.upkeep import find_problems

    return find_problems(_file(store))


def compact_database(store: Store) -> tuple[int, int]:
    """Give free room back to the disk: (bytes before, bytes after). Nobody writes meanwhile. Raises DatabaseError."""
    from sm_cli.store.sqlite.upkeep import vacuum

    return vacuum(_file(store))


def answer_select(store: Store, sql: str) -> Iterator[dict[str, Any]]:
    """The rows that somebody's SELECT answers. Raises UsageError for one that SQLite cannot read or that writes."""
    from sm_cli.store.sqlite.reading import select_rows

    return select_rows(_file(store), sql)
