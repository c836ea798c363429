"""Looks at an execution: each at what is new."""

from __future__ import annotations

from sm_cli.store.records import Status
from sm_cli.views.watch import Watch
from tests.store.samples import T0, apply, events, execution
from tests.views.rows import Rows, map_run


def test_each_event_is_seen_once_in_order_whatever_is_asked_in_between() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    assert watch.look().events == []
    rows.put(history=events(1, [1, 2]))
    rows.put(history=events(2, [1]))
    assert [event.number for event in watch.look().events] == [1, 2], "those of another execution are not its own"
    rows.put(history=events(1, [3]))
    assert watch.look(events=False).events == []
    rows.put(history=events(1, [4, 5]))
    assert [event.number for event in watch.look().events] == [3, 4, 5]
    assert watch.look().events == []


def test_a_second_watch_sees_all_again() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.put(history=events(1, range(1, 4)))
    for _ in range(2):
        assert len(Watch(rows.engine, found).look().events) == 3


def test_the_execution_is_shown_as_it_is_now() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    apply(rows.store, executions=[execution(1, status=Status.ABORTED, closed=T0 + 9, error="E")])
    now = watch.look().execution
    assert now is not None and (now.status, now.closed, now.error) == (Status.ABORTED, T0 + 9, "E")


def test_an_execution_that_is_gone_is_none() -> None:
    look = Watch(Rows().engine, execution(77)).look(runs=True)
    assert (look.execution, look.events, look.runs) == (None, [], [])


def test_map_runs_are_shown_while_they_are_open_and_when_they_are_asked_for() -> None:
    rows = Rows()
    watch = Watch(rows.engine, rows.execution(1))
    rows.execution(2)
    closed = map_run(22, closed=T0 + 9, status=Status.FAILED)
    rows.put(new_map_runs=[map_run(21), closed, map_run(23), map_run(24, execution=2)])
    assert watch.look().runs == []
    assert [run.id for run in watch.look(runs=True).runs] == [23, 21]
