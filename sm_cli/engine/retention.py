"""Retention: closed executions that are old enough go, with all that is theirs.

Bounded transactions, so that nobody waits long; none of them leaves anything that refers to what is gone, but for
map runs whose execution went first: by these it is known, after a crash too, which children are still to go. Nothing
goes that runs, or that belongs to a tree in which something runs.
"""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.store.changes import Changes
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.store.sql.questions import Questions

#: At most so many executions, and, but for a single one, events, go in one transaction.
_EXECUTIONS, _EVENTS = 200, 20_000
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
            after = 0
            while page := questions.prunable(status, after, before, _EXECUTIONS):
                ids = [id for id, _, _ in _idle(questions, page)]
                executions, events = questions.with_children(ids)
                total = total.plus(len(ids), executions - len(ids), events)
                after = page[-1][0]
    return total


def prune(store: Store, before: int, statuses: tuple[Status, ...] = CLOSED) -> Pruned:
    """Delete what was closed before this time, microseconds since 1970 UTC; says how much. What an earlier call that
    was killed left of map runs goes too."""
    total = Pruned()
    for status in statuses:
        after: int | None = 0
        while after is not None:
            with store.write() as tx:
                page = tx.prunable(status, after, before, _EXECUTIONS)
                going, after = _portion(tx, page)
                if going:
                    tx.apply(Changes(executions_gone=[id for id, _, _ in going]))
            total = total.plus(len(going), 0, sum(events for _, _, events in going))
    while (children := _prune_children(store)) is not None:
        total = total.plus(0, *children)
    with store.write() as tx:
        tx.apply(Changes(strays_gone=True))
    return total


def _portion(questions: Questions, page: list[tuple[int, int, int]]) -> tuple[list[tuple[int, int, int]], int | None]:
    """(those that go in this transaction, the id after which the next begins; None when these are the last)."""
    busy = questions.busy_trees({tree for _, tree, _ in page})
    going: list[tuple[int, int, int]] = []
    total = 0
    for each in page:
        if each[1] in busy:
            continue
        if going and total + each[2] > _EVENTS:
            return going, going[-1][0]
        going.append(each)
        total += each[2]
    return going, page[-1][0] if page else None


def _idle(questions: Questions, page: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    busy = questions.busy_trees({tree for _, tree, _ in page})
    return [each for each in page if each[1] not in busy]


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
