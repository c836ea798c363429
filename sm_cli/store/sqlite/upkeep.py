"""An SQLite file as a whole: its size, whether it is sound, making it smaller."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from sm_cli.errors import DatabaseError
from sm_cli.jsonvalue import Json
from sm_cli.store import scripts
from sm_cli.store.sqlite import errors, reading
from sm_cli.store.sqlite.hazards import state_of_file
from sm_cli.store.sqlite.write_lock import WriteLock
from sm_cli.store.upkeep import soundness
from sm_cli.store.upkeep.answers import DatabaseFacts, DatabaseProblem, DatabaseState
from sm_cli.store.waiting import LockWait, poll

if TYPE_CHECKING:
    from sm_cli.store.sqlite.database import SqliteStore


class SqliteUpkeep:
    """What `Upkeep` asks of a file."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def facts(self) -> DatabaseFacts:
        """Size, schema and free pages. Raises DatabaseError."""
        real = Path(os.path.realpath(self._store.path))
        log = real.with_name(f"{real.name}-wal")
        with self._store.read() as questions:
            connection = questions.session.connection
            schema, page_size, pages, free = (
                int(connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("user_version", "page_size", "page_count", "freelist_count")
            )
        log_size = log.stat().st_size if log.exists() else 0
        details: dict[str, Json] = {
            "path": str(real), "wal_bytes": log_size, "free_bytes": free * page_size, "pages": pages,
            "free_pages": free, "page_bytes": page_size,
        }  # fmt: skip
        return DatabaseFacts(str(real), real.stat().st_size, log_size, free * page_size, schema, details)

    def state(self) -> DatabaseState:
        """Its file system, disk, mode and journal. Raises DatabaseError."""
        with self._store.read() as questions:
            return state_of_file(Path(os.path.realpath(self._store.path)), questions.session.connection)

    def count_rows(self) -> dict[str, int]:
        """Every table, and how many rows it has. Raises DatabaseError."""
        return reading.count_rows(self._store)

    def find_problems(self) -> list[DatabaseProblem]:
        """By SQLite's own check, and by ours. Empty when it is sound."""
        with self._store.read() as questions:
            connection = questions.session.connection
            try:
                problems = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({soundness.MOST})")]
                if problems != ["ok"]:
                    return [DatabaseProblem(text) for text in problems]
                version: int = connection.execute("PRAGMA user_version").fetchone()[0]
                newest = scripts.newest_schema()
                other = [] if version == newest else [f"its schema is {version}, and this program knows {newest}"]
                return [*map(DatabaseProblem, other), *soundness.find_problems(questions.session)]
            except sqlite3.DatabaseError as e:
                return [DatabaseProblem(str(e))]
            except DatabaseError as e:
                return [DatabaseProblem(e.message)]
            except orjson.JSONDecodeError as e:
                return [DatabaseProblem(f"a value is not JSON: {e}")]

    def repair(self) -> list[DatabaseProblem]:
        """Put right what can be without losing anything. Raises DatabaseError."""
        problems = self.find_problems()
        if any(problem.is_repairable for problem in problems):
            with self._store.write() as transaction:
                soundness.repair_rows(transaction.session)
        return problems

    def select_rows(self, sql: str) -> Iterator[dict[str, Any]]:
        """The rows that a SELECT answers. Raises UsageError, DatabaseError."""
        return reading.select_rows(self._store, sql)

    def compact(self) -> tuple[int, int]:
        """Rewrite the file without what is free, while nobody else writes: (bytes before, bytes after).

        Raises DatabaseError, also when the disk has no room for a second copy. Nothing is lost when it is killed."""
        store = self._store
        before = self._bytes()
        real = Path(os.path.realpath(store.path))
        turn = WriteLock(real)
        connection = sqlite3.connect(real, timeout=0, isolation_level=None)
        try:
            wait = LockWait(store.patience, turn.holder)
            with turn.hold(wait.time_left):
                poll(lambda: _succeeds(connection, "VACUUM"), wait.time_left)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except TimeoutError:
            raise errors.busy(store.path, store.patience.limit()) from None
        except sqlite3.Error as e:
            raise errors.explain_error(e, store.path) from e
        finally:
            connection.close()
            turn.close()
        return before, self._bytes()

    def _bytes(self) -> int:
        facts = self.facts()
        return facts.size + (facts.log_size or 0)


def _succeeds(connection: sqlite3.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as e:
        if errors.is_busy(e):
            return False
        raise
    return True
