"""Messages, the waits for them, and what is remembered of both.

Rule: values only. What may be asked about them, and how they are written, stands in `base`. A correlation value
is kept as its `jsonvalue.scalar_text`, with its `scalar_kind` beside it for those who tell 42 from "42".
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from sm_cli.jsonvalue import Json

_DAY = 86_400 * 1_000_000
#: How long a message is remembered after it was consumed or has expired, in microseconds.
MESSAGES_KEPT = 7 * _DAY
#: How long an ended wait is remembered.
WAITS_KEPT = _DAY

#: How a wait ended: a message came, its time was up, or the execution (or the branch) was closed.
WaitEnding: TypeAlias = Literal["message", "timeout", "aborted"]


class MessageStatus(StrEnum):
    """A buffered message whose time is up is shown as expired at once, and stored as that by a later tick."""

    BUFFERED = "buffered"
    CONSUMED = "consumed"
    EXPIRED = "expired"


class Subscription(NamedTuple):
    """A Message state that waits. `value` is the correlation value's `jsonvalue.scalar_text`."""

    execution: int
    frame: int
    seq: int
    key: str
    value: str
    since: int
    deadline: int | None = None
    kind: str = "s"


class WaitEnd(NamedTuple):
    """Why the subscription of a frame goes away."""

    frame: int
    at: int
    how: WaitEnding


class PastWait(NamedTuple):
    """A wait that ended less than a day ago."""

    execution: int
    frame: int
    seq: int
    key: str
    value: str
    ended: int
    how: WaitEnding


class Late(NamedTuple):
    """A wait that was over when the message came."""

    execution: int
    ended: int
    how: WaitEnding


@dataclass(slots=True)
class StoredMessage:
    """One message that was sent.

    strict: only for a wait whose value has the same `kind`. execution: only for that one. consumed: when it was
    received; count: by how many waits; receivers: the executions among them, the first `RECEIVERS` of them.
    later: how many of those waits are stepped by later ticks, which still need the body.
    late: waits with the same key and value that it came too late for.
    """

    id: int
    key: str
    value: str
    message_id: str | None
    received: int
    expires: int
    status: MessageStatus
    body: Json
    kind: str = "s"
    strict: bool = False
    execution: int | None = None
    consumed: int | None = None
    count: int = 0
    later: int = 0
    receivers: tuple[int, ...] = ()
    late: tuple[Late, ...] = ()

    def status_at(self, now: int) -> MessageStatus:
        if self.status is MessageStatus.BUFFERED and self.expires <= now:
            return MessageStatus.EXPIRED
        return self.status

    @property
    def forgotten(self) -> int:
        """When it may go: `MESSAGES_KEPT` after it was consumed, or after its time was up."""
        return (self.expires if self.consumed is None else self.consumed) + MESSAGES_KEPT


#: How many executions a message names as its receivers.
RECEIVERS = 100


class Consumed(NamedTuple):
    """A buffered message that an execution received."""

    message: int
    execution: int
    at: int


class Stale(NamedTuple):
    """What is over: buffered messages to be marked as expired, messages and past waits to be forgotten."""

    expired: list[int]
    messages: list[int]
    waits: list[PastWait]


class OpenWait(NamedTuple):
    """A subscription with the execution and the state that it belongs to."""

    subscription: Subscription
    ref: str
    name: str
    workflow: str
    state: str


class WaitFilter(NamedTuple):
    """None means no limit on that field. `value` only together with `key`. after: frame ids above it."""

    key: str | None = None
    value: str | None = None
    workflow: str | None = None
    after: int = 0
    limit: int = 50


class MessageFilter(NamedTuple):
    """`before_id` is the keyset cursor: the smallest id of the page before. `status` is meant as it is at `now`."""

    now: int
    key: str | None = None
    value: str | None = None
    status: MessageStatus | None = None
    before_id: int | None = None
    limit: int = 50
