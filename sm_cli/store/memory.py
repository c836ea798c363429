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
    HANDED_OVER,
    Definition,
    Execution,
    ExecutionFilter,
    HistoryEvent,
    Job,
    MapRun,
    MessageFilter,
    OpenWait,
    Parent,
    Reserved,
    Stale,
    Status,
    StoredMessage,
    Subscription,
    Timer,
    WaitFilter,
    Worker,
)
from sm_cli.store.changes import Changes
from sm_cli.store.mail_tables import Mail, MailTransaction
from sm_cli.store.ordered import Ordered
from sm_cli.store.rows import copied, job_copied
from sm_cli.store.tables import Grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sm_cli.jsonvalue import Json

_OPEN = (Status.PENDING, Status.RUNNING)
_NOT_SUCCEEDED = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
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
        #: Ids by parent frame: all, those that are open, and (with the fork's seq) those that wait for their turn.
        self.of_parent: dict[int, list[int]] = {}
        self.open_of: Grouped[int, int] = Grouped()
        self.pending: Grouped[tuple[int, int], tuple[int, int]] = Grouped()
        self.of_run: dict[int, list[int]] = {}

    def add(self, e: Execution) -> None:
        insort(self.ids, e.id)
        insort(self.refs, e.ref)
        self.by_ref[e.ref] = e.id
        self.by_name.setdefault(e.name, {})[e.workflow] = e.id
        if e.parent is not None:
            self.of_parent.setdefault(e.parent.frame, []).append(e.id)
            if e.parent.run is not None:
                self.of_run.setdefault(e.parent.run, []).append(e.id)
        self.put(e)

    def put(self, e: Execution) -> None:
        old = self.rows.get(e.id)
        if old is not None and old.deadline is not None:
            self.deadlines.discard((old.deadline, e.id))
        self.rows[e.id] = copied(e)
        if e.deadline is not None and e.status is Status.RUNNING:
            self.deadlines.add((e.deadline, e.id))
        if e.parent is not None:
            self._enter(e, e.parent)

    def _enter(self, e: Execution, parent: Parent) -> None:
        pending = (parent.frame, parent.activation), (parent.number, e.id)
        if e.status in _OPEN:
            self.open_of.add(parent.frame, e.id)
        else:
            self.open_of.discard(parent.frame, e.id)
        if e.status is Status.PENDING:
            self.pending.add(*pending)
        else:
            self.pending.discard(*pending)

    def tree(self, id: int) -> int:
        return self.rows[id].tree if id in self.rows else id

    def in_fork(self, frame: int, activation: int, wanted: Collection[Status]) -> list[Execution]:
        """By index."""
        found = (self.rows[id] for id in self.of_parent.get(frame, ()))
        chosen = [e for e in found if e.status in wanted and e.parent is not None and e.parent.activation == activation]
        return sorted(chosen, key=_index)

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
                (None if e.parent is None else e.parent.run) == f.run
                and (f.status is None or e.status is f.status)
                and (f.workflow is None or e.workflow == f.workflow)
                and (f.since is None or e.started >= f.since)
                and (f.until is None or e.started < f.until)
                and (name is None or name in e.name.translate(_ASCII_LOWER))
            ):
                yield e


def _index(e: Execution) -> tuple[int, int]:
    return (0 if e.parent is None else e.parent.number, e.id)


