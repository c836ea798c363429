"""Children of map runs that end while somebody else holds their parent.

Where several workers write side by side, each child of a map run is held by itself, and so is its parent. Who closes a
child and cannot have the parent leaves a row behind, in the same transaction, and waits for nobody; whoever holds the
parent next counts what was left. Where one writes at a time there is always a parent to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import TypeAlias

from sm_cli.engine.programs import DamagedDefinition
from sm_cli.engine.stepping.bugs import containing_bugs
from sm_cli.engine.stepping.closing import ended_child, tell_later
from sm_cli.engine.stepping.map_runs import child_closed, count_ended
from sm_cli.engine.stepping.nested_executions import nested_closed
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.store.records import EndedChild, Execution, Parent

#: Offers something to be done in the turn of a tree, for a frame.
Offer: TypeAlias = Callable[[int, int, Callable[[], None]], None]


def settle_child(unit: UnitOfWork, child: Execution, parent: Parent) -> None:
    """Tell the parent of a closed child, or leave that to whoever holds it next."""
    if parent.run is not None and not unit.holds(parent.frame):
        unit.changes.ended_children.append(ended_child(child))
        return
    settle = nested_closed if parent.run is None else child_closed
    unit.load([parent.frame])
    with containing_bugs(unit, unit.execution(unit.frames[parent.frame].execution)):
        try:
            settle(unit, child, parent)
        except DamagedDefinition:
            tell_later(unit, child, parent)
            raise


def offer_ended(unit: UnitOfWork, offer: Offer, limit: int, tree: int | None) -> None:
    """What was left of parents that can be held, each in the turn of its parent."""
    for (its_tree, frame), children in groupby(unit.tx.ended_children(limit, tree), lambda each: each[:2]):
        offer(its_tree, frame, partial(count_left, unit, frame, list(children)))


def count_left(unit: UnitOfWork, frame: int, children: list[EndedChild]) -> None:
    """Count these children of one frame."""
    if frame not in unit.frames:  # it was deleted
        unit.changes.children_counted += children
        return
    with containing_bugs(unit, unit.execution(unit.frames[frame].execution)):
        try:
            count_ended(unit, children)
        except DamagedDefinition:
            child = unit.execution(children[-1].child)
            assert child.parent is not None
            tell_later(unit, child, child.parent)
            raise
