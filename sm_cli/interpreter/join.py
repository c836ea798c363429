"""Fan-in over a few integers: what a child's end means for the fork."""

from __future__ import annotations

from enum import Enum

from sm_cli.interpreter.frame import Join


class Verdict(Enum):
    WAIT = "wait"  # others still run, or are to be started
    COMPLETE = "complete"
    FAIL = "fail"


def settle(join: Join, succeeded: bool) -> tuple[Join, Verdict]:
    """One child closed. The cost is the same for the first child and for the ten-thousandth."""
    if succeeded:
        join = join._replace(succeeded=join.succeeded + 1)
    else:
        join = join._replace(failed=join.failed + 1)
        if join.failed > join.tolerated:
            return join, Verdict.FAIL
    return join, Verdict.COMPLETE if join.closed == join.total else Verdict.WAIT


def to_start(join: Join) -> int:
    """How many pending children may be started now."""
    waiting = join.total - join.started
    return waiting if join.limit == 0 else max(0, min(waiting, join.limit - join.running))
