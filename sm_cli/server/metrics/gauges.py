"""What the database holds at the moment that somebody asks, read then and from views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sm_cli.errors import DatabaseError
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.operating.workforce import queue_report, worker_rows

if TYPE_CHECKING:
    from prometheus_client import Metric

    from sm_cli.engine.engine import Engine


class Gauges(Collector):
    """Asks one engine's database, each time that the numbers are collected. While it does not answer, `sm_database_up`
    is 0 and the others are not there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[Metric]:
        """Nothing: the names are known when they are collected, and a registry need not ask the database for them."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One family of numbers after another."""
        up = GaugeMetricFamily("sm_database_up", "Whether the database answers.")
        try:
            families = [*self._families()]
        except DatabaseError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from families

    def _families(self) -> Iterator[Metric]:
        engine = self._engine
        now = engine.clock.now()
        with engine.store.read() as questions:
            counts, _ = questions.count_executions()
            due = questions.next_due()
        executions = GaugeMetricFamily("sm_executions", "Executions in the database.", labels=["status"])
        for status, count in counts.items():
            executions.add_metric([status], count)
        yield executions
        late = 0.0 if due is None else max(0, now - due) / MICROSECONDS
        yield GaugeMetricFamily("sm_timer_lateness_seconds", "For how long the earliest timer is overdue.", late)
        yield from self._queues()
        workers = GaugeMetricFamily("sm_workers", "Workers, by what they are.", labels=["state"])
        states = [row.state for row in worker_rows(engine)]
        for state in ("running", "silent", "dead"):
            workers.add_metric([state], states.count(state))
        yield workers

    def _queues(self) -> Iterator[Metric]:
        report = queue_report(self._engine)
        tasks = GaugeMetricFamily("sm_queue_tasks", "Tasks, by queue and what they do.", labels=["queue", "state"])
        oldest = GaugeMetricFamily("sm_queue_oldest_seconds", "Age of the oldest pending task.", labels=["queue"])
        for queue in report.queues:
            for state, count in (("pending", queue.pending), ("active", queue.active), ("callback", queue.callbacks),
                                 ("retrying", queue.retrying), ("timed", queue.on_time)):  # fmt: skip
                tasks.add_metric([queue.name, state], count)
            age = 0.0 if queue.oldest is None else max(0, report.now - queue.oldest) / MICROSECONDS
            oldest.add_metric([queue.name], age)
        yield tasks
        yield oldest
