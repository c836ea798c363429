"""The store in memory: for `simulate`, for tests, for measuring the engine without a disk.

Rule: the same contract as the database's, without encoding or deep copies. JSON values and frames are never
changed in place, so they are shared; executions and jobs are, so they are copied on the way in and out.
`apply` refuses what it must refuse and keeps the rest for the end of the `with` block, so a transaction is
applied whole or not at all.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.store import tables
from sm_cli.store.base import (
    Changes,
    Definition,
    Execution,
    ExecutionFilter,
    HistoryEvent,
    Job,
    MessageStatus,
    Reserved,
    Status,
    StoredMessage,
    Subscription,
    Timer,
)
from sm_cli.store.ordered import Ordered
from sm_cli.store.rows import copied, job_copied

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sm_cli.jsonvalue import Json

#: As SQLite's LIKE compares: only the letters A to Z have two cases.
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class _Executions:
    def __init__(self) -> None:
        self.rows: dict[int, Execution] = {}
        self.ids: list[int] = []
        self.refs: list[str] = []
        self.by_ref: dict[str, int] = {}
        self.by_name: dict[str, dict[str, int]] = {}
        self.deadlines: Ordered[tuple[int, int]] = Ordered()

    def add(self, e: Execution) -> None:
        insort(self.ids, e.id)
        insort(self.refs, e.ref)
        self.by_ref[e.ref] = e.id
        self.by_name.setdefault(e.name, {})[e.workflow] = e.id
        self.put(e)

    def put(self, e: Execution) -> None:
        old = self.rows.get(e.id)
        if old is not None and old.deadline is not None:
            self.deadlines.discard((old.deadline, e.id))
        self.rows[e.id] = copied(e)
        if e.deadline is not None and e.status is Status.RUNNING:
            self.deadlines.add((e.deadline, e.id))

    def find(self, text: str, limit: int) -> list[Execution]:
        if text in self.by_ref:
            return [self.rows[self.by_ref[text]]][:limit]
        if text in self.by_name:
            return [self.rows[id] for id in sorted(self.by_name[text].values(), reverse=True)[:limit]]
        first, end = bisect_left(self.refs, text), bisect_left(self.refs, f"{text}\U0010ffff")
        return [self.rows[self.by_ref[ref]] for ref in islice(reversed(self.refs[first:end]), limit)]

    def listed(self, f: ExecutionFilter) -> Iterator[Execution]:
        end = len(self.ids) if f.before_id is None else bisect_left(self.ids, f.before_id)
        name = None if f.name_contains is None else f.name_contains.translate(_ASCII_LOWER)
        for i in range(end - 1, -1, -1):
            e = self.rows[self.ids[i]]
            if (
                (f.status is None or e.status is f.status)
                and (f.workflow is None or e.workflow == f.workflow)
                and (f.since is None or e.started >= f.since)
                and (f.until is None or e.started < f.until)
                and (name is None or name in e.name.translate(_ASCII_LOWER))
            ):
                yield e


class MemoryStore:
    def __init__(self) -> None:
        self.commits = 0
        self._lock = threading.RLock()
        self._writing = False
        self._ids: dict[Reserved, int] = {}
        self._definitions: dict[str, Definition] = {}
        self._newest: dict[str, Definition] = {}
        self._executions = _Executions()
        self._frames = tables.Frames()
        self._jobs = tables.Jobs()
        self._timers = tables.Timers()
        self._subscriptions = tables.Subscriptions()
        self._messages = tables.Messages()
        self._history: dict[int, list[HistoryEvent]] = {}

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        with self._lock:
            if self._writing:
                raise RuntimeError("this thread is already inside `with store.write()`")
            self._writing = True
            try:
                transaction = MemoryTransaction(self)
                yield transaction
                self.commits += transaction.finish()
            finally:
                self._writing = False

    def changed(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing has to be given back."""

    def next_due(self, only: int | None = None) -> int | None:
        with self._lock:
            if only is None:
                times = [due for due, *_ in self._timers.due.first(1)]
                times += [deadline for deadline, _ in self._executions.deadlines.first(1)]
            else:
                times = [due for due, *_ in self._timers.due_of[only].first(1)]
                e = self._executions.rows.get(only)
                if e is not None and e.deadline is not None and e.status is Status.RUNNING:
                    times.append(e.deadline)
            leased = self._jobs.leased.values()
            times += [j.leased_until for j in leased if j.leased_until is not None and only in (None, j.execution)]
            return min(times, default=None)

    def has_ready(self, only: int | None = None) -> bool:
        with self._lock:
            return bool(self._frames.ready if only is None else self._frames.ready_of[only])

    def definition(self, digest: str) -> Definition | None:
        return self._definitions.get(digest)

    def workflows(self) -> list[Definition]:
        with self._lock:
            return [definition for _, definition in sorted(self._newest.items())]

    def execution(self, id: int) -> Execution | None:
        with self._lock:
            e = self._executions.rows.get(id)
            return None if e is None else copied(e)

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        with self._lock:
            return [copied(e) for e in self._executions.find(text, limit)]

    def latest(self) -> Execution | None:
        with self._lock:
            ids = self._executions.ids
            return copied(self._executions.rows[ids[-1]]) if ids else None

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        with self._lock:
            found = islice(self._executions.listed(filter), filter.limit)
            return [replace(e, input=None, output=None) for e in found]

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        with self._lock:
            events = self._history.get(execution, [])
            first = bisect_left(events, after + 1, key=lambda event: event.number)
            return events[first : None if limit is None else first + limit]

    def frames_of(self, execution: int) -> list[Frame]:
        with self._lock:
            return [self._frames.rows[id] for id in self._frames.open_of[execution].all()]

    def jobs_of(self, execution: int) -> list[Job]:
        with self._lock:
            return [job_copied(self._jobs.rows[id]) for id in self._jobs.of_execution[execution].all()]

    def timers_of(self, execution: int) -> list[Timer]:
        with self._lock:
            return self._timers.named(self._timers.due_of[execution].all())

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        with self._lock:
            return self._subscriptions.of_execution(execution)


