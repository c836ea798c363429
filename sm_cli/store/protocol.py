"""A database, as the engine sees it: what SQLite gives, on disk and in memory, and what any other must give.

A writing transaction reads first and writes once. Everything a tick decides is gathered in one Changes and
handed to `Transaction.apply`; leaving the `with` block commits it, an exception loses all of it. What may be asked is
the same for all (`sql.questions`); a database brings its connections, and overrides of single queries by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

from sm_cli.store.liveness import Liveness
from sm_cli.store.locks import NOTHING, Locks
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.waiting import Patience


class Store(Protocol):
    """A database, as the engine uses it."""

    #: Transactions committed through this object that wrote something.
    commits: int
    #: How it waits for other writers.
    patience: Patience
    #: Whether workers of other machines may have it open, who do not see this one's files.
    is_on_server: bool

    def read(self) -> AbstractContextManager[Questions]:
        """Questions that are all answered from one snapshot; never waits for writers."""

    def glance(self) -> AbstractContextManager[Questions]:
        """Questions that may each be answered as of a moment of its own: over a network that is less to wait for."""

    def write(
        self, locks: Locks | None = None, executions: Collection[int] = (), jobs: int = 0
    ) -> AbstractContextManager[Transaction]:
        """A transaction that sees what nobody else changes until it ends. Waits for its turn.

        locks: others may write beside it where the database lets them, each what it holds (`Transaction.hold`), and
        these are waited for before it begins; None: nobody writes beside it. executions: those that it is about to
        hold, as far as is known, and jobs: how many of any tree it is about to take: a server is told so as it
        begins. Raises Contended, inside the block or at its end,
        only where `locks` are given."""

    def together(self, locks: Locks = NOTHING) -> AbstractContextManager[Transaction]:
        """One transaction for all that this thread writes in the block: each `write` inside goes on with it, each
        `read` inside sees what it has written so far. Raises Unheld and Contended where it is to be done again."""

    @property
    def is_joined(self) -> bool:
        """Whether this thread is inside `together`."""

    def changed(self) -> bool:
        """Whether another connection has committed since the last call."""

    def token_key(self) -> bytes:
        """The key that task tokens are signed with: 32 bytes, made once, kept in the database."""

    def liveness(self) -> Liveness | None:
        """Where a worker shows that it is alive and what it is stepping, closed with the store; None where no other
        process sees it."""

    @property
    def server_time(self) -> Callable[[], int] | None:
        """Asks the database's own clock: microseconds since 1970 UTC. None where it has none but this machine's."""

    def close(self) -> None:
        """Give back what is open."""
