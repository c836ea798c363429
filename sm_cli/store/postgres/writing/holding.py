"""The parts of trees that one transaction holds: taken without waiting, or missed.

A part (`Execution.part`) is held by a lock on the row of the execution at its top, taken with SKIP LOCKED; it ends with
the transaction. The same statement answers which store wrote there last: what this one remembers of a part that another
one wrote is forgotten as it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sm_cli.store.locks import Contended, Lock, part_lock
from sm_cli.store.postgres.session import PostgresSession
from sm_cli.store.postgres.writing.own import Own, take_parts
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row


class Holding:
    """Those of one transaction. try_lock: tries for an advisory lock."""

    def __init__(self, session: PostgresSession, own: Own, try_lock: Callable[[Lock], bool]) -> None:
        self._session = session
        self._own = own
        self._try_lock = try_lock
        #: Held, by the ids of the executions at their tops.
        self.parts: set[int] = set()
        #: Of these, those that another store wrote last.
        self.foreign: set[int] = set()
        #: Tried for in vain.
        self._missed_parts: set[int] = set()

    def take(self, parts: Collection[int]) -> set[int]:
        """Those of these parts that are held now."""
        parts = set(parts)
        others = parts - self.parts
        if others:
            self.note(self._session.all(*take_parts(others)))
            self._missed_parts |= others - self.parts
        return parts & self.parts

    def note(self, answers: Iterable[Row]) -> None:
        """Note what a statement has locked: (part, the execution at its top, the store that wrote there last)."""
        writers = {}
        for part, top, writer in answers:
            if part in self.parts:
                continue
            # The execution at its top was deleted, others are there: who is redriven goes on.
            if top is not None or self._try_lock(part_lock(part)):
                writers[part] = writer if top is not None else None
        foreign = {part for part, writer in writers.items() if writer != self._own.number}
        self._own.forget(foreign)
        self.foreign |= foreign
        self.parts |= writers.keys()

    def need(self, parts: Collection[int]) -> None:
        """Hold these parts. Raises Contended: the next attempt has all of them from its beginning, so that nobody
        takes some of many while it waits for others."""
        parts = set(parts)
        if not parts <= self.parts and len(self.take(parts)) < len(parts):
            raise Contended(frozenset(map(part_lock, parts)))

    def tries(self, part: int) -> bool:
        """Whether the part is held, or can be; one that was missed is not tried for again."""
        return part in self.parts or (part not in self._missed_parts and bool(self.take({part})))

    def parts_of(self, executions: Collection[int]) -> set[int]:
        """The parts of these executions, without those of executions that there are not."""
        places = self._own.places
        unknown = [id for id in executions if id not in places]
        if unknown:
            self.learn(self._session.all("places", (id_list(unknown),)))
        return {places[id] for id in executions if id in places}

    def learn(self, places: Iterable[Row]) -> None:
        """Remember rows that begin with an execution and end with its part."""
        self._own.places.update((row[0], row[-1]) for row in places)

    def part_of_frame(self, frame: int) -> int | None:
        """The part of the frame's execution; None when there is no such frame."""
        places = self._own.places_of_frames
        if frame not in places:
            for id, execution, part in self._session.all("places_of_frames", (id_list([frame]),)):
                places[id] = execution, part
                self._own.places[execution] = part
        return places[frame][1] if frame in places else None
