"""A database as tables of rows: what a copy reads, and what it writes."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text.

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from sm_cli.store.sql.rows import Row


class Table(NamedTuple):
    """One table, the same in every kind of database."""

    #: Its name.
    name: str
    #: The names of its columns.
    columns: tuple[str, ...]
    #: Their types, of INTEGER, REAL, TEXT and BLOB.
    types: tuple[str, ...]
    #: The places in `columns` of its primary key, in the key's order.
    key: tuple[int, ...]


class Tables(Protocol):
    """A database that is copied from or into. Methods raise the driver's errors: who opened it translates them."""

    #: The database, as sentences name it.
    place: str

    def schema(self) -> int:
        """The number of its schema; `scripts.UNFINISHED` higher as long as a copy into it is under way."""

    def begin_reading(self) -> None:
        """From here on all reads are of one moment."""

    def end_reading(self) -> bool:
        """Whether somebody has written since `begin_reading`."""

    def count(self, table: Table) -> int:
        """How many rows it has."""

    def rows(self, table: Table) -> Iterator[Row]:
        """All of them, in the order of the primary key, columns in the order of `Table.columns`."""

    def last_key(self, table: Table) -> Row | None:
        """The highest primary key; None when it is empty."""

    def storable(self, row: Row) -> Row:
        """The row as this database can keep it."""

    def append(self, table: Table, rows: Sequence[Row]) -> None:
        """Write these rows, in a transaction of their own."""

    def claim(self) -> bool:
        """Be the only one who copies into it, as long as it is open; False when somebody else is."""

    def begin_copy(self, schema: int) -> None:
        """From now on nobody opens it: a copy into it is under way."""

    def finish(self, ids: Table, rows: Sequence[Row], schema: int, tables: Sequence[Table]) -> None:
        """The copy is whole: the table of unused ids is replaced by these rows, what a server counts by itself goes on
        after the highest there is, and the schema is what it was. All at once."""

    def settle(self, tables: Sequence[Table]) -> None:
        """After that: what makes it as quick, and as small, as one that was written little by little."""
