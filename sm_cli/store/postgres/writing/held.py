"""A transaction that reads what it is about to change: only what it holds.

It holds parts of trees (`holding`), and locks beside them. Whatever is read of a part to be changed is read by a
statement that begins after it was taken: READ COMMITTED sees then what everybody committed who had it before. What is
asked for and cannot be held raises Contended: in the middle of a transaction nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from itertools import chain

from sm_cli.interpreter.frame import Frame
from sm_cli.store.locks import ALONE, Contended, Lock, Locks
from sm_cli.store.postgres.exchange import Promise
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.postgres.writing.claims import ALL_ENDED
from sm_cli.store.postgres.writing.holding import Holding
from sm_cli.store.postgres.writing.offers import ANYTHING, Offers
from sm_cli.store.postgres.writing.own import Own, lock_number, take_parts
from sm_cli.store.records import Execution, Job
from sm_cli.store.sql import work_rows
from sm_cli.store.sql.large_values import NotThere
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters
from sm_cli.store.sql.transaction import Transaction

#: So often what was deleted meanwhile is looked for anew.
_LOOKS = 10
#: Questions about executions that are about to be changed.
_OF_HELD = frozenset(["executions", "open_executions", "failed_executions"])


class HeldTransaction(Transaction):
    """A transaction that reads what it holds.

    locks: those that it has from its beginning; ALONE among them: nobody writes beside it. offers: what there was to
    do then."""

    def __init__(self, session: PostgresSession, own: Own, locks: Locks, offers: Offers) -> None:
        super().__init__(session, own.row_cache)
        self._postgres = session
        self._written_before = session.written
        #: What has asked for this transaction's number.
        self._counting: Promise | None = None
        self._own = own
        self._begun_with = offers
        #: The transaction's id, as soon as it is known.
        self._number = offers.number
        self._locks = set(locks)
        self._is_alone = ALONE in locks
        self._holding = Holding(session, own, self._try)
        #: Trees of READY frames that were offered.
        self._ready_trees: set[int] = set()
        #: Root frames of children that are about to begin, by execution.
        self._roots: dict[int, Frame] = {}
        #: How many parts another store wrote last of those that were taken before it was asked what there is to do.
        self._foreign_at_begin = 0
        session.forget_ahead()
        session.lingers = not self._is_alone  # beside others it may be refused at its end anyway
        own.begin()
        self._holding.take({int(lock.key) for lock in locks if lock.kind == "part"})

    def go_on(self) -> None:
        """As everywhere. There may be anything to do: the steps before have written."""
        super().go_on()
        self._begun_with = ANYTHING

    # What it holds

    def hold_at_begin(self, executions: Collection[int]) -> None:
        """Note what the round trip that began the transaction has taken, of these and of what waits; what there is to
        do was asked behind it."""
        places = self._own.places
        self._take_with_parents({places[id] for id in executions if id in places}, executions)
        for question in self._own.offers_asked:
            self._holding.note([row[2:5] for row in self._postgres.peek_ahead(question) if row[0] is not None])
        self._foreign_at_begin = len(self._holding.foreign)

    def hold(self, executions: Collection[int], now: int | None = None) -> Collection[int]:
        """As everywhere; those of them that nobody else has."""
        parts = self._holding.parts_of(executions)
        next_questions = [] if now is None else self._next_questions(now)
        if not parts <= self._holding.parts:
            self._take_with_parents(parts, executions, next_questions)
        elif next_questions:
            self._postgres.ask_ahead(next_questions)
        places = self._own.places
        return {id for id in executions if places.get(id, id) in self._holding.parts}

    def _next_questions(self, now: int) -> list[tuple[str, Parameters]]:
        """What a tick asks next: which children ended elsewhere, what is due, and which queues have jobs."""
        next_questions: list[tuple[str, Parameters]] = [("has_due", {"now": now})] if self._offers.has_due(now) else []
        next_questions += [("queues", ())] if self._begun_with.free_jobs else []
        next_questions += [ALL_ENDED] if self._begun_with.ended_children else []
        return next_questions

    @property
    def _offers(self) -> Offers:
        """What there is to do. In what another store wrote since it was asked, there may be anything."""
        return ANYTHING if len(self._holding.foreign) > self._foreign_at_begin else self._begun_with

    def hold_all(self, executions: Collection[int]) -> None:
        """As everywhere. Raises Contended."""
        self._holding.need(self._holding.parts_of(executions))

    def holds_frame(self, frame: int) -> bool:
        """As everywhere; of a part that somebody else has this is asked once."""
        part = self._holding.part_of_frame(frame)
        return part is not None and self._holding.tries(part)

    def _take_with_parents(
        self, parts: set[int], executions: Collection[int], next_questions: Sequence[tuple[str, Parameters]] = ()
    ) -> None:
        """Take these parts, of these executions, without waiting, and the parents of those that are children of map
        runs; these questions are asked in the same round trip."""
        parents = self._own.parents_of(executions)
        wanted_parts = parts | {part for _, part in parents.values()}
        reads = self._own.reads_of(parents)
        behind = [*chain.from_iterable(reads.values()), *next_questions]
        if behind:
            self._postgres.ask_ahead([take_parts(wanted_parts - self._holding.parts), *behind])
        self._holding.take(wanted_parts)
        for frame, questions in reads.items():
            if questions and parents[frame][1] not in self._holding.parts:
                self._postgres.forget_ahead(*questions)

    def trees(self, executions: Collection[int]) -> list[tuple[int, int, str]]:
        """As everywhere; parts are learned beside."""
        trees = self._own.trees
        if not all(id in trees for id in executions):
            places = self.session.all("places", (id_list(executions),))
            self._holding.learn(places)
            trees.update((id, (tree, digest)) for id, tree, digest, _ in places)
        return [(id, *trees[id]) for id in executions if id in trees]

    def _take_offer(self, name: str, parameters: Parameters) -> list[int]:
        """What a statement offers and has locked, in its order: ids of what is held."""
        return self._take_offers(name, parameters)[0]

    def _take_offers(self, name: str, parameters: Parameters) -> tuple[list[int], list[int]]:
        """The same with the executions that they are of."""
        return self._note_offers(self.session.all(name, parameters))

    def _note_offers(self, answers: list[Row]) -> tuple[list[int], list[int]]:
        self._holding.note([row[2:5] for row in answers])
        self._holding.learn([row[1:3] for row in answers])
        rows = [row for row in answers if row[2] in self._holding.parts]
        return [row[0] for row in rows], [row[1] for row in rows]

    def _of_held(self, read: Callable[[], list[Row]], parts_of: Callable[[list[Row]], set[int]]) -> list[Row]:
        """Rows that were read when all their parts were held. Raises Contended."""
        while True:
            answers = read()
            parts = parts_of(answers)
            if parts <= self._holding.parts:
                self._own.cached_parts |= parts
                return answers
            self._holding.need(parts)

    def _frame_rows(self, name: str, parameters: Parameters) -> list[Row]:
        return self._of_held(
            lambda: self.session.all(name, parameters),
            lambda answers: self._holding.parts_of({row[2] for row in answers}),
        )

    def _execution_rows(self, name: str, parameters: Parameters) -> list[Row]:
        learn = self._own.learn
        if name == "take_pending":
            tops = self.session.all(name, parameters)
            answers = [row[:-2] for row in tops]
            parts = learn(answers)
            self._holding.note([(self._own.places[row[0]], *row[-2:]) for row in tops if row[-2] is not None])
            self._holding.need(parts)
            self._own.cached_parts |= parts
            return answers
        if name in _OF_HELD:
            return self._of_held(lambda: self.session.all(name, parameters), learn)
        answers = self.session.all(name, parameters)
        self._own.cached_parts |= learn(answers)
        return answers

    def _executions(self, name: str, parameters: Parameters) -> list[Execution]:
        """As everywhere. What is not held may be deleted between its row and its large values: it is looked for anew,
        and another one of its name may be gone in the same way."""
        for _ in range(_LOOKS):
            with suppress(NotThere):
                return super()._executions(name, parameters)
        return super()._executions(name, parameters)

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        """As everywhere. Raises Contended."""
        self.hold_all(ids)
        return super().executions(ids)

    def open_executions(self, frame: int) -> list[Execution]:
        """As everywhere; there may be thousands, so they are held before they are read. Raises Contended."""
        places = self.session.all("open_parts", (frame,))
        self._holding.learn(places)
        self._holding.need({part for _, part in places})
        return super().open_executions(frame)

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        """As everywhere, taken in the statement that reads them; with their root frames. Raises Contended."""
        children = self._executions("take_pending", (frame, activation, from_index, limit))
        self._roots = {root.execution: root for root in super().roots([child.id for child in children])}
        return children

    def roots(self, executions: Collection[int]) -> list[Frame]:
        """As everywhere. Raises Contended."""
        if all(id in self._roots for id in executions):
            return [self._roots[id] for id in executions]
        return super().roots(executions)

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        """As everywhere. Raises Contended."""
        cache = self._row_cache.frames
        self._holding.need(self._holding.parts_of({cache[id][0].execution for id in ids if id in cache}))
        return super().frames(ids)

    def due_among(self, executions: Collection[int], now: int) -> list[int]:
        """As everywhere, with all these held: something arrives there. Where something is due in their trees, whatever
        waits for them is held too, for it may be over. Raises Contended."""
        self._holding.need(self._holding.parts_of(executions))
        trees = super().due_among(executions, now)
        if trees:
            self._holding.need({part for _, part in self.session.all("parts_above", (id_list(executions),))})
        return trees

    def _jobs(self, name: str, parameters: Parameters) -> list[Job]:
        """As everywhere. Of what is held it is remembered which of them refer to no large value."""
        answers = self.session.all(name, parameters)
        jobs = [work_rows.job(row, self.value) for row in answers]
        places, parts = self._own.places, self._holding.parts
        known_jobs = [(job, row[work_rows.JOB_INPUT]) for job, row in zip(jobs, answers, strict=True)
                      if places.get(job.execution) in parts]  # fmt: skip
        if known_jobs:
            self._row_cache.learn_jobs(*zip(*known_jobs, strict=True))
            self._own.cached_parts |= {places[job.execution] for job, _ in known_jobs}
        return jobs

    # Locks beside parts

    def _lock(self, lock: Lock) -> None:
        if not self._try(lock):
            raise Contended(frozenset([lock]))

    def _try(self, lock: Lock) -> bool:
        if lock not in self._locks and not self._is_alone:
            ((has,),) = self.session.all("try_lock", (lock_number(self._own.schema, lock),))
            if not has:
                return False
            self._locks.add(lock)
        return True

    def _share(self, lock: Lock) -> None:
        if lock not in self._locks and not self._is_alone:
            ((has,),) = self.session.all("try_shared_lock", (lock_number(self._own.schema, lock),))
            if not has:
                raise Contended(frozenset([lock]))
