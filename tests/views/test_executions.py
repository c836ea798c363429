"""One execution: its document, what it waits for, where it failed."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.errors import DatabaseError
from sm_cli.interpreter.frame import FrameStatus, Join, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import HANDED_OVER, Execution, HistoryEvent, Parent, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.views.actions import Action, Do
from sm_cli.views.executions import (
    definition_of,
    execution_document,
    execution_failure,
    execution_now,
    has_free_jobs,
    history_of,
)
from tests.engine.workers import workflow
from tests.store.samples import SECOND, T0, apply, definition, events, execution, frame, job, subscription, timer
from tests.views.rows import WHOLE, Rows, forked

BLOCKED = FrameStatus.BLOCKED


def waits(rows: Rows, found: Execution) -> list[tuple[str, str, Action | None]]:
    """(state, type of what it waits for, action)."""
    return [(wait.state, type(wait.what).__name__, wait.action) for wait in execution_document(rows.engine, found)[1]]


def test_the_document_has_the_facts_and_the_data() -> None:
    rows = Rows()
    found = rows.execution(1, deadline=T0 + 90 * SECOND, started=T0, input={"i": 1})
    assert execution_document(rows.engine, found) == ({
        "id": "ref-000001", "name": "name-1", "workflow": "order", "status": "RUNNING",
        "version": None, "alias": None, "started": "2026-01-01T00:00:00.000Z", "ended": None,
        "error": None, "cause": None, "tags": {}, "digest": WHOLE.digest,
        "type": "STANDARD", "part_of": None, "deadline": "2026-01-01T00:01:30.000Z", "input": {"i": 1}, "output": None,
        "failure": None, "started_from": None, "led_to": [],
    }, [], None)  # fmt: skip


def test_a_part_of_another_execution_names_the_one_at_the_top() -> None:
    rows = Rows()
    rows.execution(1)
    child = rows.execution(2, tree=1, parent=Parent(11, 1))
    orphan = rows.execution(3, tree=99)
    assert execution_document(rows.engine, child)[0]["part_of"] == "ref-000001"
    assert execution_document(rows.engine, orphan)[0]["part_of"] is None, "the one at the top is gone"


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.ABORTED, Status.TIMED_OUT])
def test_a_closed_execution_waits_for_nothing_whatever_is_left_of_it(status: Status) -> None:
    rows = Rows()
    found = rows.closed(1, status, output=[1])
    rows.put(new_frames=[frame(11)], new_jobs=[job(1, 11)])
    document, left, _ = execution_document(rows.engine, found)
    assert (document["ended"], document["output"], left) == ("2026-01-01T00:00:00.000Z", [1], [])


def test_each_thing_that_is_waited_for_has_what_moves_it() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.execution(2, name="child", parent=Parent(15, 1), tree=1)
    rows.put(
        new_frames=[
            frame(11, state="Free", status=BLOCKED), frame(12, state="Busy", status=BLOCKED),
            frame(13, state="Away", status=BLOCKED), frame(14, state="Mail", status=BLOCKED),
            forked(15, None, state="Nested"), forked(16, Join(3, activation=4), state="Each"),
            frame(17, state="Pause", status=BLOCKED),
        ],
        new_jobs=[
            job(1, 11, state="Free"), job(2, 12, state="Busy", worker="w", leased_until=T0 + SECOND),
            job(3, 13, state="Away", leased_until=HANDED_OVER),
        ],
        new_subscriptions=[subscription(14, key="k", value="v")],
        timers=[timer(17, T0 + SECOND)],
    )  # fmt: skip
    assert waits(rows, found) == [
        ("Mail", "Subscription", Action(Do.SEND_MESSAGE, ("k", "v"))),
        ("Free", "Job", Action(Do.START_WORKER)),
        ("Busy", "Job", None),
        ("Away", "Job", Action(Do.LIST_TASKS)),
        ("Nested", "Execution", Action(Do.SHOW_EXECUTION, ("ref-000002",))),
        ("Each", "Frame", Action(Do.SHOW_MAP_RUNS, ("ref-000001-16-4",))),
        ("Pause", "Timer", None),
    ]


def test_what_belongs_to_a_frame_that_is_not_open_has_no_known_state() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.put(
        new_frames=[frame(11, status=FrameStatus.SUCCEEDED)],
        new_subscriptions=[subscription(11, key="k", value="v")],
        timers=[timer(11, T0 + SECOND, TimerKind.DEADLINE)],
    )
    assert [(state, what) for state, what, _ in waits(rows, found)] == [("?", "Subscription"), ("?", "Timer")]


def test_a_frame_that_waits_for_its_own_children_is_no_wait_beside_theirs() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.put(new_frames=[forked(11, Join(2), Opens.CHILDREN), frame(12, parent=11, state="In", status=BLOCKED)])
    assert waits(rows, found) == []


def test_the_execution_and_its_definition_are_asked_for_anew() -> None:
    rows = Rows()
    found = rows.execution(1, digest="d1")
    rows.put(new_definitions=[definition()])
    apply(rows.store, executions=[execution(1, status=Status.FAILED, closed=T0, error="E")])
    now = execution_now(rows.engine, 1)
    assert now is not None and (now.status, now.error) == (Status.FAILED, "E")
    assert execution_now(rows.engine, 9) is None
    with pytest.raises(DatabaseError, match="is damaged"):  # the digest of these rows is not that of their text
        definition_of(rows.engine, found)
    states = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    engine = Engine(MemoryStore())
    assert definition_of(engine, engine.start(workflow(states), {})[0]) == states


def test_while_its_definition_is_damaged_an_execution_waits_for_nothing_else() -> None:
    rows = Rows()
    rows.put(new_definitions=[definition()])
    rows.put(new_frames=[frame(11)], new_jobs=[job(1, 11)])
    assert waits(rows, rows.execution(1, digest="d1")) == [("?", "DamagedDefinition", None)]
    assert waits(rows, rows.closed(2, digest="d1")) == []


def test_the_history_is_in_order_and_its_own() -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.execution(2)
    rows.put(history=events(1, [1, 2]) + events(2, [1]))
    rows.put(history=events(1, [3]))
    assert [(event.execution, event.number) for event in history_of(rows.engine, found)] == [(1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize(
    ("leases", "free"),
    [([], False), ([None], True), ([T0], False), ([HANDED_OVER], False), ([T0, None, HANDED_OVER], True)],
)
def test_a_job_that_nobody_has_is_free(leases: list[int | None], free: bool) -> None:
    rows = Rows()
    found = rows.execution(1)
    rows.put(new_jobs=[job(n, 10 + n, leased_until=lease) for n, lease in enumerate(leases, 1)])
    assert has_free_jobs(rows.engine, found) is free


def event(number: int, type: str, frame: int = 1, previous: int | None = None, **detail: Any) -> HistoryEvent:
    return HistoryEvent(1, number, number - 1 if previous is None else previous, frame, T0 + number, type, detail)


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ([], None),
        ([event(1, "PassStateEntered", name="A"), event(2, "PassStateExited", output=1),
          event(3, "ExecutionSucceeded")], None),
        ([event(1, "TaskStateEntered", name="Charge"), event(2, "ExecutionFailed", error="E")], "Charge"),
        ([event(1, "TaskStateEntered", name="Charge"), event(2, "ExecutionAborted")], None),
        ([event(1, "MapStateEntered", name="Orders"), event(2, "MapStateStarted"),
          event(3, "MapIterationStarted", 11, name="Orders", index=3), event(4, "TaskStateEntered", 11, name="Charge"),
          event(5, "TaskFailed", 11, error="E"), event(6, "MapIterationFailed", 11, name="Orders", index=3),
          event(7, "MapStateFailed", error="E"), event(8, "ExecutionFailed", error="E")], "Charge in Orders[3]"),
        ([event(1, "ParallelStateEntered", name="Both"), event(2, "ParallelStateStarted"),
          event(3, "MapStateEntered", 11, name="Orders"), event(4, "MapStateStarted", 11),
          event(5, "MapIterationStarted", 21, name="Orders", index=0), event(6, "FailStateEntered", 21, name="Bad"),
          event(7, "MapIterationFailed", 21, name="Orders", index=0), event(8, "ExecutionFailed", error="E")],
         "Bad in Both[0] Orders[0]"),
    ],
)  # fmt: skip
def test_an_execution_failed_in_the_innermost_state(history: list[HistoryEvent], state: str | None) -> None:
    rows = Rows()
    found = rows.closed(1, Status.FAILED, events=len(history))
    rows.put(history=history)
    failure = execution_failure(rows.engine, found)
    assert failure is not None
    assert failure.state == state
