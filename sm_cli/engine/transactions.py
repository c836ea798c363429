"""An engine's transactions: a tick, what it steps, and its commit.

All stepping happens in `transact`. What was stepped and cannot be written is set aside, and the seconds that the commit
itself took from a handler are given back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import monotonic_ns
from typing import TypeAlias, TypeVar

from sm_cli.engine.agenda import Postponed, Shares
from sm_cli.engine.clock import Clock
from sm_cli.engine.programs import Programs
from sm_cli.engine.send_message import sweep_messages
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.tasks import postpone, renew_leases
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.stepping.turns.suspects import blame, count_deaths
from sm_cli.errors import Conflict, DatabaseError, UsageError
from sm_cli.jsonvalue import DEEPEST, Json, TooDeep, TooLarge, check_bounds
from sm_cli.store.joining import Unheld
from sm_cli.store.locks import NOTHING, Attempts, Contended, Locks
from sm_cli.store.marks import Marks
from sm_cli.store.protocol import Store
from sm_cli.store.sql.transaction import AlreadyLinked, Transaction

T = TypeVar("T")
log = logging.getLogger("sm.engine")
attempts_log = logging.getLogger("sm.store")

#: Called after each commit with what was committed; it steps nothing.
Observer: TypeAlias = Callable[[Tick], None]

#: Microseconds. A commit that takes longer than this is not left out of account.
_LONG_COMMIT = 100_000


class Transactions:
    """Transactions over one store, each a tick. What is done in one may be done several times, until it can be
    committed: it changes nothing but its tick, or what is the same when it is done again.

    marks: where it says what it steps, from the first call on; None where nobody would see it. shares: what each tree
    has had. inside: called in each transaction after all else is written, to write something of another program."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, programs: Programs, observers: tuple[Observer, ...]
    ) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.settings.token_key = store.token_key()
        self.programs = programs
        self.shares = Shares()
        self.inside: Callable[[Tick], None] | None = None
        self.marks: Marks | None = None
        self._marking = False
        self._sweep_at = 0
        self._postponing = Postponed()
        self._last_tree = 0
        self._observers = observers

    def refuse_unbounded(self, value: Json, what: str) -> None:
        """Raises UsageError for data that is larger or deeper than what is kept."""
        try:
            check_bounds(value, self.settings.max_payload)
        except TooLarge:
            limit = f"{self.settings.max_payload:,}"
            raise UsageError(f"{what} is larger than {limit} bytes of JSON, the limit that max_payload sets") from None
        except TooDeep:
            raise UsageError(f"{what} is nested more than {DEEPEST} levels deep") from None

    def observe(self, observer: Observer) -> None:
        """Call this one too after each commit from now on."""
        self._observers = (*self._observers, observer)

    def transact(
        self, work: Callable[[Tick], T], taker: JobTaker | None = None, *, postponing: bool = False,
        executions: Collection[int] = (), jobs: int = 0,
    ) -> tuple[T, Tick]:  # fmt: skip
        """Do `work` on a fresh tick, step everything it caused, commit. `taker` takes jobs in the same stroke.
        postponing: what is offered of a tree that needs what another transaction has is left for a while, as if there
        were no time for it, and not waited for. executions: those that it is about, and jobs: how many it is about to
        take, as far as is known. Raises Unwritable for what the store cannot write."""
        try:
            result, tick = self._transact(work, taker, postponing, executions, jobs)
        except _Unwritten as e:
            frames, error = e.frames, e.error
            self.transact(lambda tick: blame(tick, frames, error))
            raise Unwritable("what was stepped cannot be written") from error
        finally:
            if self.marks is not None:
                self.marks.clear()
        for observe in self._observers:
            try:
                observe(tick)
            except DatabaseError as e:  # it is committed, whatever an observer could not read of it
                log.debug("an observer missed something of a commit: %s", e.message)
        return result, tick

    def answer(self, work: Callable[[Tick], T], taker: JobTaker | None = None) -> tuple[T, Tick]:
        """As `transact`, but a Conflict that `work` raises before it has changed anything is raised after the commit:
        what was due when the caller came has happened all the same, and frames that ended a worker are set aside."""
        self.set_aside()

        def answer_conflict(tick: Tick) -> T | _Refusal:
            tick.suspects.fail()
            try:
                return work(tick)
            except Conflict as conflict:
                return _Refusal(conflict)

        result, tick = self.transact(answer_conflict, taker)
        if isinstance(result, _Refusal):
            raise result.conflict
        return result, tick

    def set_aside(self) -> None:
        """Count what other workers and commands did not survive, before anything is stepped here. It is not undone with
        what comes after: inside `together` it has happened before."""
        if self.store.is_joined:
            return
        if not self._marking:
            self._marking = True
            liveness = None if self.marks is not None else self.store.liveness()
            self.marks = self.marks if liveness is None else liveness.marks()
        if self.marks is None:
            return
        for slot, frames in self.marks.find_lost():
            log.info("a worker ended while it stepped %d frames", len(frames))
            self.transact(lambda tick, frames=frames: count_deaths(tick, frames))  # type: ignore[misc]
            self.marks.forget_lost(slot)

    def together(self, work: Callable[[Transaction], T], locks: Locks = NOTHING) -> T:
        """Do `work`, which may call whatever here changes something, in one transaction: all of it is committed, or
        nothing. It is done again when others are in the way, and observers hear of each attempt. locks: those that it
        needs, as far as is known. Raises what `work` raises, and DatabaseBusy when that does not end."""
        self.set_aside()
        attempts = Attempts(self._patience)
        attempts.add(locks)
        while True:
            try:
                with self.store.together(attempts.locks) as tx:
                    return work(tx)
            except (Unheld, Contended) as e:
                attempts.miss(e if isinstance(e, Contended) else Contended(e.locks))
                attempts.add(e.locks)

    def _transact(
        self, work: Callable[[Tick], T], taker: JobTaker | None, postponing: bool, executions: Collection[int],
        jobs: int,
    ) -> tuple[T, Tick]:  # fmt: skip
        """Attempt after attempt, each of which waits first for what those before it missed."""
        attempts, slots = Attempts(self._patience), 0 if taker is None else taker.slots
        waiting_tree = 0
        while True:
            try:
                trees = self._postponing.now(monotonic_ns() // 1000) if postponing else frozenset()
                return self._attempt(work, taker, attempts.locks, trees, executions, jobs)
            except Contended as e:
                attempts_log.debug("another attempt: %s", ", ".join(map(str, e.locks)) or e.message)
                attempts.miss(e)
                tree = self._last_tree or waiting_tree  # none: what that tree needs was waited for in vain
                if postponing and self._postponing.add(tree, e.locks, monotonic_ns() // 1000):
                    attempts.leave_out(e.locks)
                else:
                    attempts.add(e.locks)
                    waiting_tree = tree
                if self.marks is not None:
                    self.marks.clear()  # who waits steps nothing
                if taker is not None:
                    taker.begin_again(slots)

    def _patience(self) -> float | None:
        return self.store.patience.limit()

    def _attempt(
        self, work: Callable[[Tick], T], taker: JobTaker | None, locks: Locks, postponed_trees: frozenset[int],
        executions: Collection[int], jobs: int,
    ) -> tuple[T, Tick]:  # fmt: skip
        clock = self.clock
        self._last_tree = 0
        with self.store.write(locks, executions, jobs) as tx:
            start = clock.monotonic()
            tick = Tick(
                tx, self.programs, clock.now(), self.settings, taker, clock.new_ref, self.shares, clock.monotonic
            )
            tick.marks = self.marks
            tick.agenda.postponed_trees = postponed_trees
            try:
                result = work(tick)
                tick.run()
            except Contended:
                self._last_tree = tick.stepped_tree()
                raise
            tick.settle()
            next_sweep = sweep_messages(tick) if tick.now >= self._sweep_at else self._sweep_at
            end = clock.monotonic()
            postpone(tick, end - start)
            self._flush(tick)
            if self.inside is not None:
                tx.broken = True  # as in `apply`: who catches what this raises must not commit the half of it
                self.inside(tick)
                tx.broken = False
        self._sweep_at = next_sweep
        if taker is not None and taker.jobs and clock.monotonic() - end > _LONG_COMMIT:
            self._begin_again(taker)
        return result, tick

    def _flush(self, tick: Tick) -> None:
        if self.marks is not None:
            self.marks.many(tick.stepped_frames())
        try:
            tick.flush()
        except (DatabaseError, AlreadyLinked):
            raise
        except Exception as error:
            frames = tick.stepped_frames()
            callers = isinstance(error, UsageError) and tick.taker is None  # what a caller gave cannot be written
            if not frames or callers or not self.settings.contain:
                raise
            log.exception("what was stepped cannot be written")
            raise _Unwritten(frames, error) from error

    def _begin_again(self, taker: JobTaker) -> None:
        """The commit took long: the seconds of the jobs that were taken count from now, for their handlers start now;
        those that another worker has taken meanwhile are not started."""
        jobs, renewal = taker.jobs, JobTaker(taker.worker, 0)
        try:
            taker.jobs = self.transact(lambda tick: renew_leases(tick, jobs), renewal)[0]
        except DatabaseError as e:  # that they are taken is committed: their leases are as any others
            log.debug("jobs begin with what is left of their leases: %s", e.message)


class Unwritable(Exception):
    """What was stepped could not be written, by a bug: what caused it has failed or is a suspect."""


class _Unwritten(Exception):
    def __init__(self, frames: list[int], error: Exception) -> None:
        self.frames = frames
        self.error = error


@dataclass(frozen=True, slots=True)
class _Refusal:
    conflict: Conflict
