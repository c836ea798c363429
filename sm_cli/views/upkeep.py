"""The database as a whole, for front ends: backup, size, soundness, compacting, somebody's own questions.

All of it needs a database in a file or on a server; one in memory is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sm_cli.errors import ConfigurationError
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store, schema_number, upkeep_of
from sm_cli.store.scripts import newest_schema
from sm_cli.store.waiting import Patience
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.upkeep.answers import DatabaseFacts, DatabaseProblem, DatabaseState, Upkeep


def _upkeep(store: Store) -> Upkeep:
    upkeep = upkeep_of(store)
    if upkeep is None:
        raise ConfigurationError("this needs a database in a file or on a server", topic="other path")
    return upkeep


def back_up(store: Store, target: Path, *, force: bool = False) -> int:
    """Copy the database to a file, mode 0600, while others go on writing; returns its bytes. force: replace a file.

    Raises Conflict for a file that is there, DatabaseError, ConfigurationError for a database that is no file."""
    from sm_cli.store.sqlite.database import SqliteStore

    _upkeep(store)
    if not isinstance(store, SqliteStore):
        raise ConfigurationError("a database on a server is backed up by the server's own tools", topic="server backup")
    from sm_cli.store.sqlite.backup import write_backup

    return write_backup(store, target, force=force)


def database_facts(store: Store) -> DatabaseFacts:
    """Where it is, its size and schema. Raises ConfigurationError, DatabaseError."""
    return _upkeep(store).facts()


def database_state(store: Store) -> DatabaseState | None:
    """How a database is kept, and what that puts at risk; None for one in memory. Raises DatabaseError."""
    upkeep = upkeep_of(store)
    return None if upkeep is None else upkeep.state()


class _Undo(Exception):
    """Ends a transaction that only was to be tried."""


def try_to_write(store: Store) -> None:
    """Write something and undo it. Raises DatabaseError when that cannot be, DatabaseBusy when somebody else writes for
    longer than a second."""
    before = store.patience
    store.patience = Patience(lambda: 1.0)
    try:
        with store.write() as transaction:
            session = transaction.session
            row = session.one("next_id", ("execution",))
            session.many("set_next_id", [(0 if row is None else row[0], "execution")])
            raise _Undo
    except _Undo:
        pass
    finally:
        store.patience = before


def database_document(store: Store) -> dict[str, Json]:
    """Where it is, bytes, schema, executions by status, what one of them takes on average, the oldest that is open, and
    rows of every table. Raises ConfigurationError, DatabaseError."""
    upkeep = _upkeep(store)
    facts = upkeep.facts()
    with store.read() as questions:
        counts, children = questions.count_executions()
        oldest = questions.oldest_open()
    total = sum(counts.values()) + children
    statuses: dict[str, Json] = dict(counts)
    tables: dict[str, Json] = dict(upkeep.count_rows())
    open_one: Json = None
    if oldest is not None:
        ref, name, workflow, started = oldest
        open_one = {"id": ref, "name": name, "workflow": workflow, "started": rfc3339(started)}
    return {
        **facts.details,
        "bytes": facts.size,
        "schema": facts.schema,
        "execution_counts": statuses,
        "map_run_children": children,
        "bytes_per_execution": (facts.size - (facts.free_size or 0)) // total if total else None,
        "oldest_open": open_one,
        "tables": tables,
    }


def database_problems(store: Store) -> list[DatabaseProblem]:
    """What is wrong in the database; empty when it is sound. Raises ConfigurationError, DatabaseError."""
    return _upkeep(store).find_problems()


def repair_database(store: Store) -> tuple[list[DatabaseProblem], list[DatabaseProblem]]:
    """Put right what can be without losing anything: (what was wrong, what still is). Raises ConfigurationError,
    DatabaseError."""
    upkeep = _upkeep(store)
    problems = upkeep.repair()
    return problems, upkeep.find_problems() if problems else []


def migrate_database(url: str, patience: Patience) -> tuple[int | None, int]:
    """Make the database that a URL names, or bring it to the newest schema: (its schema before, None when it was not
    there; its schema now). Raises ConfigurationError, DatabaseError."""
    before = schema_number(url, patience)
    open_store(url, patience=patience).close()
    return before, newest_schema()


def compact_database(store: Store) -> tuple[int, int]:
    """Give free room back to the disk: (bytes before, bytes after). Nobody writes meanwhile. Raises DatabaseError."""
    return _upkeep(store).compact()


def answer_select(store: Store, sql: str) -> Iterator[dict[str, Any]]:
    """The rows that somebody's SELECT answers. Raises UsageError for one that cannot be read or that writes."""
    return _upkeep(store).select_rows(sql)
