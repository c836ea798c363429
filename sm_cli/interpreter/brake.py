"""The brake of a batch: what pauses it, what ends it, and how its rounds follow one another.

Pure functions over a few integers, as `join` is. A rate is a number of millionths, so that a limit such as 33.3 % is
count exactly; "above" means strictly above.
"""

from __future__ import annotations

from sm_cli.interpreter.frame import Brake, Join

#: Millionths in the whole.
WHOLE = 1_000_000


def is_above(part: int, whole: int, limit: int | None) -> bool:
    """Whether `part` of `whole` is strictly more than `limit` millionths; never without a limit."""
    return limit is not None and part * WHOLE > limit * whole


def judged_items(join: Join, brake: Brake) -> int:
    """How many items have ended in this batch. Those that were there already are not judged."""
    return join.settled_items - brake.existing


def round_is_over(join: Join, brake: Brake) -> bool:
    """Whether all children of the round are closed, or (in the last one) all that there are."""
    if not brake.round_size:
        return False
    return join.closed >= brake.ceiling or join.settled_items == join.total


def round_counts(join: Join, brake: Brake) -> tuple[int, int]:
    """(failed, closed) of the round so far."""
    return join.failed_items - brake.failed_before, join.closed - brake.closed_before


def fails(join: Join, brake: Brake) -> bool:
    """Whether a limit says that the batch has failed."""
    count = judged_items(join, brake)
    if count >= brake.min_samples and is_above(join.failed_items, count, brake.rate_above):
        return True
    return round_is_over(join, brake) and is_above(*round_counts(join, brake), brake.fail_above)


def most_to_start(join: Join, brake: Brake, waiting: int) -> int:
    """How many of the children that wait may begin, as far as the brake is concerned."""
    if brake.paused_since:
        return 0
    return max(0, min(waiting, brake.ceiling - join.started)) if brake.round_size else waiting


def after_child(join: Join, now: int) -> Join:
    """A child closed, and the batch goes on: at the end of a round the next one begins, or the batch pauses. now:
    microseconds since 1970 UTC."""
    brake = join.brake
    if brake is None or not round_is_over(join, brake):
        return join
    if is_above(*round_counts(join, brake), brake.pause_above):
        return join._replace(brake=brake._replace(paused_since=brake.paused_since or now, by_failures=1))
    return next_round(join, brake)


def next_round(join: Join, brake: Brake) -> Join:
    """Let the children of the next round begin."""
    return join._replace(
        brake=brake._replace(
            round=brake.round + 1, ceiling=join.started + brake.round_size, closed_before=join.closed,
            failed_before=join.failed_items, by_failures=0,
        )
    )  # fmt: skip


def lift_pause(join: Join) -> Join:
    """The batch goes on; when a round was over, with the next one."""
    brake = join.brake
    assert brake is not None, "only a batch can be paused"
    over = round_is_over(join, brake)
    brake = brake._replace(paused_since=0, by_failures=0)
    return next_round(join, brake) if over else join._replace(brake=brake)


def excess_text(join: Join, brake: Brake) -> str:
    """Which limit ended the batch, for people."""
    count = judged_items(join, brake)
    failed, closed = round_counts(join, brake)
    if count >= brake.min_samples and is_above(join.failed_items, count, brake.rate_above):
        return f"{join.failed_items:,} of {count:,} items failed, which is above {percent(brake.rate_above)}"
    if round_is_over(join, brake) and is_above(failed, closed, brake.fail_above):
        return f"{failed:,} of {closed:,} items of a round failed, which is above {percent(brake.fail_above)}"
    if not join.tolerated:
        return "an item failed, and the first failure ends this batch"
    return f"{join.failed_items:,} items failed, and {join.tolerated:,} may"


def percent(limit: int | None) -> str:
    """A rate in millionths as `12.5 %`."""
    return "no limit" if limit is None else f"{limit / 10_000:g} %"
