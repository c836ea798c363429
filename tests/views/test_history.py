"""A history by cursor: whatever is asked for is what the whole history shows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import Engine, prepare
from sm_cli.errors import TaskError
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, HistoryEvent
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Simulation
from sm_cli.views.executions import history_of
from sm_cli.views.history import VisitFilter, events_of, first_event_since, visits_of
from sm_cli.views.state_visits import StateVisit, state_visits
from tests.store.samples import T0
from tests.views.rows import Rows

LOOP = """
StartAt: Each
States:
  Each:
    Type: Map
    ItemsPath: $.items
    MaxConcurrency: 2
    ToleratedFailurePercentage: 100
    ItemProcessor:
      StartAt: Work
      States:
        Work: {Type: Task, Resource: work, Retry: [{ErrorEquals: [Again], MaxAttempts: 1}], Next: Both}
        Both:
          Type: Parallel
          Branches:
            - {StartAt: Left, States: {Left: {Type: Pass, End: true}}}
            - {StartAt: Right, States: {Right: {Type: Pass, Next: After}, After: {Type: Succeed}}}
          End: true
    ResultPath: $.done
    Next: Turn
  Turn:
    Type: Task
    Resource: turn
    ResultPath: $.turn
    Catch: [{ErrorEquals: [Odd], ResultPath: null, Next: Each}]
    Next: More
  More:
    Type: Choice
    Choices: [{Variable: $.turn, NumericLessThan: 5, Next: Each}]
    Default: Last
  Last: {Type: Task, Resource: last, End: true}
