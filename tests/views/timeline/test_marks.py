"""Marks: what became of each state, and which ways were taken, of all rounds or of one."""

from __future__ import annotations

import pytest

from sm_cli.views.timeline.lanes import rounds_of
from sm_cli.views.timeline.marks import PathMarks, machines_inside, state_pointer
from tests.views.timeline.ways import Way, travel

ITEM = "/States/Each/ItemProcessor"
CAUGHT = """
StartAt: Try
States:
  Try: {Type: Task, Resource: work, Catch: [{ErrorEquals: [States.ALL], Next: "a/b~c"}], End: true}
  "a/b~c": {Type: Fail, Error: E}
"""


@pytest.fixture(scope="module")
def way() -> Way:
    return travel()


def marks(way: Way, round: int | None = None) -> PathMarks:
    (top,) = way.timeline.roots
    path = PathMarks(way.graph)
    path.add(top.visits if round is None else rounds_of(top.visits)[round])
    return path


def test_a_state_has_its_visits_of_all_rounds_and_items(way: Way) -> None:
    states = marks(way).states
    assert states["/States/Each"].count == 3
    assert states["/States/Last"].count == 1
    work = states[f"{ITEM}/States/Work"]
    assert (work.count, work.failed, work.retries, work.running) == (6, 2, 1, 0)
    assert states[f"{ITEM}/States/Both/Branches/1/States/After"].count == 4


def test_the_most_urgent_of_the_items_decides(way: Way) -> None:
    assert marks(way).states[f"{ITEM}/States/Work"].status == "FAILED"
    assert marks(way).states["/States/Each"].status == "SUCCEEDED"
    assert marks(way, 0).states[f"{ITEM}/States/Work"].status == "SUCCEEDED"


def test_one_round_has_only_what_it_went_through(way: Way) -> None:
    first = marks(way, 0)
    assert first.states["/States/Each"].count == 1
    assert "/States/Last" not in first.states
    assert ("/States/More", "Each") not in first.ways
    assert marks(way, 2).ways[("/States/More", "Last")] == 1


def test_ways_are_counted(way: Way) -> None:
    ways = marks(way).ways
    assert ways[("/States/More", "Each")] == 2
    assert ways[("/States/More", "Last")] == 1
    assert ways[(f"{ITEM}/States/Work", "Both")] == 4


def test_a_name_with_signs_of_a_pointer_is_marked_under_its_pointer() -> None:
    way = travel(CAUGHT, {}, work=lambda _: [][0])
    path = marks(way)
    assert state_pointer("", "a/b~c") == "/States/a~1b~0c"
    assert path.states["/States/a~1b~0c"].status == "FAILED"
    assert path.states["/States/Try"].status == "CAUGHT"
    assert path.ways == {("/States/Try", "a/b~c"): 1}


def test_the_machines_inside_are_found_by_their_state(way: Way) -> None:
    assert machines_inside(way.graph) == {
        "/States/Each": [ITEM],
        f"{ITEM}/States/Both": [f"{ITEM}/States/Both/Branches/0", f"{ITEM}/States/Both/Branches/1"],
    }


def test_as_json_marks_have_all_that_is_drawn(way: Way) -> None:
    document = marks(way, 0).document()
    assert document["states"] == {
        pointer: {
            "status": mark.status,
            "count": mark.count,
            "running": 0,
            "failed": mark.failed,
            "retries": mark.retries,
        }
        for pointer, mark in marks(way, 0).states.items()
    }
    assert ["/States/Each", "Turn", 1] in document["ways"]  # type: ignore[operator]
