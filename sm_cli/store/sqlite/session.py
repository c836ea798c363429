"""A connection to SQLite that is spoken to by query name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from sm_cli.errors import SmError
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters, not_text

# Python's driver looks for an adapter of each None that it binds, and finds out by two errors that there is none: more
# than a microsecond, and every row has several.
sqlite3.register_adapter(type(None), lambda null: null)

_NOTHING = nullcontext()
#: Bytes of a body that is as well copied once more as opened.
_IN_ROW = 8 << 20


class SqliteSession:
    """`query` gives the text of a name; `explain` turns the driver's errors into ours, here, before anybody else can
    see them."""

    def __init__(
        self, connection: sqlite3.Connection, query: Callable[[str], str], explain: Callable[[sqlite3.Error], SmError]
    ) -> None:
        self.connection = connection
        self._explain = explain
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._query = query

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of the query of this name. Raises DatabaseError."""
        return self._all(self._query(name), parameters)

    def all_of(self, parts: Sequence[str], parameters: Parameters) -> list[Row]:
        """Every row of the query that these blocks are together. Raises DatabaseError."""
        return self._all("\n".join(self._query(part) for part in parts), parameters)

    def _all(self, text: str, parameters: Parameters) -> list[Row]:
        try:
            return self._execute(text, parameters).fetchall()
        except sqlite3.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None

    def one(self, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of the query of this name; None when it has none. Raises DatabaseError."""
        # Read to the end: a statement left open would keep an old snapshot alive.
        rows = self.all(name, parameters)
        return rows[0] if rows else None

    def many(self, name: str, rows: Iterable[Parameters]) -> None:
        """Run a statement once a row."""
        self.add_missing(name, rows)

    def add_missing(self, name: str, rows: Iterable[Parameters]) -> int:
        """Run a statement that leaves out rows that are there already; how many it made."""
        try:
            return int(self._executemany(self._query(name), rows).rowcount)
        except sqlite3.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None

    def together(self) -> AbstractContextManager[None]:
        """Each statement is done when it is called: there is nobody to wait for."""
        return _NOTHING

    def later(
        self, name: str, parameters: Parameters, then: Callable[[list[Row]], None], *, urgent: bool = True  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Run a statement, and hand its rows to `then`. Raises DatabaseError."""
        then(self.all(name, parameters))

    def blob(self, id: int, before: Callable[[], None]) -> bytes | None:
        """A large body; None when there is none. A long one is read in place (in a row SQLite would copy it once more),
        and `before` is called before it. Raises DatabaseError."""
        row = self.one("blob", {"id": id, "most": _IN_ROW})
        if row is None or row[0] is not None:
            return None if row is None else bytes(row[0])
        before()
        try:
            with self.connection.blobopen("blobs", "body", id, readonly=True) as blob:
                return blob.read()
        except sqlite3.Error as e:
            raise self._explain(e) from e

    def insert_blob(self, id: int, body: bytes) -> None:
        """A large body, written in place: as a parameter SQLite would copy it twice."""
        try:
            self._execute(self._query("insert_blob"), (id, len(body)))
            with self.connection.blobopen("blobs", "body", id) as blob:
                blob.write(body)
        except sqlite3.Error as e:
            raise self._explain(e) from e
