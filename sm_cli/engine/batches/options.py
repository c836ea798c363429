"""What a batch is told beside its workflow and its items: how many at once, and when it stops or pauses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sm_cli.engine.execution_names import check_chosen_name
from sm_cli.engine.stepping.batch.plan import BatchLimits
from sm_cli.errors import UsageError

#: Children at once unless it is said: enough that no commit has little to do.
CONCURRENCY = 1000
#: As AWS's limit on the children of a map run that run at once.
MOST_CONCURRENCY = 10_000
#: Digits that are left for the numbers of items, and the hyphen before them.
_ROOM = 8
_NAME_LIMIT = 80
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%?\s*")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a batch works through its items. Rates are percentages of the items, as numbers or as "12.5%"; "above" a rate
    means strictly above."""

    #: How many executions at once; 0 and 1: one after the other, in the order of the items.
    concurrency: int = CONCURRENCY
    #: The first failure ends the batch.
    stop_on_error: bool = False
    #: With more failures than this among the items so far the batch fails; None: it never does.
    max_failure_rate: float | str | None = None
    #: Before so many items have ended, that rate judges nothing.
    min_samples: int = 0
    #: How many executions make a round, and the next round begins when all have ended; 0: there are no rounds.
    micro_batch: int = 0
    #: With more failures than this in a round the batch pauses; None: it never does.
    pause_at: float | str | None = None
    #: With more failures than this in a round the batch fails; None: it never does.
    fail_at: float | str | None = None

    def limits(self) -> BatchLimits:
        """The same as the engine keeps it. Raises UsageError for what makes no sense."""
        for name, value in (("min_samples", self.min_samples), ("micro_batch", self.micro_batch)):
            if value < 0:
                raise UsageError(f"{name} is at least 0, not {value}")
        if not self.micro_batch and (self.pause_at is not None or self.fail_at is not None):
            raise UsageError("pause_at and fail_at judge rounds, so micro_batch has to say how many make one")
        if self.min_samples and self.max_failure_rate is None:
            raise UsageError("min_samples is of no use without max_failure_rate")
        return BatchLimits(
            concurrency_of(self.concurrency), 0 if self.stop_on_error else None,
            rate_of(self.max_failure_rate, "max_failure_rate"), self.min_samples, self.micro_batch,
            rate_of(self.pause_at, "pause_at"), rate_of(self.fail_at, "fail_at"),
        )  # fmt: skip


def concurrency_of(number: int) -> int:
    """How many at once, from 1; 0 means the same as 1. Raises UsageError beyond what a map run may have."""
    if not 0 <= number <= MOST_CONCURRENCY:
        raise UsageError(f"concurrency is between 1 and {MOST_CONCURRENCY:,}, not {number:,}")
    return max(1, number)


def rate_of(rate: float | str | None, name: str) -> int | None:
    """A percentage in millionths of the whole; None for None. Raises UsageError for what is none, or finer."""
    if rate is None:
        return None
    from decimal import Decimal, InvalidOperation  # every command would wait for it

    match = _RATE.fullmatch(str(rate))
    try:
        percent = Decimal(match[1]) if match else None
    except InvalidOperation:
        percent = None
    if percent is None or percent > 100:
        raise UsageError(f"{name} is a percentage between 0 and 100, not {rate!r}")
    millionths = percent * 10_000
    if millionths != int(millionths):
        raise UsageError(f"{name} has at most four decimals, and {rate!r} has more")
    return int(millionths)


def check_prefix(prefix: str) -> str:
    """Raises UsageError for a prefix of names with which some name would break AWS's rule."""
    if len(prefix) > _NAME_LIMIT - _ROOM:
        raise UsageError(
            f"a prefix of names has at most {_NAME_LIMIT - _ROOM} characters, so that a name with its number has no "
            f"more than {_NAME_LIMIT}; this one has {len(prefix)}"
        )
    return check_chosen_name(prefix)
