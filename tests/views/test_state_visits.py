"""The per-state view: visits of states made of events, one event at a time."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.jsonvalue import Json
from sm_cli.store.records import HistoryEvent
from sm_cli.views.state_visits import StateVisit, StateVisits, state_visits

T0 = 1000


class History:
    """Events of one execution, numbered as they are added, each a microsecond after the one before."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []

    def add(self, type: str, frame: int = 1, previous: int | None = None, **detail: Any) -> int:
        number = len(self.events) + 1
        before = number - 1 if previous is None else previous
        self.events.append(HistoryEvent(1, number, before, frame, T0 + number, type, detail))
        return number

    def enter(
        self, name: str, frame: int = 1, previous: int | None = None, type: str = "Pass", input: Json = None
    ) -> int:
        return self.add(f"{type}StateEntered", frame, previous, name=name, input=input)

    def visits(self) -> list[StateVisit]:
        return state_visits(self.events)

    def told(self) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(visit.name, visit.status, visit.where) for visit in self.visits()]


@pytest.fixture
def history() -> History:
    made = History()
    made.add("ExecutionStarted", 0, input={})
    return made


def test_nothing_was_visited_where_nothing_happened(history: History) -> None:
    assert state_visits([]) == []
    assert history.visits() == []


def test_a_visit_lasts_from_entering_to_leaving(history: History) -> None:
    history.enter("A", input={"x": 1})
    history.add("PassStateExited", name="A", output=[2])
    assert history.visits() == [
        StateVisit("A", "Pass", T0 + 2, T0 + 3, "SUCCEEDED", input={"x": 1}, output=[2], frame=1)
    ]


def test_a_visit_that_goes_on_has_no_end(history: History) -> None:
    history.enter("A", type="Task")
    history.add("TaskScheduled")
    (visit,) = history.visits()
    assert (visit.status, visit.end, visit.retries, visit.output) == ("RUNNING", None, 0, None)


@pytest.mark.parametrize(
    ("scheduled", "failed"),
    [
        ("TaskScheduled", "TaskFailed"),
        ("TaskScheduled", "TaskTimedOut"),
        ("LambdaFunctionScheduled", "LambdaFunctionFailed"),
        ("ActivityScheduled", "ActivityTimedOut"),
        ("MessageSubscribed", "MessageTimedOut"),
        ("MapStateStarted", "MapStateFailed"),
        ("ParallelStateStarted", "ParallelStateFailed"),
    ],
)
def test_each_attempt_after_the_first_is_a_retry_that_forgets_the_error(
    history: History, scheduled: str, failed: str
) -> None:
    history.enter("A", type="Task")
    history.add(scheduled)
    history.add(failed, error="E", cause="c")
    (visit,) = history.visits()
    assert (visit.error, visit.cause, visit.status, visit.retries) == ("E", "c", "RUNNING", 0)
    history.add(scheduled)
    (visit,) = history.visits()
    assert (visit.error, visit.cause, visit.retries) == (None, None, 1)
    history.add("TaskStateExited", output=1)
    assert history.visits()[0].status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("detail", "error", "cause"),
    [({"error": "E", "cause": "c"}, "E", "c"), ({"error": "E"}, "E", None), ({}, "", None), ({"cause": 7}, "", "7")],
)
def test_a_visit_that_is_left_with_an_error_was_caught(
    history: History, detail: dict[str, Any], error: str, cause: str | None
) -> None:
    history.enter("A", type="Task")
    history.add("TaskFailed", **detail)
    history.add("TaskStateExited", output={"Error": error})
    history.enter("B")
    first, second = history.visits()
    assert (first.status, first.error, first.cause) == ("CAUGHT", error, cause)
    assert second.status == "RUNNING"


@pytest.mark.parametrize(
    ("closing", "detail", "status", "error"),
    [
        ("ExecutionSucceeded", {}, "SUCCEEDED", None),
        ("ExecutionFailed", {"error": "E", "cause": "c"}, "FAILED", "E"),
        ("ExecutionAborted", {"error": "Enough"}, "ABORTED", None),
        ("ExecutionTimedOut", {}, "TIMED_OUT", None),
    ],
)
def test_the_end_of_the_execution_ends_what_it_is_in(
    history: History, closing: str, detail: dict[str, Any], status: str, error: str | None
) -> None:
    history.enter("A", type="Wait")
    history.add(closing, 1, **detail)
    (visit,) = history.visits()
    assert (visit.status, visit.end, visit.error) == (status, T0 + 3, error)


def test_a_failed_execution_without_a_name_leaves_the_state_s_own_error(history: History) -> None:
    history.enter("A", type="Task")
    history.add("TaskFailed", error="E", cause="c")
    history.add("ExecutionFailed", 1)
    (visit,) = history.visits()
    assert (visit.status, visit.error, visit.cause) == ("FAILED", "E", "c")


