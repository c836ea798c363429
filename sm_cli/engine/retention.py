"""Retention: closed executions that are old enough go, with all that is theirs.

Bounded transactions, so that nobody waits long; none of them leaves anything that refers to what is gone, but for
map runs whose execution went first: by these it is known, after a crash too, which children are still to go. Nothing
goes that runs, or that belongs to a tree in which something runs.
"""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.store.changes import Changes
from sm_cli.store.protocol import Store
from sm_cli.store.records import Prunable, Status
from sm_cli.store.sql.questions import Questions

#: At most so many executions, and, but for a single one, events, go in one transaction.
_EXECUTIONS, _EVENTS = 200, 20_000
#: Before every (started, id) that an execution has.
_BEGINNING = (-1, 0)
#: Those that are closed.
CLOSED = (Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


class Pruned(NamedTuple):
    """What went, or would go."""

    #: Executions, without the children of their map runs.
    executions: int = 0
    #: Children of map runs.
    children: int = 0
    #: Events of their histories.
    events: int = 0

    def plus(self, executions: int, children: int, events: int) -> Pruned:
        """With so many more."""
        return Pruned(self.executions + executions, self.children + children, self.events + events)


def count_prunable(store: Store, before: int, statuses: tuple[Status, ...] = CLOSED) -> Pruned:
    """What `prune` would delete now. before: those closed before this time, microseconds since 1970 UTC."""
    total = Pruned()
    with store.read() as questions:
        for status in statuses:
            after = _BEGINNING
            while page := questions.prunable(status, after, before, _EXECUTIONS):
                ids = [each.id for each in _idle(questions, page)]
                executions, events = questions.with_children(ids)
                total = total.plus(len(ids), executions - len(ids), events)
                after = page[-1].started, page[-1].id
    return total


def prune(store: Store, before: int, statuses: tuple[Status, ...] = CLOSED) -> Pruned:
    """Delete what was closed before this time, microseconds since 1970 UTC; says how much. What an earlier call that
    was killed left of map runs goes too."""
    total = Pruned()
    for status in statuses:
        after: tuple[int, int] | None = _BEGINNING
        while after is not None:
            with store.write() as tx:
                page = tx.prunable(status, after, before, _EXECUTIONS)
                going, after = _portion(tx, page)
                if going:
                    tx.apply(Changes(executions_gone=[each.id for each in going]))
            total = total.plus(len(going), 0, sum(each.events for each in going))
    while (children := _prune_children(store)) is not None:
        total = total.plus(0, *children)
    with store.write() as tx:
        tx.apply(Changes(strays_gone=True))
    return total


def _portion(questions: Questions, page: list[Prunable]) -> tuple[list[Prunable], tuple[int, int] | None]:
    """(those that go in this transaction, (started, id) after which the next begins; None when these are the last)."""
    going: list[Prunable] = []
    total = 0
    last = page[-1] if page else None
    for each in _idle(questions, page):
        if going and total + each.events > _EVENTS:
            last = going[-1]
            break
        going.append(each)
        total += each.events
    return going, None if last is None else (last.started, last.id)


def _idle(questions: Questions, page: list[Prunable]) -> list[Prunable]:
    busy = questions.busy_trees({each.tree for each in page})
    return [each for each in page if each.tree not in busy]


def _prune_children(store: Store) -> tuple[int, int] | None:
    """Delete children of a map run whose execution is gone, or the run when it has none left: (how many, their events);
    None when there is no such run."""
    with store.write() as tx:
        runs = tx.orphan_runs(1)
        if not runs:
            return None
        page = tx.children_of_run(runs[0], _EXECUTIONS)
        going: list[int] = []
        total = 0
        for id, _, events in page:
            if going and total + events > _EVENTS:
                break
            going.append(id)
            total += events
        tx.apply(Changes(executions_gone=going, map_runs_gone=[] if page else runs))
    return len(going), total
