"""The port: what an engine that carries hints has to do.

A hint says that jobs of one queue are ready, and no more: it names no job, and the database alone says what there is.
So a hint that is lost, doubled or late changes nothing but when somebody looks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from sm_cli.store.sql.transaction import Transaction


class Receiver(Protocol):
    """Who hears the hints."""

    def hear(self, queue: str) -> None:
        """A hint came: jobs of this queue may be ready."""

    def has_room(self) -> bool:
        """Whether it could begin something now; who cannot leaves the next hint to others."""

    def comes_up(self) -> None:
        """The carrier can be reached, for the first time or again."""


class Carrier(Protocol):
    """Carries hints. `announce` and `receive` are called in a thread each, `stop` in any other."""

    #: What people call it.
    name: str

    def announce(self, queue: str) -> None:
        """Hand on that jobs of this queue are ready. Where a hint of the queue waits for a receiver already, a second
        one says nothing new and is better left out. May wait for the network. Raises CarrierAway."""

    def receive(self, receiver: Receiver) -> None:
        """Tell the receiver of each hint as it comes, as long as it has room; returns after `stop`. Raises
        CarrierAway when the carrier cannot be reached: it is called again after a pause."""

    def stop(self) -> None:
        """Make `receive` return soon, and give back what is open."""


@runtime_checkable
class Reachable(Protocol):
    """A carrier that can be asked whether it is there."""

    def reach(self) -> None:
        """Raises CarrierAway when it cannot be reached, ConfigurationError when it refuses who asks."""


@runtime_checkable
class InsideCarrier(Carrier, Protocol):
    """A carrier that writes into the same database, and so can be sure of a hint as of the jobs themselves."""

    def announce_inside(self, transaction: Transaction, queues: Collection[str]) -> None:
        """As `announce`, for each of these, in the transaction that makes the jobs ready, after all else that it
        writes; must not fail where a hint waits already. Raises CarrierAway when the carrier takes none, with the
        transaction as it was before: it is committed without them. Raises DatabaseError for a transaction that is
        lost."""
