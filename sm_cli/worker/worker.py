"""The loop: takes everything that is ready, steps it all, commits once, then starts handlers.

One thread runs `run`. It sleeps until a result comes, something falls due, another process writes, or it is told to
stop; it never sleeps in a transaction, and it begins none before a read has shown that there is something to do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from sm_cli.carriers.hints import Hints
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.schedules.firing import fire_schedules
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping import leases
from sm_cli.engine.stepping.queues import Rota
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Unwritable
from sm_cli.errors import DatabaseAway, DatabaseBusy
from sm_cli.handlers.handler import Context, Handler
from sm_cli.handlers.registry import Registry
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, HistoryEvent, Job, Timer, WorkerRecord
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.contexts import context_of
from sm_cli.worker.deliveries import BATCH, about, deliver_all
from sm_cli.worker.heartbeats import Heartbeats
from sm_cli.worker.jumps import Jumps
from sm_cli.worker.membership import find_dead, is_alive, make_worker_record, serving_of
from sm_cli.worker.outlasting import Away, outlasting, outlasting_handlers
from sm_cli.worker.pending_work import PendingWork
from sm_cli.worker.pool import Done, Pool
from sm_cli.worker.quarantine import Quarantine
from sm_cli.worker.renewals import Renewals
from sm_cli.worker.starts import HandlerStarts
from sm_cli.worker.wakeup import Wakeup

log = logging.getLogger("sm.engine")

#: How long a loop without work sleeps before it looks whether another process wrote: soon after it had some, and
#: later; and how long before it looks around itself. Each look costs a fifth of a millisecond, most of it to wake up.
_POLL_SECONDS, _IDLE_POLL_SECONDS, _LOOK_UP_SECONDS = 0.01, 0.03, 0.3
_IDLE = MICROSECONDS

#: Microseconds between two looks whether another worker has died, and whether our leases are half over.
_LOOK = MICROSECONDS
#: A worker says so often that it is there: with what it writes anyway, and when it has nothing to write.
_SEEN, _SEEN_IDLE = 5 * MICROSECONDS, 30 * MICROSECONDS
_FORGOTTEN = 86_400 * MICROSECONDS
#: Who waited longer than this to write judges nobody's lease: its owner could not renew it in that time either.
_HELD_UP = MICROSECONDS


class Worker:
    """A worker: `concurrency` handlers at once, for all executions or for those of one `tree`.

    name: what a person calls it. rota: which queues it serves and how. observe: called after each commit with the
    events that it wrote. taking: whether it takes jobs. hints: when it claims free ones; always, unless given.
    """

    def __init__(
        self, engine: Engine, handlers: Mapping[str, Handler], *, concurrency: int = 8, name: str = "worker",
        tree: int | None = None, rota: Rota | None = None,
        observe: Callable[[list[HistoryEvent]], None] | None = None, hints: Hints | None = None,
    ) -> None:  # fmt: skip
        self.engine = engine
        self.name = name
        self.tree = tree
        self.rota = rota or Rota()
        self.hints = hints or Hints()
        self.observe = observe
        self.taking = True
        self.stopping = threading.Event()
        self.jobs: dict[tuple[int, int], Job] = {}
        self.given_back: list[Job] = []
        self._bell = Wakeup()
        self.pool = Pool(concurrency, self._bell.ring, now=engine.clock.monotonic)
        self.quarantine = Quarantine(self.jobs, self.pool, engine.clock.monotonic)
        self._renewals = Renewals(self.jobs, engine.clock, engine.settings)
        self.hints.attach(self._bell.ring, lambda: self.taking and self.quarantine.slots > 0)
        self._starts = HandlerStarts(engine, self._bell.ring)
        self._beacons = engine.store.liveness()
        if self._beacons is not None:
            engine.marks = engine.marks or self._beacons.marks()
        self.worker = make_worker_record(name, engine.clock.new_ref(), engine.clock.now(), self._beacons)
        self._is_member = self._barren = False  # barren: it looked as if there were something to do, and there was not
        self._pending = PendingWork(engine.store, self.worker.id)
        self._beats = Heartbeats()
        self._results_to_deliver: list[Done] = []  # results that no transaction has taken yet
        self._next_census = self._judges_from = engine.clock.monotonic()  # may begin anywhere
        self._last_work = self._last_sign = self._next_census - _FORGOTTEN
        self._jumps = Jumps(engine.clock)
        self._jump = 0  # microseconds that no transaction has re-based yet
        self._new_handlers: Mapping[str, Handler] | None = None
        self._use(handlers)

    def _use(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers = Registry({**outlasting_handlers(self.engine.builtin), **handlers})
        self.worker = replace(self.worker, serves=serving_of(handlers, self.rota, self.pool.size, self.tree))
        self._last_sign = self.engine.clock.monotonic() - _FORGOTTEN  # others are told soon

    # -- what others call ------------------------------------------------------------------------

    def start(self, workflow: Workflow, input: Json, **options: object) -> tuple[Execution, bool]:
        """Start an execution, its first tasks already taken by this loop: no second transaction."""
        self.engine.set_aside()
        taker = self.taker()
        execution, new, jobs = self.engine.start(workflow, input, taker=taker, **options)  # type: ignore[arg-type]
        if new:
            self._is_seen(taker.arriving)
        self.launch(jobs, taker.executions)
        return execution, new

    def reload(self, handlers: Mapping[str, Handler]) -> None:
        """Use these handlers from the next round on; from any thread."""
        self._new_handlers = handlers
        self._bell.ring()

    def take(self, taking: bool) -> None:
        """Whether to take jobs."""
        if taking is not self.taking:
            self.taking, self._pending.stale = taking, True

    def stop(self) -> None:
        """End `run` soon; from any thread or signal handler."""
        self.stopping.set()
        self._bell.ring()

    def run(self, until: Callable[[], bool]) -> None:
        """Work until `until()` is true or `stop` was called."""
        self._go_on(lambda: self.stopping.is_set() or until())

    def finish(self, grace: float, over: Callable[[], bool] = bool) -> None:
        """Take nothing new, let what runs end for at most `grace` seconds or until `over()`, then `let_go`."""
        self.take(False)
        end = self.engine.clock.monotonic() + round(grace * MICROSECONDS)
        self._go_on(lambda: over() or not self.quarantine.at_work or self.engine.clock.monotonic() >= end)
        self.let_go()

    def let_go(self) -> None:
        """After `run`: deliver what is finished and give the other jobs back, so that others take them at once.
        Whoever calls this ends the process: the handlers are told that nobody waits for them, and not waited for."""
        results = [*self._results_to_deliver, *self.pool.drain()]
        self.pool.cancel_all()
        job_ids = {result.job.id for result in results}

        def deliver(tick: Tick) -> None:
            deliver_all(tick, results, [], {}, self.tree, self.engine.clock.monotonic())

        def give_back(tick: Tick) -> None:
            self.given_back = [job for job in tick.tx.leased_to(self.worker.id) if job.id not in job_ids]
            for job in self.given_back:
                leases.give_back(tick, job)
            tick.changes.workers_gone.append(self.worker.id)

        while results:
            try:
                rest = set(self.engine.transact(deliver)[1].agenda.keepers)
            except Unwritable:
                continue  # what caused it is set aside
            results = [result for result in results if result in rest]
        if self._is_member:
            self.engine.transact(give_back)
            self.jobs.clear()
            self._is_member = False

    # -- one round -------------------------------------------------------------------------------

    def _go_on(self, until: Callable[[], bool]) -> None:
        """Round after round. A worker outlasts whoever holds the database: what its handlers returned is kept until
        it can be written. Only who is told to stop waits no longer than the store's own patience."""
        away = Away()
        with outlasting(self.engine.store, until):
            while not until():
                try:
                    if not self.tick():
                        self.sleep()
                    away.over()
                except DatabaseAway as e:
                    if until():
                        raise
                    self._bell.wait_for_ring(away.pause(e))
                except DatabaseBusy as e:  # of a read: a program has the whole file to itself
                    if until():
                        raise
                    log.warning("%s; waiting on", e.message)

    def tick(self) -> bool:
        """Step everything that is ready; False when there was nothing to do."""
        self._bell.wait_for_rings(0.0 if self._results_to_deliver else self._pending.moment, self.pool.runs_fresh)
        self._barren = False
        if self._new_handlers is not None:
            self._use(self._new_handlers)
            self._new_handlers, self._pending.stale = None, True
        results = self._results_to_deliver
        results += self.pool.drain()  # before the leases are looked at: what has ended is not cancelled
        self._notice_jump()
        now, start = self.engine.clock.now(), self.engine.clock.monotonic()
        if not results or start >= self._next_census:  # busy among busy ones: once a second
            self.check_leases()
        beats = self._beats.due(start, self.jobs, self._jumps.apart)
        dead = self.census(now)
        must_enlist = not self._is_member or start - self._last_sign > _SEEN_IDLE
        renewing = self._renewals.are_due(now)
        if not (results or beats or dead or must_enlist or renewing or self._jump or self.anything(now)):
            return False
        results += self.pool.drain()  # what came while it looked
        lost_jobs: set[int] = set()

        def work(tick: Tick) -> set[object]:
            jump = self._notice_jump(tick)  # also while this waited for its turn
            beats[:] = [timer._replace(due=timer.due + jump) for timer in beats]
            if self._jump:
                lost_jobs.update(leases.rebase(tick, list(self.jobs.values()), self._jump))
            self._arrive(tick, beats)
            held_up = self.engine.clock.monotonic() - start > _HELD_UP
            lost_jobs.update(self._claim(tick, [] if held_up else self.reap(tick, dead)))
            tick.ready(BATCH, self.tree)
            tick.run()
            tick.offer_due(tick.now, BATCH, self.tree, beyond=tick.now - 1)
            tick.run()
            fire_schedules(tick, self.tree)
            rest = set(tick.agenda.keepers)
            lost_jobs.update(self._renewals.renew(tick, [r for r in results if r not in rest], is_time=renewing))
            if must_enlist and arriving is not None:
                tick.changes.workers.append(arriving)
            return rest

        arriving = (taker := self.taker()).arriving
        if must_enlist:
            taker.arriving = None  # written by itself, even when nothing else is
        try:
            slots = taker.slots if self.tree is None and self.hints.is_awake() else 0
            rest, tick = self.engine.transact(work, taker, postponing=True, executions=about(results), jobs=slots)
        except Unwritable:
            self._pending.stale = True
            return True  # with the same results; what caused it is set aside
        self._results_to_deliver = [result for result in results if result in rest]  # there was no time for them
        self._beats.put_back([timer for timer in beats if timer in rest])
        self._jump = 0
        if tick.changes:
            self._is_seen(arriving)
        results = [result for result in results if result not in rest]
        self._barren = not (results or tick.changes)
        self._last_work = self._last_work if self._barren else self.engine.clock.monotonic()
        self.settle(tick, results, lost_jobs)
        return not self._barren

    def _arrive(self, tick: Tick, beats: list[Timer]) -> None:
        """Offer what handlers have brought; what came while this waited for its turn came in time, too."""
        self._results_to_deliver += self.pool.drain()
        at = self.engine.clock.monotonic()
        beats += self._beats.due(at, self.jobs, self._jumps.apart)
        deliver_all(tick, self._results_to_deliver, beats, self.jobs, self.tree, at)

    def anything(self, now: int) -> bool:
        """Whether a read shows something to do."""
        work, could_claim = self._pending, self.quarantine.slots > 0 and self.hints.is_awake()
        if self.hints.has_news() or work.stale:
            handlers = self.handlers if self.taking else Registry()
            by_queue = self.hints.announces and not could_claim  # what it takes itself is nobody's news
            work.look(leases.ANY_TIME, handlers, self.tree, self.rota.queue_names, by_queue)
        claims = work.free and could_claim
        if not work.free:
            self.hints.none_left()
        elif not claims and work.queues:
            self.hints.announce(work.queues)
        claims = claims or (self.taking and self.quarantine.may_begin())
        return work.ready or (work.due is not None and work.due <= now) or claims

    def _claim(self, tick: Tick, free_jobs: list[Job]) -> set[int]:
        """Take jobs: the suspect that is kept, when nothing is in its way. Returns the ids of those no longer ours."""
        suspect = self.quarantine.waiting_suspect
        if suspect is None:
            self.hints.claim(partial(leases.claim, tick, self.rota, free_jobs, self.tree))
        elif self.taking and self.quarantine.may_begin() and not leases.begin_kept(tick, suspect):
            return {suspect.id}
        return set()

    def taker(self) -> JobTaker:
        """Who takes jobs in the next tick, and how many."""
        arriving = None
        if not self._is_member or self.engine.clock.monotonic() - self._last_sign > _SEEN:
            arriving = replace(self.worker, seen=self.engine.clock.now())
        return JobTaker(
            self.worker.id, self.quarantine.slots if self.taking else 0, self.handlers,
            serves=self.rota.serves, arriving=arriving, choose_suspect=self.quarantine.choose,
        )  # fmt: skip

    def _is_seen(self, arriving: WorkerRecord | None) -> None:
        """Our row is written."""
        self._is_member = True
        if arriving is not None:
            self.worker, self._last_sign = arriving, self.engine.clock.monotonic()

    def settle(self, tick: Tick, results: list[Done], lost_jobs: set[int]) -> None:
        """After the commit: what is over is forgotten, what was taken is started."""
        for result in results:
            self.jobs.pop((result.job.frame, result.job.seq), None)
        for (frame, seq), job in list(self.jobs.items()):
            newest = tick.frames.get(frame)
            if job.id in lost_jobs or (newest is not None and newest.seq != seq):
                self.forget(job)
        for frame, event in tick.late_events:
            log.debug("ignored %s for frame %d: it came too late", type(event).__name__, frame)
        if self.observe is not None and tick.changes.history:
            self.observe(tick.changes.history)
        assert tick.taker is not None
        self.launch(tick.taken_jobs(), tick.taker.executions)
        suspect = tick.taker.suspect
        if suspect is not None and tick.frames[suspect.frame].seq == suspect.seq:
            self.jobs[suspect.frame, suspect.seq] = suspect
            self.quarantine.note(suspect)

    def forget(self, job: Job) -> None:
        """Nobody waits for this job's handler any more."""
        del self.jobs[job.frame, job.seq]
        self.pool.cancel(job.frame, job.seq)

    def launch(self, jobs: list[Job], executions: Mapping[int, Execution]) -> None:
        """Start the handlers of these jobs."""
        for job in jobs:
            self.jobs[job.frame, job.seq] = job
            handler = self.handlers.find(job.resource)
            assert handler is not None, "a job is taken for a handler that is there"
            self.pool.submit(job, handler, partial(self.context, job, executions[job.execution]))

    def context(self, job: Job, execution: Execution) -> Context:
        """What the job's handler is told beside its input."""
        key, clock = self.engine.settings.token_key, self.engine.clock
        starter = partial(self._starts.start, job=job, execution=execution)
        return context_of(job, execution, key, lambda: self._beats.say(job, clock.monotonic()), starter)

    # -- leases ------------------------------------------------------------------------------------

    def reap(self, tick: Tick, dead: list[WorkerRecord]) -> list[Job]:
        """Take the jobs of workers that were lost, and strike those that are dead off the list."""
        tick.changes.workers_gone.extend(worker.id for worker in dead)
        mine = {job.id for job in self.jobs.values()}
        judge = self.engine.clock.monotonic() >= self._judges_from
        jobs = leases.lost_jobs(tick, [worker.id for worker in dead], mine, self.tree, judge=judge)
        if jobs:
            dead_ids = {worker.id for worker in dead}
            others = (w for w in tick.tx.workers() if w.id not in dead_ids)
            jobs = leases.spare(tick, jobs, {w.id: w.seen for w in others if is_alive(w, self._beacons)})
        return leases.reap(tick, jobs, [worker.id for worker in dead])

    def _notice_jump(self, tick: Tick | None = None) -> int:
        """The wall clock was set, or the machine slept: what is written by it is re-based, and nobody's lease is judged
        before its owner had the time to do the same. A tick that has stepped nothing goes on with the new time."""
        jump = self._jumps.look()
        if not jump:
            return 0
        if tick is not None:
            tick.now = self.engine.clock.now()
        self._jump += jump
        self._judges_from = self.engine.clock.monotonic() + self.engine.settings.lease
        self._last_sign = self.engine.clock.monotonic() - _FORGOTTEN
        self._pending.stale = True
        return jump

    def census(self, now: int) -> list[WorkerRecord]:
        """Now and then: workers that are certainly dead, or were not seen for a day."""
        if self.engine.clock.monotonic() < self._next_census:
            return []
        self._next_census = self.engine.clock.monotonic() + _LOOK
        self.engine.set_aside()
        with self.engine.store.read() as questions:
            others = [w for w in questions.workers() if w.id != self.worker.id]
        judges = self.engine.clock.monotonic() >= self._judges_from
        return find_dead(others, self._beacons, now - _FORGOTTEN if judges else None)

    def check_leases(self) -> None:
        """If another process has written: does it want our jobs done no more?"""
        self._pending.notice()
        if self._pending.others:
            self._pending.others = False
            for job in self._pending.lost_jobs(self.jobs.values()):
                self.forget(job)

    # -- sleeping --------------------------------------------------------------------------------

    def sleep(self) -> None:
        """Until a result comes, somebody writes, or time brings something; not much longer than _LOOK_UP_SECONDS."""
        now, remaining, due = self.engine.clock.now(), _LOOK_UP_SECONDS, self._pending.due
        if due is not None and not self._barren:
            remaining = min(remaining, max(0, due - now) / MICROSECONDS)
        poll = _POLL_SECONDS if self.engine.clock.monotonic() - self._last_work < _IDLE else _IDLE_POLL_SECONDS
        # An idle worker does this all day: nothing but a short wait and a question that costs microseconds.
        while not self._bell.wait_for_ring(min(poll, remaining)) and remaining > poll and not self._pending.notice():
            remaining -= poll
