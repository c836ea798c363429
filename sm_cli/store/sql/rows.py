"""Rows to values and back, in the order of the column lists in `sql/*.sql`.

What a column holds is said here, and beside the questions about schedules, messages, versions and links for
theirs. JSON null is SQL NULL; an empty object or
tuple, where that is the usual value, is NULL too. A large value is written as `@ID` of its blob.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from sm_cli.jsonvalue import FLAT, SHORT, Json, is_small
from sm_cli.store.records import Execution, FailedAttempt, HistoryEvent, Parent, Status

if TYPE_CHECKING:
    from sm_cli.store.links import Link

Row: TypeAlias = tuple[Any, ...]
#: A column's text to its value, and back.
Decode: TypeAlias = Callable[[str | None], Json]
Encode: TypeAlias = Callable[[Json], str | None]

#: Values whose JSON text is longer than this, in bytes, stand in `blobs`: an update then copies an id.
INLINE = 2000
#: A row of history is split beyond this, in bytes, so that none comes near SQLite's limit of 1 GB.
HISTORY_ROW = 1 << 18

# Calling an enum costs more than the rest of the row; a tuple answers at once.
_STATUS = {status.value: status for status in Status}
_NO_PARENT = (None,) * 6


def encode(value: Json) -> str | None:
    """A value that always stays in its row."""
    return None if value is None else orjson.dumps(value).decode()


def decode(text: str | None) -> Any:
    """JSON text to its value; None to None."""
    return None if text is None else orjson.loads(text)


def execution(row: Row, value: Decode) -> Execution:
    """From `execution_columns`, and `input`, `output` when they were asked for."""
    (id, ref, name, workflow, digest, type, status, started, deadline, closed, error, cause, events, queue,
     priority, tags, redrives, redriven, tree, part, machine, limits, version, qualifier, frame, seq, idx, items,
     run, batch, starter, *data) = row  # fmt: skip
    input, output = None, None
    if data:
        input = value(data[0])
        output = input if data[1] == data[0] else value(data[1])  # one large value is read once
    return Execution(
        id, ref, name, workflow, digest, type, _STATUS[status], started, input, deadline, closed, error, cause,
        output, events, queue, priority, {} if tags is None else orjson.loads(tags), redrives, redriven, tree, machine,
        bool(limits), None if frame is None else Parent(frame, seq, idx, items, run or batch, batch is not None),
        version, qualifier, part or tree, starter,
    )  # fmt: skip


#: How many columns at the end of an execution's row are values: `input`, `output`; and where some others stand.
EXECUTION_VALUES, EXECUTION_DIGEST, EXECUTION_TREE, EXECUTION_PART = 2, 4, 18, 19
EXECUTION_PARENT, EXECUTION_RUN = 24, 28


def execution_row(e: Execution) -> Row:
    """An execution to a row of `executions`; input and output have a table of their own."""
    return (
        e.id, e.ref, e.name, e.workflow, e.digest, e.type, e.status.value, e.started, e.deadline, e.closed, e.error,
        e.cause, e.events, e.queue, e.priority, encode({**e.tags} or None), e.redrives, e.redriven, e.tree,
        None if e.part == e.tree else e.part, e.machine, int(e.limits), e.version, e.qualifier,
        *_parent_columns(e.parent), e.starter,
    )  # fmt: skip


def _parent_columns(parent: Parent | None) -> Row:
    if parent is None:
        return _NO_PARENT
    *place, run, is_listed = parent
    return (*place, None, run) if is_listed else (*place, run, None)


def execution_changes(e: Execution) -> Row:
    """The columns of `update_execution`, without the id."""
    return (
        e.status.value, e.started, e.deadline, e.closed, e.error, e.cause, e.events, e.queue, e.priority,
        encode({**e.tags} or None), e.redrives, e.redriven, e.digest, e.version, e.qualifier,
    )  # fmt: skip


def same_but_events(e: Execution, before: Execution) -> bool:
    """Whether `update_execution` would change nothing but the count of events."""
    return (
        e.status is before.status
        and e.started == before.started
        and e.deadline == before.deadline
        and e.closed == before.closed
        and e.error == before.error
        and e.cause == before.cause
        and e.queue == before.queue
        and e.priority == before.priority
        and e.redrives == before.redrives
        and e.redriven == before.redriven
        and e.digest == before.digest
        and (e.tags is before.tags or e.tags == before.tags)
    )


def tag_rows(e: Execution) -> list[Row]:
    """An execution's tags to rows of `execution_tags`."""
    return [(name, value, e.id) for name, value in e.tags.items()]


