"""An execution's history, read by cursor: a page at a time, from the front or from the back, never all of it at once.

Read only, up to the last event that the execution had when it was found. Each page is a snapshot of its own: a
history only grows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, HistoryEvent
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.views.state_visits import StateVisit, StateVisits

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

#: Rows of the first page, and events that the later ones are meant to have: a row may have one or thousands.
_FIRST_ROWS, _PAGE = 2, 4000
#: States that are looked at together, at least, where only some of them are wanted.
_PORTION = 2000


class VisitFilter(NamedTuple):
    """Which visits of states are wanted; None means all."""

    #: Only those that failed, whether or not a catcher took the error.
    failures_only: bool = False
    #: Only those of the states of this name.
    state: str | None = None
    #: Only those of states entered at or after this time, microseconds since 1970 UTC.
    since: int | None = None
    #: At most so many, the newest ones.
    limit: int | None = None

    def takes(self, visit: StateVisit) -> bool:
        """Whether it is one of them, but for the limit."""
        return (
            (not self.failures_only or visit.status in ("FAILED", "CAUGHT", "TIMED_OUT"))
            and (self.state is None or visit.name == self.state)
            and (self.since is None or visit.start >= self.since)
        )


def events_of(engine: Engine, execution: Execution, after: int = 0, *, large: bool = True) -> Iterator[HistoryEvent]:
    """The events with a number > `after`, in order. large: read large values too; without it None stands in their
    place."""
    yield from _events(engine, execution, after, execution.events, large=large)


def _events(engine: Engine, execution: Execution, after: int, last: int, *, large: bool) -> Iterator[HistoryEvent]:
    rows = _FIRST_ROWS
    while after < last:
        with engine.store.read() as questions:
            page = questions.history_page(execution.id, after, rows, large=large)
        if not page:
            return
        for event in page:
            if event.number > last:
                return
            yield event
        after = page[-1].number
        rows = _rows_of_page(rows, len(page))


def _rows_of_page(rows: int, events: int) -> int:
    return max(_FIRST_ROWS, min(4 * rows, _PAGE * rows // events))


def first_event_since(engine: Engine, execution: Execution, moment: int) -> int:
    """The number of the first event at or after the moment (microseconds since 1970 UTC); one more than there are when
    none is. Looks at some twenty events, however many there are."""
    low, high = 1, execution.events + 1
    with engine.store.read() as questions:
        while low < high:
            middle = (low + high) // 2
            rows = questions.history(execution.id, middle - 1, 1)
            if rows and rows[0].at < moment:
                low = middle + 1
            else:
                high = middle
    return low


def visits_of(engine: Engine, execution: Execution, filter: VisitFilter, *, data: bool) -> Iterator[StateVisit]:
    """The visits that are wanted, in order of entering. data: with inputs and outputs, which are None without it."""
    if filter.limit is not None:
        yield from _newest(engine, execution, filter, data=data)
        return
    begin = 1
    if filter.since is not None:
        first = first_event_since(engine, execution, filter.since)
        begin = next(_cuts(engine, execution, first + 1, 1))
    for visit in _fold(engine, execution, begin, execution.events, data=data):
        if filter.takes(visit):
            yield visit


def visit_document(visit: StateVisit) -> dict[str, Json]:
    """A visit of a state as JSON. Times are RFC 3339, UTC."""
    return {
        "name": visit.name,
        "type": visit.type,
        "status": visit.status,
        "where": list(visit.where),
        "started": rfc3339(visit.start),
        "ended": None if visit.end is None else rfc3339(visit.end),
        "duration": None if visit.end is None else round((visit.end - visit.start) / MICROSECONDS, 3),
        "retries": visit.retries,
        "error": visit.error,
        "cause": visit.cause,
        "input": visit.input,
        "output": visit.output,
    }


def _newest(engine: Engine, execution: Execution, filter: VisitFilter, *, data: bool) -> deque[StateVisit]:
    assert filter.limit is not None
    visits: deque[StateVisit] = deque()
    last = execution.events
    only_some = filter.failures_only or filter.state is not None
    for begin in _cuts(engine, execution, last + 1, max(filter.limit, _PORTION) if only_some else filter.limit):
        part: deque[StateVisit] = deque(maxlen=filter.limit - len(visits))
        oldest: int | None = None
        for visit in _fold(engine, execution, begin, last, data=data):
            oldest = visit.start if oldest is None else oldest
            if filter.takes(visit):
                part.append(visit)
        visits.extendleft(reversed(part))
        too_old = filter.since is not None and oldest is not None and oldest < filter.since
        if len(visits) == filter.limit or too_old:
            break
        last = begin - 1
    return visits


def _fold(engine: Engine, execution: Execution, begin: int, last: int, *, data: bool) -> Iterator[StateVisit]:
    view = StateVisits(data=data)
    for event in _events(engine, execution, begin - 1, last, large=data):
        view.add(event)
        yield from view.take_ended(redriven=execution.redrives > 0)
    yield from view.visits


def _cuts(engine: Engine, execution: Execution, before: int, apart: int) -> Iterator[int]:
    """Numbers of events below `before`, from the newest down to 1, at which the history may be cut: there the top frame
    enters a state, so that nothing else is under way and no later event belongs to an earlier state. At least `apart`
    states are entered between two of them."""
    top = _top_frame(engine, execution)
    rows, entries = _FIRST_ROWS, 0
    while top is not None:
        with engine.store.read() as questions:
            page = questions.history_page_before(execution.id, before, rows)
        if not page:
            break
        for event in reversed(page):
            if not event.type.endswith("StateEntered"):
                continue
            entries += 1
            if entries >= apart and event.frame == top:
                yield event.number
                entries = 0
        before = page[0].number
        rows = _rows_of_page(rows, len(page))
    yield 1


def _top_frame(engine: Engine, execution: Execution) -> int | None:
    """The frame of the workflow's top level, which enters the first state; None when no state was entered yet."""
    with engine.store.read() as questions:
        for event in questions.history(execution.id, 0, 3):
            if event.type.endswith("StateEntered"):
                return event.frame
    return None
