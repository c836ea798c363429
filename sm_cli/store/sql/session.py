"""A connection that is spoken to by query name.

Everything above it (the questions, `transaction`) is the same for every SQL dialect; a database brings its own Session
and its own overrides of single queries. A Session turns the driver's errors into ours, before anybody else can see
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from sm_cli.errors import UsageError
from sm_cli.store.sql.rows import Row

Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]


class Session(Protocol):
    """One connection, as the questions and the transaction use it. Raises DatabaseError from every method."""

    @property
    def connection(self) -> Any:
        """The driver's own: for what concerns a database of this kind as a whole, and nothing else."""

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of the query of this name."""

    def all_of(self, parts: Sequence[str], parameters: Parameters) -> list[Row]:
        """Every row of the query that these blocks are together."""

    def one(self, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of the query of this name; None when it has none."""

    def many(self, name: str, rows: Iterable[Parameters]) -> None:
        """Run a statement once a row."""

    def add_missing(self, name: str, rows: Iterable[Parameters]) -> int:
        """Run a statement that leaves out rows that are there already; how many it made."""

    def together(self) -> AbstractContextManager[None]:
        """What is written in this block may be sent without waiting for each answer; an error comes at its end."""

    def later(
        self, name: str, parameters: Parameters, then: Callable[[list[Row]], None], *, urgent: bool = True
    ) -> None:
        """Run a statement, and hand its rows to `then`: at once, or at the end of the block that is `together`; where
        the transaction has no `urgent` need of them, with its commit at the latest."""

    def blob(self, id: int, before: Callable[[], None]) -> bytes | None:
        """A large body; None when there is none. `before` is called before a long one is read."""

    def insert_blob(self, id: int, body: bytes) -> None:
        """Store a large body under an unused id."""


def not_text(error: UnicodeEncodeError) -> UsageError:
    """Bytes on a command line that are not UTF-8 reach Python as lone surrogates."""
    return UsageError(f"{error.object!r} is not text that UTF-8 can hold")
