"""A worker of Celery at work: a steward in its main process, and a worker of ours in each slot of its pool.

The steward runs no handlers. It fires timers and schedules, finds lost workers and announces jobs that are ready. A
slot is woken by a hint and works as a worker with one handler at a time, until nothing is left, or for SHIFT seconds:
then it hands the hint back, so that Celery can stop it or put another process in its place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from celery.worker import state

from sm_cli.carriers.celery import CeleryCarrier, queue_of
from sm_cli.carriers.hints import CarriedHints, announce_inside
from sm_cli.celery.monitor import Monitor
from sm_cli.cli.project.opening import lasting_engine, opened_engine
from sm_cli.errors import DatabaseError, SmError
from sm_cli.worker.worker import Worker

if TYPE_CHECKING:
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.queues import Rota
    from sm_cli.engine.stepping.tick import Tick
    from sm_cli.handlers.handler import Handler
    from sm_cli.views.records import Execution, Job
    from sm_cli.worker.pool import Done

log = logging.getLogger("sm.worker")

#: Seconds after which a slot that is never without work hands its hint back.
SHIFT = 2.0
#: Seconds that a handler may go on when its process is told to stop.
_GRACE = 5.0


class Crew:
    """What all processes of one worker of Celery know. load: the handlers, by name. carrier: makes a carrier; each
    slot has its own. prefix: what the names of Celery's queues begin with. rota: which of ours are served, and how."""

    def __init__(
        self, project: Project, url: str, load: Callable[[], Mapping[str, Handler]],
        carrier: Callable[[], CeleryCarrier], prefix: str, rota: Rota, buckets: str | None = None,
    ) -> None:  # fmt: skip
        self.project = project
        self.url = url
        self.carrier = carrier
        self.prefix = prefix
        self.rota = rota
        self.hostname = "celery"
        self.monitor: Monitor | None = None
        self._buckets = buckets
        self._load = load
        self._handlers: Mapping[str, Handler] | None = None
        self._idle_slots: list[Slot] = []
        self._lock = threading.Lock()

    def load(self) -> Mapping[str, Handler]:
        """The handlers, loaded when they are wanted first: before Celery forks. Raises HandlerLoadError and
        ConfigurationError."""
        if self._handlers is None:
            self._handlers = self._load()
        return self._handlers

    def engine(self, stack: ExitStack, *, lasting: bool = False) -> Engine:
        """An engine of one's own, closed with the stack. lasting: wait for a server that is away. Raises
        DatabaseError."""
        opening = lasting_engine if lasting else opened_engine
        return stack.enter_context(opening(self.url, self.project, create=False, buckets=self._buckets))

    def work(self, queue: str) -> None:
        """A hint came: work in the thread of whoever calls, in a slot that is idle or a new one."""
        with self._lock:
            slot = self._idle_slots.pop() if self._idle_slots else None
        try:
            slot = slot or Slot(self)
            slot.work(queue)
        except DatabaseError as e:  # the steward says so, and announces anew when it is back
            log.debug("a hint was left: %s", e.message)
            if slot is None:
                return
        with self._lock:
            self._idle_slots.append(slot)

    def let_go(self) -> None:
        """The process ends: give back what its slots have."""
        while self._idle_slots:
            self._idle_slots.pop().close()


class Slot:
    """One place of a pool: a worker that handles one task at a time."""

    def __init__(self, crew: Crew) -> None:
        self._stack = ExitStack()
        engine = crew.engine(self._stack)
        carrier = crew.carrier()
        self.hints = CarriedHints(carrier, is_told=True)
        self.hints.comes_up()
        self.hints.start(receives=False)
        self._stack.callback(self.hints.stop)
        announce_inside(engine, self.hints)
        self.worker = _Worker(engine, crew.load(), crew.hostname, crew.rota, self.hints, crew.monitor)
        self._stack.callback(self.worker.pool.close)

    def work(self, queue: str) -> None:
        """Until nothing is left, or for SHIFT seconds and to the end of the handler that is running then."""
        end = time.monotonic() + SHIFT

        def is_over() -> bool:
            if time.monotonic() >= end:
                self.worker.take(False)
            return not self.worker.quarantine.at_work and not (self.worker.taking and self.hints.is_awake())

        self.worker.take(True)
        self.hints.hear(queue)
        self.worker.run(is_over)
        if self.hints.is_awake():
            self.hints.announce([queue])

    def close(self) -> None:
        """Give back what it has."""
        try:
            self.worker.finish(_GRACE)
        except DatabaseError as e:
            log.debug("a slot could not say goodbye: %s", e.message)
        self._stack.close()