class MemoryTransaction:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._executions = store._executions
        self._frames = store._frames
        self._jobs = store._jobs
        self._timers = store._timers
        self._changes: Changes | None = None
        self._wrote = False

    def reserve(self, table: Reserved, count: int) -> int:
        # Not given back by a rollback: an id may be lost, never used twice.
        first = self._store._ids.get(table, 1)
        self._store._ids[table] = first + count
        self._wrote = True
        return first

    def definition(self, digest: str) -> Definition | None:
        return self._store._definitions.get(digest)

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        rows = self._executions.rows
        return {id: copied(rows[id]) for id in ids if id in rows}

    def execution_named(self, workflow: str, name: str) -> Execution | None:
        id = self._executions.by_name.get(name, {}).get(workflow)
        return None if id is None else copied(self._executions.rows[id])

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        rows = self._frames.rows
        return {id: rows[id] for id in ids if id in rows}

    def ready_frames(self, limit: int, only: int | None = None) -> list[Frame]:
        ready = self._frames.ready if only is None else self._frames.ready_of[only]
        return [self._frames.rows[id] for id in ready.first(limit)]

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        pending = self._frames.pending[parent, activation]
        return [self._frames.rows[id] for _, id in pending.first(limit, lambda key: key[0] >= from_index)]

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        children = self._frames.children(parent, activation)
        return [(child.index, child.output) for child in children if child.status is FrameStatus.SUCCEEDED]

    def descendants(self, frame: int) -> list[Frame]:
        return self._frames.below(frame)

    def open_frames(self, execution: int) -> list[Frame]:
        return self._store.frames_of(execution)

    def due_timers(self, now: int, limit: int, only: int | None = None) -> list[Timer]:
        due = self._timers.due if only is None else self._timers.due_of[only]
        return self._timers.named(due.until((now + 1, 0, ""), limit))

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        rows = self._executions.rows
        if only is None:
            return [copied(rows[id]) for _, id in self._executions.deadlines.until((now + 1, 0), limit)]
        e = rows.get(only)
        if e is None or e.deadline is None or e.deadline > now or e.status is not Status.RUNNING:
            return []
        return [copied(e)][:limit]

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, worker: str | None = None,
        resources: frozenset[str] | None = None, queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        def asked_for(job: Job) -> bool:
            return (
                (only is None or job.execution == only)
                and (queue is None or job.queue == queue)
                and (resources is None or job.resource in resources)
            )

        jobs = self._jobs
        everywhere = jobs.free if queue is None else jobs.free_in_queue[queue]
        free = everywhere if only is None else jobs.free_of[only]
        keys = free.first(limit, lambda key: jobs.rows[key[1]].available <= now and asked_for(jobs.rows[key[1]]))
        for job in jobs.leased.values():
            lost = job.leased_until is not None and job.leased_until <= now
            if (lost or (worker is not None and job.worker == worker)) and asked_for(job):
                keys.append((-job.priority, job.id))
        return [job_copied(jobs.rows[id]) for _, id in sorted(keys)[:limit]]

    def jobs(self, ids: list[int]) -> dict[int, Job]:
        rows = self._jobs.rows
        return {id: job_copied(rows[id]) for id in ids if id in rows}

    def buffered_message(self, key: str, value: str, now: int, skip: Collection[int] = ()) -> StoredMessage | None:
        return self._store._messages.oldest(key, value, now, skip)

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        return self._store._messages.sent(key, value, message_id)

    def subscriptions(self, key: str, value: str) -> list[Subscription]:
        return self._store._subscriptions.open(key, value)

    def apply(self, changes: Changes) -> None:
        if self._changes is not None:
            raise RuntimeError("a transaction is applied once")
        self._refuse(changes)
        self._changes = changes

    def _refuse(self, changes: Changes) -> None:
        for what, ids, rows in (
            ("frame", changes.frames, self._frames.rows),
            ("execution", changes.executions, self._executions.rows),
        ):
            missing = [id for id in ids if id not in rows]
            if missing:
                raise DatabaseError(f"nothing was written, because {what} {missing[0]} is not there")
        names = {(e.workflow, e.name) for e in changes.new_executions}
        taken = (self._executions.by_name.get(name, {}).get(workflow) for workflow, name in names)
        refs = {e.ref for e in changes.new_executions}
        if (
            len(names) < len(changes.new_executions)
            or len(refs) < len(changes.new_executions)
            or any(id is not None for id in taken)
            or not refs.isdisjoint(self._executions.by_ref)
        ):
            raise Conflict("an execution of this name or reference exists already, and nothing was written")

    def finish(self) -> bool:
        """Do what `apply` was given; whether anything was written."""
        changes = self._changes
        if changes is None:
            return self._wrote
        self._define(changes)
        self._remove(changes)
        for e in changes.new_executions:
            self._executions.add(e)
        for e in changes.executions.values():
            self._executions.put(e)
        for frame in (*changes.new_frames.values(), *changes.frames.values()):
            self._frames.put(frame)
        for job in changes.new_jobs:
            self._jobs.put(job_copied(job))
        for job in changes.leased:
            kept = self._jobs.rows.get(job.id)
            if kept is not None:
                lease = replace(kept, leased_until=job.leased_until, worker=job.worker, deliveries=job.deliveries)
                self._jobs.put(lease)
        self._wait(changes)
        for event in changes.history:
            self._store._history.setdefault(event.execution, []).append(event)
        return self._wrote or bool(changes)

    def _define(self, changes: Changes) -> None:
        for definition in changes.new_definitions:
            first = self._store._definitions.setdefault(definition.digest, definition)
            newest = self._store._newest.get(definition.name)
            if newest is None or newest.digest != definition.digest:
                version = replace(first, name=definition.name, created=definition.created)
                self._store._newest[definition.name] = version

    def _remove(self, changes: Changes) -> None:
        for frame in changes.jobs_gone:
            self._jobs.remove(frame)
        for frame in changes.timers_gone:
            self._timers.remove(frame)
        for frame in changes.subscriptions_gone:
            self._store._subscriptions.remove(frame)

    def _wait(self, changes: Changes) -> None:
        for timer in changes.timers:
            self._timers.put(timer)
        for subscription in changes.new_subscriptions:
            self._store._subscriptions.put(subscription)
        messages = self._store._messages
        for message in changes.new_messages:
            messages.put(message)
        for id in changes.messages_consumed:
            if id in messages.rows:
                messages.put(replace(messages.rows[id], status=MessageStatus.CONSUMED))
