"""The store in memory: for `simulate`, for tests, for measuring the engine without a disk.

Rule: the same contract as the database's, without encoding or deep copies. JSON values and frames are never
changed in place, so they are shared; executions and jobs are, so they are copied on the way in and out.
`apply` refuses what it must refuse and keeps the rest for the end of the `with` block, so a transaction is
applied whole or not at all.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from sm_cli.interpreter.frame import Frame
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
    Reserved,
    Status,
    StoredMessage,
    Subscription,
    Timer,
    WaitFilter,
    Worker,
)
from sm_cli.store.execution_tables import Executions, by_number
from sm_cli.store.mail_tables import Mail
from sm_cli.store.memory_transaction import MemoryTransaction
from sm_cli.store.rows import copied, job_copied

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


_OPEN = (Status.PENDING, Status.RUNNING)
_NOT_SUCCEEDED = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
#: As SQLite's LIKE compares: only the letters A to Z have two cases.
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class MemoryStore:
    def __init__(self) -> None:
        self.commits = 0
        self._lock = threading.RLock()
        self._writing = False
        self._ids: dict[Reserved, int] = {}
        self._definitions: dict[str, Definition] = {}
        self._newest: dict[str, Definition] = {}
        self._executions = Executions()
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
                copied(e)
                for e in sorted((executions.rows[id] for id in executions.open_of[frame].all()), key=by_number)
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
            children = sorted((self._executions.rows[id] for id in self._executions.of_run.get(run, ())), key=by_number)
            return [copied(e) for e in children if by_number(e)[0] > after][:limit]

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
