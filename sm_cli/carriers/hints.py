"""A worker's hints: when it claims jobs, and when it tells others that there are some.

A worker that has heard a hint claims as many jobs as it has slots, and again whenever slots come free, until the
store has none left: then it waits for the next hint. Jobs that it sees and does not claim, because
it has no slot or was told nothing, it announces. So one hint wakes one worker, that one wakes another one if there is
more than it can do, and whoever starts executions without knowing of the carrier is heard all the same.
A hint may get lost: every worker claims once in SWEEP seconds without one, and always while the carrier is away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from sm_cli.carriers.away import Away, carrier_away
from sm_cli.carriers.outbox import Outbox
from sm_cli.carriers.port import Carrier, InsideCarrier
from sm_cli.errors import CarrierAway

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.tick import Tick
    from sm_cli.store.sql.transaction import Transaction

log = logging.getLogger("sm.worker")

#: Seconds between two hints of a worker that will take the jobs itself as soon as it has a slot.
_PASS_ON = 0.1
#: Seconds in which a worker that is awake hears one hint at most: it looks for work anyway.
_HEAR = 1.0
#: Seconds after which a worker claims although no hint came.
SWEEP = 1.0


class Hints:
    """Of a worker without a carrier: it always claims, and tells nobody."""

    @property
    def announces(self) -> bool:
        """Whether `announce` is to be told of queues now."""
        return False

    #: What carries them.
    carrier: Carrier | None = None

    def attach(self, wake: Callable[[], None], has_room: Callable[[], bool]) -> None:
        """The worker is there; both are called from other threads."""

    def has_news(self) -> bool:
        """Whether something says that the store is to be asked again, since this was asked last."""
        return False

    def is_awake(self) -> bool:
        """Whether jobs may be claimed now."""
        return True

    def claim(self, claim: Callable[[], None]) -> None:
        """Claim, if it is time to."""
        claim()

    def none_left(self) -> None:
        """The store has no job that the worker could claim."""

    def announce(self, queues: Iterable[str]) -> None:
        """There are jobs in these queues that this worker does not claim now."""


class CarriedHints(Hints):
    """Of a worker with a carrier. now: seconds that only grow. sweep: seconds, as above. is_told: whether somebody else
    in this process says that the carrier is away."""

    carrier: Carrier

    def __init__(
        self, carrier: Carrier, *, now: Callable[[], float] = time.monotonic, sweep: float = SWEEP,
        is_told: bool = False,
    ) -> None:  # fmt: skip
        self.carrier = carrier
        self._now = now
        self._sweep = sweep
        self._next_look = self._next_sweep = self._next_pass_on = self._next_hint = now()
        self._count = 0  # hints that came
        self._count_at_look = 0  # that many had come when the store was asked last
        self._answer_count = 0  # that many of them are used up
        self._is_away = True  # until the carrier says that it is there
        self._away = Away(carrier.name, level=logging.DEBUG if is_told else logging.WARNING)
        self._lock = threading.Lock()  # of the two above, which two threads tell of a carrier that is away
        self._over = threading.Event()
        self._outbox = Outbox(carrier.announce, self._pause, self._sends_again)
        self._wake: Callable[[], None] = lambda: None
        self._has_room: Callable[[], bool] = lambda: False  # until a worker is there

    def start(self, *, receives: bool = True) -> None:
        """Begin to announce and, unless somebody else does, to receive, in threads."""
        self._outbox.start()
        if receives:
            threading.Thread(target=self._receive, name="sm-hints", daemon=True).start()

    def stop(self) -> None:
        """Receive and announce nothing more."""
        self._over.set()
        self._outbox.close()
        self.carrier.stop()

    # -- the worker's side ---------------------------------------------------------------------------

    def attach(self, wake: Callable[[], None], has_room: Callable[[], bool]) -> None:
        """Wake this worker when a hint comes, and receive none while it has no room."""
        self._wake, self._has_room = wake, has_room

    def has_news(self) -> bool:
        """Whether a hint came, or the time to look without one, since this was asked last."""
        if self._count == self._count_at_look and self._now() < self._next_look:
            return False
        self._count_at_look, self._next_look = self._count, self._now() + self._sweep
        return True

    def is_awake(self) -> bool:
        """Whether a hint came that is not used up, the time has come to look, or hints cannot come."""
        return self._is_away or self._count != self._answer_count or self._now() >= self._next_sweep

    def claim(self, claim: Callable[[], None]) -> None:
        """Claim when awake. Others claim beside this worker, so that a slot that stays free does not say that nothing
        is left; the next look at the store does."""
        if self.is_awake():
            claim()

    def none_left(self) -> None:
        """What came until the store was asked is answered."""
        self._answer_count, self._next_sweep = self._count_at_look, self._now() + self._sweep

    @property
    def announces(self) -> bool:
        """Not too often by one that is awake: the jobs are done without anybody else, too."""
        return not self.is_awake() or self._now() >= self._next_pass_on

    def announce_in(self, transaction: Transaction, carrier: InsideCarrier, queues: Collection[str]) -> None:
        """Others hear of it with the commit. What the carrier does not take there is announced beside the transaction,
        as soon as it takes something, and so is all else until then. Raises DatabaseError."""
        if self._outbox.is_stuck:
            self._outbox.put(queues)
            return
        try:
            carrier.announce_inside(transaction, queues)
        except CarrierAway as e:
            log.debug("a transaction goes on without its hints: %s", e.message)
            self._outbox.retry(queues)

    def announce(self, queues: Iterable[str]) -> None:
        """Others hear of it soon; never waits."""
        self._next_pass_on = self._now() + _PASS_ON
        self._outbox.put(queues)

    # -- the carrier's side ----------------------------------------------------------------------------

    def hear(self, queue: str) -> None:
        """A hint came, whichever queue it names: a claim serves all queues by their weights."""
        log.debug("a hint came: jobs of queue %s may be ready", queue)
        self._next_hint = self._now() + _HEAR
        self._count += 1
        self._wake()

    def has_room(self) -> bool:
        """Whether a slot is free, and a hint would say something new. One that is awake leaves hints to others: each
        that it took would be made up for by another one at once, as long as there is more than it can do."""
        return self._has_room() and (not self.is_awake() or self._now() >= self._next_hint)

    def comes_up(self) -> None:
        """Hints come from now on."""
        with self._lock:
            self._away.over()
            self._is_away = False
        self._wake()

    def _receive(self) -> None:
        while not self._over.is_set():
            try:
                self.carrier.receive(self)
            except Exception as e:  # of a library that is not ours: this thread goes on
                with self._lock:
                    self._is_away = True
                self._over.wait(self._pause(carrier_away(e)))

    def _pause(self, error: CarrierAway) -> float:
        with self._lock:
            return 0.0 if self._over.is_set() else self._away.pause(error)

    def _sends_again(self) -> None:
        with self._lock:
            if not self._is_away:
                self._away.over()


def announce_inside(engine: Engine, hints: CarriedHints) -> None:
    """From now on each transaction of this engine announces what it leaves ready, if the carrier can write into it."""
    if not isinstance(hints.carrier, InsideCarrier):
        return
    carrier = hints.carrier

    def announce(tick: Tick) -> None:
        if queues := ready_queues(tick):
            hints.announce_in(tick.tx, carrier, queues)

    engine.inside = announce


def ready_queues(tick: Tick) -> set[str]:
    """The queues of jobs that this transaction leaves for anybody to take."""
    jobs = (*tick.changes.new_jobs, *tick.changes.leased_jobs)
    return {job.queue for job in jobs if job.worker is None and job.leased_until is None}