"""


def _work() -> Callable[[Json], Json]:
    calls = count()

    def work(item: Json) -> Json:
        number = next(calls)
        if number % 3 == 0:
            raise TaskError("Again" if number % 2 else "Never", "not now")
        return item

    return work


def _turn() -> Callable[[Json], Json]:
    turns = count(1)

    def turn(_: Json) -> Json:
        number = next(turns)
        if number % 2:
            raise TaskError("Odd")
        return number

    return turn


def _last() -> Callable[[Json], Json]:
    calls = count()

    def last(_: Json) -> Json:
        if next(calls) < 2:
            raise TaskError("Broken", "x" * 5000)
        return "y" * 5000

    return last


@pytest.fixture(scope="module", params=["failed", "redriven", "running"])
def case(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Execution, list[HistoryEvent]]]:
    """An execution with loops, iterations, branches, retries and caught errors, each commit a row of its history."""
    document = parse(LOOP).document
    assert document is not None
    handlers: dict[str, Callable[[Json], Json]] = {"work": _work(), "turn": _turn(), "last": _last()}
    sim = Simulation(prepare(document, "loop"), handlers, FakeClock(), store=MemoryStore())
    engine = sim.engine
    started, _, jobs = engine.start(sim.workflow, {"items": [1, 2, 3]}, taker=sim.taker())
    sim.todo.extend(jobs)
    assert sim.finish(started).status == "FAILED"
    if request.param != "failed":
        for _ in range(2):
            engine.redrive(started)
            sim.resume(started)
    found = engine.find(started.ref)
    assert (found.status, found.redrives) == (("FAILED", 0) if request.param == "failed" else ("SUCCEEDED", 2))
    if request.param == "running":
        found.events -= 1  # it was found when one event was still to come
    events = history_of(engine, found)[: found.events]
    assert len(events) > 150
    yield engine, found, events


Case = tuple[Engine, Execution, list[HistoryEvent]]

FILTERS = [
    VisitFilter(),
    VisitFilter(failures_only=True),
    VisitFilter(state="Left"),
    VisitFilter(state="Turn", failures_only=True),
    VisitFilter(state="Nowhere"),
]


def without_data(visit: StateVisit) -> StateVisit:
    visit.input = visit.output = None
    return visit


@pytest.mark.parametrize("wanted", FILTERS)
def test_visits_are_those_of_the_whole_history(case: Case, wanted: VisitFilter) -> None:
    engine, found, events = case
    whole = [visit for visit in state_visits(events) if wanted.takes(visit)]
    assert [*visits_of(engine, found, wanted, data=True)] == whole
    assert [*visits_of(engine, found, wanted, data=False)] == [*map(without_data, whole)]


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_newest_visits_are_the_last_of_the_whole_history(case: Case, wanted: VisitFilter) -> None:
    engine, found, events = case
    whole = [visit for visit in state_visits(events) if wanted.takes(visit)]
    for limit in (*range(1, 12), 30, len(whole) or 1, 1000):
        assert [*visits_of(engine, found, wanted._replace(limit=limit), data=True)] == whole[-limit:]


@pytest.mark.parametrize("limit", [None, 1, 7, 1000])
def test_visits_since_a_moment_are_those_that_began_then_or_later(case: Case, limit: int | None) -> None:
    engine, found, events = case
    moments = sorted({event.at for event in events})
    for moment in (moments[0] - 1, *moments[:: max(1, len(moments) // 9)], moments[-1], moments[-1] + 1):
        whole = [visit for visit in state_visits(events) if visit.start >= moment]
        wanted = VisitFilter(since=moment, limit=limit)
        assert [*visits_of(engine, found, wanted, data=True)] == (whole if limit is None else whole[-limit:])


def test_events_are_those_after_a_number_up_to_the_last_one_then(case: Case) -> None:
    engine, found, events = case
    for after in (0, 1, len(events) // 2, len(events) - 1, len(events)):
        assert [*events_of(engine, found, after)] == events[after:]
    assert [event.number for event in events_of(engine, found, large=False)] == [event.number for event in events]


def test_large_values_are_read_only_for_who_wants_them(case: Case) -> None:
    engine, found, events = case
    if found.status != "SUCCEEDED":
        return
    (exited,) = [event.number for event in events if event.type == "TaskStateExited" and event.detail["name"] == "Last"]
    assert next(events_of(engine, found, exited - 1)).detail["output"] == "y" * 5000
    assert next(events_of(engine, found, exited - 1, large=False)).detail["output"] is None


def test_the_first_event_since_a_moment_is_found(case: Case) -> None:
    engine, found, events = case
    for event in events[::7]:
        first = next(each.number for each in events if each.at >= event.at)
        assert first_event_since(engine, found, event.at) == first
    assert first_event_since(engine, found, events[-1].at + 1) == len(events) + 1


def test_a_history_without_events_has_no_visits() -> None:
    rows = Rows()
    empty = rows.execution(1)
    assert [*visits_of(rows.engine, empty, VisitFilter(limit=3), data=True)] == []
    assert [*visits_of(rows.engine, empty, VisitFilter(since=5), data=True)] == []
    assert [*events_of(rows.engine, empty)] == []


def loop(rows: Rows, first: int) -> None:
    """A commit with one visit of a state, whose first event has this number."""
    made = [
        HistoryEvent(1, first, first - 1, 11, T0 + first, "PassStateEntered", {"name": "A"}),
        HistoryEvent(1, first + 1, first, 11, T0 + first, "PassStateExited", {"name": "A"}),
    ]
    rows.put(history=made)


def test_a_loop_is_shown_while_most_of_it_is_unread() -> None:
    rows = Rows()
    found = rows.execution(1, events=4000)
    for first in range(1, 4001, 2):
        loop(rows, first)
    with rows.store.write() as tx:  # whoever reads the last row is told that it is damaged
        tx.session.connection.execute("UPDATE history SET events = 'damaged' WHERE number = 3999")
    visits = visits_of(rows.engine, found, VisitFilter(), data=False)
    assert [visit.start for visit in islice(visits, 500)] == [*range(T0 + 1, T0 + 1001, 2)]
    with pytest.raises(ValueError, match="unexpected"):
        next(visits_of(rows.engine, found, VisitFilter(limit=1), data=False))


def test_the_newest_states_of_a_loop_are_read_from_the_end() -> None:
    rows = Rows()
    found = rows.execution(1, events=4000)
    for first in range(1, 4001, 2):
        loop(rows, first)
    with rows.store.write() as tx:
        tx.session.connection.execute("UPDATE history SET events = 'damaged' WHERE number = 101")
    newest = visits_of(rows.engine, found, VisitFilter(limit=3), data=False)
    assert [visit.start for visit in newest] == [T0 + 3995, T0 + 3997, T0 + 3999]