def test_an_end_does_not_touch_what_has_ended_before(history: History) -> None:
    history.enter("A")
    history.add("PassStateExited", output=1)
    history.add("ExecutionAborted", 1)
    assert (history.visits()[0].status, history.visits()[0].end) == ("SUCCEEDED", T0 + 3)


def test_the_iterations_of_a_map_are_told_apart_by_number(history: History) -> None:
    started = history.enter("Each", type="Map")
    forked = history.add("MapStateStarted", length=2)
    for index, frame in ((0, 11), (1, 12)):
        history.add("MapIterationStarted", frame, forked, name="Each", index=index)
        history.enter("In", frame)
    history.add("PassStateExited", 11, output=1)
    history.add("MapIterationSucceeded", 11, name="Each", index=0)
    history.add("MapIterationFailed", 12, name="Each", index=1)
    assert started == 2
    assert history.told() == [
        ("Each", "RUNNING", ()), ("In", "SUCCEEDED", ("Each[0]",)), ("In", "FAILED", ("Each[1]",)),
    ]  # fmt: skip


def test_an_iteration_that_begins_after_a_sibling_stands_beside_it_not_in_it(history: History) -> None:
    """With MaxConcurrency an iteration's first event follows the last one of the sibling whose place it takes."""
    history.enter("Each", type="Map")
    history.add("MapStateStarted", length=3)
    for index, frame in ((0, 11), (1, 12), (2, 13)):
        history.add("MapIterationStarted", frame, name="Each", index=index)
        history.enter("In", frame)
        history.add("PassStateExited", frame, output=index)
        history.add("MapIterationSucceeded", frame, name="Each", index=index)
    assert [where for _, _, where in history.told()] == [(), ("Each[0]",), ("Each[1]",), ("Each[2]",)]


def test_a_map_in_a_map_has_both_in_its_place(history: History) -> None:
    history.enter("Outer", type="Map")
    history.add("MapStateStarted")
    history.add("MapIterationStarted", 11, name="Outer", index=4)
    history.enter("Inner", 11, type="Map")
    history.add("MapStateStarted", 11)
    history.add("MapIterationStarted", 21, name="Inner", index=0)
    history.enter("In", 21)
    assert history.told()[-1] == ("In", "RUNNING", ("Outer[4]", "Inner[0]"))


def test_branches_are_numbered_in_the_order_in_which_they_are_entered(history: History) -> None:
    history.enter("Both", type="Parallel")
    forked = history.add("ParallelStateStarted")
    history.enter("B0", 11, forked)
    history.enter("B1", 12, forked)
    history.add("PassStateExited", 11, output=1)
    history.enter("B0 again", 11)
    assert history.told() == [
        ("Both", "RUNNING", ()), ("B0", "SUCCEEDED", ("Both[0]",)), ("B1", "RUNNING", ("Both[1]",)),
        ("B0 again", "RUNNING", ("Both[0]",)),
    ]  # fmt: skip


def test_a_parallel_in_an_iteration_has_both_in_its_place(history: History) -> None:
    history.enter("Each", type="Map")
    history.add("MapStateStarted")
    history.add("MapIterationStarted", 11, name="Each", index=1)
    history.enter("Both", 11, type="Parallel")
    forked = history.add("ParallelStateStarted", 11)
    history.enter("B", 21, forked)
    assert history.told()[-1] == ("B", "RUNNING", ("Each[1]", "Both[0]"))


@pytest.mark.parametrize("error", [None, "E"])
@pytest.mark.parametrize("ending", ["TaskStateAborted", "MapIterationAborted"])
def test_a_visit_that_is_aborted_failed_if_it_had_an_error_of_its_own(
    history: History, error: str | None, ending: str
) -> None:
    history.enter("A", 11, type="Task")
    if error is not None:
        history.add("TaskFailed", 11, error=error)
    history.add(ending, 11)
    history.add("ExecutionFailed", 0, error="Other")
    assert history.visits()[0].status == ("ABORTED" if error is None else "FAILED")


def test_an_execution_fails_in_the_branch_whose_event_came_before(history: History) -> None:
    history.enter("Both", type="Parallel")
    forked = history.add("ParallelStateStarted")
    history.enter("B0", 11, forked, type="Wait")
    failing = history.enter("B1", 12, forked)
    history.add("ExecutionFailed", 1, failing, error="States.Runtime", cause="c")
    assert [(visit.name, visit.status, visit.error) for visit in history.visits()] == [
        ("Both", "FAILED", "States.Runtime"), ("B0", "ABORTED", None), ("B1", "FAILED", "States.Runtime"),
    ]  # fmt: skip


