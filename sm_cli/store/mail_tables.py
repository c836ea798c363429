"""The in-memory store's messages, open waits and past waits.

Rule: as in `tables`, what a tick asks for is found without looking at every row.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from itertools import islice

from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import folded_text
from sm_cli.store.base import Execution, Status
from sm_cli.store.mail import (
    WAITS_KEPT,
    Consumed,
    MessageFilter,
    MessageStatus,
    OpenWait,
    PastWait,
    Stale,
    StoredMessage,
    Subscription,
    WaitEnd,
    WaitFilter,
)
from sm_cli.store.ordered import Ordered
from sm_cli.store.tables import Grouped


class Subscriptions:
    """Keys are (since, frame, seq)."""

    def __init__(self) -> None:
        self._of_frame: defaultdict[int, list[Subscription]] = defaultdict(list)
        self._open: Grouped[tuple[str, str], tuple[int, int, int]] = Grouped()
        self._folded: Grouped[tuple[str, str], tuple[int, int, int]] = Grouped()
        self._of_execution: Grouped[int, tuple[int, int, int]] = Grouped()
        self._rows: dict[tuple[int, int, int], Subscription] = {}

    def put(self, s: Subscription) -> None:
        key = (s.since, s.frame, s.seq)
        self._rows[key] = s
        self._of_frame[s.frame].append(s)
        self._open.add((s.key, s.value), key)
        self._folded.add((s.key, folded_text(s.value)), key)
        self._of_execution.add(s.execution, key)

    def remove(self, frame: int) -> None:
        for s in self._of_frame.pop(frame, ()):
            key = (s.since, s.frame, s.seq)
            del self._rows[key]
            self._open.discard((s.key, s.value), key)
            self._folded.discard((s.key, folded_text(s.value)), key)
            self._of_execution.discard(s.execution, key)

    def of_frame(self, frame: int) -> list[Subscription]:
        return self._of_frame.get(frame, [])

    def open(self, key: str, value: str, kind: str | None, limit: int | None) -> list[Subscription]:
        rows = self._rows
        if limit is None:
            found = self._open[key, value].all()
        else:
            found = self._open[key, value].first(limit, lambda k: kind in (None, rows[k].kind))
        return [rows[k] for k in found if kind in (None, rows[k].kind)]

    def near(self, key: str, folded: str, limit: int) -> list[Subscription]:
        found = [self._rows[k] for k in self._folded[key, folded].all()]
        return sorted(found, key=lambda s: (s.frame, s.seq))[:limit]

    def of_execution(self, execution: int) -> list[Subscription]:
        return [self._rows[k] for k in self._of_execution[execution].all()]

    def all(self) -> Collection[Subscription]:
        return self._rows.values()


class Messages:
    def __init__(self) -> None:
        self.rows: dict[int, StoredMessage] = {}
        self._ids: list[int] = []
        self._buffered: Grouped[tuple[str, str], int] = Grouped()
        self._expiring: Ordered[tuple[int, int]] = Ordered()
        self._forgotten: Ordered[tuple[int, int]] = Ordered()
        self._folded: Grouped[tuple[str, str], int] = Grouped()
        self._named: Grouped[str, int] = Grouped()

    def put(self, message: StoredMessage) -> None:
        self.remove(message.id)
        self.rows[message.id] = message
        insort(self._ids, message.id)
        if message.status is MessageStatus.BUFFERED:
            self._buffered.add((message.key, message.value), message.id)
            self._expiring.add((message.expires, message.id))
        self._forgotten.add((message.forgotten, message.id))
        self._folded.add((message.key, folded_text(message.value)), message.id)
        if message.message_id is not None:
            self._named.add(message.message_id, message.id)

    def remove(self, id: int) -> None:
        message = self.rows.pop(id, None)
        if message is None:
            return
        del self._ids[bisect_left(self._ids, id)]
        self._buffered.discard((message.key, message.value), id)
        self._expiring.discard((message.expires, id))
        self._forgotten.discard((message.forgotten, id))
        self._folded.discard((message.key, folded_text(message.value)), id)
        if message.message_id is not None:
            self._named.discard(message.message_id, id)

    def consume(self, consumed: Consumed) -> None:
        message = self.rows.get(consumed.message)
        if message is not None:
            receivers, status = (consumed.execution,), MessageStatus.CONSUMED
            self.put(replace(message, status=status, consumed=consumed.at, count=1, receivers=receivers))

    def expire(self, id: int) -> None:
        message = self.rows.get(id)
        if message is not None and message.status is MessageStatus.BUFFERED:
            self.put(replace(message, status=MessageStatus.EXPIRED))

    def oldest(
        self, key: str, value: str, now: int, skip: Collection[int], kind: str | None, execution: int | None
    ) -> StoredMessage | None:
        def fits(id: int) -> bool:
            m = self.rows[id]
            return (
                m.expires > now
                and id not in skip
                and (not m.strict or kind in (None, m.kind))
                and m.execution in (None, execution)
            )

        found = self._buffered[key, value].first(1, fits)
        return self.rows[found[0]] if found else None

    def sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        found = (m for m in self.named(message_id) if (m.key, m.value) == (key, value))
        return next(found, None)

    def named(self, message_id: str) -> list[StoredMessage]:
        return [self.rows[id] for id in reversed(self._named[message_id].all())]

    def near(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        return [self.rows[id] for id in reversed(self._folded[key, folded].all())][:limit]

    def listed(self, f: MessageFilter) -> list[StoredMessage]:
        end = len(self._ids) if f.before_id is None else bisect_left(self._ids, f.before_id)
        newest_first = (self.rows[self._ids[i]] for i in range(end - 1, -1, -1))
        found = (
            replace(m, body=None)
            for m in newest_first
            if f.key in (None, m.key) and f.value in (None, m.value) and f.status in (None, m.status_at(f.now))
        )
        return list(islice(found, f.limit))

    def expiring(self, now: int, limit: int) -> list[int]:
        return [id for _, id in self._expiring.until((now + 1, 0), limit)]

    def forgotten(self, now: int, limit: int, *, all_stepped: bool) -> list[int]:
        due = self._forgotten.until((now + 1, 0), len(self.rows))
        return [id for _, id in due if all_stepped or self.rows[id].later == 0][:limit]


class PastWaits:
    """Keys are (ended, frame, seq)."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int, int], PastWait] = {}
        self._ended: Ordered[tuple[int, int, int]] = Ordered()
        self._folded: Grouped[tuple[str, str], tuple[int, int, int]] = Grouped()

    def put(self, w: PastWait) -> None:
        key = (w.ended, w.frame, w.seq)
        if key not in self._rows:
            self._rows[key] = w
            self._ended.add(key)
            self._folded.add((w.key, folded_text(w.value)), key)

    def remove(self, w: PastWait) -> None:
        key = (w.ended, w.frame, w.seq)
        if self._rows.pop(key, None) is not None:
            self._ended.discard(key)
            self._folded.discard((w.key, folded_text(w.value)), key)

    def near(self, key: str, folded: str, limit: int) -> list[PastWait]:
        return [self._rows[k] for k in reversed(self._folded[key, folded].all())][:limit]

    def over(self, before: int, limit: int) -> list[PastWait]:
        return [self._rows[k] for k in self._ended.until((before, 0, 0), limit)]


