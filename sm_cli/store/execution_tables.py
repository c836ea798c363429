"""The in-memory store's executions: by id, name, reference, parent and map run.

Rule: nothing here looks at every row to find a few. Values given to `put` are copied.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice
from typing import TYPE_CHECKING

from sm_cli.store.base import (
    Execution,
    ExecutionFilter,
    Parent,
    Status,
)
from sm_cli.store.ordered import Ordered
from sm_cli.store.rows import copied
from sm_cli.store.tables import Grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


_OPEN = (Status.PENDING, Status.RUNNING)
_NOT_SUCCEEDED = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
#: As SQLite's LIKE compares: only the letters A to Z have two cases.
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class Executions:
    def __init__(self) -> None:
        self.rows: dict[int, Execution] = {}
        self.ids: list[int] = []
        self.refs: list[str] = []
        self.by_ref: dict[str, int] = {}
        self.by_name: dict[str, dict[str, int]] = {}
        self.deadlines: Ordered[tuple[int, int]] = Ordered()
        #: Ids by parent frame: all, those that are open, and (with the fork's seq) those that wait for their turn.
        self.of_parent: dict[int, list[int]] = {}
        self.open_of: Grouped[int, int] = Grouped()
        self.pending: Grouped[tuple[int, int], tuple[int, int]] = Grouped()
        self.of_run: dict[int, list[int]] = {}

    def add(self, e: Execution) -> None:
        insort(self.ids, e.id)
        insort(self.refs, e.ref)
        self.by_ref[e.ref] = e.id
        self.by_name.setdefault(e.name, {})[e.workflow] = e.id
        if e.parent is not None:
            self.of_parent.setdefault(e.parent.frame, []).append(e.id)
            if e.parent.run is not None:
                self.of_run.setdefault(e.parent.run, []).append(e.id)
        self.put(e)

    def put(self, e: Execution) -> None:
        old = self.rows.get(e.id)
        if old is not None and old.deadline is not None:
            self.deadlines.discard((old.deadline, e.id))
        self.rows[e.id] = copied(e)
        if e.deadline is not None and e.status is Status.RUNNING:
            self.deadlines.add((e.deadline, e.id))
        if e.parent is not None:
            self._enter(e, e.parent)

    def _enter(self, e: Execution, parent: Parent) -> None:
        pending = (parent.frame, parent.activation), (parent.number, e.id)
        if e.status in _OPEN:
            self.open_of.add(parent.frame, e.id)
        else:
            self.open_of.discard(parent.frame, e.id)
        if e.status is Status.PENDING:
            self.pending.add(*pending)
        else:
            self.pending.discard(*pending)

    def tree(self, id: int) -> int:
        return self.rows[id].tree if id in self.rows else id

    def in_fork(self, frame: int, activation: int, wanted: Collection[Status]) -> list[Execution]:
        """By index."""
        found = (self.rows[id] for id in self.of_parent.get(frame, ()))
        chosen = [e for e in found if e.status in wanted and e.parent is not None and e.parent.activation == activation]
        return sorted(chosen, key=by_number)

    def find(self, text: str, limit: int) -> list[Execution]:
        if text in self.by_ref:
            return [self.rows[self.by_ref[text]]][:limit]
        if text in self.by_name:
            return [self.rows[id] for id in sorted(self.by_name[text].values(), reverse=True)[:limit]]
        first, end = bisect_left(self.refs, text), bisect_left(self.refs, f"{text}\U0010ffff")
        return [self.rows[self.by_ref[ref]] for ref in islice(reversed(self.refs[first:end]), limit)]

    def listed(self, f: ExecutionFilter) -> Iterator[Execution]:
        end = len(self.ids) if f.before_id is None else bisect_left(self.ids, f.before_id)
        name = None if f.name_contains is None else f.name_contains.translate(_ASCII_LOWER)
        for i in range(end - 1, -1, -1):
            e = self.rows[self.ids[i]]
            if (
                (None if e.parent is None else e.parent.run) == f.run
                and (f.status is None or e.status is f.status)
                and (f.workflow is None or e.workflow == f.workflow)
                and (f.since is None or e.started >= f.since)
                and (f.until is None or e.started < f.until)
                and (name is None or name in e.name.translate(_ASCII_LOWER))
            ):
                yield e


def by_number(e: Execution) -> tuple[int, int]:
    return (0 if e.parent is None else e.parent.number, e.id)
