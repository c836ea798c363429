"""Retention: closed executions that are old enough go, with all that is theirs.

Bounded transactions, each of which holds the executions that it deletes and nothing else that anybody waits for; none
of them leaves anything that refers to what is gone, but for map runs whose execution went first: by these it is known,
after a crash too, which children are still to go. Nothing goes that runs, or that belongs to a tree in which something
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from sm_cli.errors import Conflict, NotFound
from sm_cli.store.changes import Changes
from sm_cli.store.filters import BEYOND
from sm_cli.store.locks import Attempts, Contended
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Prunable, Status
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction

T = TypeVar("T")

#: Executions, or map runs, that are looked at together.
_PAGE = 200
#: Before every (started, id) that an execution has, and before every place in a map run.
_BEGINNING = (-1, 0)
#: Those that are closed.
CLOSED = (Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


class Portion(NamedTuple):
    """How much goes in one transaction."""

    #: At most so many executions.
    executions: int = 100
    #: At most so many events of their histories; an execution with more goes alone.
    events: int = 10_000
    #: Whether executions that others hold are waited for; else they are left to the next call.
    waits: bool = True


#: What a person waits for, and what goes beside the ticks of a worker.
LARGE, SMALL = Portion(), Portion(20, 1000, waits=False)


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
            after: tuple[int, int] | None = _BEGINNING
            while after is not None:
                page, after = _page(questions, status, after, before, workflow)
                executions, events = questions.with_children([each.id for each in page])
                total = total.plus(len(page), executions - len(page), events)
    return total


def prune(
    store: Store, before: int, statuses: tuple[Status, ...] = CLOSED, workflow: str | None = None, *,
    portion: Portion = LARGE, goes_on: Callable[[], bool] = lambda: True,
) -> Pruned:  # fmt: skip
    """Delete what was closed before this time, microseconds since 1970 UTC; says how much. What an earlier call that
    was killed left of map runs goes too. workflow: only its executions. goes_on: asked after each transaction. Raises
    DatabaseBusy when others hold an execution for too long."""
    total = Pruned()
    for status in statuses:
        after: tuple[int, int] | None = _BEGINNING
        while after is not None:
            with store.read() as questions:
                page, after = _page(questions, status, after, before, workflow)
            for some in _portions(page, portion):
                deletions = _delete(store, some, before, status, portion)
                total = total.plus(len(deletions), 0, _events(deletions))
                if not goes_on():
                    return total
    return _prune_rest(store, total, portion, goes_on)


def delete_execution(store: Store, execution: Execution) -> Pruned:
    """Delete a closed execution with all that is its own; says how much. Raises Conflict for one that runs, or that
    belongs to one that runs, and for a child of a map run, which goes with the execution that the Map is in; NotFound
    for one that was deleted meanwhile; DatabaseBusy when others hold it for too long."""

    def delete(tx: Transaction) -> int:
        tx.hold_all([execution.id])
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
        return record.events

    events = _transact(store, delete, 0)
    return _prune_rest(store, Pruned(1, 0, events), LARGE, lambda: True)


def delete_leftovers(store: Store) -> None:
    """Delete what a call that was killed has left of executions that it deleted: children of their map runs, past
    waits, messages that only they could receive. Raises DatabaseBusy when others hold one for too long."""
    _prune_rest(store, Pruned(), LARGE, lambda: True)


def _page(
    questions: Questions, status: Status, after: tuple[int, int], before: int, workflow: str | None
) -> tuple[list[Prunable], tuple[int, int] | None]:
    """(what may go of the executions behind `after`, (started, id) of the last one; None when there are none)."""
    page = questions.prunable(status, after, before, _PAGE)
    if not page:
        return [], None
    busy = questions.busy_trees({each.tree for each in page})
    idle = [each for each in page if each.tree not in busy and workflow in (None, each.workflow)]
    return idle, (page[-1].started, page[-1].id)


def _portions(page: list[Prunable], portion: Portion) -> Iterator[list[Prunable]]:
    """Those that go in one transaction, and in the next one."""
    some: list[Prunable] = []
    for each in page:
        if some and (len(some) == portion.executions or _events(some) + each.events > portion.events):
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _events(executions: list[Prunable]) -> int:
    return sum(each.events for each in executions)


def _delete(store: Store, some: list[Prunable], before: int, status: Status | None, portion: Portion) -> list[Prunable]:
    """Delete these, as far as they are still closed and nothing runs in their trees. Returns those that went."""
    ids = [each.id for each in some]

    def delete(tx: Transaction) -> list[Prunable]:
        if portion.waits:
            tx.hold_all(ids)
        # They were looked for before they were held: one of them may run again, or be gone.
        closed = tx.closed_among(tx.hold(ids), before, status)
        busy = set() if status is None else tx.busy_trees({each.tree for each in closed})
        deletions = [each for each in closed if each.tree not in busy]
        if deletions:
            tx.apply(Changes(executions_gone=[each.id for each in deletions]))
        return deletions

    return _transact(store, delete, [], portion)


def _prune_rest(store: Store, total: Pruned, portion: Portion, goes_on: Callable[[], bool]) -> Pruned:
    """After executions: the children of their map runs, and what only they referred to."""
    last = 0
    while True:
        with store.read() as questions:
            runs = questions.orphan_runs(last, _PAGE)
        if not runs:
            break
        for run in runs:
            for children in _delete_children(store, run, portion):
                total = total.plus(0, len(children), _events(children))
                if not goes_on():
                    return total
        _transact(store, lambda tx, runs=runs: _delete_runs(tx, runs), None, portion)  # type: ignore[misc]
        last = runs[-1]
    _forget_strays(store, portion, goes_on)
    return total


def _delete_children(store: Store, run: int, portion: Portion) -> Iterator[list[Prunable]]:
    """Delete the children of a map run whose execution is gone: all of them are closed, and none can run again."""
    after = _BEGINNING
    while True:
        with store.read() as questions:
            page = questions.children_of_run(run, after, _PAGE)
        if not page:
            return
        after = page[-1][1], page[-1][0].id
        for some in _portions([child for child, _ in page], portion):
            yield _delete(store, some, BEYOND, None, portion)


def _delete_runs(tx: Transaction, runs: list[int]) -> None:
    empty = [run for run in runs if not tx.children_of_run(run, _BEGINNING, 1)]
    if empty:
        tx.apply(Changes(map_runs_gone=empty))


def _forget_strays(store: Store, portion: Portion, goes_on: Callable[[], bool]) -> None:
    """Past waits of executions that were deleted, messages that only these could receive, and texts of deleted versions
    that only these ran."""

    def forget(tx: Transaction) -> bool:
        waits, messages = tx.strays(portion.events)
        tx.apply(Changes(waits_forgotten=waits, messages_gone=messages))
        return bool(waits or messages)

    with store.read() as questions:  # mostly there are none, and nobody waits for the look
        has_strays, has_texts = any(questions.strays(1)), questions.has_unused_definitions()
    while has_strays and goes_on():
        has_strays = _transact(store, forget, False, portion)
    if has_texts and goes_on():
        with store.write() as tx:  # alone: somebody may be about to start what it is the text of
            tx.apply(Changes(texts_gone=True))


def _transact(store: Store, work: Callable[[Transaction], T], nothing: T, portion: Portion = LARGE) -> T:
    """Do `work` in a transaction beside others, again as long as they are in the way. Returns `nothing` when they have
    what it needs and it is not to be waited for."""
    attempts = Attempts(lambda: store.patience.limit())
    while True:
        try:
            with store.write(attempts.locks) as tx:
                return work(tx)
        except Contended as e:
            if e.locks and not portion.waits:
                return nothing
            attempts.miss(e)
            attempts.add(e.locks)