class Mail:
    """The three of them, as one tick changes and asks them."""

    def __init__(self) -> None:
        self.subscriptions = Subscriptions()
        self.messages = Messages()
        self.past_waits = PastWaits()

    def end(self, end: WaitEnd) -> None:
        for s in self.subscriptions.of_frame(end.frame):
            self.past_waits.put(PastWait(s.execution, s.frame, s.seq, s.key, s.value, end.at, end.how))

    def open_waits(self, f: WaitFilter, executions: dict[int, Execution], frames: dict[int, Frame]) -> list[OpenWait]:
        found = [s for s in self.subscriptions.all() if s.execution in executions and s.frame in frames]
        found = [s for s in found if s.frame > f.after and f.key in (None, s.key) and f.value in (None, s.value)]
        if f.workflow is not None:
            running = {e.id for e in executions.values() if (e.status, e.workflow) == (Status.RUNNING, f.workflow)}
            found = sorted((s for s in found if s.execution in running), key=lambda s: (s.execution, s.frame, s.seq))
        elif f.key is not None:
            found.sort(key=lambda s: (s.value, s.since, s.frame))
        else:
            found.sort(key=lambda s: (s.frame, s.seq))
        return [
            OpenWait(s, e.ref, e.name, e.workflow, frames[s.frame].state)
            for s in found[: f.limit]
            for e in (executions[s.execution],)
        ]

    def stale(self, now: int, limit: int, *, all_stepped: bool) -> Stale:
        return Stale(
            self.messages.expiring(now, limit),
            self.messages.forgotten(now, limit, all_stepped=all_stepped),
            self.past_waits.over(now - WAITS_KEPT, limit),
        )


class MailTransaction:
    """What a transaction may ask of them."""

    _mail: Mail

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        return self._mail.messages.oldest(key, value, now, skip, kind, execution)

    def message(self, id: int) -> StoredMessage | None:
        return self._mail.messages.rows.get(id)

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        return self._mail.messages.sent(key, value, message_id)

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        return self._mail.subscriptions.open(key, value, kind, limit)

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        return self._mail.subscriptions.of_execution(execution)

    def near_subscriptions(self, key: str, folded: str, limit: int) -> list[Subscription]:
        return self._mail.subscriptions.near(key, folded, limit)

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        return self._mail.messages.near(key, folded, limit)

    def past_waits(self, key: str, folded: str, limit: int) -> list[PastWait]:
        return self._mail.past_waits.near(key, folded, limit)
