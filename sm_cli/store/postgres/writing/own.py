"""What one store has of its own, and what all stores of a schema call alike: keys of locks, counts of commits."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Any

from sm_cli.store.locks import Lock
from sm_cli.store.postgres.writing.claims import ALL_ENDED, QUEUES, READY, TAKEN, Question, claim_of
from sm_cli.store.postgres.writing.ids import Ids
from sm_cli.store.postgres.writing.offers import NOTHING
from sm_cli.store.records import Execution
from sm_cli.store.sql import rows
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.row_cache import RowCache
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters

#: Counts of commits that wrote; each transaction adds to one of them.
_SLOTS = 64
#: So many of them a store adds to: the first that no other transaction has.
_CHOICE = 3
#: So many places are remembered.
_MOST_PLACES = 50_000


def lock_number(schema: str, lock: Lock) -> int:
    """The key of an advisory lock: the same in every process, different for every schema."""
    digest = hashlib.sha256(f"{lock.kind} {lock.key} in {schema}, for us".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def take_parts(parts: Collection[int]) -> tuple[str, Parameters]:
    """What takes these parts of trees, as far as nobody else has them."""
    return "take_parts", (id_list(sorted(parts)),)


class Own:
    """What one store has of its own, from transaction to transaction.

    number: marks the parts of trees that it wrote last. transactions: how many it began. last_offers: what
    there was to do when the last one began; last_claims: what it took jobs with; offers_asked: what took something in
    the round trip that began this one. places: execution to part, which never changes; trees: execution to
    (tree, digest). above: a child of a map run to the frame that waits for it; places_of_frames: such a frame to its
    execution and the part of that. cached_parts: those of which the row cache may know something."""

    def __init__(self, schema: str, number: int, ids: Ids) -> None:
        self.schema = schema
        self.number = number
        self.ids = ids
        self.row_cache = RowCache()
        self.transactions = 0
        self.last_offers = NOTHING
        self.last_claims: list[tuple[str, dict[str, Any]]] = []
        self.offers_asked: list[Question] = []
        self.places: dict[int, int] = {}
        self.trees: dict[int, tuple[int, str]] = {}
        self.above: dict[int, int] = {}
        self.places_of_frames: dict[int, tuple[int, int]] = {}
        self.cached_parts: set[int] = set()

    def begin(self) -> None:
        """A transaction begins."""
        self.ids.begin()
        self.transactions += 1
        if len(self.places) > _MOST_PLACES:
            for places in (self.places, self.trees, self.above, self.places_of_frames):
                places.clear()
        if len(self.cached_parts) > _MOST_PLACES:
            self.row_cache.forget_rows()
            self.cached_parts.clear()

    def learn(self, answers: Iterable[Row]) -> set[int]:
        """Remember where the executions of these rows of `executions` belong. Returns their parts."""
        parts = set()
        for row in answers:
            id, tree, run = row[0], row[rows.EXECUTION_TREE], row[rows.EXECUTION_RUN]
            part = self.places[id] = row[rows.EXECUTION_PART] or tree
            self.trees[id] = (tree, row[rows.EXECUTION_DIGEST])
            if run is not None or row[rows.EXECUTION_RUN + 1] is not None:  # or that of a batch
                self.above[id] = row[rows.EXECUTION_PARENT]
            parts.add(part)
        return parts

    def learn_new(self, executions: Iterable[Execution]) -> set[int]:
        """The same of executions that are about to be written."""
        parts = set()
        for each in executions:
            self.places[each.id] = each.part
            self.trees[each.id] = (each.tree, each.digest)
            if each.parent is not None and each.parent.run is not None:
                self.above[each.id] = each.parent.frame
            parts.add(each.part)
        return parts

    def questions_of(self, executions: Collection[int], jobs: int) -> list[Question]:
        """What takes these executions, as far as it is known where they belong, and whatever waits for them; what reads
        that. Of who is about to take jobs of any tree also what takes ended children, so many jobs and READY frames, if
        there were any when the last transaction began, or nothing else is known to be done. Whoever asks holds nothing
        yet."""
        self.offers_asked, last_claims = [], self.last_claims
        self.last_claims = []
        parts = {self.places[id] for id in executions if id in self.places}
        parents = self.parents_of(executions)
        wanted_parts = parts | {part for _, part in parents.values()}
        questions: list[Question] = []
        if wanted_parts:
            questions += [take_parts(wanted_parts), *chain.from_iterable(self.reads_of(parents).values())]
        if not jobs:
            return questions
        if self.last_offers.ended_children:
            questions.append(self._offer(ALL_ENDED))
        if self.last_offers.free_jobs or not executions:
            questions.append(QUEUES)
            if len(last_claims) == 1:
                name, parameters = last_claims[0]
                questions += [self._offer(claim_of(name, parameters, jobs)), *TAKEN]
        if self.last_offers.ready:
            questions.append(self._offer(READY))
        return questions

    def _offer(self, question: Question) -> Question:
        self.offers_asked.append(question)
        return question

    def parents_of(self, executions: Collection[int]) -> dict[int, tuple[int, int]]:
        """The frames that wait for these, as children of map runs, to their executions and the parts of those."""
        frames = {self.above[id] for id in executions if id in self.above}
        return {frame: self.places_of_frames[frame] for frame in frames if frame in self.places_of_frames}

    def reads_of(self, parents: Mapping[int, tuple[int, int]]) -> dict[int, list[Question]]:
        """What reads these, by frame, as far as nothing is remembered of them."""
        cache = self.row_cache
        reads: dict[int, list[Question]] = {}
        for frame, (execution, _) in parents.items():
            reads[frame] = [("frames", (id_list([frame]),))] if frame not in cache.frames else []
            reads[frame] += [("executions", (id_list([execution]),))] if execution not in cache.executions else []
        return reads

    def forget(self, parts: Collection[int]) -> None:
        """Another store wrote in these parts: forget what is remembered of their rows."""
        known_parts = self.cached_parts.intersection(parts)
        if known_parts:
            self.row_cache.forget_parts(known_parts, self.places)
            self.cached_parts -= known_parts

    @property
    def slots(self) -> list[int]:
        """The counts that this store adds to, the one that it likes best first."""
        return [(self.number + step * _SLOTS // _CHOICE) % _SLOTS for step in range(_CHOICE)]

    @property
    def mark(self) -> str:
        """What the newest transaction leaves there, and no other one."""
        return f"{self.number} {self.transactions}"