def copy_execution(e: Execution) -> Execution:
    """A copy to hand out or to keep: executions are changed in place, their values are not."""
    return Execution(
        e.id, e.ref, e.name, e.workflow, e.digest, e.type, e.status, e.started, e.input, e.deadline, e.closed, e.error,
        e.cause, e.output, e.events, e.queue, e.priority, e.tags, e.redrives, e.redriven, e.tree, e.machine, e.limits,
        e.parent, e.version, e.qualifier, e.part, e.starter,
    )  # fmt: skip


def link_row(link: Link) -> Row:
    """A link to a row of `links`, but for its number."""
    return (*link[:-1], int(link.unique))


#: What a detail holds of data; AWS's names.
_PAYLOADS = frozenset(("input", "output", "parameters", "assignedVariables"))


def failed_attempt_row(a: FailedAttempt) -> Row:
    """A failed attempt to a row of `failed_attempts`."""
    traceback = a.traceback
    return (a.execution, a.frame, a.state, a.number, a.error, orjson.dumps(traceback.places).decode(), traceback.text)


def failed_attempt(row: Row) -> FailedAttempt:
    """From a row of `failed_attempts`."""
    execution, frame, state, number, error, places, text = row
    from sm_cli.interpreter.traceback import Traceback  # here: who lists executions asks for none

    return FailedAttempt(execution, frame, state, number, error, Traceback(tuple(orjson.loads(places)), text))


def history_rows(
    events: Iterable[HistoryEvent], payload: Callable[[Json], str], longs: Set[str], long: list[HistoryEvent]
) -> list[Row]:
    """(execution, number of the first, JSON array) for each run of consecutive events of one execution.

    What is large in an event is written by `payload` and referred to. An event that is longer than HISTORY_ROW all the
    same has a row for itself; it is appended to `long`, as is one that refers to a text of `longs`.
    """
    runs: dict[int, list[list[HistoryEvent]]] = {}
    for event in events:
        of_execution = runs.setdefault(event[0], [])
        if of_execution and of_execution[-1][-1][1] + 1 == event[1]:
            of_execution[-1].append(event)
        else:
            of_execution.append([event])
    rows: list[Row] = []
    small: set[int] = set()
    for of_execution in runs.values():
        for run in of_execution:
            lists = [event[2:] if _is_small_detail(event[6], small) else _event_row(event, payload) for event in run]
            if longs:
                long += [
                    e for e, k in zip(run, lists, strict=True) if len(k) > 5 and not longs.isdisjoint(k[5].values())
                ]
            rows += _history_rows(run, lists, long)
    return rows


def _history_rows(run: Sequence[HistoryEvent], lists: list[Row], long: list[HistoryEvent]) -> list[Row]:
    text = orjson.dumps(lists)
    if len(text) > HISTORY_ROW:
        if len(run) > 1:
            middle = len(run) // 2
            return _history_rows(run[:middle], lists[:middle], long) + _history_rows(run[middle:], lists[middle:], long)
        long.append(run[0])
    return [(run[0][0], run[0][1], text.decode())]


def _is_small_detail(detail: dict[str, Json], small: set[int]) -> bool:
    """Whether all that an event tells is short: of most events it is, and this is asked of each. small: ids of objects
    that were found to be, for one goes through several events."""
    for value in detail.values():
        kind = type(value)
        if kind is str:
            if len(value) > SHORT:  # type: ignore[arg-type]
                return False
        elif kind not in FLAT and id(value) not in small:
            if not is_small(value):
                return False
            small.add(id(value))
    return True


def _event_row(event: HistoryEvent, payload: Callable[[Json], str]) -> tuple[Any, ...]:
    """What a row keeps of an event: what comes after its execution and number."""
    detail, large = event[6], None
    for name, value in event[6].items():
        if type(value) not in FLAT and name in _PAYLOADS and not is_small(value):
            text = payload(value)
            if detail is event[6]:
                detail = dict(detail)
            if text[0] == "@":
                large = {**(large or {}), name: text}
                detail[name] = None
            else:
                detail[name] = orjson.Fragment(text)  # type: ignore[assignment]  # JSON already
    return event[2:] if detail is event[6] else (*event[2:6], detail, *([large] if large else ()))


def history_events(
    execution: int, rows: Iterable[Row], after: int, limit: int | None, value: Decode | None
) -> list[HistoryEvent]:
    """The events of these rows with number > after, at most `limit`. Events that refer to one value share it. value:
    None leaves large values out."""
    events: list[HistoryEvent] = []
    large: dict[str, Json] = {}
    for first, text in rows:
        for number, event in enumerate(orjson.loads(text), first):
            if number > after:
                if limit is not None and len(events) >= limit:
                    return events
                if value is not None and len(event) > 5:
                    for name, reference in event[5].items():
                        if reference not in large:
                            large[reference] = value(reference)
                        event[4][name] = large[reference]
                events.append(HistoryEvent(execution, number, *event[:5]))
    return events
