"""Which executions are asked for, in which order, and which part of them: one value for all who ask.

A list, a count, statistics and whatever works on many executions at once take the same filter. Pages are known by the
execution that the page before ended with (a keyset), never by a number of rows to skip.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sm_cli.store.records import Execution, Status

#: Above every id and every time: where a question that begins at the newest begins.
BEYOND = 2**63 - 1


class ExecutionFilter(NamedTuple):
    """Which executions are meant. What is None or empty excludes none; all that is given has to hold.

    Children of map runs are only meant when `run` asks for those of one."""

    #: Of one of these statuses.
    statuses: tuple[Status, ...] = ()
    #: Only executions of this workflow.
    workflow: str | None = None
    #: Only those started at or after this time, microseconds since 1970 UTC.
    since: int | None = None
    #: Only those started before this time, microseconds since 1970 UTC.
    until: int | None = None
    #: Only those whose name has this text in it; large and small letters of ASCII are the same.
    name_contains: str | None = None
    #: Only those that are in a state of this name, or ever were.
    state: str | None = None
    #: Only those that ended with this error name.
    error: str | None = None
    #: Only those that have all of these tags, (name, value).
    tags: tuple[tuple[str, str], ...] = ()
    #: Only children of the map run with this id.
    run: int | None = None


class SortKey(StrEnum):
    """What executions can be sorted by."""

    #: The time of their start.
    STARTED = "started"
    #: The time of their end.
    ENDED = "ended"
    #: From start to end.
    DURATION = "duration"
    #: Code point by code point, then by workflow.
    NAME = "name"


class Order(NamedTuple):
    """The order of a list. Open executions, which have neither end nor duration, come last either way.

    The children of one map run have an order of their own: their number stands for STARTED."""

    #: What is compared.
    key: SortKey = SortKey.STARTED
    #: Newest, longest or last letter first.
    descending: bool = True


NEWEST_FIRST = Order()
OLDEST_FIRST = Order(SortKey.STARTED, descending=False)

#: The value that an execution is sorted by, and what decides between two of the same value.
Cursor: TypeAlias = tuple[int | str, int | str]


class ExecutionPage(NamedTuple):
    """A part of what a filter finds."""

    #: At most so many.
    limit: int = 50
    #: The whole's.
    order: Order = NEWEST_FIRST
    #: Only what comes after this place (`cursor_of`); None: from the beginning.
    after: Cursor | None = None


def cursor_of(execution: Execution, order: Order = NEWEST_FIRST) -> Cursor:
    """The place of an execution in a list of this order: where the page after it begins."""
    if order.key is SortKey.NAME:
        return execution.name, execution.workflow
    parent = execution.parent
    value: int | None = execution.started
    if order.key is SortKey.ENDED:
        value = execution.closed
    elif order.key is SortKey.DURATION:
        value = None if execution.closed is None else execution.closed - execution.started
    elif parent is not None and parent.run is not None and not parent.is_listed:
        value = parent.number
    if value is None:
        value = -1 if order.descending else BEYOND
    return value, execution.id
