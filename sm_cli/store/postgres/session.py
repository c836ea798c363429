"""A connection to Postgres that is spoken to by query name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg

from sm_cli.errors import SmError
from sm_cli.store.postgres import dialect
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters, not_text


class PostgresSession:
    """`explain` turns the driver's errors into ours, here, before anybody else can see them. prepare: whether the
    server keeps statements prepared; None leaves it to the driver."""

    def __init__(
        self, connection: psycopg.Connection[Row], explain: Callable[[psycopg.Error], SmError],
        prepare: bool | None = True,
    ) -> None:  # fmt: skip
        self.connection = connection
        #: Rows that statements of this session have written, of all transactions.
        self.written = 0
        self._explain = explain
        self._prepare = prepare

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of the query of this name. Raises DatabaseError."""
        return self._all(dialect.statement_of(name), parameters)

    def all_of(self, parts: Sequence[str], parameters: Parameters) -> list[Row]:
        """Every row of the query that these blocks are together. Raises DatabaseError."""
        return self._all(dialect.statement_of(*parts), parameters)

    def _all(self, statement: dialect.Statement, parameters: Parameters) -> list[Row]:
        try:
            cursor = psycopg.RawCursor(self.connection)
            cursor.execute(statement.text.encode(), statement.arguments(parameters), prepare=self._prepare)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None
        if cursor.statusmessage and not cursor.statusmessage.startswith("SELECT"):
            self.written += cursor.rowcount
        return rows

    def one(self, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of the query of this name; None when it has none. Raises DatabaseError."""
        rows = self.all(name, parameters)
        return rows[0] if rows else None

    def many(self, name: str, rows: Iterable[Parameters]) -> int:
        """Run a statement once a row; how many rows of tables it made or changed. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        arguments = [statement.arguments(row) for row in rows]
        if not arguments:
            return 0
        try:
            cursor = psycopg.RawCursor(self.connection)
            if len(arguments) == 1:
                cursor.execute(statement.text.encode(), arguments[0], prepare=self._prepare)
            else:
                cursor.executemany(statement.text.encode(), arguments)
        except psycopg.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None
        count = max(0, cursor.rowcount)
        self.written += count
        return count

    def blob(self, id: int, before: Callable[[], None]) -> bytes | None:  # noqa: ARG002 - SQLite reads in place
        """A large body; None when there is none. Raises DatabaseError."""
        row = self.one("blob", {"id": id, "most": 2**31})
        return None if row is None else bytes(row[0])

    def insert_blob(self, id: int, body: bytes) -> None:
        """Store a large body. Raises DatabaseError."""
        self.many("insert_blob", [(id, body)])
