"""What the database holds at the moment that somebody asks, read then and from views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from sm_cli.errors import DatabaseError
from sm_cli.server.metrics.labels import MOST, bounded_counts
from sm_cli.server.metrics.sparing import Sparing
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.listing import count_by_workflow
from sm_cli.views.messages import count_messages
from sm_cli.views.operating.workforce import queue_counts, worker_rows

if TYPE_CHECKING:
    from prometheus_client import Metric

    from sm_cli.engine.engine import Engine
    from sm_cli.server.event_streams import Places


class Gauges(Collector):
    """Asks one engine's database, each time that the numbers are collected. While it does not answer, `sm_database_up`
    is 0 and the others are not there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._execution_counts = Sparing(lambda: count_by_workflow(engine.store))
        self._message_counts = Sparing(lambda: count_messages(engine.store, engine.clock.now()))
        self._queue_counts = Sparing(lambda: queue_counts(engine))

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
        age = GaugeMetricFamily(
            "sm_count_age_seconds", "For how long these counts have stood; what is dear is counted rarely.",
            labels=["of"],
        )  # fmt: skip
        yield from self._executions(age)
        yield from self._messages(age)
        yield from self._queues(age)
        yield age
        yield from self._timers()
        workers = GaugeMetricFamily("sm_workers", "Workers, by what they are.", labels=["state"])
        states = [row.state for row in worker_rows(self._engine)]
        for state in ("running", "silent", "dead"):
            workers.add_metric([state], states.count(state))
        yield workers

    def _executions(self, age: GaugeMetricFamily) -> Iterator[Metric]:
        counts, since = self._execution_counts.answer()
        age.add_metric(["executions"], since)
        family = GaugeMetricFamily("sm_executions", "Executions in the database.", labels=["workflow", "status"])
        for (workflow, status), count in bounded_counts(counts).items():
            family.add_metric([workflow, status], count)
        yield family

    def _messages(self, age: GaugeMetricFamily) -> Iterator[Metric]:
        counts, since = self._message_counts.answer()
        age.add_metric(["messages"], since)
        family = GaugeMetricFamily("sm_messages_kept", "Messages in the database, by status.", labels=["status"])
        for status, count in counts.items():
            family.add_metric([status], count)
        yield family

    def _timers(self) -> Iterator[Metric]:
        with self._engine.store.read() as questions:
            due = questions.next_due()
        late = 0.0 if due is None else max(0, self._engine.clock.now() - due) / MICROSECONDS
        yield GaugeMetricFamily("sm_timer_lateness_seconds", "For how long the earliest timer is overdue.", late)

    def _queues(self, age: GaugeMetricFamily) -> Iterator[Metric]:
        queues, since = self._queue_counts.answer()
        age.add_metric(["queues"], since)
        tasks = GaugeMetricFamily("sm_queue_tasks", "Tasks, by queue and what they do.", labels=["queue", "state"])
        oldest = GaugeMetricFamily("sm_queue_oldest_seconds", "Age of the oldest pending task.", labels=["queue"])
        now = self._engine.clock.now()
        for queue in sorted(queues, key=lambda each: -each.pending)[:MOST]:
            for state, count in (("pending", queue.pending), ("active", queue.active), ("callback", queue.callbacks),
                                 ("retrying", queue.retrying), ("timed", queue.on_time)):  # fmt: skip
                tasks.add_metric([queue.name, state], count)
            late = 0.0 if queue.oldest is None else max(0, now - queue.oldest) / MICROSECONDS
            oldest.add_metric([queue.name], late)
        yield tasks
        yield oldest


class StreamNumbers(Collector):
    """How many follow something here."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def collect(self) -> Iterator[Metric]:
        """One family of numbers after another."""
        yield GaugeMetricFamily("sm_streams", "Streams of events that are followed.", self._places.taken)
        refused = "Streams that were refused: there were as many as may be."
        yield CounterMetricFamily("sm_streams_refused", refused, self._places.refused)
