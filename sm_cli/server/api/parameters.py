"""What the parameters of a query mean: moments, spans, filters, pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from sm_cli.engine.clock import SystemClock
from sm_cli.errors import UsageError
from sm_cli.server.api.paging import cursor_text, read_cursor
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.listing import Execution, ExecutionFilter, ExecutionPage, Order, SortKey, Status, cursor_of

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(?:\d{1,9}(?:\.\d{1,6})?[smhd])+|\d{1,9}(?:\.\d{1,6})?", re.ASCII)

#: The earliest time that RFC 3339 can say, in microseconds since 1970 UTC.
_YEAR_ONE = -62_135_596_800 * MICROSECONDS

Since = Annotated[str | None, Query(description="Started at or after: RFC 3339, or a span like 2h before now.")]
Until = Annotated[str | None, Query(description="Started before: RFC 3339, or a span like 2h before now.")]


def span_of(text: str, what: str) -> float:
    """`90`, `30s`, `1h30m` in seconds. Raises UsageError."""
    if not _SPAN.fullmatch(text):
        raise UsageError(f"{what} takes seconds or a span like 30s, 5m or 1h30m, not {text[:40]!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text))


def query_moment(text: str | None, what: str) -> int | None:
    """Microseconds since 1970 UTC of an RFC 3339 date or time (UTC unless it says otherwise), or of so long ago; None
    for None. Raises UsageError."""
    if text is None:
        return None
    if _SPAN.fullmatch(text) and text[-1] in "smhd":
        moment_before = SystemClock().now() - round(span_of(text, what) * MICROSECONDS)
        if moment_before < _YEAR_ONE:
            raise UsageError(f"{what} takes a time after the year 1, and {text[:40]} before now is earlier")
        return moment_before
    try:
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * MICROSECONDS)
    except (ValueError, OverflowError):
        raise UsageError(f"{what} takes a time like 2026-01-31T12:00Z or a span like 2h, not {text[:40]!r}") from None


def filter_of(
    status: Annotated[list[Status] | None, Query(description="Only of these; may be given again.")] = None,
    workflow: Annotated[str | None, Query(description="Only executions of this workflow.")] = None,
    since: Since = None,
    until: Until = None,
    name: Annotated[str | None, Query(description="Only with this text in their name.")] = None,
    state: Annotated[str | None, Query(description="Only those that are in this state, or were.")] = None,
    error: Annotated[str | None, Query(description="Only those that ended with this error.")] = None,
    tag: Annotated[list[str] | None, Query(description="NAME=VALUE: only with this tag; may be given again.")] = None,
) -> ExecutionFilter:
    """Which executions a query means. Raises UsageError."""
    begin, end = query_moment(since, "since"), query_moment(until, "until")
    if begin is not None and end is not None and begin >= end:
        raise UsageError("until is not after since: no execution was started between them")
    statuses = tuple(dict.fromkeys(status or ()))
    return ExecutionFilter(
        statuses, workflow, begin, end, name or None, state, error, tuple(_pairs(tag or []).items())
    )  # fmt: skip


#: A route's parameter: which executions.
Chosen = Annotated[ExecutionFilter, Depends(filter_of)]


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or not sign or pairs.get(name, value) != value:
            raise UsageError(f"tag takes NAME=VALUE, once for each name, not {text[:80]!r}")
        pairs[name] = value
    return pairs


def order_of(text: str) -> Order:
    """`started` is oldest first, `-started` newest first, and so on. Raises UsageError."""
    key = text.removeprefix("-")
    if key not in set(SortKey):
        raise UsageError(f"sort takes {', '.join(SortKey)}, each also with - before it, not {text[:40]!r}")
    return Order(SortKey(key), descending=text.startswith("-"))


def read_page(limit: int, sort: str, cursor: str | None) -> ExecutionPage:
    """The page that a query means. Raises UsageError for a cursor that is none of ours, or of another order."""
    order = order_of(sort)
    if cursor is None:
        return ExecutionPage(limit, order)
    kind = str if order.key is SortKey.NAME else int
    place = read_cursor(cursor, f"executions by {sort}", kind, kind)
    assert place is not None, "there is a cursor"
    value, second = place
    return ExecutionPage(limit, order, (value, second))


def cursor_after(executions: list[Execution], page: ExecutionPage, sort: str) -> str | None:
    """Where the page after this one begins; None when this was the last."""
    if len(executions) < page.limit:
        return None
    return cursor_text(f"executions by {sort}", *cursor_of(executions[-1], page.order))
