"""What a database answers as a whole: its size, whether it is sound, making it smaller, somebody's own questions.

Each kind of database has an Upkeep of its own; `open.upkeep_of` finds the one of a store.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text.

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from sm_cli.jsonvalue import Json


class DatabaseFacts(NamedTuple):
    """A database in numbers."""

    #: The file's path without links, or the server's URL without user and password.
    place: str
    #: Bytes of the tables, of what is free in them too.
    size: int
    #: Bytes of what was committed last and is not in the tables yet; None where nobody can say.
    log_size: int | None
    #: Bytes that compacting gives back; None where nobody can say.
    free_size: int | None
    #: The number of its schema.
    schema: int
    #: What only this kind of database knows, by the names that documents give it.
    details: dict[str, Json]


class DatabaseProblem(NamedTuple):
    """Something that is wrong in a database."""

    #: The sentence.
    text: str
    #: Whether it can be put right without losing anything.
    is_repairable: bool = False


class Hazard(NamedTuple):
    """Something that may lose or block work one day."""

    #: The sentence, and what to do.
    text: str
    #: Whether it does so already.
    is_broken: bool = False


class DatabaseState(NamedTuple):
    """How and where a database is kept."""

    #: In one line.
    text: str
    #: What that puts at risk.
    hazards: list[Hazard]


class Upkeep(Protocol):
    """A database as a whole. Raises DatabaseError from every method."""

    def facts(self) -> DatabaseFacts:
        """Size and schema."""

    def state(self) -> DatabaseState:
        """How it is kept, and what that puts at risk."""

    def count_rows(self) -> dict[str, int]:
        """How many rows each table has. It reads them all."""

    def find_problems(self) -> list[DatabaseProblem]:
        """What is wrong in it; empty when it is sound. It reads everything."""

    def repair(self) -> list[DatabaseProblem]:
        """Put right what can be without losing anything, in one transaction; returns what was wrong."""

    def compact(self) -> tuple[int, int]:
        """Give what is free back to the disk: (bytes before, bytes after). Nobody writes meanwhile."""

    def select_rows(self, sql: str) -> Iterator[dict[str, Any]]:
        """The rows that a SELECT answers, by column (None, a number, text, bytes), without the key of the task tokens.
        Raises UsageError for what the database cannot read, and for what writes."""
