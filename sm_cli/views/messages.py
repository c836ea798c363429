"""Messages and who waits for them, as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.engine.near_misses import difference
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json, folded_text, scalar_text
from sm_cli.store.messages import MessageFilter, MessageStatus, OpenWait, StoredMessage, WaitFilter
from sm_cli.store.protocol import Store
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sm_cli.engine.engine import Engine
    from sm_cli.engine.send_message import Sent

#: What a correlation value's kind is called.
KINDS = {"s": "string", "n": "number", "b": "boolean"}


def list_messages(engine: Engine, filter: MessageFilter) -> list[StoredMessage]:
    """Newest first, without bodies (all None)."""
    with engine.store.read() as questions:
        return questions.list_messages(filter)


def count_messages(store: Store, now: int) -> dict[str, int]:
    """How many messages are buffered, consumed and expired at `now`, microseconds since 1970 UTC; each of them is
    looked at."""
    with store.read() as questions:
        counts = questions.count_messages(now)
    return {status.value: counts.get(status.value, 0) for status in MessageStatus}


def list_waits(store: Store, filter: WaitFilter) -> list[OpenWait]:
    """Open waits, about oldest first."""
    with store.read() as questions:
        return questions.open_waits(filter)


def find_message(engine: Engine, text: str) -> StoredMessage:
    """The message of this number, or of this sender's id. Raises NotFound, Conflict when several have the id."""
    with engine.store.read() as questions:
        if (
            text.isascii()
            and text.isdigit()
            and len(text) < 19
            and (message := questions.message(int(text))) is not None
        ):
            return message
        matching = questions.find_messages(text)
    if not matching:
        raise NotFound(f"there is no message {text!r}", topic="message")
    if len(matching) > 1:
        which = ", ".join(f"{m.id} ({m.key}={m.value})" for m in matching[:5])
        raise Conflict(f"several messages were sent with the id {text!r}: {which}; name one by its number")
    return matching[0]


def message_refs(engine: Engine, m: StoredMessage) -> dict[int, str]:
    """The public ids of all executions that the message names."""
    ids = {*m.receivers, *(late.execution for late in m.late)}
    with engine.store.read() as questions:
        return questions.refs(ids if m.execution is None else ids | {m.execution})


def message_document(engine: Engine, m: StoredMessage) -> dict[str, Json]:
    """A message as JSON. Times are RFC 3339, UTC."""
    refs = message_refs(engine, m)
    return {
        "id": m.id,
        "key": m.key,
        "value": m.value,
        "type": KINDS[m.kind],
        "strict_type": m.strict,
        "message_id": m.message_id,
        "status": m.status_at(engine.clock.now()).value,
        "sent": rfc3339(m.received),
        "expires": rfc3339(m.expires),
        "received": None if m.consumed is None else rfc3339(m.consumed),
        "received_by": m.count,
        "executions": [refs.get(id) for id in m.receivers],
        "execution_id": None if m.execution is None else refs.get(m.execution),
        "too_late_for": [
            {"execution_id": refs.get(late.execution), "ended": rfc3339(late.ended), "how": late.how} for late in m.late
        ],
        "data": m.body,
    }


def sent_document(engine: Engine, key: str, value: Json, result: Sent) -> dict[str, Json]:
    """What became of a message that was sent, as JSON. Times are RFC 3339, UTC."""
    facts: dict[str, Json] = {
        "outcome": result.outcome.value.replace(" ", "_"),
        "key": key,
        "value": scalar_text(value),
        "id": result.message,
        "executions": list(result.executions),
        "until": None if result.until is None else rfc3339(result.until),
        "near": list(result.near),
    }
    if result.first is not None:
        facts["first_message"] = message_document(engine, result.first)
    return facts


def wait_document(wait: OpenWait) -> dict[str, Json]:
    """An open wait as JSON. Times are RFC 3339, UTC."""
    s = wait.subscription
    return {
        "key": s.key,
        "value": s.value,
        "type": KINDS[s.kind],
        "execution_id": wait.ref,
        "execution_name": wait.name,
        "workflow": wait.workflow,
        "state": wait.state,
        "since": rfc3339(s.since),
        "deadline": None if s.deadline is None else rfc3339(s.deadline),
    }


def near_messages(
    engine: Engine, waits: Iterable[OpenWait], most: int = 3
) -> dict[int, list[tuple[StoredMessage, str]]]:
    """By the frame of each wait the messages that are kept and are almost what it waits for, each with what it differs
    in; at most so many of each."""
    now = engine.clock.now()
    near: dict[int, list[tuple[StoredMessage, str]]] = {}
    with engine.store.read() as questions:
        for wait in waits:
            s = wait.subscription
            for message in questions.near_messages(s.key, folded_text(s.value), most):
                if message.status_at(now) is MessageStatus.BUFFERED and message.value != s.value:
                    near.setdefault(s.frame, []).append((message, difference(message.value, s.value)))
    return near
