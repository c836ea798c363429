"""Messages, the waits for them, and what is remembered of both.

Values only. What may be asked about them, and how they are written, stands in `sql`. A correlation value
is kept as its `jsonvalue.scalar_text`, with its `scalar_kind` beside it for waits that distinguish 42 from "42".
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from sm_cli.jsonvalue import Json
from sm_cli.mutable import Mutable

_DAY = 86_400 * 1_000_000
#: How long a message is remembered after it was consumed or has expired, in microseconds.
MESSAGES_KEPT = 7 * _DAY
#: How long an ended wait is remembered.
WAITS_KEPT = _DAY
#: How long the answer to a request with a key is kept.
ANSWERS_KEPT = _DAY

#: How a wait ended: a message came, its time was up, or the execution (or the branch) was closed.
WaitEnding: TypeAlias = Literal["message", "timeout", "aborted"]


class MessageStatus(StrEnum):
    """A buffered message whose time is up is shown as expired at once, and stored as that by a later tick."""

    BUFFERED = "buffered"
    CONSUMED = "consumed"
    EXPIRED = "expired"


class Subscription(NamedTuple):
    """A Message state that waits. `value` is the correlation value's `jsonvalue.scalar_text`."""

    #: The id of the execution that waits.
    execution: int
    #: The id of the frame that waits.
    frame: int
    #: The frame's seq: where the message goes.
    seq: int
    #: The correlation key.
    key: str
    value: str
    #: When it was opened, microseconds since 1970 UTC.
    since: int
    #: When it times out, microseconds since 1970 UTC; None: never.
    deadline: int | None = None
    #: The value's `jsonvalue.scalar_kind`.
    kind: str = "s"


class WaitEnd(NamedTuple):
    """Why the subscription of a frame goes away."""

    #: The id of the frame that waited.
    frame: int
    #: When it ended, microseconds since 1970 UTC.
    at: int
    #: What ended it.
    how: WaitEnding


class PastWait(NamedTuple):
    """A wait that ended less than a day ago."""

    #: The id of the execution that waited.
    execution: int
    #: The id of the frame that waited.
    frame: int
    #: The seq that the frame waited at.
    seq: int
    #: The correlation key.
    key: str
    #: The correlation value, as scalar text.
    value: str
    #: When it ended, microseconds since 1970 UTC.
    ended: int
    #: What ended it.
    how: WaitEnding


class Late(NamedTuple):
    """A wait that was over when the message came."""

    #: The id of the execution that waited.
    execution: int
    #: When the wait ended, microseconds since 1970 UTC.
    ended: int
    #: What ended it.
    how: WaitEnding


@dataclass(slots=True, eq=False, repr=False)
class StoredMessage(Mutable):
    """One message that was sent.

    strict: only for a wait whose value has the same `kind`. execution: only for that one. consumed: when it was
    received; count: by how many waits; receivers: the executions among them, the first `RECEIVERS` of them.
    later: how many of those waits are stepped by later ticks, which still need the body.
    late: waits with the same key and value that it came too late for.
    """

    #: The message's number, in the order of sending.
    id: int
    #: The correlation key.
    key: str
    #: The correlation value, as scalar text.
    value: str
    #: The sender's own id, under which it is taken once; None: it gave none.
    message_id: str | None
    #: When it was sent, microseconds since 1970 UTC.
    received: int
    #: When it is no longer delivered, microseconds since 1970 UTC.
    expires: int
    #: As stored; `status_at` says what it is at a time.
    status: MessageStatus
    #: What the Message state gets.
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
        """What it is at this time, in microseconds since 1970 UTC: expired as soon as its time is up."""
        if self.status is MessageStatus.BUFFERED and self.expires <= now:
            return MessageStatus.EXPIRED
        return self.status

    @property
    def forget_at(self) -> int:
        """When it may go: `MESSAGES_KEPT` after it was consumed, or after its time was up."""
        return (self.expires if self.consumed is None else self.consumed) + MESSAGES_KEPT


#: How many executions a message names as its receivers.
RECEIVERS = 100


class Consumed(NamedTuple):
    """A buffered message that an execution received."""

    #: The message's id.
    message: int
    #: The id of the execution that received it.
    execution: int
    #: When, microseconds since 1970 UTC.
    at: int


class KeyedAnswer(NamedTuple):
    """What a request with an idempotency key was answered with, when it had changed something."""

    #: The key, which the sender has made.
    key: str
    #: What was asked for, as a person reads it: `POST /messages`.
    route: str
    #: Of all that the request said.
    digest: str
    #: The status of the answer.
    status: int
    #: Headers of the answer that belong to it alone.
    headers: Mapping[str, str]
    #: The text of its body.
    body: str
    #: When, microseconds since 1970 UTC.
    created: int


class Stale(NamedTuple):
    """What is over: buffered messages to be marked as expired, messages, past waits and answers to be forgotten."""

    #: Ids of messages to be marked as expired.
    expired_messages: list[int]
    #: Ids of messages to be forgotten.
    messages: list[int]
    #: Past waits to be forgotten.
    waits: list[PastWait]
    #: Answers to be forgotten: (key, when it was given).
    answers: list[tuple[str, int]]


class OpenWait(NamedTuple):
    """A subscription with the execution and the state that it belongs to."""

    #: What it waits for.
    subscription: Subscription
    #: The execution's public id.
    ref: str
    #: The execution's name.
    name: str
    #: The name of the execution's workflow.
    workflow: str
    #: The name of the Message state.
    state: str


class WaitPlace(NamedTuple):
    """Where a wait stands in a list of waits, in whichever order that is."""

    #: The id of its execution.
    execution: int
    #: The id of its frame.
    frame: int
    #: The value that it waits for.
    value: str
    #: Since when, microseconds since 1970 UTC.
    since: int


class WaitFilter(NamedTuple):
    """None means no limit on that field. `value` only together with `key`. after: frame ids above it."""

    key: str | None = None
    value: str | None = None
    #: Only waits of executions of this workflow.
    workflow: str | None = None
    after: int = 0
    #: At most so many.
    limit: int = 50
    #: Only what comes after this place, in the order of the list; None: from the beginning.
    place: WaitPlace | None = None


class MessageFilter(NamedTuple):
    """`before_id` is the keyset cursor: the smallest id of the page before. `status` is meant as it is at `now`."""

    now: int
    #: Only messages with this correlation key.
    key: str | None = None
    #: Only messages with this correlation value, as scalar text.
    value: str | None = None
    status: MessageStatus | None = None
    before_id: int | None = None
    #: At most so many.
    limit: int = 50
