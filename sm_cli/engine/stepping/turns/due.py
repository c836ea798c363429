"""Which due timers and READY frames of the store a tick looks at, when there are more than it can step.

Reads only. Every execution has its turn: where not all fit, the next tick goes on behind where this one ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.store.records import Timer

#: Behind all frames of one time.
_LAST = 2**62


def has_due(unit: UnitOfWork, tree: int | None) -> bool:
    """Whether anything is due by now: asked once a tick, and mostly nothing else has to be."""
    answer = unit.has_due.get(tree)
    if answer is None:
        answer = unit.has_due[tree] = unit.tx.has_due(unit.now, tree)
    return answer


def timers(unit: UnitOfWork, until: int, limit: int, tree: int | None, beyond: int | None) -> list[Timer]:
    """The earliest that are due until this time; of more than `limit`, as many again from where the last tick ended.
    With `beyond`, only those after that time, and no more than `limit`."""
    worker = None if unit.taker is None else unit.taker.worker
    if beyond is not None:
        return unit.tx.due_timers(until, limit, tree, worker, after=(beyond, _LAST))
    first = unit.tx.due_timers(until, limit, tree, worker)
    shares = unit.shares
    if len(first) < limit:
        shares.last_timer = None
        return first
    more = unit.tx.due_timers(until, limit, tree, worker, after=shares.last_timer or _place(first[-1]))
    shares.last_timer = _place(more[-1]) if len(more) == limit else None
    return list(dict.fromkeys([*first, *more]))


def _place(timer: Timer) -> tuple[int, int]:
    return timer.due, timer.frame


def ready(unit: UnitOfWork, limit: int, tree: int | None) -> Iterator[tuple[int, int]]:
    """READY frames, as (tree, frame): the oldest; of more than `limit`, as many of every tree as fit."""
    frames = unit.tx.ready(limit, tree)
    if len(frames) < limit or tree is not None:
        yield from frames
        return
    shares = unit.shares
    trees = unit.tx.ready_trees(shares.last_tree, limit)
    if len(trees) < limit:
        trees += [each for each in unit.tx.ready_trees(0, limit - len(trees)) if each <= shares.last_tree]
    shares.last_tree = trees[-1]
    for each in trees:
        yield from unit.tx.ready(max(1, limit // len(trees)), each)