def test_an_event_of_a_frame_that_was_never_seen_changes_nothing(history: History) -> None:
    """As where the beginning of a history is not there."""
    history.add("TaskFailed", 77, error="E")
    history.add("PassStateExited", 78, output=1)
    assert history.visits() == []


def test_a_branch_whose_parent_was_never_seen_stands_at_the_top(history: History) -> None:
    history.enter("B", 11, previous=99)
    history.add("MapIterationStarted", 12, 98, name="Each", index=3)
    history.enter("In", 12)
    assert history.told() == [("B", "RUNNING", ()), ("In", "RUNNING", ("Each[3]",))]


def test_the_view_grows_with_each_event_and_shows_the_newest_visit_of_each_frame(history: History) -> None:
    history.enter("A")
    history.add("PassStateExited", output=1)
    history.enter("B")
    view = StateVisits()
    seen = []
    for event in history.events:
        view.add(event)
        seen.append([(visit.name, visit.status) for visit in view.visits])
    assert seen == [
        [], [("A", "RUNNING")], [("A", "SUCCEEDED")], [("A", "SUCCEEDED"), ("B", "RUNNING")],
    ]  # fmt: skip
    assert {frame: visit.name for frame, visit in view.current.items()} == {1: "B"}


def test_a_state_that_is_visited_again_begins_its_attempts_anew(history: History) -> None:
    for _ in range(2):
        history.enter("A", type="Task")
        history.add("TaskScheduled")
        history.add("TaskFailed", error="E")
        history.add("TaskScheduled")
        history.add("TaskStateExited", output=1)
    assert [(visit.retries, visit.status) for visit in history.visits()] == [(1, "SUCCEEDED"), (1, "SUCCEEDED")]


def test_the_branches_of_a_parallel_that_failed_have_ended_with_it(history: History) -> None:
    """AWS's histories tell of it for some types of states only: a Fail, a Map and a Message have no event of it."""
    history.enter("Both", type="Parallel")
    forked = history.add("ParallelStateStarted")
    history.enter("Pay", 11, forked, type="Message")
    history.enter("Inner", 12, forked, type="Parallel")
    inner = history.add("ParallelStateStarted", 12)
    history.enter("No", 21, inner, type="Fail")
    history.add("ParallelStateFailed", 12, error="E", cause="c")
    failed = history.add("ParallelStateFailed", error="E", cause="c")
    history.add("ParallelStateExited", name="Both", output={})
    history.enter("After", type="Wait")
    assert [(each.name, each.status, each.error, each.end) for each in history.visits()] == [
        ("Both", "CAUGHT", "E", T0 + failed + 1), ("Pay", "ABORTED", None, T0 + failed),
        ("Inner", "FAILED", "E", T0 + failed), ("No", "FAILED", "E", T0 + failed - 1), ("After", "RUNNING", None, None),
    ]  # fmt: skip


def test_a_parallel_that_is_tried_again_ends_the_branches_of_its_newest_attempt(history: History) -> None:
    history.enter("Both", type="Parallel")
    for first, second in ((11, 12), (21, 22)):
        forked = history.add("ParallelStateStarted")
        history.enter("Pay", first, forked, type="Message")
        history.enter("No", second, forked, type="Fail")
        history.add("ParallelStateFailed", error="E")
    failures = [event.at for event in history.events if event.type == "ParallelStateFailed"]
    assert [visit.end for visit in history.visits() if visit.name == "No"] == failures
    assert [where for _, _, where in history.told()[1:]] == [("Both[0]",), ("Both[1]",)] * 2


def test_what_a_redriven_state_is_in_goes_on_with_it(history: History) -> None:
    history.enter("Each", type="Map")
    history.add("MapStateStarted", length=1)
    history.add("MapIterationStarted", 11, name="Each", index=0)
    history.enter("Both", 11, type="Parallel")
    forked = history.add("ParallelStateStarted", 11)
    history.enter("Work", 21, forked, type="Task")
    history.add("TaskFailed", 21, error="E")
    history.add("ParallelStateFailed", 11, error="E")
    history.add("MapIterationFailed", 11, name="Each", index=0)
    history.add("MapStateFailed", error="E")
    history.add("ExecutionFailed", error="E")
    assert {visit.status for visit in history.visits()} == {"FAILED"}
    history.add("ExecutionRedriven")
    history.enter("Work", 21, type="Task")
    assert [(each.name, each.status, each.error, each.where) for each in history.visits()] == [
        ("Each", "RUNNING", None, ()), ("Both", "RUNNING", None, ("Each[0]",)),
        ("Work", "FAILED", "E", ("Each[0]", "Both[0]")), ("Work", "RUNNING", None, ("Each[0]", "Both[0]")),
    ]  # fmt: skip
