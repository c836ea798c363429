"""Sending a message: who receives it, and what the sender learns.

One transaction finds the waits, hands the message over and stores it; whether a message or a timeout came
first is what that transaction finds. Every message that was accepted is stored, so that a repeat of it is known;
one that had to be delivered and was not leaves no trace.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from sm_cli.engine.near_misses import near_misses
from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import Conflict, UsageError
from sm_cli.interpreter.events import MessageReceived
from sm_cli.jsonvalue import Json, as_json, canonical, scalar_kind, scalar_text
from sm_cli.store.messages import (
    RECEIVERS,
    Late,
    MessageStatus,
    PastWait,
    StoredMessage,
    Subscription,
)
from sm_cli.store.records import Execution, Status, Waking
from sm_cli.timestamps import MICROSECONDS

log = logging.getLogger("sm.engine")

To: TypeAlias = Literal["all", "one"]

#: Seconds between two sweeps that find little, and what one may find at most.
_SWEEP_PAUSE, _SWEEP_ROWS = 10, 50
_LONGEST_TTL = 10**10
_LONGEST_ID = 1000


class SendOutcome(StrEnum):
    """What became of a message that somebody sends."""

    DELIVERED = "delivered"
    BUFFERED = "buffered"
    DUPLICATE = "duplicate"
    NOT_DELIVERED = "not delivered"


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a sender.

    outcome: DELIVERED to `executions`; BUFFERED until `until`; DUPLICATE of `first`, the message of the same key,
    value and message id that was sent before: nothing has changed; NOT_DELIVERED: nothing was stored.
    message: the number under which it (or `first`) is stored. executions: public ids of those that received it
    (of a duplicate: of the first 100 that received `first`). until: microseconds since 1970 UTC. near: sentences
    about what it just missed: a value that differs in case, blanks or type, a wait that has ended, an expired message.
    """

    outcome: SendOutcome
    message: int | None = None
    executions: tuple[str, ...] = ()
    until: int | None = None
    first: StoredMessage | None = None
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """What a sender asks for. ttl: microseconds. execution: only this one may receive it."""

    #: The correlation key.
    key: str
    #: The correlation value: text, a number or a boolean.
    value: Json
    #: What the Message state gets.
    body: Json
    ttl: int
    #: The sender's own id, under which it is taken once; None: each is a message of its own.
    message_id: str | None = None
    #: Who receives it when several wait.
    to: To = "all"
    #: Whether 42 and "42" are different values.
    strict: bool = False
    #: Whether nothing is kept when nobody waits; the answer is NOT_DELIVERED then.
    require_match: bool = False
    execution: int | None = None

    @property
    def text(self) -> str:
        """The correlation value as it is stored."""
        return scalar_text(self.value)

    @property
    def kind(self) -> str:
        """Whether the correlation value is a string, a number or a boolean."""
        return scalar_kind(self.value)

    def fits(self, s: Subscription) -> bool:
        """Whether this subscription may receive it."""
        return (
            (s.key, s.value) == (self.key, self.text)
            and (not self.strict or s.kind == self.kind)
            and self.execution in (None, s.execution)
        )


def check_sending(
    key: str, value: Json, data: object, ttl: float, *, message_id: str | None, to: To, strict: bool,
    require_match: bool, execution: Execution | None,
) -> Sending:  # fmt: skip
    """What was asked for, if it makes sense. Raises UsageError."""
    if not key:
        raise UsageError("a message needs a key to be sent under")
    if value is None or isinstance(value, (dict, list)):
        raise UsageError(f"the value of {key} has to be text, a number, true or false, not {_value_text(value)}")
    if to not in ("all", "one"):
        raise UsageError(f"a message goes to all or to one, not to {to!r}")
    if not (math.isfinite(ttl) and 0 <= ttl <= _LONGEST_TTL):
        raise UsageError(f"a message is kept for 0 to {_LONGEST_TTL} seconds, not for {ttl}")
    if message_id is not None and not 1 <= len(message_id) <= _LONGEST_ID:
        raise UsageError(f"a message id has 1 to {_LONGEST_ID} characters; this one has {len(message_id)}")
    for text in (key, value, message_id):
        _, problem = as_json(text)
        if problem is not None:
            raise UsageError(f"the message {key!a} cannot be sent: {text!a} is not text that UTF-8 can hold")
    body, problem = as_json(data)
    if problem is not None:
        raise UsageError(f"the data of the message {key} is not JSON: {problem}")
    return Sending(
        key, value, body, round(ttl * MICROSECONDS), message_id, to, strict, require_match,
        None if execution is None else execution.id,
    )  # fmt: skip


