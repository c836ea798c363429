"""What a store's questions mean, in plain Python over the records that were applied.

This is no second store: no transaction, no index, nothing is reserved, encoded or remembered by halves. Each answer is
a filter, an order and a limit over lists, to be compared with what SQL answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json, folded_text
from sm_cli.store.filters import OLDEST_FIRST, ExecutionFilter, ExecutionPage, cursor_of
from sm_cli.store.messages import (
    WAITS_KEPT,
    MessageFilter,
    MessageStatus,
    OpenWait,
    PastWait,
    Stale,
    StoredMessage,
    Subscription,
    WaitFilter,
)
from sm_cli.store.records import HANDED_OVER, Execution, HistoryEvent, Job, MapRun, Status, Timer, WorkerRecord
from sm_cli.store.versions import Alias, Definition, Version
from tests.store.applied import Applied

T = TypeVar("T")
_OVER = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


def ordered(found: Iterable[T], by: Callable[[T], Any], limit: int | None = None, *, down: bool = False) -> list[T]:
    return sorted(found, key=by, reverse=down)[:limit]


def ascii_folded(text: str) -> str:
    """LIKE takes a to z for A to Z, and no other letters."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


class Oracle(Applied):
    # -- definitions and executions --------------------------------------------------------------

    def current_definition(self, name: str) -> tuple[Definition, int] | None:
        number = self.current.get(name)
        if number is None:
            return None
        found = self.versions_by_number[name, number]
        return self.texts[found.digest]._replace(name=name, created=found.created), number

    def workflows(self) -> list[tuple[Definition, int]]:
        found = [self.current_definition(name) for name in sorted(self.current)]
        return [each for each in found if each is not None]

    def versions(self, name: str) -> list[Version]:
        there = [each for each in self.versions_by_number.values() if each.name == name and each.deleted is None]
        return ordered(there, lambda each: each.number, down=True)

    def version_of_text(self, name: str, digest: str) -> Version | None:
        there = [each for each in self.versions_by_number.values() if (each.name, each.digest) == (name, digest)]
        return there[0] if there else None

    def newest_number(self, name: str) -> int:
        return max((number for of, number in self.versions_by_number if of == name), default=0)

    def aliases(self, workflow: str) -> list[Alias]:
        return [alias for (of, _), alias in sorted(self.all_aliases.items()) if of == workflow]

    def running_on_version(self, version: Version) -> tuple[int, int | None]:
        found = [
            e.id for e in self.all_executions.values()
            if e.status is Status.RUNNING and (e.workflow, e.digest) == (version.name, version.digest)
        ]  # fmt: skip
        return len(found), min(found, default=None)

    def execution(self, id: int) -> Execution | None:
        return self.all_executions.get(id)

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        return {id: self.all_executions[id] for id in ids if id in self.all_executions}

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        return {id: self.all_executions[id].ref for id in ids if id in self.all_executions}

    def find_execution(self, workflow: str, name: str) -> Execution | None:
        return next((e for e in self.all_executions.values() if (e.workflow, e.name) == (workflow, name)), None)

    def latest(self) -> Execution | None:
        return max((e for e in self.all_executions.values() if e.tree == e.id), key=lambda e: e.id, default=None)

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        every = list(self.all_executions.values()) if text else []
        return (
            [e for e in every if e.ref == text]
            or ordered((e for e in every if e.name == text), lambda e: e.id, limit, down=True)
            or ordered((e for e in every if e.ref.startswith(text)), lambda e: e.ref, limit, down=True)
        )

    def list_executions(self, wanted: ExecutionFilter, page: ExecutionPage) -> list[Execution]:
        found = [(cursor_of(e, page.order), e) for e in self._meant(wanted)]
        found.sort(key=lambda each: each[0], reverse=page.order.descending)
        if page.after is not None:
            down, after = page.order.descending, page.after
            found = [(place, e) for place, e in found if (place < after if down else place > after)]
        return [replace(e, input=None, output=None) for _, e in found[: page.limit]]

    def count_matching(self, wanted: ExecutionFilter) -> int:
        return len(self._meant(wanted))

    def matching_executions(self, wanted: ExecutionFilter) -> list[int]:
        return [e.id for e in sorted(self._meant(wanted), key=lambda e: cursor_of(e, OLDEST_FIRST))]

    def _meant(self, wanted: ExecutionFilter) -> list[Execution]:
        def is_wanted(e: Execution) -> bool:
            run = None if e.parent is None or (e.parent.is_listed and wanted.run is None) else e.parent.run
            return (
                run == wanted.run
                and (not wanted.statuses or e.status in wanted.statuses)
                and (wanted.workflow in (None, e.workflow))
                and (wanted.since is None or e.started >= wanted.since)
                and (wanted.until is None or e.started < wanted.until)
                and (wanted.error in (None, e.error))
                and all(e.tags.get(name) == value for name, value in wanted.tags)
                and ascii_folded(wanted.name_contains or "") in ascii_folded(e.name)
            )

        return [*filter(is_wanted, self.all_executions.values())]

    def is_overdue(self, e: Execution, now: int) -> bool:
        return e.status is Status.RUNNING and e.deadline is not None and e.deadline <= now

    def overdue(self, now: int, limit: int, tree: int | None = None) -> list[Execution]:
        found = (e for e in self.all_executions.values() if self.is_overdue(e, now) and tree in (None, e.tree))
        return ordered(found, lambda e: (e.deadline, e.id), limit)

    def _below(self, frame: int, activation: int | None, *status: Status) -> list[Execution]:
        """Executions that this frame waits for, by number."""
        found = (
            e for e in self.all_executions.values()
            if e.parent and e.parent.frame == frame and activation in (None, e.parent.activation) and e.status in status
        )  # fmt: skip
        return ordered(found, lambda e: (e.parent.number if e.parent else 0, e.id))

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        found = self._below(frame, activation, Status.PENDING)
        return [e for e in found if e.parent and e.parent.number >= from_index][:limit]

    def open_executions(self, frame: int) -> list[Execution]:
        return self._below(frame, None, Status.PENDING, Status.RUNNING)

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        return self._below(frame, activation, *_OVER)

    def executions_outputs(self, frame: int, activation: int) -> list[tuple[int, Json]]:
        return [(e.parent.number, e.output) for e in self._below(frame, activation, Status.SUCCEEDED) if e.parent]

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        found = {e.parent.number: e for e in self.all_executions.values() if e.parent and e.parent.run == run}
        return [found[number] for number in sorted(found) if number > after][:limit]

    def _run_now(self, run: MapRun) -> MapRun:
        """While it runs, its counts are those of its frame."""
        frame = self.all_frames.get(run.frame)
        if run.status is not Status.RUNNING or frame is None or frame.join is None:
            return run
        return replace(run, join=frame.join)

    def map_run(self, frame: int, activation: int) -> MapRun | None:
        found = (run for run in self.runs.values() if (run.frame, run.activation) == (frame, activation))
        return next(map(self._run_now, found), None)

    def map_runs(self, execution: int | None = None, limit: int = 50) -> list[MapRun]:
        found = (self._run_now(run) for run in self.runs.values() if execution in (None, run.execution))
        return ordered(found, lambda run: run.id, limit, down=True)

    def find_map_run(self, ref: str) -> list[MapRun]:
        if not ref:
            return []
        exact = [run for run in self.runs.values() if run.ref == ref]
        found = exact or ordered((r for r in self.runs.values() if r.ref.startswith(ref)), lambda run: run.ref, 10)
        return [self._run_now(run) for run in found]

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        found = (e for e in self.events.values() if e.execution == execution and e.number > after)
        return ordered(found, lambda e: e.number, limit)

    # -- frames ----------------------------------------------------------------------------------

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        return {id: self.all_frames[id] for id in ids if id in self.all_frames}

    def ready_frames(self, limit: int, tree: int | None = None) -> list[Frame]:
        found = (
            f for f in self.all_frames.values()
            if f.status is FrameStatus.READY and tree in (None, self.tree_of(f.execution))
        )  # fmt: skip
        return ordered(found, lambda f: f.id, limit)

    def has_ready(self, tree: int | None = None) -> bool:
        return bool(self.ready_frames(1, tree))

    def roots(self, executions: Collection[int]) -> list[Frame]:
        return [f for f in self.all_frames.values() if f.parent is None and f.execution in executions]

    def children(self, parent: int, activation: int) -> list[Frame]:
        found = (f for f in self.all_frames.values() if (f.parent, f.activation) == (parent, activation))
        return ordered(found, lambda f: f.index)

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        of_fork = self.children(parent, activation)
        return [f for f in of_fork if f.status is FrameStatus.PENDING and f.index >= from_index][:limit]

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        of_fork = self.children(parent, activation)
        return [(f.index, f.output) for f in of_fork if f.status is FrameStatus.SUCCEEDED]

    def descendants(self, frame: int) -> list[Frame]:
        """Open ones whose parents are open, as they are but for the frame that is asked about."""
        here = [f for f in self.all_frames.values() if f.parent == frame and not f.status.closed]
        return ordered(here + [below for f in here for below in self.descendants(f.id)], lambda f: f.id)

    def open_frames(self, execution: int) -> list[Frame]:
        found = (f for f in self.all_frames.values() if f.execution == execution and not f.status.closed)
        return ordered(found, lambda f: f.id)

    # -- jobs, timers, workers -------------------------------------------------------------------

    def jobs(self, ids: list[int]) -> dict[int, Job]:
        return {id: self.all_jobs[id] for id in ids if id in self.all_jobs}

    def job_of(self, frame: int) -> Job | None:
        return max((job for job in self.all_jobs.values() if job.frame == frame), key=lambda job: job.id, default=None)

    def jobs_of(self, execution: int) -> list[Job]:
        return ordered((job for job in self.all_jobs.values() if job.execution == execution), lambda job: job.id)

    def handed_over(self, limit: int = 50) -> list[Job]:
        return ordered((j for j in self.all_jobs.values() if j.leased_until == HANDED_OVER), lambda j: j.id, limit)

    def _free(self, tree: int | None = None) -> list[Job]:
        every = self.all_jobs.values()
        return [job for job in every if job.leased_until is None and tree in (None, self.tree_of(job.execution))]

    def claimable(
        self, now: int, limit: int, *, tree: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        found = (
            job for job in self._free(tree)
            if job.available <= now and queue in (None, job.queue) and (resources is None or job.resource in resources)
        )  # fmt: skip
        return ordered(found, lambda job: (-job.priority, job.id), limit)

    def has_free(
        self, now: int, resources: frozenset[str], *, tree: int | None = None, queues: frozenset[str] | None = None
    ) -> bool:
        found = self.claimable(now, len(self.all_jobs), tree=tree, resources=resources)
        return any(queues is None or job.queue in queues for job in found)

    def queues(self) -> list[str]:
        return sorted({job.queue for job in self._free()})

    def waiting_resources(self) -> list[str]:
        return sorted({job.resource for job in self._free()})

    def lapsed_jobs(self, now: int, limit: int, tree: int | None = None) -> list[Job]:
        every = self.all_jobs.values()
        ends = [(j.leased_until, j.id, j) for j in every if j.leased_until is not None and j.leased_until <= now]
        return [job for *_, job in sorted(ends) if tree in (None, self.tree_of(job.execution))][:limit]

    def leased_to(self, worker: str) -> list[Job]:
        every = self.all_jobs.values()
        held = (j for j in every if j.worker == worker and j.leased_until not in (None, HANDED_OVER))
        return ordered(held, lambda job: job.id)

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        return {job.id for job in self.all_jobs.values() if job.id in jobs and job.worker == worker}

    def workers(self) -> list[WorkerRecord]:
        return ordered(self.seen.values(), lambda worker: (worker.started, worker.id))

    def _timers(self, tree: int | None, worker: str | None) -> list[Timer]:
        """Earliest first, without those of jobs that another worker has, when `worker` asks."""
        others = {job.frame for job in self.all_jobs.values() if job.worker not in (None, worker)}
        found = (
            t for t in self.all_timers.values()
            if tree in (None, self.tree_of(t.execution)) and not (worker is not None and t.frame in others)
        )  # fmt: skip
        return ordered(found, lambda t: (t.due, t.frame, t.kind))

    def due_timers(self, now: int, limit: int, tree: int | None = None, worker: str | None = None) -> list[Timer]:
        return [timer for timer in self._timers(tree, worker) if timer.due <= now][:limit]

    def due_timers_of(self, frames: Collection[int], now: int) -> list[Timer]:
        return [timer for timer in self._timers(None, None) if timer.due <= now and timer.frame in frames]

    def due_among(self, executions: Collection[int], now: int) -> list[int]:
        trees = {self.all_executions[id].tree for id in executions if id in self.all_executions}
        return [tree for tree in trees if self.due_timers(now, 1, tree) or self.overdue(now, 1, tree)]

    def timers_of(self, execution: int) -> list[Timer]:
        return [timer for timer in self._timers(None, None) if timer.execution == execution]

    def next_due(self, tree: int | None = None, worker: str | None = None) -> int | None:
        executions = [e for e in self.all_executions.values() if tree in (None, e.tree)]
        jobs = [job for job in self.all_jobs.values() if tree in (None, self.tree_of(job.execution))]
        times = [timer.due for timer in self._timers(tree, worker)]
        times += [e.deadline for e in executions if e.status is Status.RUNNING and e.deadline is not None]
        times += [job.leased_until for job in jobs if job.leased_until is not None]
        return min(times, default=None)

    # -- messages and waits ----------------------------------------------------------------------

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        found = (w for w in self.waits.values() if (w.key, w.value) == (key, value) and kind in (None, w.kind))
        return ordered(found, lambda w: (w.since, w.frame, w.seq), limit)

    def near_subscriptions(self, key: str, folded: str, limit: int) -> list[Subscription]:
        found = (w for w in self.waits.values() if w.key == key and folded_text(w.value) == folded)
        return ordered(found, lambda w: (w.frame, w.seq), limit)

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        found = (w for w in self.waits.values() if w.execution == execution)
        return ordered(found, lambda w: (w.since, w.frame, w.seq))

    def open_waits(self, wanted: WaitFilter) -> list[OpenWait]:
        found = []
        for wait in self.waits.values():
            execution, frame = self.all_executions.get(wait.execution), self.all_frames.get(wait.frame)
            if execution is None or frame is None or wait.frame <= wanted.after:
                continue
            if wanted.workflow is not None and (execution.workflow, execution.status) != (wanted.workflow, "RUNNING"):
                continue
            if wanted.key in (None, wait.key) and wanted.value in (None, wait.value):
                found.append(OpenWait(wait, execution.ref, execution.name, execution.workflow, frame.state))

        def order(wait: OpenWait) -> tuple[Any, ...]:
            s = wait.subscription
            if wanted.workflow is not None:
                return (s.execution, s.frame, s.seq)
            return (s.frame, s.seq) if wanted.key is None else (s.value, s.since, s.frame)

        return ordered(found, order, wanted.limit)

    def past_waits(self, key: str, folded: str, limit: int) -> list[PastWait]:
        found = (w for w in self.past.values() if w.key == key and folded_text(w.value) == folded)
        return ordered(found, lambda w: (w.ended, w.frame, w.seq), limit, down=True)

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        found = (
            m for m in self.messages.values()
            if (m.key, m.value) == (key, value) and m.status_at(now) is MessageStatus.BUFFERED and m.id not in skip
            and (kind in (None, m.kind) or not m.strict) and m.execution in (None, execution)
        )  # fmt: skip
        return min(found, key=lambda m: m.id, default=None)

    def message(self, id: int) -> StoredMessage | None:
        return self.messages.get(id)

    def find_messages(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        found = (m for m in self.messages.values() if m.message_id == message_id)
        return ordered(found, lambda m: m.id, limit, down=True)

    def find_message(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        sent = self.find_messages(message_id, len(self.messages))
        return next((m for m in sent if (m.key, m.value) == (key, value)), None)

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        found = (m for m in self.messages.values() if m.key == key and folded_text(m.value) == folded)
        return ordered(found, lambda m: m.id, limit, down=True)

    def list_messages(self, wanted: MessageFilter) -> list[StoredMessage]:
        found = (
            replace(m, body=None) for m in self.messages.values()
            if wanted.key in (None, m.key) and wanted.value in (None, m.value)
            and wanted.status in (None, m.status_at(wanted.now))
            and (wanted.before_id is None or m.id < wanted.before_id)
        )  # fmt: skip
        return ordered(found, lambda m: m.id, wanted.limit, down=True)

    def stale(self, now: int, limit: int) -> Stale:
        buffered = [m for m in self.messages.values() if m.status is MessageStatus.BUFFERED and m.expires <= now]
        needed = self.has_ready()
        over = [m for m in self.messages.values() if m.forget_at <= now and not (m.later and needed)]
        waits = [w for w in self.past.values() if w.ended < now - WAITS_KEPT]
        return Stale(
            [m.id for m in ordered(buffered, lambda m: (m.expires, m.id), limit)],
            [m.id for m in ordered(over, lambda m: (m.forget_at, m.id), limit)],
            ordered(waits, lambda w: (w.ended, w.frame, w.seq), limit),
            [],  # answers are no part of the model
        )
