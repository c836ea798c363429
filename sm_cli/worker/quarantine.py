"""The suspect of a worker: a job over which workers were lost, which it runs with nothing beside it.

A worker that has nothing else takes a suspect before all other jobs, as one that was just started does. One that is at
work leaves it to such a one at first. When none has come, it keeps the suspect for itself: it takes nothing more, and
begins it when its other handlers have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sm_cli.store.records import Company, Job
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.pool import Pool

#: Microseconds for which a worker that is at work leaves a suspect to others.
PATIENCE = 10 * MICROSECONDS
#: Microseconds for which it knows when it saw first what it does not see.
_MEMORY = 6 * PATIENCE


class Quarantine:
    """Of one worker. jobs: those that it has, by (frame, seq), as they change. now: microseconds that only grow."""

    def __init__(self, jobs: Mapping[tuple[int, int], Job], pool: Pool, now: Callable[[], int]) -> None:
        self._jobs = jobs
        self._pool = pool
        self._now = now
        self._suspect: Job | None = None
        self._first_looks: dict[int, int] = {}  # by the ids of suspects that wait: when this worker saw them first

    @property
    def suspect(self) -> Job | None:
        """The job that the worker runs alone, or keeps until it can. While there is one it takes nothing else."""
        suspect = self._suspect
        if suspect is not None and self._jobs.get((suspect.frame, suspect.seq)) is not suspect:
            self._suspect = suspect = None  # it has ended, or is no longer the worker's
        return suspect

    @property
    def waiting_suspect(self) -> Job | None:
        """The suspect as long as it is only kept."""
        suspect = self.suspect
        return suspect if suspect is not None and suspect.company is Company.IN_THE_WAY else None

    @property
    def slots(self) -> int:
        """How many jobs the worker may take now."""
        return self._pool.free if self.suspect is None else 0

    def may_begin(self) -> bool:
        """Whether a suspect is kept, and nothing is in its way any more."""
        return self.waiting_suspect is not None and self.is_clear()

    def is_clear(self) -> bool:
        """Whether the worker has nothing beside what it keeps."""
        return not self.at_work and self._pool.free == self._pool.size

    @property
    def at_work(self) -> int:
        """How many jobs the worker has without what it keeps."""
        return len(self._jobs) - (self.waiting_suspect is not None)

    def choose(self, suspects: list[Job]) -> tuple[Job, bool] | None:
        """Which of these the worker sees to now, and whether it begins it at once; None: they are left to others. In
        the order of their turns."""
        if self.is_clear():
            return suspects[0], True
        now, looks = self._now(), self._first_looks
        # One that is not seen now may only be in another's hands for a moment.
        looks = {id: at for id, at in looks.items() if now - at < _MEMORY} | {
            j.id: looks.get(j.id, now) for j in suspects
        }
        self._first_looks = looks
        return next(((job, False) for job in suspects if now - looks[job.id] >= PATIENCE), None)

    def note(self, suspect: Job) -> None:
        """The worker has this suspect, among its jobs."""
        self._suspect = suspect
