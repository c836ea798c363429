"""Questions about messages and the waits for them, their rows, and what one transaction changes of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sm_cli.jsonvalue import folded_text
from sm_cli.store.filters import BEYOND
from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Decode, Encode, Row, decode, encode
from sm_cli.store.sql.session import Parameters, Session

if TYPE_CHECKING:
    from sm_cli.store.changes import Changes
    from sm_cli.store.messages import (
        Consumed,
        KeyedAnswer,
        MessageFilter,
        OpenWait,
        PastWait,
        Stale,
        StoredMessage,
        Subscription,
        WaitFilter,
    )
    from sm_cli.store.sql.large_values import BlobWriter


class MessageQuestions(Asking):
    """Questions about subscriptions, past waits and messages."""

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        """Open ones, oldest first."""
        parameters = (key, value, kind, -1 if limit is None else limit)
        return [subscription(row) for row in self.session.all("subscriptions", parameters)]

    def near_subscriptions(self, key: str, folded_value: str, limit: int) -> list[Subscription]:
        """Open ones whose value is the same when folded (`jsonvalue.folded_text`); any of them, at most `limit`."""
        return [subscription(row) for row in self.session.all("near_subscriptions", (key, folded_value, limit))]

    def awaited_keys(self, limit: int) -> list[str]:
        """The keys that executions wait under, in their order, at most `limit`; one look in an index for each."""
        keys: list[str] = []
        key = ""
        while len(keys) < limit and (row := self.session.one("next_awaited_key", (key,))) is not None:
            key = row[0]
            keys.append(key)
        return keys

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        """The open ones of an execution."""
        return [subscription(row) for row in self.session.all("subscriptions_of_execution", (execution,))]

    def open_waits(self, filter: WaitFilter) -> list[OpenWait]:
        """About oldest first: by frame, with a value by age, with a workflow by execution."""
        parameters: dict[str, object] = {"after": filter.after, "limit": filter.limit}
        execution, frame, value, since = filter.place or (None, None, None, None)
        place = {"after_execution": execution, "after_frame": frame, "after_value": value, "after_since": since}
        if filter.workflow is None and filter.key is None:
            parameters["after"] = filter.after if frame is None else frame
        else:
            parameters |= place
        if filter.workflow is not None:
            name = "open_waits_of_workflow"
            parameters |= {"workflow": filter.workflow, "key": filter.key, "value": filter.value}
        elif filter.key is None:
            name = "open_waits"
        elif filter.value is None:
            name, parameters["key"] = "open_waits_for_key", filter.key
        else:
            name = "open_waits_for_value"
            parameters |= {"key": filter.key, "value": filter.value}
        return [open_wait(row) for row in self.session.all(name, parameters)]

    def past_waits(self, key: str, folded_value: str, limit: int) -> list[PastWait]:
        """Newest first; `folded_value` as above."""
        return [past_wait(row) for row in self.session.all("past_waits", (key, folded_value, limit))]

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        """The oldest buffered message with this key and value that has not expired at `now` (`expires` > now)
        and whose id is not in `skip`: what this tick consumed already. A strict one only for its own `kind`, one
        for a single execution only for that `execution`."""
        parameters = {
            "key": key, "value": value, "now": now, "skip": id_list(skip), "kind": kind, "execution": execution,
        }  # fmt: skip
        return next(iter(self._messages("buffered_message", parameters)), None)

    def message(self, id: int) -> StoredMessage | None:
        """The message with this id; None when there is none."""
        return next(iter(self._messages("message", (id,))), None)

    def find_message(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        """The newest message with this key, value and sender's id, of any status: how a repeat is known."""
        return next(iter(self._messages("message_sent", (message_id, key, value))), None)

    def find_messages(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        """Those with this sender's id, newest first, under any key."""
        return self._messages("messages_named", (message_id, limit))

    def near_messages(self, key: str, folded_value: str, limit: int) -> list[StoredMessage]:
        """Of any status, newest first; `folded_value` as above."""
        return self._messages("near_messages", (key, folded_value, limit))

    def list_messages(self, filter: MessageFilter) -> list[StoredMessage]:
        """Newest first, without bodies (all None)."""
        parameters: dict[str, object] = {
            "before": BEYOND if filter.before_id is None else filter.before_id,
            "key": filter.key,
            "value": filter.value,
            "status": None if filter.status is None else filter.status.value,
            "now": filter.now,
            "limit": filter.limit,
        }
        if filter.key is None or filter.value is None:
            return self._messages("list_messages", parameters)
        return self._messages("list_messages_for_value", parameters | {"folded": folded_text(filter.value)})

    def count_messages(self, now: int) -> dict[str, int]:
        """How many messages there are by status. now: microseconds since 1970 UTC; what expired by then is expired."""
        return dict(self.session.all("count_messages", {"now": now}))

    def stale(self, now: int, limit: int) -> Stale:
        """At most `limit` of each. A message that READY frames may still need is not among them."""
        from sm_cli.store.messages import ANSWERS_KEPT, WAITS_KEPT, Stale

        expired_ids = self.session.all("expiring_messages", (now, limit))
        old_ids = self.session.all("forgotten_messages", (now, limit))
        waits = self.session.all("stale_waits", (now - WAITS_KEPT, limit))
        answers = [(key, at) for key, at in self.session.all("stale_answers", (now - ANSWERS_KEPT, limit))]
        return Stale(
            [id for (id,) in expired_ids], [id for (id,) in old_ids], [past_wait(row) for row in waits], answers
        )

    def strays(self, limit: int) -> tuple[list[PastWait], list[int]]:
        """What executions that were deleted leave behind, at most `limit` of each: (their past waits, the ids of
        messages that only they could receive)."""
        waits = [past_wait(row) for row in self.session.all("stray_waits", (limit,))]
        return waits, [id for (id,) in self.session.all("stray_messages", (limit,))]

    def keyed_answer(self, key: str, now: int) -> KeyedAnswer | None:
        """What a request with this key was answered with; None when there was none, or long ago."""
        from sm_cli.store.messages import ANSWERS_KEPT, KeyedAnswer

        row = self.session.one("keyed_answer", (key, now - ANSWERS_KEPT))
        if row is None:
            return None
        key, route, digest, status, headers, body, created = row
        return KeyedAnswer(key, route, digest, status, decode(headers), body, created)

    def _messages(self, name: str, parameters: Parameters) -> list[StoredMessage]:
        return [message(row, self.value) for row in self.session.all(name, parameters)]


# Imported where they are made: who lists executions has these questions too, and no message.


def subscription(row: Row) -> Subscription:
    """A row of `subscriptions` to its value."""
    from sm_cli.store.messages import Subscription

    return Subscription(*row)


def subscription_row(s: Subscription) -> Row:
    """A subscription to a row of `subscriptions`, with its value folded for near misses."""
    return (s.execution, s.frame, s.seq, s.key, s.value, s.since, s.deadline, s.kind, folded_text(s.value))


def past_wait(row: Row) -> PastWait:
    """A row of `past_waits` to its value."""
    from sm_cli.store.messages import PastWait

    return PastWait(*row)


def open_wait(row: Row) -> OpenWait:
    """A subscription's columns and four of its execution and frame to their value."""
    from sm_cli.store.messages import OpenWait

    return OpenWait(subscription(row[:-4]), *row[-4:])


def message(row: Row, data: Decode) -> StoredMessage:
    """From `message_columns`, and `body` when it was asked for."""
    from sm_cli.store.messages import Late, MessageStatus, StoredMessage

    (id, key, value, message_id, received, expires, status, kind, strict, execution, consumed, count, later,
     receivers, late, *body) = row  # fmt: skip
    return StoredMessage(
        id, key, value, message_id, received, expires, MessageStatus(status), data(body[0]) if body else None,
        kind, bool(strict), execution, consumed, count, later, tuple(decode(receivers) or ()),
        tuple(Late(*each) for each in decode(late) or ()),
    )  # fmt: skip


def message_row(m: StoredMessage, text: Encode) -> Row:
    """A message to a row of `messages`. text: writes a value, a large one as its reference."""
    return (
        m.id, m.key, m.value, m.message_id, m.received, m.expires, m.status.value, m.kind, int(m.strict), m.execution,
        m.consumed, m.count, m.later, encode(list(m.receivers) or None),
        encode([list(each) for each in m.late] or None), text(m.body), folded_text(m.value), m.forget_at,
    )  # fmt: skip


def answer_row(a: KeyedAnswer) -> Row:
    """An answer to a row of `idempotency_keys`."""
    return a.key, a.route, a.digest, a.status, encode(dict(a.headers)), a.body, a.created


def consumed_row(c: Consumed) -> Row:
    """The parameters that mark a message as consumed."""
    from sm_cli.store.messages import MESSAGES_KEPT

    return (c.at, c.at + MESSAGES_KEPT, f"[{c.execution}]", c.message)


def write_messages(session: Session, values: BlobWriter, changes: Changes) -> None:
    """Write what one transaction changes of them. Raises DatabaseError."""
    many = session.many
    if changes.new_messages:
        many("insert_message", [message_row(message, values.text) for message in changes.new_messages])
    if changes.messages_consumed:
        # Whoever else writes such rows takes them in this order, too.
        in_order = sorted(changes.messages_consumed, key=lambda each: each.message)
        many("consume_message", map(consumed_row, in_order))
    if changes.messages_expired:
        many("expire_message", [(id,) for id in sorted(changes.messages_expired)])
    if changes.messages_gone:
        session.later("delete_messages", (id_list(changes.messages_gone),), values.free_all)
    if changes.waits_forgotten:
        many("forget_wait", [(w.ended, w.frame, w.seq) for w in changes.waits_forgotten])
    if changes.answers_gone:
        many("forget_answer", sorted(changes.answers_gone))
    if changes.answers:
        many("keep_answer", map(answer_row, changes.answers))
