"""What a writing transaction has for itself while others write beside it.

In the middle of a transaction a lock is only tried for. Where it has to be had and is not, the transaction is undone
(`Contended`), and its next attempt waits for what this one missed before it holds anything: so no two wait for each
other.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text.

import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from sm_cli.errors import DatabaseBusy, DatabaseError, SmError


class Lock(NamedTuple):
    """One thing that a transaction may have for itself. They sort, and are waited for in that order."""

    #: What kind of thing: "alone" (the whole database), "part", "message", "schedules", …
    kind: str
    #: Which one; the id of a part.
    key: str = ""


Locks: TypeAlias = frozenset[Lock]

#: The whole database: nobody writes beside who has it.
ALONE = Lock("alone")
#: Schedules, their times, and what becomes of them.
SCHEDULES = Lock("schedules")
#: Messages and past waits that are marked as old, or deleted for it.
OLD_MESSAGES = Lock("old messages")
#: The log of times in states, for who folds it, and who deletes executions with their times.
STATE_LOG = Lock("state log")
#: Nothing is waited for: a first attempt.
NOTHING: Locks = frozenset()


def part_lock(part: int) -> Lock:
    """A part of a tree of executions (`Execution.part`)."""
    return Lock("part", str(part))


def message_lock(key: str, value: str) -> Lock:
    """Messages with this correlation key and value, and the waits for them."""
    return Lock("message", f"{len(key)} {key} {value}")


def key_lock(key: str) -> Lock:
    """The answer to requests with this idempotency key."""
    return Lock("idempotency", key)


class Contended(DatabaseError):
    """Others have what this transaction needs; all of it is undone, and is to be done again.

    locks: what it missed; none where others wrote the same row first. error: what it is when that never ends."""

    def __init__(self, locks: Locks = NOTHING, error: SmError | None = None) -> None:
        super().__init__("others write the same" if error is None else error.message)
        self.locks = locks
        self.error = error


#: After so many attempts that missed nothing new, what stands in the way is an error.
_MOST_ATTEMPTS = 20


class Attempts:
    """Attempts at one transaction, while others are in the way.

    limit: asked for how many seconds a lock that is held is tried for again; None: `_MOST_ATTEMPTS` times."""

    def __init__(self, limit: Callable[[], float | None]) -> None:
        #: What the next attempt waits for before it holds anything.
        self.locks = NOTHING
        self._limit = limit
        self._start = time.monotonic()
        self._count = 0

    def miss(self, obstacle: Contended) -> None:
        """The attempt missed something. Raises what that is as an error when it has been tried for long enough."""
        self._count += 1
        if obstacle.locks <= self.locks and (self._count >= _MOST_ATTEMPTS or self._is_late(obstacle)):
            raise obstacle.error or DatabaseBusy("others write the same again and again; nothing was changed") from None

    def add(self, locks: Locks) -> None:
        """Wait for these, too."""
        self.locks |= locks

    def leave_out(self, locks: Locks) -> None:
        """Do not wait for these any more."""
        self.locks -= locks

    def _is_late(self, obstacle: Contended) -> bool:
        limit = self._limit() if isinstance(obstacle.error, DatabaseBusy) else None
        return limit is not None and time.monotonic() - self._start >= limit
