"""Lanes: who is below whom, rounds of loops, and growing with the history."""

from __future__ import annotations

import pytest

from sm_cli.views.executions import history_of
from sm_cli.views.state_visits import state_visits
from sm_cli.views.timeline import lanes
from sm_cli.views.timeline.lanes import Lane, Timeline, rounds_of
from tests.views.timeline.ways import Way, followed, travel


@pytest.fixture(scope="module")
def way() -> Way:
    return travel()


def names(lane: Lane) -> list[str]:
    return [node.visit.name for node in lane.visits]


def test_the_top_level_is_one_lane_with_all_its_visits(way: Way) -> None:
    (top,) = way.timeline.roots
    assert names(top) == ["Each", "Turn", "More"] * 3 + ["Last"]
    assert (top.label, top.parent, top.status) == ("", None, "SUCCEEDED")
    assert (top.start, top.end) == (way.execution.started, way.execution.closed)


def test_a_loop_is_folded_into_rounds(way: Way) -> None:
    (top,) = way.timeline.roots
    rounds = [[node.visit.name for node in nodes] for nodes in rounds_of(top.visits)]
    assert rounds == [["Each", "Turn", "More"], ["Each", "Turn", "More"], ["Each", "Turn", "More", "Last"]]


def test_items_stand_below_the_round_that_they_belong_to(way: Way) -> None:
    (top,) = way.timeline.roots
    visits = [node for node in top.visits if node.visit.name == "Each"]
    assert [[lane.label for lane in node.lanes] for node in visits] == [["Each[0]", "Each[1]"]] * 3
    assert len({lane.frame for node in visits for lane in node.lanes}) == 6


def test_branches_stand_below_their_item(way: Way) -> None:
    (top,) = way.timeline.roots
    item = top.visits[0].lanes[0]
    assert names(item) == ["Work", "Both"]
    branches = item.visits[1].lanes
    assert [(lane.label, lane.index, names(lane)) for lane in branches] == [
        ("Both[0]", 0, ["Left"]),
        ("Both[1]", 1, ["Right", "After"]),
    ]


def test_an_item_that_failed_says_so(way: Way) -> None:
    (top,) = way.timeline.roots
    item = top.visits[3].lanes[1]
    assert (item.status, item.error, names(item)) == ("FAILED", "Broken", ["Work"])
    assert top.visits[0].lanes[0].error is None


def test_every_visit_is_found_by_the_event_that_entered_its_state(way: Way) -> None:
    events = {event.number: event for event in history_of(way.engine, way.execution)}
    assert len(way.timeline.visits) == len(state_visits(events.values()))
    for number, node in way.timeline.visits.items():
        assert events[number].type == f"{node.visit.type}StateEntered"
        assert events[number].detail["name"] == node.visit.name
        assert events[node.last].frame == node.lane.frame
        assert node.visit.end is None or events[node.last].at == node.visit.end


def test_a_timeline_that_grows_event_by_event_is_the_same(way: Way) -> None:
    growing = Timeline()
    for event in history_of(way.engine, way.execution):
        growing.add([event])
    assert [*growing.visits] == [*way.timeline.visits]
    for number, node in growing.visits.items():
        other = way.timeline.visits[number]
        assert (node.visit, node.last, node.lane.label) == (other.visit, other.last, other.lane.label)
        assert [lane.frame for lane in node.lanes] == [lane.frame for lane in other.lanes]


def test_following_reads_only_what_is_new(way: Way) -> None:
    timeline = Timeline()
    timeline.add(history_of(way.engine, way.execution)[:20])
    assert timeline.last_event == 20
    timeline.follow(way.engine, way.execution)
    assert [*timeline.visits] == [*way.timeline.visits]
    timeline.follow(way.engine, way.execution)
    assert timeline.last_event == way.execution.events


def test_of_a_very_long_history_only_the_newest_events_are_looked_at(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_EVENTS", 30)
    timeline = followed(way.engine, way.execution).timeline
    assert timeline.first_event == way.execution.events - 29
    assert min(timeline.visits) >= timeline.first_event
    assert [number for number in way.timeline.visits if number >= timeline.first_event] == [*timeline.visits]
    assert all(lane.parent is None for lane in timeline.roots)
