"""An SQLite file as tables of rows, for a copy."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sm_cli.store.copying.tables import Table
from sm_cli.store.sql.rows import Row
from sm_cli.store.sqlite import errors, migrate


def read_layout() -> list[Table]:
    """The tables of the newest schema, as they are in every kind of database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate.migrate(connection, Path(":memory:"))
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return [_layout(connection, name) for (name,) in names.fetchall()]


def _layout(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
    key = sorted((place_in_key, place) for place, (*_, place_in_key) in enumerate(columns) if place_in_key)
    return Table(
        name, tuple(each[1] for each in columns), tuple(each[2] for each in columns), tuple(place for _, place in key)
    )


@contextmanager
def open_file(path: Path) -> Iterator[SqliteTables]:
    """A file whose schema is made. Raises DatabaseError, also for what the driver says inside the block."""
    try:
        with closing(sqlite3.connect(os.path.realpath(path), timeout=30, isolation_level=None)) as connection:
            tables = SqliteTables(connection, path)
            try:
                yield tables
            finally:
                tables.close()
    except sqlite3.Error as e:
        raise errors.explain_error(e, path) from e


class SqliteTables:
    """What `Tables` asks of a file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.place = str(path)
        self._path = os.path.realpath(path)
        self._claim: int | None = None
        self._connection = connection
        self._version = 0

    def schema(self) -> int:
        """The file's user_version."""
        number: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return number

    def begin_reading(self) -> None:
        """A snapshot."""
        self._version = self._data_version()
        self._connection.execute("BEGIN")
        self.schema()

    def end_reading(self) -> bool:
        """Whether another connection has committed since."""
        self._connection.execute("ROLLBACK")
        return self._data_version() != self._version

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def count(self, table: Table) -> int:
        """How many rows it has."""
        count: int = self._connection.execute(f"SELECT count(*) {_from(table)}").fetchone()[0]
        return count

    def rows(self, table: Table) -> Iterator[Row]:
        """In the order of the primary key."""
        return self._connection.execute(f"SELECT {_names(table)} {_from(table)} ORDER BY {_key(table)}")

    def last_key(self, table: Table) -> Row | None:
        """The highest primary key."""
        order = ", ".join(f'"{table.columns[place]}" DESC' for place in table.key)
        row: Row | None = self._connection.execute(
            f"SELECT {_key(table)} {_from(table)} ORDER BY {order} LIMIT 1"
        ).fetchone()
        return row

    def storable(self, row: Row) -> Row:
        """As it is."""
        return row

    def append(self, table: Table, rows: Sequence[Row]) -> None:
        """In one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(_insert(table), rows)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def claim(self) -> bool:
        """By a lock of a file beside it; where there are no such locks nobody is seen."""
        self._claim = os.open(f"{self._path}.workers", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Others may copy into it."""
        if self._claim is not None:
            os.close(self._claim)

    def begin_copy(self, schema: int) -> None:
        """Its number is one that nobody opens."""
        self._connection.execute(f"PRAGMA user_version = {schema:d}")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def finish(self, ids: Table, rows: Sequence[Row], schema: int, tables: Sequence[Table]) -> None:  # noqa: ARG002
        """SQLite goes on after the highest id by itself."""
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(f"DELETE {_from(ids)}")
        self._connection.executemany(_insert(ids), rows)
        self._connection.execute(f"PRAGMA user_version = {schema:d}")
        self._connection.execute("COMMIT")

    def settle(self, tables: Sequence[Table]) -> None:  # noqa: ARG002 - of the whole file
        """What is in the log goes into the file."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _from(table: Table) -> str:
    return f'FROM "{table.name}"'


def _insert(table: Table) -> str:
    places = ", ".join("?" * len(table.columns))
    return f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({places})'  # noqa: S608 - names of our own schema


def _names(table: Table) -> str:
    return ", ".join(f'"{column}"' for column in table.columns)


def _key(table: Table) -> str:
    return ", ".join(f'"{table.columns[place]}"' for place in table.key)
