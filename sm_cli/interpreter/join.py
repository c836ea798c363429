"""Fan-in over a few integers: what a child's end means for the fork."""

from __future__ import annotations

from enum import Enum

from sm_cli.interpreter import brake
from sm_cli.interpreter.frame import Join


class Verdict(Enum):
    """What becomes of a fork after one of its children has closed."""

    WAIT = "wait"  # others still run, or are to be started
    COMPLETE = "complete"
    FAIL = "fail"


def settle(join: Join, is_success: bool, items: int = 1) -> tuple[Join, Verdict]:
    """One child of so many items closed. The cost is the same for the first child and for the ten-thousandth."""
    settled_items = join.settled_items + items
    if is_success:
        join = join._replace(succeeded=join.succeeded + 1, settled_items=settled_items)
    else:
        join = join._replace(
            failed=join.failed + 1, settled_items=settled_items, failed_items=join.failed_items + items
        )
    return join, verdict(join)


def verdict(join: Join) -> Verdict:
    """What becomes of a fork with these counts."""
    if join.failed_items > join.tolerated or (join.brake is not None and brake.fails(join, join.brake)):
        return Verdict.FAIL
    return Verdict.COMPLETE if join.settled_items == join.total else Verdict.WAIT


def to_start(join: Join) -> int:
    """How many pending children may be started now."""
    waiting = join.made_children - join.started
    if join.brake is not None:
        waiting = brake.most_to_start(join, join.brake, waiting)
    return waiting if join.limit == 0 else max(0, min(waiting, join.limit - join.running))
