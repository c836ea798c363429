"""What a worker sees in the store without writing: whether there is anything for it to do, and when there will be.

Only reads. It holds until this process or another one has written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from sm_cli.handlers.registry import Registry
from sm_cli.store.protocol import Store
from sm_cli.store.records import Job

#: Seconds that handlers which were just started are given to end before the loop looks whether there is more to do: as
#: long as a look took last, within these bounds.
_SHORTEST_MOMENT, _LONGEST_MOMENT = 0.001, 0.02


class PendingWork:
    """What a worker knows of the work that there is, without asking the store again.

    ready: frames wait to be stepped. due: when time alone next gives something to do. free: a job waits for a
    handler. queues: those that such jobs wait in, where that is asked for. stale: something was written since. others:
    another process wrote; whoever acts on it says False. moment: seconds that a look is put off for handlers that were
    just started."""

    def __init__(self, store: Store, worker: str) -> None:
        self.store = store
        self.worker = worker
        self.ready = False
        self.due: int | None = None
        self.free = False
        self.queues: list[str] = []
        self.stale = True
        self.others = False
        self.moment = _SHORTEST_MOMENT
        self._commits = store.commits

    def notice(self) -> bool:
        """Whether anything was written since the last look."""
        if self.store.changed():
            self.others = self.stale = True
        if self.store.commits != self._commits:
            self._commits = self.store.commits
            self.stale = True
        return self.stale

    def look(
        self, now: int, handlers: Registry, tree: int | None, queues: frozenset[str] | None, by_queue: bool = False
    ) -> None:
        """Ask anew. `handlers` are those that jobs may be taken for, `queues` where from (None: anywhere). by_queue:
        also ask which queues they wait in."""
        self.stale, start = False, time.monotonic()
        with self.store.glance() as questions:
            resources = handlers.resources(questions.waiting_resources)
            if tree is None and resources:
                self.ready, self.due, self.free = questions.outlook_with_jobs(now, resources, self.worker, queues)
            else:
                self.ready, self.due = questions.outlook(tree, self.worker)
                self.free = bool(resources) and questions.has_free(now, resources, tree=tree, queues=queues)
            names = questions.queues() if by_queue and self.free else []
            self.queues = [
                name for name in names if (queues is None or name in queues)
                and questions.has_free(now, resources, tree=tree, queues=frozenset([name]))
            ]  # fmt: skip
        self.moment = min(max(_SHORTEST_MOMENT, time.monotonic() - start), _LONGEST_MOMENT)

    def lost_jobs(self, jobs: Iterable[Job]) -> list[Job]:
        """Those of these that are no longer this worker's."""
        jobs_by_id = {job.id: job for job in jobs}
        if not jobs_by_id:
            return []
        with self.store.glance() as questions:
            own_ids = questions.leases(self.worker, jobs_by_id)
        return [job for id, job in jobs_by_id.items() if id not in own_ids]
