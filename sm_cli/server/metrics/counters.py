"""What this process has done: an observer of its engines, which counts after each commit.

Labels are names of workflows, resources and errors, which somebody wrote into a definition; no data is among them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.unit_of_work import UnitOfWork

#: Seconds; an execution may take days.
_EXECUTION = (0.01, 0.1, 1, 10, 60, 600, 3600, 86_400)
_HANDLER = (0.001, 0.01, 0.1, 0.5, 1, 5, 30, 300, 3600)
_TICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
#: So many attempts under way are remembered for their durations.
_REMEMBERED = 10_000


class Counters:
    """Counters of one process, in a registry. Several engines may be watched."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.started = Counter("sm_executions_started", "Executions begun.", ["workflow"], registry=registry)
        self.ended = Counter("sm_executions_ended", "Executions ended.", ["workflow", "status"], registry=registry)
        self.execution_seconds = Histogram(
            "sm_execution_seconds", "From start to end.", ["workflow"], buckets=_EXECUTION, registry=registry
        )
        self.steps = Counter("sm_steps", "States entered.", registry=registry)
        self.commits = Counter("sm_commits", "Transactions that wrote something.", registry=registry)
        self.tick_seconds = Histogram(
            "sm_tick_seconds", "One transaction: reading, stepping, committing.", buckets=_TICK, registry=registry
        )
        self.handler_seconds = Histogram(
            "sm_handler_seconds", "Attempts at tasks, from when they were taken here.", ["resource"],
            buckets=_HANDLER, registry=registry,
        )  # fmt: skip
        self.failures = Counter(
            "sm_handler_failures", "Attempts at tasks that failed.", ["resource", "error"], registry=registry
        )
        self.messages = Counter("sm_messages", "Messages, by what became of them.", ["outcome"], registry=registry)
        self._lock = threading.Lock()
        self._attempts: dict[tuple[int, int], tuple[str, int]] = {}  # (frame, seq) -> (resource, since)

    def watch(self, engine: Engine) -> None:
        """Count what this engine commits from now on."""

        def observe(tick: UnitOfWork) -> None:
            self.count(tick, engine.clock.now())

        engine.observe(observe)

    def count(self, tick: UnitOfWork, now: int) -> None:
        """Count what a tick has committed. now: microseconds since 1970 UTC, after its commit."""
        changes = tick.changes
        if changes:
            self.commits.inc()
            self.tick_seconds.observe(max(0, now - tick.now) / MICROSECONDS)
        for execution in changes.new_executions:
            self.started.labels(execution.workflow).inc()
        for execution in tick.closed_executions:
            if execution.closed is not None:  # else it was begun anew in the same commit
                self.ended.labels(execution.workflow, execution.status.value).inc()
                took = (execution.closed - execution.started) / MICROSECONDS
                self.execution_seconds.labels(execution.workflow).observe(took)
        self.steps.inc(sum(event.type.endswith("StateEntered") for event in changes.history))
        self.messages.labels("buffered").inc(len(changes.new_messages))
        self.messages.labels("received").inc(len(changes.messages_consumed))
        self.messages.labels("expired").inc(len(changes.messages_expired))
        self._count_attempts(tick)

    def _count_attempts(self, tick: UnitOfWork) -> None:
        with self._lock:
            for attempt in tick.attempts:
                resource, since = self._attempts.pop((attempt.frame.id, attempt.frame.seq), ("", 0))
                if not resource:
                    continue  # begun by another process, or before this one counted
                self.handler_seconds.labels(resource).observe(max(0, tick.now - since) / MICROSECONDS)
                if attempt.error is not None:
                    self.failures.labels(resource, attempt.error).inc()
            for job in tick.taken_jobs():
                self._attempts[job.frame, job.seq] = job.resource, tick.now
            while len(self._attempts) > _REMEMBERED:
                del self._attempts[next(iter(self._attempts))]
