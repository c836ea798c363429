"""Retention: closed executions that are old enough go, with all that is theirs.

Bounded transactions, so that nobody waits long; none of them leaves anything that refers to what is gone, but for
map runs whose execution went first: by these it is known, after a crash too, which children are still to go. Nothing
goes that runs, or that belongs to a tree in which something runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sm_cli.errors import Conflict, NotFound
from sm_cli.store.changes import Changes
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Prunable, Status
from sm_cli.store.sql.questions import Questions

#: Executions that are counted at once.
_PAGE = 200
#: Before every (started, id) that an execution has.
_BEGINNING = (-1, 0)
#: Those that are closed.
CLOSED = (Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


class Portion(NamedTuple):
    """How much goes in one transaction."""

    #: At most so many executions.
    executions: int = 100
    #: At most so many events of their histories; an execution with more goes alone.
    events: int = 10_000


#: As much as goes at once when nobody waits long for it, and so little that the ticks of a worker hardly wait.
LARGE, SMALL = Portion(), Portion(20, 1000)


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


def count_prunable(
    store: Store, before: int, statuses: tuple[Status, ...] = CLOSED, workflow: str | None = None
) -> Pruned:
    """What `prune` would delete now. before: those closed before this time, microseconds since 1970 UTC. workflow: only
    its executions."""
    total = Pruned()
    with store.read() as questions:
        for status in statuses:
            after = _BEGINNING
            while page := questions.prunable(status, after, before, _PAGE):
                ids = [each.id for each in _idle(questions, page, workflow)]
                executions, events = questions.with_children(ids)
                total = total.plus(len(ids), executions - len(ids), events)
                after = page[-1].started, page[-1].id
    return total


def prune(
    store: Store, before: int, statuses: tuple[Status, ...] = CLOSED, workflow: str | None = None, *,
    portion: Portion = LARGE, goes_on: Callable[[], bool] = lambda: True,
) -> Pruned:  # fmt: skip
    """Delete what was closed before this time, microseconds since 1970 UTC; says how much. What an earlier call that
    was killed left of map runs goes too. workflow: only its executions. goes_on: asked after each transaction."""
    total = Pruned()
    for status in statuses:
        after: tuple[int, int] | None = _BEGINNING
        while after is not None:
            with store.write() as tx:
                page = tx.prunable(status, after, before, portion.executions)
                going, after = _portion(tx, page, workflow, portion)
                if going:
                    tx.apply(Changes(executions_gone=[each.id for each in going]))
            total = total.plus(len(going), 0, sum(each.events for each in going))
            if not goes_on():
                return total
    return _prune_rest(store, total, portion, goes_on)


def delete_execution(store: Store, execution: Execution) -> Pruned:
    """Delete a closed execution with all that is its own; says how much. Raises Conflict for one that runs, or that
    belongs to one that runs, and for a child of a map run, which goes with the execution that the Map is in; NotFound
    for one that was deleted meanwhile."""
    with store.write() as tx:
        record = tx.execution(execution.id)
        if record is None:
            raise NotFound(f"execution {execution.name} is not there any more", topic="execution")
        if record.parent is not None and record.parent.run is not None:
            raise Conflict(f"execution {record.name} is a child of a map run, and goes with the execution of the Map")
        if record.closed is None:
            raise Conflict(f"execution {record.name} is {record.status}, so it was not deleted", topic="delete")
        if tx.busy_trees({record.tree}):
            raise Conflict(f"execution {record.name} belongs to one that still runs, so it was not deleted")
        tx.apply(Changes(executions_gone=[record.id]))
    return _prune_rest(store, Pruned(1, 0, record.events), LARGE, lambda: True)


def _prune_rest(store: Store, total: Pruned, portion: Portion, goes_on: Callable[[], bool]) -> Pruned:
    """After executions: the children of their map runs, and what only they referred to."""
    while (children := _prune_children(store, portion)) is not None:
        total = total.plus(0, *children)
        if not goes_on():
            return total
    with store.write() as tx:
        tx.apply(Changes(strays_gone=True))
    return total


def _portion(
    questions: Questions, page: list[Prunable], workflow: str | None, portion: Portion
) -> tuple[list[Prunable], tuple[int, int] | None]:
    """(those that go in this transaction, (started, id) after which the next begins; None when these are the last)."""
    going: list[Prunable] = []
    total = 0
    last = page[-1] if page else None
    for each in _idle(questions, page, workflow):
        if going and total + each.events > portion.events:
            last = going[-1]
            break
        going.append(each)
        total += each.events
    return going, None if last is None else (last.started, last.id)


def _idle(questions: Questions, page: list[Prunable], workflow: str | None) -> list[Prunable]:
    busy = questions.busy_trees({each.tree for each in page})
    return [each for each in page if each.tree not in busy and workflow in (None, each.workflow)]


def _prune_children(store: Store, portion: Portion) -> tuple[int, int] | None:
    """Delete children of a map run whose execution is gone, or the run when it has none left: (how many, their events);
    None when there is no such run."""
    with store.write() as tx:
        runs = tx.orphan_runs(1)
        if not runs:
            return None
        page = tx.children_of_run(runs[0], portion.executions)
        going: list[int] = []
        total = 0
        for id, _, events in page:
            if going and total + events > portion.events:
                break
            going.append(id)
            total += events
        tx.apply(Changes(executions_gone=going, map_runs_gone=[] if page else runs))
    return len(going), total
