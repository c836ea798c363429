"""What the database has to offer to a transaction, learned in the round trip that begins it.

Mostly there is nothing due, READY or lapsed, and a question for each of these costs as much as a short commit. What the
transaction itself makes is not meant: it knows that without asking.
"""

from __future__ import annotations

from typing import NamedTuple


class Offers(NamedTuple):
    """What there was when a transaction began. Times are microseconds since 1970 UTC."""

    #: Whether there were frames over which workers were lost.
    losses: bool
    #: Whether there were schedules.
    schedules: bool
    #: Whether there were ends of children that their map runs do not know yet.
    ended_children: bool
    #: Whether there were READY frames.
    ready: bool
    #: Whether there were jobs that nobody has.
    free_jobs: bool
    #: When the first lease runs out; None without one.
    first_lease_end: int | None
    #: When the first timer is due, or the first execution has to be over; None without one.
    first_due: int | None
    #: The transaction's id, if it had one then: whoever has taken something has.
    number: str | None

    def has_lapsed(self, now: int) -> bool:
        """Whether a lease has run out at this time."""
        return self.first_lease_end is not None and self.first_lease_end <= now

    def has_due(self, now: int) -> bool:
        """Whether a timer or the deadline of an execution is due at this time."""
        return self.first_due is not None and self.first_due <= now


#: Of a transaction that waited after it had begun: there may be anything by now.
ANYTHING = Offers(
    losses=True,
    schedules=True,
    ended_children=True,
    ready=True,
    free_jobs=True,
    first_lease_end=0,
    first_due=0,
    number=None,
)
#: Of one of which nothing is known.
NOTHING = Offers(
    losses=False,
    schedules=False,
    ended_children=False,
    ready=False,
    free_jobs=False,
    first_lease_end=None,
    first_due=None,
    number=None,
)
