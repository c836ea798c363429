"""What executions spend in their states, noted in two steps.

A transaction appends what it has to add to `state_log`, one row, for a step of many executions would touch a page of
`state_times` for each of them; every so many rows they are folded into it, in the next transaction of whoever wrote the
last one. So each span is in one of the two, and a reader adds what is in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sm_cli.store.statistics import StateKey, StateTimes

#: Rows of the log that are folded together: some thousand spans, a hundredth of a second.
_ROWS = 256


class KnownStates:
    """What a writing connection knows of states."""

    def __init__(self) -> None:
        #: Their ids; none is ever deleted.
        self.ids: dict[StateKey, int] = {}
        #: Whether the log was long when it was last written.
        self.is_log_long = False


def append_state_times(
    session: Session, states: KnownStates, times: Iterable[StateTimes], may_fold: Callable[[], bool]
) -> None:
    """Add these to what is stored. states: gets those that it lacks. may_fold: asked when the log is long."""
    ids = states.ids
    spans: list[Row] = []
    for key, numbers in sorted(times):  # so that all who add states do it in the same order
        id = ids.get(key)
        if id is None:
            row = session.one("state_id", key) or session.one("insert_state", key)
            assert row is not None, key
            id = ids[key] = row[0]
        spans.append((id, *numbers))

    def note(rows: list[Row]) -> None:
        ((length,),) = rows
        states.is_log_long = length >= _ROWS

    if states.is_log_long and may_fold():
        fold_state_times(session)
    session.later("append_state_times", (orjson.dumps(spans).decode(),), note, urgent=False)


def fold_state_times(session: Session) -> None:
    """Add what is in the log to the table, and empty it."""
    spans = [span for (spans,) in session.all("take_state_log") for span in orjson.loads(spans)]
    spans.sort()  # in the order of the table's key, so that each page is touched once
    if spans:
        session.many("add_state_times", spans)


def logged_state_times(session: Session) -> list[list[int]]:
    """What is in the log: (state, started, execution, visits, failures, retries, duration, longest, working)."""
    return [span for (spans,) in session.all("state_log") for span in orjson.loads(spans)]


def logged_executions(session: Session, state: str) -> list[int]:
    """The ids of executions that were in a state of this name, as far as the log says."""
    states = {id for id, _, name, _ in session.all("all_states") if name == state}
    return sorted({span[2] for span in logged_state_times(session) if span[0] in states})
