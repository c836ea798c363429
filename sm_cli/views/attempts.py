"""How often a state that failed may be tried, and a task whose workers were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.asl.model import Resulting
from sm_cli.interpreter.recovery import matches
from sm_cli.store.records import Company, Job

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


def suspect_text(job: Job, most_lost: int) -> str:
    """A sentence, after a space, on a job over which so many workers or more were lost; nothing about any other one."""
    has_begun = job.worker is not None and job.company is not Company.IN_THE_WAY
    losses = job.deliveries - has_begun
    if job.company is Company.NONE or losses < most_lost:
        return ""
    begin = f" {losses} workers were lost over it, so"
    if has_begun:
        return f"{begin} nothing runs beside it."
    if job.worker is None:
        return f"{begin} whoever takes it runs nothing beside it."
    return f"{begin} nothing is to run beside it."