class _Worker(Worker):
    """A slot's worker, which shows monitors of Celery what it does."""

    def __init__(
        self, engine: Engine, handlers: Mapping[str, Handler], name: str, rota: Rota, hints: CarriedHints,
        monitor: Monitor | None,
    ) -> None:  # fmt: skip
        super().__init__(engine, handlers, concurrency=1, name=name, rota=rota, hints=hints)
        self._monitor = monitor

    def launch(self, jobs: list[Job], executions: Mapping[int, Execution]) -> None:
        """Start the handlers of these jobs."""
        if self._monitor is not None:
            for job in jobs:
                self._monitor.begins(job, executions[job.execution])
        super().launch(jobs, executions)

    def settle(self, tick: Tick, results: list[Done], lost_jobs: set[int]) -> None:
        """After the commit."""
        if self._monitor is not None:
            for result in results:
                self._monitor.ends(result.job, result.outcome)
        super().settle(tick, results, lost_jobs)


class Steward:
    """The thread beside Celery's main loop. consumer: Celery's, which is told of queues that it does not read yet;
    serves_all: whether it may be."""

    def __init__(self, crew: Crew, consumer: Any, *, serves_all: bool) -> None:
        self._crew = crew
        self._consumer = consumer
        self._serves_all = serves_all
        self._over = threading.Event()
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._run, name="sm-steward", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell_to_stop(self) -> None:
        """End soon; waits for nothing, for gevent calls this where nobody may wait."""
        self._over.set()
        if self._worker is not None:
            self._worker.stop()

    def stop(self) -> None:
        """End, and wait for the transaction that is under way."""
        self.tell_to_stop()
        self._thread.join(_GRACE)

    def _run(self) -> None:
        """Whoever fires no timers and announces nothing must not look as if it worked: what ends the steward ends the
        whole worker, and something starts it again."""
        try:
            self._work()
        except SmError as e:
            if self._over.is_set():  # the server is away: its goodbye is left out
                log.debug("the steward could not say goodbye: %s", e.message)
            else:
                log.error("%s; this worker ends", e.message)
                state.should_stop = e.exit_code
        except BaseException:
            log.exception("this is a bug in sm; this worker ends")
            state.should_stop = SmError.exit_code

    def _work(self) -> None:
        with ExitStack() as stack:
            engine = self._crew.engine(stack, lasting=True)
            carrier = self._crew.carrier()
            hints = _StewardHints(carrier, self._tell_of_queues)
            hints.start(receives=False)
            stack.callback(hints.stop)
            announce_inside(engine, hints)
            crew = self._crew
            self._worker = Worker(
                engine, crew.load(), concurrency=0, name=crew.hostname, rota=crew.rota, hints=hints
            )  # fmt: skip
            self._worker.run(self._is_over)
            self._worker.let_go()

    def _is_over(self) -> bool:
        """Called in each round: a good time to see whether monitors are there."""
        dispatcher = getattr(self._consumer, "event_dispatcher", None)
        if self._crew.monitor is not None and dispatcher is not None:
            self._crew.monitor.turn(dispatcher.enabled and (not dispatcher.groups or "task" in dispatcher.groups))
        return self._over.is_set()

    def _tell_of_queues(self, queues: Iterable[str]) -> None:
        """Have Celery read these too, if it reads all."""
        if not self._serves_all:
            return
        for name in (queue_of(self._crew.prefix, queue) for queue in queues):
            if name not in self._consumer.app.amqp.queues.consume_from:
                self._consumer.call_soon(self._consumer.add_task_queue, name)


class _StewardHints(CarriedHints):
    """Hints of a worker that runs no handlers: it tells of all that it sees."""

    def __init__(self, carrier: CeleryCarrier, tell: Callable[[Iterable[str]], None]) -> None:
        super().__init__(carrier)
        self._tell = tell

    @property
    def announces(self) -> bool:
        """Always: it does none of the jobs itself."""
        return True

    def announce(self, queues: Iterable[str]) -> None:
        """Others hear of it soon; never waits."""
        self._tell(queues)
        super().announce(queues)
