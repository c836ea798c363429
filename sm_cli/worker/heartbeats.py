"""Heartbeats of handlers on their way to the store.

A handler may say as often as it likes that it goes on; of each job at most ten are written in its
HeartbeatSeconds, and the last one always is. When that was is counted by the monotonic clock, which no jump changes.
"""

from __future__ import annotations

import queue
from collections.abc import Container
from dataclasses import dataclass

from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import Job, Timer
from sm_cli.timestamps import MICROSECONDS


@dataclass(slots=True)
class _Last:
    job: Job
    beat_at: int = 0
    last_write: int = -(2**62)


class Heartbeats:
    """Heartbeats that handlers gave and that are not written yet."""

    def __init__(self) -> None:
        self._reports: queue.SimpleQueue[tuple[Job, int]] = queue.SimpleQueue()
        self._last: dict[tuple[int, int], _Last] = {}
        self._put_back: list[Timer] = []

    def say(self, job: Job, at: int) -> None:
        """From a handler's thread, at this time of the monotonic clock."""
        if job.heartbeat is not None:
            self._reports.put((job, at))

    def _collect(self) -> None:
        while not self._reports.empty():
            job, beat_at = self._reports.get()
            self._last.setdefault((job.frame, job.seq), _Last(job)).beat_at = beat_at

    def put_back(self, timers: list[Timer]) -> None:
        """These could not be written, for another worker is at their executions: `due` gives them again."""
        self._put_back += timers

    def due(self, at: int, addresses: Container[tuple[int, int]], apart: int = 0) -> list[Timer]:
        """The timers to be set anew, of jobs that are still held. at: the time of the monotonic clock; apart: how far
        the wall clock, by which timers are due, is ahead of it."""
        self._collect()
        timers, self._put_back = [t for t in self._put_back if (t.frame, t.seq) in addresses], []
        if not self._last:
            return timers
        self._last = {address: last for address, last in self._last.items() if address in addresses}
        for last in self._last.values():
            job = last.job
            assert job.heartbeat is not None
            span = round(job.heartbeat * MICROSECONDS)
            if last.beat_at > last.last_write and at - last.last_write >= span // 10:
                last.last_write = last.beat_at
                timers.append(
                    Timer(job.execution, job.frame, job.seq, TimerKind.HEARTBEAT, last.beat_at + span + apart)
                )
        return timers
