"""A writing transaction beside others: it changes only trees that it holds, and waits for nobody on its way.

A tree is held by a lock on the row of the execution at its top, taken with SKIP LOCKED; it ends with the transaction.
Whatever is read of a tree to be changed is read by a statement that begins after that: READ COMMITTED sees then what
everybody committed who had it before. What is offered (due timers, free jobs, READY frames) is offered of trees that
can be held; what is asked for and cannot be held raises Contended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NoReturn

import psycopg

from sm_cli.interpreter.frame import Frame
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
    Locks,
    message_lock,
    tree_lock,
)
from sm_cli.store.messages import Stale, StoredMessage, Subscription
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.postgres.offers import ANYTHING, Offers
from sm_cli.store.postgres.own import Own, lock_number
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.records import Execution, HistoryEvent, Job, Timer
from sm_cli.store.schedules import Schedule
from sm_cli.store.sql import rows, work_rows
from sm_cli.store.sql.parameters import id_list, name_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters
from sm_cli.store.sql.transaction import Transaction

#: A tick looks at so many trees that have something for it, and takes at most so many of them.
_LOOKED_AT, _MOST = 1000, 128
#: What changes what many trees read: whoever writes it is alone.
_ALONE = (
    "new_definitions", "new_versions", "versions_gone", "current_versions", "aliases", "aliases_gone", "losses",
    "particulars_gone", "new_schedules", "schedules_gone", "executions_gone", "map_runs_gone",
    "strays_gone",
)  # fmt: skip
#: Questions about executions that are about to be changed.
_OF_HELD = frozenset(["executions", "pending_executions", "open_executions", "failed_executions"])
_COUNT = "UPDATE sm_writes SET number = number + 1, mark = %s WHERE slot = %s RETURNING pg_current_xact_id()::text"
#: So many places are remembered.
_MOST_PLACES = 50_000


class PostgresTransaction(Transaction):
    """A transaction that changes what it holds.

    locks: those that it has from its beginning; ALONE among them: nobody writes beside it. offers: what there was to
    do then."""

    def __init__(self, session: PostgresSession, own: Own, locks: Locks, offers: Offers) -> None:
        super().__init__(session, own.row_cache)
        self._postgres = session
        self._written_before = session.written
        #: What has asked for this transaction's number.
        self._counting: psycopg.Cursor[Row] | None = None
        self._own = own
        self._begun_with = offers
        self._locks = set(locks)
        self._is_alone = ALONE in locks
        self._own_trees: set[int] = set()
        #: Of these, those that were there before this transaction.
        self._stored_trees: set[int] = set()
        #: Of these, those that another store wrote last.
        self._foreign: set[int] = set()
        own.ids.begin()
        own.transactions += 1
        if len(own.places) > _MOST_PLACES:
            own.places.clear()
        self.hold({int(lock.key) for lock in locks if lock.kind == "tree"})

    def go_on(self) -> None:
        """As everywhere. There may be anything to do: the steps before have written."""
        super().go_on()
        self._begun_with = ANYTHING

    # Trees

    def hold(self, trees: Collection[int]) -> Collection[int]:
        """As everywhere; those of them that nobody else has."""
        trees = set(trees)
        others = trees - self._own_trees
        if others:
            self._take("take_trees", (id_list(sorted(others)),))
        return trees & self._own_trees

    def _take(self, name: str, parameters: Parameters) -> set[int]:
        answers = self.session.all(name, parameters)
        self._note(answers)
        return {tree for tree, _, _ in answers}

    def _note(self, answers: list[Row]) -> None:
        """Note what a statement has locked: (tree, the execution at its top, the store that wrote there last)."""
        writers = {tree: writer for tree, top, writer in answers if top is not None}
        for tree, top, _ in answers:
            # The execution at its top was deleted, others are there: who is redriven goes on.
            if top is None and tree not in self._own_trees and self._try(tree_lock(tree)):
                writers[tree] = None
        foreign = {tree for tree, writer in writers.items() if writer != self._own.number} - self._own_trees
        if foreign:
            self._row_cache.forget_trees(foreign, self._own.places)
        self._foreign |= foreign
        self._own_trees |= writers.keys()
        self._stored_trees |= writers.keys()

    def _need(self, trees: Collection[int]) -> None:
        """Hold these trees. Raises Contended."""
        missing = set(trees) - self._own_trees
        if missing and (missing := missing - set(self.hold(missing))):
            raise Contended(frozenset(map(tree_lock, missing)))

    def _trees_of(self, executions: Collection[int]) -> set[int]:
        places = self._own.places
        unknown = [id for id in executions if id not in places]
        if unknown:
            places.update((id, tree) for id, tree, _ in self.trees(unknown))
        return {places[id] for id in executions if id in places}

    def _of_held(self, read: Callable[[], list[Row]], tree: int) -> list[Row]:
        """Rows that were read when all their trees were held. tree: the column that says which. Raises Contended."""
        while True:
            answers = read()
            trees = {row[tree] for row in answers}
            if trees <= self._own_trees:
                return answers
            self._need(trees)

    def _frame_rows(self, name: str, parameters: Parameters) -> list[Row]:
        answers = self._of_held(lambda: self.session.all(name, parameters), work_rows.FRAME_TREE)
        self._own.places.update((row[2], row[work_rows.FRAME_TREE]) for row in answers)
        return answers

    def _execution_rows(self, name: str, parameters: Parameters) -> list[Row]:
        if name in _OF_HELD:
            answers = self._of_held(lambda: self.session.all(name, parameters), rows.EXECUTION_TREE)
        else:
            answers = self.session.all(name, parameters)
        self._own.places.update((row[0], row[rows.EXECUTION_TREE]) for row in answers)
        return answers

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        """As everywhere. Raises Contended."""
        self._need(self._trees_of(ids))
        return super().executions(ids)

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        """As everywhere. Raises Contended."""
        cache = self._row_cache.frames
        self._need(self._trees_of({cache[id][0].execution for id in ids if id in cache}))
        return super().frames(ids)

    def due_among(self, executions: Collection[int], now: int) -> list[int]:
        """As everywhere, with all these trees held: something arrives there. Raises Contended."""
        self._need(self._trees_of(executions))
        return super().due_among(executions, now)

    # What is offered

    @property
    def _offers(self) -> Offers:
        """What there is to do. In a tree that another store wrote since, there may be anything."""
        return ANYTHING if self._foreign else self._begun_with

    def _has(self, tree: int | None) -> bool:
        return tree is None or bool(self.hold({tree}))

    def _taken_list(self) -> str:
        return id_list(self._stored_trees)

    def ready(self, limit: int, tree: int | None = None) -> list[tuple[int, int]]:
        """As everywhere, of trees that can be held."""
        if tree is not None:
            return super().ready(limit, tree) if self._has(tree) else []
        if not self._offers.ready:
            return []
        trees = self._take("take_ready", (_LOOKED_AT, _MOST))
        return self.session.all("ready_held", (id_list(trees & self._stored_trees), limit)) if trees else []

    def ready_trees(self, after: int, limit: int) -> list[int]:
        """As everywhere, of trees that are held."""
        return [tree for tree in super().ready_trees(after, _LOOKED_AT) if tree in self._own_trees][:limit]

    def has_due(self, now: int, tree: int | None = None) -> bool:
        """As everywhere."""
        return (tree is not None or self._offers.has_due(now)) and super().has_due(now, tree)

    def queues(self) -> list[str]:
        """As everywhere."""
        return super().queues() if self._offers.free_jobs else []

    def overdue(self, now: int, limit: int, tree: int | None = None) -> list[Execution]:
        """As everywhere, of trees that can be held."""
        if tree is not None:
            return super().overdue(now, limit, tree) if self._has(tree) else []
        self._take("take_overdue", (now, _LOOKED_AT, _MOST))
        return self._executions("overdue_held", (self._taken_list(), now, limit)) if self._stored_trees else []

    def due_timers(
        self, now: int, limit: int, tree: int | None = None, worker: str | None = None, *,
        after: tuple[int, int] = (-1, 0),
    ) -> list[Timer]:  # fmt: skip
        """As everywhere, of trees that can be held."""
        due, frame = after
        parameters = {"now": now, "limit": limit, "worker": worker, "due": due, "frame": frame}
        if tree is not None:
            return super().due_timers(now, limit, tree, worker, after=after) if self._has(tree) else []
        self._take("take_due", {**parameters, "limit": _LOOKED_AT, "most": _MOST})
        return self._timers("due_timers_held", {**parameters, "held": self._taken_list()}) if self._stored_trees else []

    def claimable(
        self, now: int, limit: int, *, tree: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        """As everywhere, of trees that can be held: who asks at the same time gets the ones behind."""
        if tree is not None:
            return super().claimable(now, limit, tree=tree, queue=queue, resources=resources) if self._has(tree) else []
        parameters = {"now": now, "limit": limit, "queue": queue, "resources": name_list(resources)}
        name = "take_free" if queue is None else "take_free_in_queue"
        answers = self.session.all(name, {**parameters, "window": _LOOKED_AT + limit})
        if not answers:
            return []
        self._note([row[1:] for row in answers])
        newest = self.jobs([id for id, tree, _, _ in answers if tree in self._own_trees])
        return [newest[id] for id, *_ in answers if id in newest and newest[id].leased_until is None]

    def lapsed_jobs(self, now: int, limit: int, tree: int | None = None) -> list[Job]:
        """As everywhere, of trees that can be held."""
        if not self._offers.has_lapsed(now):
            return []
        return self._jobs_of_held(lambda: super(PostgresTransaction, self).lapsed_jobs(now, limit, tree))

    def leased_to(self, worker: str) -> list[Job]:
        """As everywhere, of trees that can be held."""
        return self._jobs_of_held(lambda: super(PostgresTransaction, self).leased_to(worker))

    def _jobs_of_held(self, read: Callable[[], list[Job]]) -> list[Job]:
        jobs = read()
        if jobs and not self._trees_of({job.execution for job in jobs}) <= self._own_trees:
            self.hold(self._trees_of({job.execution for job in jobs}))
            places = self._own.places
            jobs = [job for job in read() if places.get(job.execution) in self._own_trees]
        return jobs

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        """As everywhere, unless somebody else sees to schedules."""
        schedules = super().due_schedules(now, limit)
        if not schedules or SCHEDULES in self._locks or self._is_alone:
            return schedules
        return super().due_schedules(now, limit) if self._try(SCHEDULES) else []

    def stale(self, now: int, limit: int) -> Stale:
        """As everywhere, unless somebody else sees to it."""
        return super().stale(now, limit) if self._try(OLD_MESSAGES) else Stale([], [], [], [])

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
        """As everywhere, with their trees held: they are about to get a message. Raises Contended."""
        self._lock(message_lock(key, value))
        while True:
            answers = super().subscriptions(key, value, kind=kind, limit=limit)
            trees = self._trees_of({each.execution for each in answers})
            if trees <= self._own_trees:
                return answers
            self._need(trees)

    # Locks beside trees

    def _lock(self, lock: Lock) -> None:
        if not self._try(lock):
            raise Contended(frozenset([lock]))

    def _try(self, lock: Lock) -> bool:
        if lock not in self._locks and not self._is_alone:
            ((has,),) = self.session.all("try_lock", (lock_number(self._own.schema, lock),))
            if not has:
                return False
            self._locks.add(lock)
        return True

    def _share(self, lock: Lock) -> None:
        if lock not in self._locks and not self._is_alone:
            ((has,),) = self.session.all("try_shared_lock", (lock_number(self._own.schema, lock),))
            if not has:
                raise Contended(frozenset([lock]))

    # Writing

    def _reserve(self, table: str, count: int) -> int:
        first = self._own.ids.reserve(table, count)
        if table == "executions":  # nobody else knows them
            self._own_trees.update(range(first, first + count))
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
        trees = self._changed_trees(changes)
        if self._is_alone:
            self.hold(trees)
        elif missing := trees - self._own_trees:  # read before it was held
            raise Contended(frozenset(map(tree_lock, missing)))
        return super().apply(changes)

    def _changed_trees(self, changes: Changes) -> set[int]:
        new = {execution.id: execution.tree for execution in changes.new_executions}
        self._own.places.update(new)
        trees = {*new.values(), *(execution.tree for execution in changes.executions.values())}
        executions = {frame.execution for frame in (*changes.new_frames.values(), *changes.frames.values())}
        for records in (changes.leased_jobs, changes.new_jobs, changes.timers, changes.new_subscriptions):
            executions.update(record.execution for record in records)
        executions.update(run.execution for run in (*changes.new_map_runs, *changes.map_runs))
        executions.update(changes.executions_gone)
        return trees | self._trees_of(executions)

    def _write(self, changes: Changes) -> list[HistoryEvent]:
        long = super()._write(changes)
        foreign = [tree for tree in self._foreign if tree not in changes.executions_gone]
        if foreign:
            self.session.many("mark_trees", [(self._own.number, id_list(foreign))])
        if self._counting is None and self._values.is_idle():  # what counts commits comes last
            self._counting = self._send_count()  # with the rest; its answer is read later
        return long

    def count(self) -> str | None:
        """Count this commit as one that writes, last of all. Returns the transaction's id; None when nothing was
        written. Raises psycopg.Error."""
        if self._postgres.written == self._written_before:
            return None
        row = (self._counting or self._send_count()).fetchone()
        assert row is not None
        return str(row[0])

    def _send_count(self) -> psycopg.Cursor[Row]:
        return self._postgres.connection.execute(_COUNT, (self._own.mark, self._own.slot))

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
    """Advisory locks, and the trees, each in the order in which all wait for them."""
    order = sorted(locks)
    return [lock for lock in order if lock.kind != "tree"], sorted(int(k.key) for k in order if k.kind == "tree")


def _are_shared(particulars: list[Particulars]) -> bool:
    """Whether any are of what many trees read. Those of an execution are its tree's own."""
    return any(each.kind is not ResourceKind.EXECUTION for each in particulars)
