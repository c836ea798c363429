"""What this process has done: an observer of its engines, which counts after each commit.

Labels are names of workflows, resources and errors, so many of each at most; no data is among them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

from sm_cli.server.metrics.labels import BoundedLabel
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.records import Status

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.unit_of_work import UnitOfWork

#: Seconds; an execution may take days.
_EXECUTION = (0.01, 0.1, 1, 10, 60, 600, 3600, 86_400)
_HANDLER = (0.001, 0.01, 0.1, 0.5, 1, 5, 30, 300, 3600)
_TICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
_LATENESS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600)
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
        self.lateness = Histogram(
            "sm_timer_stepped_late_seconds", "From when a timer or a deadline was due to when it was stepped.",
            buckets=_LATENESS, registry=registry,
        )  # fmt: skip
        self._workflows, self._resources, self._errors = BoundedLabel(), BoundedLabel(), BoundedLabel()
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
            self.started.labels(self._workflows.of(execution.workflow)).inc()
        for execution in tick.closed_executions:
            if execution.closed is not None:  # else it was begun anew in the same commit
                workflow = self._workflows.of(execution.workflow)
                self.ended.labels(workflow, execution.status.value).inc()
                took = (execution.closed - execution.started) / MICROSECONDS
                self.execution_seconds.labels(workflow).observe(took)
        self.steps.inc(sum(event.type.endswith("StateEntered") for event in changes.history))
        self.messages.labels("buffered").inc(len(changes.new_messages))
        self.messages.labels("received").inc(len(changes.messages_consumed))
        self.messages.labels("expired").inc(len(changes.messages_expired))
        self._count_timers(tick)
        self._count_attempts(tick)

    def _count_timers(self, tick: UnitOfWork) -> None:
        """Those that have moved their frame on: what was only offered, and had no turn, is late in a later tick."""
        for id, due in tick.first_due_times.items():
            before, after = tick.stored_frames.get(id), tick.frames.get(id)
            if before is not None and after is not None and (before.seq != after.seq or after.status.closed):
                self.lateness.observe(max(0, tick.now - due) / MICROSECONDS)
        for execution in tick.closed_executions:
            if execution.status is Status.TIMED_OUT and execution.deadline is not None:
                self.lateness.observe(max(0, tick.now - execution.deadline) / MICROSECONDS)

    def _count_attempts(self, tick: UnitOfWork) -> None:
        with self._lock:
            for attempt in tick.attempts:
                resource, since = self._attempts.pop((attempt.frame.id, attempt.frame.seq), ("", 0))
                if not resource:
                    continue  # begun by another process, or before this one counted
                resource = self._resources.of(resource)
                self.handler_seconds.labels(resource).observe(max(0, tick.now - since) / MICROSECONDS)
                if attempt.error is not None:
                    self.failures.labels(resource, self._errors.of(attempt.error)).inc()
            for job in tick.taken_jobs():
                self._attempts[job.frame, job.seq] = job.resource, tick.now
            while len(self._attempts) > _REMEMBERED:
                del self._attempts[next(iter(self._attempts))]
