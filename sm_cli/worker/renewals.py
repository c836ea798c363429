"""When the leases of a worker's jobs are renewed: when half of one is over, or at the end of a round that took long."""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.engine.clock import Clock
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping import leases
from sm_cli.engine.stepping.tick import Tick
from sm_cli.store.records import Job
from sm_cli.worker.pool import Done


class Renewals:
    """Of one worker. jobs: those that it has, by (frame, seq), as they change."""

    def __init__(self, jobs: Mapping[tuple[int, int], Job], clock: Clock, settings: Settings) -> None:
        self._jobs = jobs
        self._clock = clock
        self._settings = settings
        self._next_look = clock.monotonic()  # may begin anywhere

    def are_due(self, now: int) -> bool:
        """Whether it is time to look, and a lease is half over."""
        return self._clock.monotonic() >= self._next_look and bool(self.due(now))

    def due(self, now: int) -> list[Job]:
        """Jobs whose leases are half over."""
        self._next_look = self._clock.monotonic() + self._settings.lease // 20
        soon = now + self._settings.lease // 2
        return [job for job in self._jobs.values() if job.leased_until is not None and job.leased_until < soon]

    def renew(self, tick: Tick, results: list[Done], *, is_time: bool) -> set[int]:
        """Keep the leases that are half over, by the time it is now: the transaction may have taken long, and nobody
        else could write meanwhile. results: those that it delivers. Returns the ids of jobs that are no
        longer ours."""
        assert tick.taker is not None
        now, lease = self._clock.now(), self._settings.lease
        if not is_time and now - tick.now < lease // 4:
            return set()
        others = {*(result.job.id for result in results), *(job.id for job in tick.taker.jobs)}  # taken just now
        return leases.renew(tick, [job for job in self.due(now) if job.id not in others], now + lease)
