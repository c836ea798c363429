"""A connection to Postgres that is spoken to by query name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg.pq import ExecStatus

from sm_cli.errors import SmError
from sm_cli.store.postgres import dialect
from sm_cli.store.postgres.bulk import COLUMN_TYPES, Bulk, bulk
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters, not_text

# A connection that breaks is said once, by whoever it is raised to; the driver would say it in words of its own too.
logging.getLogger("psycopg").setLevel(logging.ERROR)
#: So many rows are as well sent one by one.
_FEW = 2
#: Types of columns, and statements that take all rows at once: the same for every schema of this sm.
_TYPES: dict[tuple[str, str], str] = {}
_BULK: dict[str, Bulk | None] = {}
#: What a statement fails with for the sake of other transactions, or of the database as a whole.
_NOT_ITS_OWN = (pg.DeadlockDetected, pg.SerializationFailure, pg.ReadOnlySqlTransaction, pg.DiskFull)
_SAVEPOINT = "sm_aside"


class Undone(Exception):
    """A statement failed by itself, and its transaction is as it was before. Its cause is the driver's error."""


@contextmanager
def closed_if_it_fails(connection: psycopg.Connection[Row]) -> Iterator[None]:
    """What makes a new connection ready; one that nobody gets stays open on the server otherwise."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


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
        #: Whether statements that were sent together have failed: the driver takes for prepared then what the server,
        #: behind the one that failed, has passed over.
        self.is_unsure = False
        #: Answers that nobody has asked for yet: (statement, arguments) to rows.
        self._ahead: dict[tuple[str, tuple[object, ...]], list[Row]] = {}
        self._later: list[tuple[psycopg.Cursor[Row], Callable[[list[Row]], None]]] = []

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of the query of this name. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        if self._ahead and (rows := self._ahead.pop((name, tuple(statement.arguments(parameters))), None)) is not None:
            return rows
        return self._all(statement, parameters)

    def ask_ahead(self, questions: Sequence[tuple[str, Parameters]]) -> None:
        """Ask all these in one round trip, in their order, each as of its own moment; who asks one of them next has
        its answer without waiting, once. Raises DatabaseError."""
        cursors = []
        try:
            with self.connection.pipeline():
                for name, parameters in questions:
                    statement = dialect.statement_of(name)
                    arguments = statement.arguments(parameters)
                    cursor = psycopg.RawCursor(self.connection)
                    cursor.execute(statement.text.encode(), arguments, prepare=self._prepare)
                    cursors.append(((name, tuple(arguments)), cursor))
            self._ahead.update((key, cursor.fetchall()) for key, cursor in cursors)
        except psycopg.Error as e:
            self.is_unsure = True
            raise self._explain(e) from e

    def forget_ahead(self, *questions: tuple[str, Parameters]) -> None:
        """Forget the answers to these; without any, to all that were asked ahead."""
        for name, parameters in questions:
            self._ahead.pop((name, tuple(dialect.statement_of(name).arguments(parameters))), None)
        if not questions:
            self._ahead.clear()

    def all_of(self, parts: Sequence[str], parameters: Parameters) -> list[Row]:
        """Every row of the query that these blocks are together. Raises DatabaseError."""
        return self._all(dialect.statement_of(*parts), parameters)

    def _all(self, statement: dialect.Statement, parameters: Parameters) -> list[Row]:
        try:
            cursor = psycopg.RawCursor(self.connection)
            cursor.execute(statement.text.encode(), statement.arguments(parameters), prepare=self._prepare)
            rows = cursor.fetchall() if statement.answers() else []
        except psycopg.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None
        if not statement.only_reads():
            self.written += 1
        return rows

    def wait(self, name: str, parameters: Parameters) -> None:
        """Run a statement that waits for a lock. Raises psycopg.Error: who waits knows what it means."""
        statement = dialect.statement_of(name)
        psycopg.RawCursor(self.connection).execute(
            statement.text.encode(), statement.arguments(parameters), prepare=self._prepare
        )

    def one(self, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of the query of this name; None when it has none. Raises DatabaseError."""
        rows = self.all(name, parameters)
        return rows[0] if rows else None

    def many(self, name: str, rows: Iterable[Parameters]) -> None:
        """Run a statement once a row. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        arguments = [statement.arguments(row) for row in rows]
        if not arguments:
            return
        try:
            at_once = self._at_once(name, statement, arguments) if len(arguments) > _FEW else None
            cursor = psycopg.RawCursor(self.connection)
            if at_once is not None:
                cursor.execute(*at_once, prepare=self._prepare)
            elif len(arguments) == 1:
                cursor.execute(statement.text.encode(), arguments[0], prepare=self._prepare)
            else:
                cursor.executemany(statement.text.encode(), arguments)
        except psycopg.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None
        self.written += len(arguments)

    def add_missing(self, name: str, rows: Iterable[Parameters]) -> int:
        """Run a statement that leaves out rows that are there already; how many it made. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        asking = statement._replace(text=f"{statement.text} RETURNING 1")
        return sum(len(self._all(asking, row)) for row in rows)

    def _at_once(
        self, name: str, statement: dialect.Statement, rows: list[Sequence[object]]
    ) -> tuple[bytes, tuple[str]] | None:
        """One statement for all rows and its parameter; None where it has another form."""
        if name not in _BULK:
            if not _TYPES:
                types = self.connection.execute(COLUMN_TYPES).fetchall()
                _TYPES.update({(table, column): kind for table, column, kind in types})
            _BULK[name] = None if statement.names else bulk(statement.text, _TYPES)
        at_once = _BULK[name]
        argument = None if at_once is None else at_once.argument(rows)
        return None if at_once is None or argument is None else (at_once.text.encode(), (argument,))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in this block is sent without waiting for each answer. Raises DatabaseError, at the latest
        at its end."""
        later = self._later = []
        try:
            with self.connection.pipeline():
                yield
            answers = [(then, cursor.fetchall()) for cursor, then in later]
        except psycopg.Error as e:
            self.is_unsure = True
            raise self._explain(e) from e
        for then, rows in answers:
            then(rows)

    def later(self, name: str, parameters: Parameters, then: Callable[[list[Row]], None]) -> None:
        """Run a statement in a block that is `together`, and hand its rows to `then` at the end of it. Raises
        DatabaseError."""
        statement = dialect.statement_of(name)
        try:
            cursor = psycopg.RawCursor(self.connection)
            cursor.execute(statement.text.encode(), statement.arguments(parameters), prepare=self._prepare)
        except psycopg.Error as e:
            raise self._explain(e) from e
        self._later.append((cursor, then))
        self.written += 1

    def aside(self, text: str, parameters: Sequence[object]) -> None:
        """Run a statement on tables that are another program's, in one round trip. Raises Undone where those are to
        blame: the transaction goes on without it. Raises DatabaseError for what any statement may meet."""
        try:
            with self.connection.pipeline():
                for command, arguments in ((f"SAVEPOINT {_SAVEPOINT}", ()), (text, parameters)):
                    psycopg.RawCursor(self.connection).execute(command.encode(), arguments, prepare=False)
        except psycopg.Error as e:
            if not isinstance(e, _NOT_ITS_OWN) and self._go_back():
                raise Undone from e
            self.is_unsure = True
            raise self._explain(e) from e

    def _go_back(self) -> bool:
        """Undo what came after the savepoint; whether the connection lets us."""
        try:
            # Past the driver: it forgets all that is prepared at a ROLLBACK, for the tables may have been made in it.
            result = self.connection.pgconn.exec_(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}".encode())
        except psycopg.Error:
            return False
        return result.status == ExecStatus.COMMAND_OK

    def blob(self, id: int, before: Callable[[], None]) -> bytes | None:  # noqa: ARG002 - SQLite reads in place
        """A large body; None when there is none. Raises DatabaseError."""
        row = self.one("blob", {"id": id, "most": 2**31})
        return None if row is None else bytes(row[0])

    def insert_blob(self, id: int, body: bytes) -> None:
        """Store a large body. Raises DatabaseError."""
        self.many("insert_blob", [(id, body)])
