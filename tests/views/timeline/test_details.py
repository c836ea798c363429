"""One visit with its data: what went in and out, each attempt, its events, and where its handler failed."""

from __future__ import annotations

from collections import Counter

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.views.timeline import details
from sm_cli.views.timeline.details import visit_details, visits_of_state
from sm_cli.views.timeline.lanes import LaneVisit
from tests.engine.workers import workflow
from tests.store.samples import T0
from tests.views.timeline.ways import Way, followed, travel

ITEM = "/States/Each/ItemProcessor"


@pytest.fixture(scope="module")
def way() -> Way:
    return travel()


def visits(way: Way, pointer: str) -> list[LaneVisit]:
    return visits_of_state(way.graph, way.timeline.roots, pointer)


def test_the_visits_of_a_state_are_found_by_its_pointer(way: Way) -> None:
    assert [node.visit.name for node in visits(way, "/States/Turn")] == ["Turn"] * 3
    after = visits(way, f"{ITEM}/States/Both/Branches/1/States/After")
    assert Counter(node.visit.where for node in after) == {("Each[0]", "Both[1]"): 3, ("Each[1]", "Both[1]"): 1}
    assert [node.first for node in after] == sorted(node.first for node in after)
    assert visits(way, "/States/Nowhere") == []


def test_input_and_output_are_those_of_the_visit(way: Way) -> None:
    found = visit_details(way.engine, way.execution, visits(way, "/States/Last")[0])
    assert found.has_output
    assert found.output == "the end"
    assert isinstance(found.input, dict)
    assert found.input["turn"] == 3


def test_each_attempt_has_its_error_and_times(way: Way) -> None:
    found = visit_details(way.engine, way.execution, visits(way, f"{ITEM}/States/Work")[0])
    first, second = found.attempts
    assert (first.number, first.error, first.cause, second.error) == (1, "Again", "once more", None)
    assert first.end is not None
    assert first.begin <= (first.start or first.begin) <= first.end <= second.begin
    assert second.end is not None


@pytest.mark.parametrize("resource", [
    "work", "arn:aws:states:us-east-1:123456789012:activity:work",
    "arn:aws:lambda:us-east-1:123456789012:function:work",
])  # fmt: skip
def test_an_attempt_that_nobody_has_taken_is_in_the_queue_and_not_at_work(resource: str) -> None:
    """Whatever its events are called: Task, Activity or LambdaFunction."""
    store = MemoryStore()
    engine = Engine(store, clock=FakeClock(T0))
    text = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}
    way = followed(engine, engine.start(workflow(text, "w"), {})[0])
    (attempt,) = visit_details(engine, way.execution, visits(way, "/States/T")[0]).attempts
    assert (attempt.queue_time(attempt.begin + 7), attempt.work_time(attempt.begin + 7)) == (7, None)


def test_a_task_was_in_the_queue_until_it_was_taken_and_a_parallel_never(way: Way) -> None:
    first, _ = visit_details(way.engine, way.execution, visits(way, f"{ITEM}/States/Work")[0]).attempts
    assert first.start is not None
    assert (first.queue_time(first.start + 5), first.work_time(first.start + 5)) == (first.start - first.begin, 5)
    (fork,) = visit_details(way.engine, way.execution, visits(way, f"{ITEM}/States/Both")[0]).attempts
    assert (fork.queue_time(fork.begin + 5), fork.work_time(fork.begin + 5)) == (None, 5)


def test_a_visit_has_the_events_of_its_own_frame_only(way: Way) -> None:
    node = visits(way, "/States/Each")[0]
    found = visit_details(way.engine, way.execution, node)
    assert [event.type for event in found.events] == [
        "MapStateEntered", "MapStateStarted", "MapStateSucceeded", "MapStateExited",
    ]  # fmt: skip
    assert not found.has_more


def test_of_a_visit_with_very_many_events_the_output_is_found_all_the_same(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "_LOOKED_AT", 3)
    found = visit_details(way.engine, way.execution, visits(way, "/States/Each")[0])
    assert found.has_more
    assert found.has_output


def test_events_are_kept_up_to_a_number(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "_KEPT", 2)
    found = visit_details(way.engine, way.execution, visits(way, "/States/Each")[0])
    assert (len(found.events), found.has_more, found.has_output) == (2, True, True)


def test_the_last_attempt_of_a_visit_that_failed_has_its_error(way: Way) -> None:
    failing = next(node for node in visits(way, f"{ITEM}/States/Work") if node.visit.status == "FAILED")
    found = visit_details(way.engine, way.execution, failing)
    assert found.attempts[-1].error == "Broken"
    assert not found.has_output
