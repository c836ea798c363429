"""A writing transaction beside others: it changes only what it holds, and waits for nobody on its way.

What is read to be changed is held (`held`), what there is to do is offered as far as it can be (`offered`), and
messages have locks of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NoReturn

from sm_cli.store.changes import Changes
from sm_cli.store.links import Link
from sm_cli.store.locks import (
    ALONE,
    NOTHING,
    OLD_MESSAGES,
    SCHEDULES,
    STATE_LOG,
    Contended,
    Lock,
    message_lock,
    part_lock,
)
from sm_cli.store.messages import StoredMessage, Subscription
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.postgres.exchange import Promise
from sm_cli.store.postgres.writing.offered import OfferedTransaction
from sm_cli.store.records import Execution, HistoryEvent
from sm_cli.store.sql.parameters import id_list

#: What changes what many trees read: whoever writes it is alone.
_ALONE = (
    "new_definitions", "new_versions", "versions_gone", "current_versions", "aliases", "aliases_gone", "losses",
    "particulars_gone", "new_schedules", "schedules_gone", "texts_gone",
)  # fmt: skip
#: A count that another transaction has, which may stand still in its commit, is not waited for.
_COUNT = b"""
UPDATE sm_writes SET number = number + 1, mark = $1 WHERE slot = coalesce(
    (SELECT w.slot FROM sm_writes w WHERE w.slot = $2 FOR NO KEY UPDATE SKIP LOCKED),
    (SELECT w.slot FROM sm_writes w WHERE w.slot = $3 FOR NO KEY UPDATE SKIP LOCKED),
    (SELECT w.slot FROM sm_writes w WHERE w.slot = $4 FOR NO KEY UPDATE SKIP LOCKED), $2
) RETURNING pg_current_xact_id()::text
"""


class PostgresTransaction(OfferedTransaction):
    """A transaction that changes what it holds."""

    # Messages: who begins to wait shares the lock of the value, who sends or takes a message has it alone

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        """As everywhere. Raises Contended."""
        self._share(message_lock(key, value))
        message = super().buffered_message(key, value, now, skip, kind=kind, execution=execution)
        if message is not None:
            self._lock(message_lock(key, value))
        return message

    def find_message(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        """As everywhere. Raises Contended."""
        self._lock(message_lock(key, value))
        return super().find_message(key, value, message_id)

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        """As everywhere, all held: they are about to get a message. Raises Contended."""
        self._lock(message_lock(key, value))
        while True:
            answers = super().subscriptions(key, value, kind=kind, limit=limit)
            parts = self._holding.parts_of({each.execution for each in answers})
            if parts <= self._holding.parts:
                return answers
            self._holding.need(parts)

    # Writing

    def _reserve(self, table: str, count: int) -> int:
        first = self._own.ids.reserve(table, count)
        if table == "executions":  # nobody else knows them
            self._holding.parts.update(range(first, first + count))
        return first

    def apply(self, changes: Changes) -> list[HistoryEvent]:
        """As everywhere. Raises Contended for what may only be written by who has it."""
        if not self._is_alone:
            if any(getattr(changes, name) for name in _ALONE) or _are_shared(changes.particulars):
                raise Contended(frozenset([ALONE]))
            if (changes.messages_gone or changes.answers_gone) and OLD_MESSAGES not in self._locks:
                raise Contended(frozenset([ALONE]))
            if changes.schedules and SCHEDULES not in self._locks:
                raise Contended(frozenset([SCHEDULES]))
            if changes.executions_gone:
                # With their times, which somebody may be moving from the log to the table; and with links, of which the
                # last execution to go has to see that the other one went.
                self._lock(STATE_LOG)
        parts = self._changed_parts(changes)
        if self._is_alone:
            self._holding.take(parts)
        elif missing := parts - self._holding.parts:  # read before it was held
            raise Contended(frozenset(map(part_lock, missing)))
        self._own.cached_parts |= parts
        self._postgres.forget_ahead()
        return super().apply(changes)

    def _changed_parts(self, changes: Changes) -> set[int]:
        parts = self._own.learn_new(changes.new_executions)
        parts |= {execution.part for execution in changes.executions.values()}
        executions = {frame.execution for frame in (*changes.new_frames.values(), *changes.frames.values())}
        for records in (changes.leased_jobs, changes.new_jobs, changes.timers, changes.new_subscriptions):
            executions.update(record.execution for record in records)
        executions.update(run.execution for run in (*changes.new_map_runs, *changes.map_runs))
        executions.update(changes.executions_gone)
        return parts | self._holding.parts_of(executions)

    def _write(self, changes: Changes) -> list[HistoryEvent]:
        long = super()._write(changes)
        foreign = [part for part in self._holding.foreign if part not in changes.executions_gone]
        if foreign:
            self.session.many("mark_parts", [(self._own.number, id_list(foreign))])
        if self._counting is None and self._values.is_idle():  # what counts commits comes last
            self._counting = self._send_count()  # with the rest; its answer is read later
        return long

    def count(self) -> str | None:
        """Count this commit as one that writes, last of all. Returns the transaction's id; None when nothing was
        written. Raises psycopg.Error."""
        if self._postgres.written == self._written_before:
            return None
        answer = self._counting or self._send_count()
        if self._number is None:
            self._postgres.exchange.settle()
            self._number = str(answer.rows[0][0])
        return self._number

    def _send_count(self) -> Promise:
        return self._postgres.send(_COUNT, (self._own.mark, *self._own.slots))

    def finish(self) -> None:
        """As everywhere; ids are reserved by then."""
        self._row_cache.trim()

    def _insert_executions(self, new: list[Execution]) -> None:
        # A name that another transaction inserts is waited for: all take names in this order.
        super()._insert_executions(sorted(new, key=lambda execution: (execution.workflow, execution.name)))

    def _insert_links(self, links: list[Link]) -> None:
        super()._insert_links(sorted(links, key=lambda link: (link.source, link.target_workflow)))

    def _links_collided(self) -> NoReturn:
        raise Contended(NOTHING)

    def _may_fold(self) -> bool:
        return self._try(STATE_LOG)

    def _keep_blobs(self, ids: list[int]) -> None:
        # Behind the count of commits nothing is waited for.
        name = "keep_blobs" if self._counting is None else "keep_free_blobs"
        if len(self.session.all(name, (id_list(ids),))) < len(ids):
            raise Contended(NOTHING)  # the last one who referred to it has deleted it


def waited_for(locks: Iterable[Lock]) -> tuple[list[Lock], list[int]]:
    """Advisory locks, and the parts, each in the order in which all wait for them."""
    order = sorted(locks)
    return [lock for lock in order if lock.kind != "part"], sorted(int(k.key) for k in order if k.kind == "part")


def _are_shared(particulars: list[Particulars]) -> bool:
    """Whether any are of what many trees read. Those of an execution are its tree's own."""
    return any(each.kind is not ResourceKind.EXECUTION for each in particulars)