class MemoryStore:
    def __init__(self) -> None:
        self.commits = 0
        self._lock = threading.RLock()
        self._writing = False
        self._ids: dict[Reserved, int] = {}
        self._definitions: dict[str, Definition] = {}
        self._newest: dict[str, Definition] = {}
        self._executions = _Executions()
        self._map_runs = tables.MapRuns()
        self._frames = tables.Frames(self._executions.tree)
        self._jobs = tables.Jobs(self._executions.tree)
        self._timers = tables.Timers(self._executions.tree)
        self._mail = Mail()
        self._history: dict[int, list[HistoryEvent]] = {}
        self._workers: dict[str, Worker] = {}

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

    def next_due(self, only: int | None = None, worker: str | None = None) -> int | None:
        with self._lock:
            timers = self._timers.due if only is None else self._timers.due_in[only]
            times = [due for due, *_ in timers.first(1, lambda key: self._is_for(key[1], worker))]
            deadlines = self._executions.deadlines.first(1, lambda key: self._in_tree(key[1], only))
            times += [deadline for deadline, _ in deadlines]
            leased = self._jobs.leased.values()
            times += [j.leased_until for j in leased if j.leased_until is not None and self._in_tree(j.execution, only)]
            return min(times, default=None)

    def _in_tree(self, execution: int, only: int | None) -> bool:
        return only is None or self._executions.tree(execution) == only

    def _is_for(self, frame: int, worker: str | None) -> bool:
        """Whether `worker` may fire this frame's timers: no other one has leased its job."""
        jobs = self._jobs
        return worker is None or all(jobs.rows[id].worker in (None, worker) for id in jobs.of_frame.get(frame, ()))

    def has_free(
        self, now: int, resources: frozenset[str], *, only: int | None = None, queues: frozenset[str] | None = None
    ) -> bool:
        def asked_for(key: tuple[int, int]) -> bool:
            job = self._jobs.rows[key[1]]
            return job.available <= now and job.resource in resources and (queues is None or job.queue in queues)

        with self._lock:
            free = self._jobs.free if only is None else self._jobs.free_in[only]
            return bool(free.first(1, asked_for))

    def waiting_resources(self) -> list[str]:
        with self._lock:
            return sorted(self._jobs.free_of_resource.groups())

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        rows = self._jobs.rows
        with self._lock:
            return {id for id in jobs if id in rows and rows[id].worker == worker}

    def workers(self) -> list[Worker]:
        with self._lock:
            return sorted(self._workers.values(), key=lambda worker: (worker.started, worker.id))

    def has_ready(self, only: int | None = None) -> bool:
        with self._lock:
            return bool(self._frames.ready if only is None else self._frames.ready_in[only])

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
            rows = self._executions.rows
            top = next((id for id in reversed(self._executions.ids) if rows[id].tree == id), None)
            return None if top is None else copied(rows[top])

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        with self._lock:
            found = islice(self._executions.listed(filter), filter.limit)
            return [replace(e, input=None, output=None) for e in found]

    def open_executions(self, frame: int) -> list[Execution]:
        with self._lock:
            executions = self._executions
            return [
                copied(e) for e in sorted((executions.rows[id] for id in executions.open_of[frame].all()), key=_index)
            ]

    def map_runs(self, execution: int | None = None, limit: int = 50) -> list[MapRun]:
        with self._lock:
            runs = self._map_runs
            ids = [id for id in sorted(runs.rows, reverse=True) if execution in (None, runs.rows[id].execution)]
            return runs.found(ids[:limit], self._frames.rows)

    def find_map_run(self, ref: str) -> list[MapRun]:
        with self._lock:
            refs = {run.ref: id for id, run in self._map_runs.rows.items()}
            names = [ref] if ref in refs else sorted(known for known in refs if known.startswith(ref))[:10]
            return self._map_runs.found([refs[name] for name in names], self._frames.rows)

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        with self._lock:
            children = sorted((self._executions.rows[id] for id in self._executions.of_run.get(run, ())), key=_index)
            return [copied(e) for e in children if _index(e)[0] > after][:limit]

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

    def handed_over(self, limit: int = 50) -> list[Job]:
        with self._lock:
            found = [job for job in self._jobs.leased.values() if job.leased_until == HANDED_OVER]
            return [job_copied(job) for job in sorted(found, key=lambda job: job.id)[:limit]]

    def secret(self) -> bytes:
        """Nothing outlives the process that could be forged: one key for all."""
        return b"sm keeps this store in memory..."

    def beacons(self) -> None:
        return None

    def timers_of(self, execution: int) -> list[Timer]:
        with self._lock:
            return self._timers.named(self._timers.due_of[execution].all())

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        with self._lock:
            return self._mail.subscriptions.of_execution(execution)

    def open_waits(self, filter: WaitFilter) -> list[OpenWait]:
        with self._lock:
            return self._mail.open_waits(filter, self._executions.rows, self._frames.rows)

    def message(self, id: int) -> StoredMessage | None:
        return self._mail.messages.rows.get(id)

    def messages_named(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        with self._lock:
            return self._mail.messages.named(message_id)[:limit]

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        with self._lock:
            return self._mail.messages.near(key, folded, limit)

    def list_messages(self, filter: MessageFilter) -> list[StoredMessage]:
        with self._lock:
            return self._mail.messages.listed(filter)

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        rows = self._executions.rows
        with self._lock:
            return {id: rows[id].ref for id in ids if id in rows}


class MemoryTransaction(MailTransaction):
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._executions = store._executions
        self._frames = store._frames
        self._jobs = store._jobs
        self._timers = store._timers
        self._mail = store._mail
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

    def newest(self, name: str) -> Definition | None:
        return self._store._newest.get(name)

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        return self._store.refs(ids)

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        pending = self._executions.pending[frame, activation].first(limit, lambda key: key[0] >= from_index)
        return [copied(self._executions.rows[id]) for _, id in pending]

    def open_executions(self, frame: int) -> list[Execution]:
        return self._store.open_executions(frame)

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        return [copied(e) for e in self._executions.in_fork(frame, activation, _NOT_SUCCEEDED)]

    def executions_outputs(self, frame: int, activation: int) -> list[tuple[int, Json]]:
        found = self._executions.in_fork(frame, activation, (Status.SUCCEEDED,))
        return [(_index(e)[0], e.output) for e in found]

    def map_run(self, frame: int, activation: int) -> MapRun | None:
        runs = self._store._map_runs
        id = runs.of_fork.get((frame, activation))
        return None if id is None else runs.found([id], self._frames.rows)[0]

    def execution_named(self, workflow: str, name: str) -> Execution | None:
        id = self._executions.by_name.get(name, {}).get(workflow)
        return None if id is None else copied(self._executions.rows[id])

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        rows = self._frames.rows
        return {id: rows[id] for id in ids if id in rows}

    def ready_frames(self, limit: int, only: int | None = None) -> list[Frame]:
        ready = self._frames.ready if only is None else self._frames.ready_in[only]
        return [self._frames.rows[id] for id in ready.first(limit)]

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        pending = self._frames.pending[parent, activation]
        return [self._frames.rows[id] for _, id in pending.first(limit, lambda key: key[0] >= from_index)]

    def root(self, execution: int) -> Frame:
        return self._frames.rows[self._frames.roots[execution]]

    def roots(self, executions: Collection[int]) -> list[Frame]:
        return [self.root(id) for id in executions]

    def children(self, parent: int, activation: int) -> list[Frame]:
        return list(self._frames.children(parent, activation))

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        children = self._frames.children(parent, activation)
        return [(child.index, child.output) for child in children if child.status is FrameStatus.SUCCEEDED]

    def descendants(self, frame: int) -> list[Frame]:
        return self._frames.below(frame)

    def open_frames(self, execution: int) -> list[Frame]:
        return self._store.frames_of(execution)

    def due_timers(self, now: int, limit: int, only: int | None = None, worker: str | None = None) -> list[Timer]:
        due = self._timers.due if only is None else self._timers.due_in[only]
        return self._timers.named(due.until((now + 1, 0, ""), limit, lambda key: self._store._is_for(key[1], worker)))

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        rows = self._executions.rows
        in_tree = self._store._in_tree
        due = self._executions.deadlines.until((now + 1, 0), limit, lambda key: in_tree(key[1], only))
        return [copied(rows[id]) for _, id in due]

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        jobs = self._jobs

        def asked_for(key: tuple[int, int]) -> bool:
            job = jobs.rows[key[1]]
            return (
                job.available <= now
                and (queue is None or job.queue == queue)
                and (resources is None or job.resource in resources)
            )

        everywhere = jobs.free if queue is None else jobs.free_in_queue[queue]
        free = everywhere if only is None else jobs.free_in[only]
        return [job_copied(jobs.rows[id]) for _, id in free.first(limit, asked_for)]

    def queues(self) -> list[str]:
        return sorted(self._jobs.free_in_queue.groups())

    def waiting_resources(self) -> list[str]:
        return self._store.waiting_resources()

    def lost(self, now: int, limit: int, only: int | None = None) -> list[Job]:
        found = [
            (job.leased_until, job.id)
            for job in self._jobs.leased.values()
            if job.leased_until is not None and job.leased_until <= now and self._store._in_tree(job.execution, only)
        ]
        return [job_copied(self._jobs.rows[id]) for _, id in sorted(found)[:limit]]

    def held(self, worker: str) -> list[Job]:
        return [job_copied(job) for _, job in sorted(self._jobs.leased.items()) if job.worker == worker]

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        return self._store.leases(worker, jobs)

    def workers(self) -> list[Worker]:
        return self._store.workers()

    def jobs(self, ids: list[int]) -> dict[int, Job]:
        rows = self._jobs.rows
        return {id: job_copied(rows[id]) for id in ids if id in rows}

    def stale(self, now: int, limit: int) -> Stale:
        return self._mail.stale(now, limit, all_stepped=not self._frames.ready)

    def apply(self, changes: Changes) -> list[HistoryEvent]:
        if self._changes is not None:
            raise RuntimeError("a transaction is applied once")
        self._refuse(changes)
        self._changes = changes
        return []

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
        for run in (*changes.new_map_runs, *changes.map_runs):
            self._store._map_runs.put(run)
        for frame in (*changes.new_frames.values(), *changes.frames.values()):
            self._frames.put(frame)
        for job in changes.new_jobs:
            self._jobs.put(job_copied(job))
        for job in changes.leased:
            kept = self._jobs.rows.get(job.id)
            if kept is not None:
                lease = replace(
                    kept, leased_until=job.leased_until, worker=job.worker, deliveries=job.deliveries,
                    repeatable=job.repeatable,
                )  # fmt: skip
                self._jobs.put(lease)
        self._wait(changes)
        for worker in changes.workers:
            known = self._store._workers.get(worker.id, worker)
            self._store._workers[worker.id] = replace(known, seen=worker.seen)
        for id in changes.workers_gone:
            self._store._workers.pop(id, None)
        for event in changes.history:
            self._store._history.setdefault(event.execution, []).append(event)
        return self._wrote or bool(changes)

    def _define(self, changes: Changes) -> None:
        for definition in changes.new_definitions:
            first = self._store._definitions.setdefault(definition.digest, definition)
            newest = self._store._newest.get(definition.name)
            if newest is None or newest.digest != definition.digest:
                version = first._replace(name=definition.name, created=definition.created)
                self._store._newest[definition.name] = version

    def _remove(self, changes: Changes) -> None:
        for frame in changes.jobs_gone:
            self._jobs.remove(frame)
        for frame in changes.timers_gone:
            self._timers.remove(frame)
        for end in changes.waits_ended:
            self._mail.end(end)
        for frame in changes.subscriptions_gone:
            self._mail.subscriptions.remove(frame)
        for waking in changes.waking:
            for id in waking.frames:
                self._frames.wake(id, waking.wake)

    def _wait(self, changes: Changes) -> None:
        for timer in changes.timers:
            self._timers.put(timer)
        for subscription in changes.new_subscriptions:
            self._mail.subscriptions.put(subscription)
        messages = self._mail.messages
        for message in changes.new_messages:
            messages.put(message)
        for consumed in changes.messages_consumed:
            messages.consume(consumed)
        for id in changes.messages_expired:
            messages.expire(id)
        for id in changes.messages_gone:
            messages.remove(id)
        for wait in changes.waits_forgotten:
            self._mail.past_waits.remove(wait)
