"""Questions about open work: frames, jobs, timers, and the workers that do it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sm_cli.jsonvalue import Json
from sm_cli.store.records import (
    HANDED_OVER,
    EndedChild,
    Job,
    Timer,
    WorkerRecord,
)
from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.parameters import id_list, name_list
from sm_cli.store.sql.rows import Row, decode
from sm_cli.store.sql.session import Parameters

if TYPE_CHECKING:
    from sm_cli.interpreter.frame import Frame


class WorkQuestions(Asking):
    """Questions about open work: frames, jobs, timers, workers."""

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        """By id; ids that there are not are left out."""
        if not ids:
            return {}
        return {f.id: f for f in self._frames("frames", (id_list(ids),))}

    def ready_frames(self, limit: int, tree: int | None = None) -> list[Frame]:
        """Oldest id first."""
        if tree is None:
            return self._frames("ready_frames", (limit,))
        return self._frames("ready_frames_in_tree", (tree, limit))

    def ready(self, limit: int, tree: int | None = None) -> list[tuple[int, int]]:
        """The same as (tree, frame), without reading them."""
        if tree is None:
            return self.session.all("ready", (limit,))
        return self.session.all("ready_in_tree", (tree, limit))

    def ready_trees(self, after: int, limit: int) -> list[int]:
        """The trees with READY frames beyond this one, lowest first."""
        return [tree for (tree,) in self.session.all("ready_trees", {"after": after, "limit": limit})]

    def losses(self) -> dict[int, int]:
        """Frames that have not moved on since workers were lost over them, and how many (0: it may have been one)."""
        return dict(self.session.all("losses"))

    def trees(self, executions: Collection[int]) -> list[tuple[int, int, str]]:
        """(execution, tree, digest) of these executions."""
        return self.session.all("trees", (id_list(executions),))

    def has_ready(self, tree: int | None = None) -> bool:
        """Whether a frame waits to be stepped, or an ended child to be counted; of all, or only of one tree."""
        if tree is None:
            return self.session.one("has_ready") is not None
        return self.session.one("has_ready_in_tree", (tree,)) is not None

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        """PENDING children with index >= `from_index`, lowest index first."""
        return self._frames("pending_children", (parent, activation, from_index, limit))

    def root(self, execution: int) -> Frame:
        """The execution's root frame, open or closed."""
        return self._frames("root_frame", (execution,))[0]

    def roots(self, executions: Collection[int]) -> list[Frame]:
        """The root frames of these executions."""
        return self._frames("root_frames", (id_list(executions),)) if executions else []

    def children(self, parent: int, activation: int) -> list[Frame]:
        """All children of this fork, open and closed, lowest index first."""
        return self._frames("children", (parent, activation))

    def outputs(self, parent: int, activation: int, most: int | None = None) -> list[tuple[int, Json]]:
        """(index, output) of the children that SUCCEEDED, lowest index first. Raises TooLarge, before it reads them,
        when they have more than `most` bytes of JSON text together."""
        return self._outputs(self.session.all("outputs", (parent, activation)), most)

    def descendants(self, frame: int) -> list[Frame]:
        """All frames below this one that are not closed, at any depth, lowest id first."""
        return self._frames("descendants", (frame,))

    def open_frames(self, execution: int, limit: int | None = None) -> list[Frame]:
        """The frames of an execution that are not closed, parents before their children; at most `limit`, None for
        all."""
        return self._frames("open_frames", (execution, -1 if limit is None else limit))

    def open_frames_of(self, executions: Collection[int]) -> list[Frame]:
        """The frames of these executions that are not closed, parents before their children."""
        return self._frames("open_frames_of", (id_list(executions),)) if executions else []

    def ended_children(self, limit: int, tree: int | None = None) -> list[EndedChild]:
        """Closed children of map runs that their parents have not counted, those of one parent beside each other."""
        if tree is None:
            return [EndedChild(*row) for row in self.session.all("ended_children", (limit,))]
        return [EndedChild(*row) for row in self.session.all("ended_children_in_tree", (tree, limit))]

    def ended_of(self, tree: int, frame: int) -> list[EndedChild]:
        """Those that this frame, in this tree, has not counted."""
        return [EndedChild(*row) for row in self.session.all("ended_children_of", (tree, frame))]

    def jobs(self, ids: list[int]) -> dict[int, Job]:
        """By id; ids that there are not are left out."""
        if not ids:
            return {}
        return {j.id: j for j in self._jobs("jobs", (id_list(ids),))}

    def job_of(self, frame: int) -> Job | None:
        """The job that this frame waits for."""
        return next(iter(self._jobs("job_of_frame", (frame,))), None)

    def handed_over(self, limit: int = 50, after: int = 0) -> list[Job]:
        """Jobs that wait for a callback, lowest id first, those with a higher one than `after`."""
        return self._jobs("handed_over", (HANDED_OVER, after, limit))

    def jobs_of(self, execution: int) -> list[Job]:
        """The jobs of an execution."""
        return self._jobs("jobs_of_execution", (execution,))

    def claimable(
        self, now: int, limit: int, *, tree: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        """Jobs that nobody has and that are available at `now`. Highest priority first, then lowest id.
        `resources`, when given, are the handler names that the caller can run. Reading them leases nothing: put
        them in `Changes.leased_jobs`."""
        parameters = {"now": now, "limit": limit, "tree": tree, "queue": queue, "resources": name_list(resources)}
        if tree is not None:
            return self._jobs("free_jobs_in_tree", parameters)
        return self._jobs("free_jobs" if queue is None else "free_jobs_in_queue", parameters)

    def has_free(
        self, now: int, resources: frozenset[str], *, tree: int | None = None, queues: frozenset[str] | None = None,
        newest: int | None = None,
    ) -> bool:  # fmt: skip
        """Whether a job for one of these handlers, in one of these queues, is claimable; with `newest`, without those
        of trees that are newer than this one."""
        parameters = {
            "now": now,
            "tree": tree,
            "resources": name_list(resources),
            "queues": name_list(queues),
            "newest": newest,
        }
        return self.session.one("has_free" if tree is None else "has_free_in_tree", parameters) is not None

    def queues(self) -> list[str]:
        """The names of the queues with jobs that nobody has, in order."""
        return [name for (name,) in self.session.all("queues")]

    def waiting_resources(self) -> list[str]:
        """The names of the resources of jobs that nobody has, available or not, in order."""
        return [name for (name,) in self.session.all("waiting_resources")]

    def free_of(self, resource: str, limit: int) -> list[tuple[str, int]]:
        """(queue, tree) of at most so many jobs of this resource that nobody has."""
        return self.session.all("free_of_resource", (resource, limit))

    def lapsed_jobs(self, now: int, limit: int, tree: int | None = None) -> list[Job]:
        """Jobs whose lease ran out at or before `now`, earliest first."""
        if tree is None:
            return self._jobs("lost_jobs", (now, limit))
        return self._jobs("lost_jobs_in_tree", (now, tree, limit))

    def leased_to(self, worker: str) -> list[Job]:
        """Jobs leased to this worker, whether or not the lease ran out; lowest id first."""
        return self._jobs("held_jobs", (HANDED_OVER, worker))

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        """Those of these jobs that are there and leased to this worker."""
        return {id for (id,) in self.session.all("leases", (id_list(jobs), worker))}

    def workers(self) -> list[WorkerRecord]:
        """All that are written down, oldest first."""
        return [WorkerRecord(*[*row[:-1], decode(row[-1])]) for row in self.session.all("workers")]

    def jobs_by_worker(self) -> dict[str, int]:
        """How many jobs each worker has, by its id; those handed over are nobody's."""
        return dict(self.session.all("jobs_by_worker", (HANDED_OVER,)))

    def jobs_by_queue(self, now: int) -> list[Row]:
        """(queue, jobs that may be taken, jobs that may not yet, leased ones, ones handed over, since when the oldest
        of the first may be taken, microseconds since 1970 UTC, or None), in the order of the names."""
        return self.session.all("jobs_by_queue", {"now": now, "handed_over": HANDED_OVER})

    def timers_by_queue(self) -> list[Row]:
        """(queue, kind of timer, how many): pauses before a retry, and Wait states."""
        return self.session.all("timers_by_queue")

    def newest_history(self, before: int | None, limit: int) -> list[Row]:
        """(place, queue of the execution, events as JSON text) of what was written before this place, None for all;
        the newest first."""
        return self.session.all("newest_history", {"before": 2**62 if before is None else before, "limit": limit})

    def has_due(self, now: int, tree: int | None = None) -> bool:
        """Whether a timer or the deadline of a RUNNING execution is due at or before `now`."""
        name = "has_due" if tree is None else "has_due_in_tree"
        return self.session.one(name, {"now": now, "tree": tree}) is not None

    def due_timers(
        self, now: int, limit: int, tree: int | None = None, worker: str | None = None, *,
        after: tuple[int, int] = (-1, 0),
    ) -> list[Timer]:  # fmt: skip
        """Due at or before `now`, earliest first, beyond this one (due, frame). With `worker`, without those of jobs
        that another one has leased: the holder of a lease decides whether its task is late."""
        due, frame = after
        parameters = {"now": now, "limit": limit, "tree": tree, "worker": worker, "due": due, "frame": frame}
        return self._timers("due_timers" if tree is None else "due_timers_in_tree", parameters)

    def due_timers_of(self, frames: Collection[int], now: int) -> list[Timer]:
        """The timers of these frames that are due at or before `now`, also of jobs that another has leased."""
        return self._timers("due_timers_of", {"frames": id_list(frames), "now": now})

    def due_among(self, executions: Collection[int], now: int) -> list[int]:
        """The trees of these executions in which a timer or the deadline of a RUNNING execution is due at or before
        `now`."""
        trees = self.session.all("due_among", {"executions": id_list(executions), "now": now})
        return [tree for (tree,) in trees]

    def timers_of(self, execution: int) -> list[Timer]:
        """The timers of an execution."""
        return self._timers("timers_of_execution", (execution,))

    def next_due(self, tree: int | None = None, worker: str | None = None) -> int | None:
        """When time alone next gives something to do: the earliest timer, deadline, end of a lease or (of all
        trees together) time of a schedule. With `worker`, without the timers of jobs that another one has leased."""
        if tree is None:
            return self.outlook(None, worker)[1]
        ends = [self.session.one("first_due_in_tree", {"tree": tree, "worker": worker})]
        ends += [self.session.one(name, (tree,)) for name in ("first_deadline_in_tree", "first_lease_end_in_tree")]
        return min((row[0] for row in ends if row is not None and row[0] is not None), default=None)

    def outlook(self, tree: int | None, worker: str | None) -> tuple[bool, int | None]:
        """`has_ready` and `next_due` together."""
        if tree is not None:
            return self.has_ready(tree), self.next_due(tree, worker)
        row = self.session.one("outlook", {"worker": worker})
        assert row is not None
        return bool(row[0]), min((time for time in row[1:] if time is not None), default=None)

    def outlook_with_jobs(
        self, now: int, resources: frozenset[str], worker: str | None, queues: frozenset[str] | None
    ) -> tuple[bool, int | None, bool]:
        """`outlook` and `has_free` together, of all trees."""
        parameters = {
            "now": now, "worker": worker, "resources": name_list(resources), "queues": name_list(queues),
            "newest": None,
        }  # fmt: skip
        row = self.session.one("outlook_with_jobs", parameters)
        assert row is not None
        return bool(row[1]), min((time for time in row[2:] if time is not None), default=None), bool(row[0])

    def kept_items(self, batch: str, start: int, end: int) -> list[Row]:
        """(number of the first, how many, a line of text for each) of what is kept of a batch, from the row with item
        `start` to the one with the last before `end`."""
        return self.session.all("kept_items", {"batch": batch, "start": start, "end": end})

    def first_kept(self, batch: str) -> int | None:
        """The number of the first item that is kept of a batch; None when there is none."""
        row = self.session.one("first_kept", (batch,))
        return None if row is None else int(row[0])

    def kept_batches(self) -> list[tuple[str, int]]:
        """(public id, when its first items were kept) of each batch of which items are kept."""
        batches: list[tuple[str, int]] = []
        while (row := self.session.one("next_kept_batch", (batches[-1][0] if batches else "",))) is not None:
            batches.append((row[0], row[1]))
        return batches

    # Who lists executions has these questions too, and no frame, job or timer: how to read them is imported with the
    # first.

    def _frames(self, name: str, parameters: Parameters) -> list[Frame]:
        from sm_cli.store.sql import work_rows

        return [work_rows.frame(row, self.value) for row in self.session.all(name, parameters)]

    def _jobs(self, name: str, parameters: Parameters) -> list[Job]:
        from sm_cli.store.sql import work_rows

        return [work_rows.job(row, self.value) for row in self.session.all(name, parameters)]

    def _timers(self, name: str, parameters: Parameters) -> list[Timer]:
        from sm_cli.store.sql import work_rows

        return [work_rows.timer(row) for row in self.session.all(name, parameters)]
