"""The loop: takes everything that is ready, steps it all, commits once, then starts handlers.

Rule: one thread runs `run`. It sleeps until a result comes, something falls due, another process writes, or
it is told to stop; it never sleeps in a transaction.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.handlers import Context, Handler, Success
from sm_cli.engine.pool import Done, Pool
from sm_cli.engine.tick import Taker, Tick
from sm_cli.interpreter.env import MICROSECONDS
from sm_cli.interpreter.events import TaskFailed
from sm_cli.jsonvalue import Json
from sm_cli.store.base import Execution, HistoryEvent, Job, Timer, TimerKind

log = logging.getLogger("sm.engine")

#: How long an idle loop sleeps before it looks whether another process wrote.
_POLL_SECONDS = 0.02
_BATCH = 500


class Loop:
    """A worker: `concurrency` handlers at once, for all executions or for `only` one.

    `observe` is called after each commit with the events that it wrote.
    """

    def __init__(
        self,
        engine: Engine,
        handlers: Mapping[str, Handler],
        *,
        concurrency: int = 8,
        name: str = "worker",
        only: int | None = None,
        observe: Callable[[list[HistoryEvent]], None] | None = None,
    ) -> None:
        self.engine = engine
        self.handlers = dict(handlers)
        self.name = name
        self.only = only
        self.observe = observe
        self.stopping = threading.Event()
        self._wakeup = threading.Event()
        self.pool = Pool(concurrency, self._wakeup.set)
        self.leased: dict[tuple[int, int], Job] = {}
        self._beats: list[Job] = []
        self._facts: dict[int, tuple[str, str, str]] = {}
        self._fresh = True  # it has never looked: jobs may have been free for long
        self._barren = False  # something was due that is not for this loop (no slot, no handler)

    # -- what others call ------------------------------------------------------------------------

    def start(self, workflow: Workflow, input: Json, **options: object) -> tuple[Execution, bool]:
        """Start an execution, its first tasks already taken by this loop: no second transaction."""
        execution, new, jobs = self.engine.start(workflow, input, taker=self.taker(), **options)  # type: ignore[arg-type]
        self.launch(jobs)
        return execution, new

    def stop(self) -> None:
        """End `run` soon; from any thread or signal handler."""
        self.stopping.set()
        self._wakeup.set()

    def let_go(self) -> None:
        """After `run`: deliver what is finished and give the other jobs back, so that others take them at once.
        Whoever calls this ends the process: the handlers are not waited for."""
        results = self.pool.drain()

        def work(tick: Tick) -> None:
            for done in results:
                self.deliver(tick, done)
            delivered = {done.job.id for done in results}
            for job in tick.tx.jobs([job.id for job in self.leased.values() if job.id not in delivered]).values():
                if job.worker == self.name:
                    job.worker = job.leased_until = None
                    tick.changes.leased.append(job)

        if results or self.leased:
            self.engine.transact(work)
            self.leased.clear()

    def run(self, until: Callable[[], bool]) -> None:
        """Work until `until()` is true or `stop` was called."""
        while not self.stopping.is_set() and not until():
            if not self.tick():
                self.sleep()

    # -- one round -------------------------------------------------------------------------------

    def tick(self) -> bool:
        """Step everything that is ready; False when there was nothing to do."""
        self._wakeup.clear()
        self._barren = False
        results = self.pool.drain()
        beats, self._beats = self._beats, []
        now = self.engine.clock.now()
        renew = [job for job in self.leased.values() if job.leased_until is not None and self.half_gone(job, now)]
        if not (results or beats or renew or self._fresh or self.anything_due(now)):
            return False

        def work(tick: Tick) -> None:
            for done in results:
                self.deliver(tick, done)
            for job in beats:
                self.beat(tick, job)
            for job in renew:
                self.renew(tick, job)
            tick.run()
            tick.due(_BATCH, self.only)
            tick.run()
            self.claim(tick)

        _, tick = self.engine.transact(work, self.taker())
        self._fresh = False
        self._barren = not (results or tick.changes)
        self.settle(tick, results)
        return not self._barren

    def anything_due(self, now: int) -> bool:
        store = self.engine.store
        if store.changed() or store.has_ready(self.only):
            return True
        due = store.next_due(self.only)
        return due is not None and due <= now

    def taker(self) -> Taker:
        return Taker(self.name, self.pool.free, frozenset(self.handlers))

    def deliver(self, tick: Tick, done: Done) -> None:
        job, outcome = done.job, done.outcome
        if isinstance(outcome, Success):
            tick.returned(job, outcome.result)
        else:
            tick.deliver(job.frame, TaskFailed(job.seq, outcome.error, outcome.cause, outcome.trace))

    def claim(self, tick: Tick) -> None:
        assert tick.taker is not None
        if tick.taker.slots > 0:
            own = self._fresh  # a restarted worker of the same name takes its own back
            jobs = tick.tx.claimable(
                tick.now, tick.taker.slots, only=self.only, worker=self.name if own else None,
                resources=tick.taker.handlers,
            )  # fmt: skip
            tick.claim(job for job in jobs if (job.frame, job.seq) not in self.leased)

    def settle(self, tick: Tick, results: list[Done]) -> None:
        """After the commit: what is over is forgotten, what was taken is started."""
        for done in results:
            self.leased.pop((done.job.frame, done.job.seq), None)
        for frame, seq in list(self.leased):
            newest = tick.frames.get(frame)
            if newest is not None and newest.seq != seq:
                del self.leased[frame, seq]
                self.pool.cancel(frame, seq)
        for frame, event in tick.ignored:
            log.debug("ignored %s for frame %d: it came too late", type(event).__name__, frame)
        if self.observe is not None and tick.changes.history:
            self.observe(tick.changes.history)
        self.launch(tick.taken())

    def launch(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.leased[job.frame, job.seq] = job
            self.pool.submit(job, self.handlers[job.resource], self.context(job))

    def context(self, job: Job) -> Context:
        facts = self._facts.get(job.execution)
        if facts is None:
            execution = self.engine.store.execution(job.execution)
            assert execution is not None
            facts = self._facts[job.execution] = (execution.ref, execution.name, execution.workflow)
            if len(self._facts) > 10_000:
                self._facts.pop(next(iter(self._facts)))
        ref, name, workflow = facts
        return Context(
            execution_id=ref,
            execution_name=name,
            workflow=workflow,
            state=job.state,
            attempt=job.attempt,
            idempotency_key=f"{ref}-{job.frame}-{job.seq}",
            beat=lambda: self.heartbeat(job),
        )

    # -- leases and heartbeats ---------------------------------------------------------------------

    def heartbeat(self, job: Job) -> None:
        """From a handler's thread: its HeartbeatSeconds start anew."""
        self._beats.append(job)
        self._wakeup.set()

    def half_gone(self, job: Job, now: int) -> bool:
        assert job.leased_until is not None
        return job.leased_until - now < self.engine.settings.lease // 2

    def renew(self, tick: Tick, job: Job) -> None:
        """Keep the lease, if it is still ours; else nobody waits for the handler any more."""
        stored = tick.tx.jobs([job.id]).get(job.id)
        if stored is None or stored.worker != self.name:
            self.pool.cancel(job.frame, job.seq)
            self.leased.pop((job.frame, job.seq), None)
            return
        job.leased_until = tick.now + self.engine.settings.lease
        tick.changes.leased.append(job)

    def beat(self, tick: Tick, job: Job) -> None:
        if job.heartbeat is not None:
            due = tick.now + round(job.heartbeat * MICROSECONDS)
            tick.rearm(Timer(job.execution, job.frame, job.seq, TimerKind.HEARTBEAT, due))

    # -- sleeping --------------------------------------------------------------------------------

    def sleep(self) -> None:
        """Until a result comes, or for as long as nothing can have happened."""
        now = self.engine.clock.now()
        due = self.engine.store.next_due(self.only)
        wait = _POLL_SECONDS if due is None or self._barren else min(_POLL_SECONDS, max(0, due - now) / MICROSECONDS)
        self._wakeup.wait(wait)