def _value_text(value: Json) -> str:
    return "null" if value is None else "an object" if isinstance(value, dict) else "a list"


def publish(tick: Tick, sending: Sending) -> Sent:
    """Hand a message over, or keep it. All that came before it in this tick has happened before it."""
    tick.run()
    if sending.message_id is not None:
        first = _find_repeat(tick, sending, sending.message_id)
        if first is not None:
            _refuse_other_data(sending, first)
            until = first.expires if first.status_at(tick.now) is MessageStatus.BUFFERED else None
            return Sent(SendOutcome.DUPLICATE, first.id, _refs(tick, first.receivers), until, first)
    waiting = _waiting(tick, sending)
    while judge(tick, {s.execution for s in waiting}):
        waiting = _waiting(tick, sending)
    receivers, later = _hand_over(tick, sending, waiting)
    if receivers:
        executions = list(dict.fromkeys(receivers))
        message = _store(
            tick, sending, status=MessageStatus.CONSUMED, consumed_at=tick.now, count=len(receivers), later=len(later),
            receivers=tuple(executions[:RECEIVERS]),
        )  # fmt: skip
        if later:
            tick.changes.waking.append(Waking(later, {"event": "MessageReceived", "message": message.id}))
        return Sent(SendOutcome.DELIVERED, message.id, _refs(tick, executions))
    past_waits = _past_waits(tick, sending)
    near, late = near_misses(tick.tx, sending.key, sending.value, tick.now, past_waits, lambda s: _is_open(tick, s))
    if sending.ttl == 0 or sending.require_match:
        return Sent(SendOutcome.NOT_DELIVERED, near=near)
    message = _store(tick, sending, status=MessageStatus.BUFFERED, late=late)
    return Sent(SendOutcome.BUFFERED, message.id, until=message.expires, near=near)


def send(tick: Tick, key: str, value: Json, body: Json, *, ttl: int, message_id: str | None = None) -> Sent:
    """A message for everybody who waits; `ttl` in microseconds."""
    return publish(tick, Sending(key, value, body, ttl, message_id))


def _find_repeat(tick: Tick, sending: Sending, message_id: str) -> StoredMessage | None:
    key, value = sending.key, sending.text
    for m in reversed(tick.changes.new_messages):
        if (m.key, m.value, m.message_id) == (key, value, message_id):
            return m
    return tick.tx.find_message(key, value, message_id)


def _refuse_other_data(sending: Sending, first: StoredMessage) -> None:
    """Raises Conflict when a message id comes again with data that is not what it came with first."""
    if canonical(sending.body) != canonical(first.body):
        raise Conflict(
            f"message id {sending.message_id!r} was used before for {sending.key}={sending.text} with other data, so "
            f"this is no repeat of message {first.id}, and nothing was sent",
            topic="message",
        )


def _store(
    tick: Tick, sending: Sending, *, status: MessageStatus, consumed_at: int | None = None, count: int = 0,
    later: int = 0, receivers: tuple[int, ...] = (), late: tuple[Late, ...] = (),
) -> StoredMessage:  # fmt: skip
    message = StoredMessage(
        id=tick.tx.reserve("messages", 1), key=sending.key, value=sending.text, message_id=sending.message_id,
        received=tick.now, expires=tick.now + sending.ttl, status=status, body=sending.body, kind=sending.kind,
        strict=sending.strict, execution=sending.execution, consumed=consumed_at, count=count, later=later,
        receivers=receivers, late=late,
    )  # fmt: skip
    tick.changes.new_messages.append(message)
    return message


def _refs(tick: Tick, ids: Iterable[int]) -> tuple[str, ...]:
    ids = list(ids)
    refs = {id: tick.executions[id].ref for id in ids if id in tick.executions}
    refs.update(tick.tx.refs([id for id in ids if id not in refs]))
    return tuple(refs[id] for id in ids if id in refs)


