"""A connection to Postgres that is spoken to by query name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
from psycopg import errors as pg

from sm_cli.errors import SmError
from sm_cli.store.postgres import dialect
from sm_cli.store.postgres.bulk import COLUMN_TYPES, Bulk, bulk
from sm_cli.store.postgres.exchange import Exchange, Promise, Then
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters, not_text

# A connection that breaks is said once, by whoever it is raised to; the driver would say it in words of its own too.
logging.getLogger("psycopg").setLevel(logging.ERROR)
#: What was asked, and what will be answered.
_Ahead: TypeAlias = tuple[tuple[str, tuple[object, ...]], Promise]
#: So many rows are as well sent one by one.
_FEW = 2
#: Types of columns, and statements that take all rows at once: the same for every schema of this sm.
_TYPES: dict[tuple[str, str], str] = {}
_BULK: dict[str, Bulk | None] = {}
#: What a statement fails with for the sake of other transactions, or of the database as a whole.
_NOT_ITS_OWN = (pg.DeadlockDetected, pg.SerializationFailure, pg.ReadOnlySqlTransaction, pg.DiskFull)
_RELEASE = b"RELEASE SAVEPOINT sm_aside"


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
        #: The connection, whatever is under way there.
        self.wire = connection
        #: Rows that statements of this session have written, of all transactions.
        self.written = 0
        self._explain = explain
        self.exchange = Exchange(connection, prepare=bool(prepare))
        self._is_together = False
        #: Whether what is sent together may wait for what is sent next, if nobody needs an answer.
        self.lingers = False
        #: Whether somebody needs the answers to what is sent together before the commit.
        self._is_urgent = False
        #: Answers that nobody has asked for yet: (statement, arguments) to rows.
        self._ahead: dict[tuple[str, tuple[object, ...]], list[Row]] = {}

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of the query of this name. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        if self._ahead and (rows := self._ahead.pop((name, tuple(statement.arguments(parameters))), None)) is not None:
            return rows
        return self._all(statement, parameters)

    def ask_ahead(self, questions: Sequence[tuple[str, Parameters]]) -> None:
        """Ask all these in one round trip, in their order, each as of its own moment; who asks one of them next has
        its answer without waiting, once. Raises DatabaseError."""
        with self._errors(), self.exchange.together():
            answers = self.send_ahead(questions)
            if answers:
                self.exchange.settle()
        self.keep_ahead(answers)

    def send_ahead(self, questions: Iterable[tuple[str, Parameters]]) -> list[_Ahead]:
        """Send these questions with what is gathered; once that is settled, `keep_ahead` keeps their answers."""
        answers: list[_Ahead] = []
        for name, parameters in questions:
            statement = dialect.statement_of(name)
            arguments = statement.arguments(parameters)
            key = (name, tuple(arguments))
            if key not in self._ahead:
                answers.append((key, self.exchange.send(statement.text.encode(), arguments)))
        return answers

    def keep_ahead(self, answers: Iterable[_Ahead]) -> None:
        """Keep these for who asks next."""
        self._ahead.update((key, answer.rows) for key, answer in answers)

    def has_ahead(self, question: tuple[str, Parameters]) -> bool:
        """Whether this has been answered already."""
        return _key(*question) in self._ahead

    def peek_ahead(self, question: tuple[str, Parameters]) -> list[Row]:
        """What this has been answered with, for whoever asks next too; nothing where it has not been asked."""
        return self._ahead.get(_key(*question), [])

    def answer_ahead(self, question: tuple[str, Parameters], rows: list[Row]) -> None:
        """Have these rows, which are known from elsewhere, be the answer to who asks this next."""
        self._ahead[_key(*question)] = rows

    def forget_ahead(self, *questions: tuple[str, Parameters]) -> None:
        """Forget the answers to these; without any, to all that were asked ahead."""
        for question in questions:
            self._ahead.pop(_key(*question), None)
        if not questions:
            self._ahead.clear()

    def all_of(self, parts: Sequence[str], parameters: Parameters) -> list[Row]:
        """Every row of the query that these blocks are together. Raises DatabaseError."""
        return self._all(dialect.statement_of(*parts), parameters)

    def _all(self, statement: dialect.Statement, parameters: Parameters) -> list[Row]:
        with self._errors():
            rows = self.exchange.ask(statement.text.encode(), statement.arguments(parameters))
        if not statement.only_reads():
            self.written += 1
        return rows

    def wait(self, name: str, parameters: Parameters) -> None:
        """Run a statement that waits for a lock. Raises psycopg.Error: who waits knows what it means."""
        statement = dialect.statement_of(name)
        self.exchange.ask(statement.text.encode(), statement.arguments(parameters))

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
        is_open = self.exchange.is_open
        with self._errors(), self.exchange.together():
            at_once = self._at_once(name, statement, arguments) if len(arguments) > _FEW else None
            if at_once is not None:
                self.exchange.send(*at_once)
            else:
                text = statement.text.encode()
                for each in arguments:
                    self.exchange.send(text, each)
            if not is_open:
                self.exchange.settle()
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
                types = self.exchange.ask(COLUMN_TYPES.encode())
                _TYPES.update({(table, column): kind for table, column, kind in types})
            _BULK[name] = None if statement.names else bulk(statement.text, _TYPES)
        at_once = _BULK[name]
        argument = None if at_once is None else at_once.argument(rows)
        return None if at_once is None or argument is None else (at_once.text.encode(), (argument,))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in this block is sent without waiting for each answer; where it `lingers` and nobody needs
        one, it waits for what is sent next: the commit, say. Raises DatabaseError, at the latest with that."""
        self._is_together, self._is_urgent = True, not self.lingers
        self.exchange.open()
        try:
            with self._errors():
                yield
                if self._is_urgent:
                    self.exchange.settle()
                    self.exchange.close()
        except BaseException as e:
            self.exchange.give_up(e)
            raise
        finally:
            self._is_together = False

    def later(self, name: str, parameters: Parameters, then: Then, *, urgent: bool = True) -> None:
        """Run a statement, and hand its rows to `then`: at once, or at the end of a block that is `together`; with the
        commit, where nothing `urgent` needs them. Raises DatabaseError."""
        statement = dialect.statement_of(name)
        with self._errors():
            self.send(statement.text.encode(), statement.arguments(parameters), then)
        self.written += 1
        self._is_urgent |= urgent

    def send(self, text: bytes, arguments: Sequence[object], then: Then | None = None) -> Promise:
        """Run a statement that is not the store's, with what is sent together if anything is; then its answer is known
        once that is settled. Raises psycopg.Error."""
        is_open = self.exchange.is_open
        with self.exchange.together():
            answer = self.exchange.send(text, arguments, then)
            if not is_open:
                self.exchange.settle()
        return answer

    def commit(self, then: bytes | None) -> bool:
        """Commit, with what is still unanswered; then run another command, of which nothing depends. Whether it is
        committed: the server undoes a transaction in which a statement has failed, and calls that no error. Raises
        psycopg.Error."""
        self.exchange.open()
        try:
            commit = self.exchange.command(b"COMMIT")
            if then is not None:
                self.exchange.command(then)
            self.exchange.settle()
        except BaseException as e:
            self.exchange.give_up(e)
            raise
        self.exchange.close()
        return commit.tag == b"COMMIT"

    @property
    def connection(self) -> psycopg.Connection[Row]:
        """The driver's, once all that was sent is answered. Raises DatabaseError."""
        if self.exchange.is_open:
            with self._errors():
                self.exchange.settle()
            self.exchange.close()
        return self.wire

    def aside(self, text: str, parameters: Sequence[object]) -> None:
        """Run a statement on tables that are another program's, in one round trip. Raises Undone where those are to
        blame: the transaction goes on without it. Raises DatabaseError for what any statement may meet."""
        try:
            with self.exchange.together():
                self.exchange.command(b"SAVEPOINT sm_aside")
                self.exchange.command(text.encode(), parameters)
                self.exchange.command(_RELEASE)
                self.exchange.settle()
        except psycopg.Error as e:
            if not isinstance(e, _NOT_ITS_OWN) and self._go_back():
                raise Undone from e
            raise self._explain(e) from e

    def _go_back(self) -> bool:
        """Undo what came after the savepoint; whether the connection lets us."""
        try:
            with self.exchange.together():
                self.exchange.command(b"ROLLBACK TO SAVEPOINT sm_aside")
                self.exchange.command(_RELEASE)  # what fails later is not undone by this one
                self.exchange.settle()
        except psycopg.Error:
            return False
        return True

    def blob(self, id: int, before: Callable[[], None]) -> bytes | None:  # noqa: ARG002 - SQLite reads in place
        """A large body; None when there is none. Raises DatabaseError."""
        row = self.one("blob", {"id": id, "most": 2**31})
        return None if row is None else bytes(row[0])

    def insert_blob(self, id: int, body: bytes) -> None:
        """Store a large body. Raises DatabaseError."""
        self.many("insert_blob", [(id, body)])

    @property
    def is_unsure(self) -> bool:
        """Whether something was sent of which nobody has read the end: whoever waited was interrupted."""
        return self.exchange.is_open

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """The driver's errors as ours."""
        try:
            yield
        except psycopg.Error as e:
            raise self._explain(e) from e
        except UnicodeEncodeError as e:
            raise not_text(e) from None


def _key(name: str, parameters: Parameters) -> tuple[str, tuple[object, ...]]:
    return name, tuple(dialect.statement_of(name).arguments(parameters))
