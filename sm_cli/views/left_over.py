"""What is left of the work in a database when a worker has done all that it can do now, counted by what it waits for.

Read only, from one snapshot, and bounded: of each kind at most MOST executions are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.messages import WaitFilter
from sm_cli.store.records import HANDED_OVER
from sm_cli.views.tasks import polled_activity
from sm_cli.worker.membership import name_of

if TYPE_CHECKING:
    from sm_cli.store.sql.questions import Questions
    from sm_cli.worker.worker import Worker

#: So many of each kind are counted.
MOST = 1000


class Lack(Enum):
    """What executions wait for, in the order in which it is told: of several only the first is."""

    HANDLER = auto()  # the name of the resource that no handler here serves
    QUEUE = auto()  # the name of the queue that is not served here
    ELSEWHERE = auto()  # the name of the worker that has the job
    ACTIVITY = auto()  # the name of the activity that nobody polls
    TURN = auto()  # the next look: it could be done here
    CALLBACK = auto()
    MESSAGE = auto()
    RETRY = auto()
    TIME = auto()

    @property
    def is_stuck(self) -> bool:
        """Whether it is work that nobody here can do: not what others were left on purpose, and not the future."""
        return self in (Lack.HANDLER, Lack.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Left:
    """So many executions (with all below them counted as one) that wait for the same."""

    #: What they wait for.
    lack: Lack
    #: Which handler, queue or worker; "" where there is none to name.
    name: str
    #: How many; MOST stands for that many and more.
    count: int
    #: When the first of them goes on by itself, microseconds since 1970 UTC; None when none does.
    until: int | None = None


def left_over(worker: Worker) -> list[Left]:
    """What this worker leaves, in the order of `Lack`; each execution is counted once."""
    trees: dict[tuple[Lack, str], set[int]] = defaultdict(set)
    first: dict[tuple[Lack, str], int] = {}
    trees_so_far: set[int] = set()
    with worker.engine.store.read() as questions:
        for lack, name, tree, until in _waits(worker, questions):
            executions = trees[lack, name]
            if tree in trees_so_far and tree not in executions:
                continue
            trees_so_far.add(tree)
            executions.add(tree)
            if until is not None:
                first[lack, name] = min(until, first.get((lack, name), until))
    groups = [Left(lack, name, len(ids), first.get((lack, name))) for (lack, name), ids in trees.items() if ids]
    return sorted(groups, key=lambda group: (group.lack.value, -group.count, group.name))


def _lack_of(worker: Worker, questions: Questions, resource: str) -> Lack:
    """Whether the oldest job of a resource that no handler here serves is for a handler or for who polls."""
    jobs = questions.claimable(HANDED_OVER - 1, 1, resources=frozenset({resource}))
    is_activity = bool(jobs) and polled_activity(worker.engine, questions, jobs[0]) is not None
    return Lack.ACTIVITY if is_activity else Lack.HANDLER


def _waits(worker: Worker, questions: Questions) -> Iterator[tuple[Lack, str, int, int | None]]:
    """(what, its name, tree, until) of all that waits, in the order of `Lack`."""
    turn: list[int] = []
    queues: list[tuple[str, int]] = []
    for resource in questions.waiting_resources():
        is_served = worker.handlers.find(resource) is not None
        lack = Lack.HANDLER if is_served else _lack_of(worker, questions, resource)
        for queue, tree in questions.free_of(resource, MOST):
            if not is_served:
                yield lack, resource, tree, None
            elif not worker.rota.serves(queue):
                queues.append((queue, tree))
            else:
                turn.append(tree)
    for queue, tree in queues:
        yield Lack.QUEUE, queue, tree, None
    lapsed_jobs = questions.lapsed_jobs(HANDED_OVER - 1, MOST)
    handed_over = questions.handed_over(MOST)
    waiting = questions.open_waits(WaitFilter(limit=MOST))
    timers = questions.due_timers(HANDED_OVER, MOST)
    jobs = {job.frame for job in (*lapsed_jobs, *handed_over)} | {wait.subscription.frame for wait in waiting}
    executions = {job.execution for job in (*lapsed_jobs, *handed_over)} | {timer.execution for timer in timers}
    executions |= {wait.subscription.execution for wait in waiting}
    tree_of = {id: tree for id, tree, _ in questions.trees(executions)} if executions else {}
    for job in lapsed_jobs:
        yield Lack.ELSEWHERE, name_of(job.worker or "?"), tree_of[job.execution], None
    for tree in (*turn, *(tree for tree, _ in questions.ready(MOST))):
        yield Lack.TURN, "", tree, None
    for job in handed_over:
        yield Lack.CALLBACK, "", tree_of[job.execution], None
    for wait in waiting:
        yield Lack.MESSAGE, "", tree_of[wait.subscription.execution], wait.subscription.deadline
    own = [timer for timer in timers if timer.frame not in jobs]
    for timer in sorted(own, key=lambda timer: timer.kind is not TimerKind.BACKOFF):
        lack = Lack.RETRY if timer.kind is TimerKind.BACKOFF else Lack.TIME
        yield lack, "", tree_of[timer.execution], timer.due
