"""A writing transaction of the store in memory.

Rule: `apply` refuses what it must refuse; `finish`, at the end of the `with` block, does the rest, so that a
transaction is applied whole or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.store.base import (
    Definition,
    Execution,
    HistoryEvent,
    Job,
    MapRun,
    Reserved,
    Stale,
    Status,
    Timer,
    Worker,
)
from sm_cli.store.changes import Changes
from sm_cli.store.execution_tables import by_number
from sm_cli.store.mail_tables import MailTransaction
from sm_cli.store.rows import copied, job_copied

if TYPE_CHECKING:
    from collections.abc import Collection

    from sm_cli.jsonvalue import Json
    from sm_cli.store.memory import MemoryStore

_OPEN = (Status.PENDING, Status.RUNNING)
_NOT_SUCCEEDED = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
#: As SQLite's LIKE compares: only the letters A to Z have two cases.
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


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

    def pending_executions(self, frame: int, activation: int, fromby_number: int, limit: int) -> list[Execution]:
        pending = self._executions.pending[frame, activation].first(limit, lambda key: key[0] >= fromby_number)
        return [copied(self._executions.rows[id]) for _, id in pending]

    def open_executions(self, frame: int) -> list[Execution]:
        return self._store.open_executions(frame)

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        return [copied(e) for e in self._executions.in_fork(frame, activation, _NOT_SUCCEEDED)]

    def executions_outputs(self, frame: int, activation: int) -> list[tuple[int, Json]]:
        found = self._executions.in_fork(frame, activation, (Status.SUCCEEDED,))
        return [(by_number(e)[0], e.output) for e in found]

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

    def pending_children(self, parent: int, activation: int, fromby_number: int, limit: int) -> list[Frame]:
        pending = self._frames.pending[parent, activation]
        return [self._frames.rows[id] for _, id in pending.first(limit, lambda key: key[0] >= fromby_number)]

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
