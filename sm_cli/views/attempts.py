"""How often a state that failed may be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.asl.model import Resulting
from sm_cli.interpreter.recovery import matches

if TYPE_CHECKING:
    from sm_cli.asl.model import State


def most_attempts(state: State, retries: tuple[int, ...], error: str | None) -> int | None:
    """The number of the last attempt that there may be if this error goes on; None when no retrier takes it.

    retries: so far in this visit, one counter a retrier; () when there were none.
    """
    if not isinstance(state, Resulting):
        return None
    for i, retrier in enumerate(state.retry):
        if matches(retrier.error_equals, error):
            others = sum(retries) - (retries[i] if retries else 0)
            return 1 + others + retrier.max_attempts
    return None