def log_sent(sending: Sending, receipt: Sent) -> None:
    """After the commit: what became of it, for `-v`."""
    prefix = f"message {receipt.message or '(not kept)'} {sending.key}={sending.text}"
    receivers = f" to {', '.join(receipt.executions[:5])}" if receipt.executions else ""
    log.debug("%s: %s%s", prefix, receipt.outcome, receivers)
    for sentence in receipt.near:
        log.debug("%s: %s", prefix, sentence)


# -- who waits -------------------------------------------------------------------------------------

#: How many of the oldest waits are read to find one; more only when this tick has ended all of them.
_FEW = 8


def _waiting(tick: Tick, sending: Sending) -> list[Subscription]:
    """The waits that the message is for, oldest first: those in the store, then those that this tick opened."""
    new_waits = [s for s in tick.awaits.values() if sending.fits(s)]
    if sending.to == "all":
        return _stored_waits(tick, sending, None) + new_waits
    stored_waits = _stored_waits(tick, sending, _FEW) or _stored_waits(tick, sending, None) or new_waits
    return stored_waits[:1]


def _stored_waits(tick: Tick, sending: Sending, limit: int | None) -> list[Subscription]:
    if sending.execution is not None:
        waits = [s for s in tick.tx.subscriptions_of(sending.execution) if sending.fits(s)]
    else:
        kind = sending.kind if sending.strict else None
        waits = tick.tx.subscriptions(sending.key, sending.text, kind=kind, limit=limit)
    return [s for s in waits if _is_open(tick, s)]


def _is_open(tick: Tick, s: Subscription) -> bool:
    """Whether this tick has not ended a wait that the store has as an open one."""
    return s.frame not in tick.frames or tick.still_waits(s)


def _past_waits(tick: Tick, sending: Sending) -> list[PastWait]:
    """Waits that this very tick ended: the store still has them as open ones."""
    if not tick.frames:
        return []
    waits = tick.tx.subscriptions(sending.key, sending.text, limit=_FEW)
    return [
        PastWait(s.execution, s.frame, s.seq, s.key, s.value, _end_time(tick, s), tick.endings.get(s.frame, "aborted"))
        for s in waits
        if not _is_open(tick, s)
    ]


def _end_time(tick: Tick, s: Subscription) -> int:
    """When a wait was over that this tick ended: one whose time was up, before anybody looked."""
    execution = tick.execution(s.execution)
    if tick.endings.get(s.frame) == "timeout":
        due = s.deadline
    else:
        due = execution.deadline if execution.status is Status.TIMED_OUT else None
    return min(due or tick.now, tick.now)


def _hand_over(tick: Tick, sending: Sending, waits: list[Subscription]) -> tuple[list[int], list[int]]:
    """Step who receives it: (their executions, frames that are left to later ticks).

    So many are stepped at once that the transaction stays short; the others are woken and wait for nothing more.
    """
    now = waits[: tick.settings.fanout]
    tick.load(s.frame for s in now)
    receivers, later = [], []
    for i, s in enumerate(waits):
        if i < len(now) and not tick.is_over():
            if _step(tick, sending, s):
                receivers.append(s.execution)
        # A step before may have reached this frame too: it closed the whole execution, say.
        elif s.frame not in tick.frames or tick.frames[s.frame] is tick.stored_frames.get(s.frame):
            later.append(s.frame)
            receivers.append(s.execution)
        elif _step(tick, sending, s):
            receivers.append(s.execution)
    tick.changes.timers_gone += later
    tick.leave_waits(later, "message")
    return receivers, later


def _step(tick: Tick, sending: Sending, s: Subscription) -> bool:
    if not tick.still_waits(s):
        return False
    tick.deliver(s.frame, MessageReceived(s.seq, sending.body))
    tick.run()
    return True


# -- forgetting ------------------------------------------------------------------------------------


def sweep_messages(tick: Tick) -> int:
    """Mark what has expired and forget what is old, a few rows; returns when to look again.

    While there is more than that, every tick takes twice as much as it adds, so that it never falls behind.
    """
    changes = tick.changes
    limit = _SWEEP_ROWS + 2 * (len(changes.new_messages) + len(tick.endings) + len(changes.waits_ended))
    stale = tick.tx.stale(tick.now, limit)
    changes.messages_expired += stale.expired_messages
    changes.messages_gone += stale.messages
    changes.waits_forgotten += stale.waits
    changes.answers_gone += stale.answers
    more = any(len(rows) >= limit for rows in stale)
    return tick.now if more else tick.now + _SWEEP_PAUSE * MICROSECONDS
