"""An execution's history as lanes: one for each frame, with the visits of its states, and below a visit the lanes of
its branches or items.

It grows with the history, and each event is looked at once. Inputs and outputs are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sm_cli.views.history import events_of
from sm_cli.views.state_visits import StateVisit, StateVisits

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.records import Execution, HistoryEvent

#: Of a longer history than this only so many of the newest events are looked at.
MOST_EVENTS = 200_000


@dataclass(slots=True, eq=False)
class LaneVisit:
    """A visit of a state, in its lane."""

    #: The visit itself, without data.
    visit: StateVisit
    #: The number of the event that entered the state; what names the visit in its execution.
    first: int
    #: The number of the newest event of its frame before the next state.
    last: int
    #: The lane that it is in.
    lane: Lane
    #: Of its branches or items, in the order in which they began.
    lanes: list[Lane] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Lane:
    """What one frame went through: the workflow's top level, a branch, or an item."""

    #: The frame's id.
    frame: int
    #: `Orders[3]`; "" of the top level.
    label: str
    #: The number of the branch or item, from 0.
    index: int
    #: The visit whose branch or item it is; None of the top level, and where that is too old to be looked at.
    parent: LaneVisit | None
    #: In order; at least one.
    visits: list[LaneVisit] = field(default_factory=list)

    @property
    def start(self) -> int:
        """When its first state was entered, microseconds since 1970 UTC."""
        return self.visits[0].visit.start

    @property
    def end(self) -> int | None:
        """When its newest state was left; None while it is under way."""
        return self.visits[-1].visit.end

    @property
    def status(self) -> str:
        """That of its newest visit; a state that a catcher left has gone on well."""
        status = self.visits[-1].visit.status
        return "SUCCEEDED" if status == "CAUGHT" else status

    @property
    def error(self) -> str | None:
        """The error name that it failed with; None of others."""
        return self.visits[-1].visit.error if self.status == "FAILED" else None


class Timeline:
    """The lanes of one execution, as they grow: `follow` reads what is new, `add` takes events in order."""

    def __init__(self) -> None:
        #: The top level, and what is below visits that are too old.
        self.roots: list[Lane] = []
        #: By frame.
        self.lanes: dict[int, Lane] = {}
        #: By the number of the event that entered the state.
        self.visits: dict[int, LaneVisit] = {}
        #: The number of the newest event that it has.
        self.last_event = 0
        #: The number of the first one; larger than 1 where a history is too long.
        self.first_event = 1
        self._view = StateVisits(data=False)
        self._newest: dict[tuple[tuple[str, ...], str], LaneVisit] = {}

    def follow(self, engine: Engine, execution: Execution) -> None:
        """Read what the execution has that is new."""
        if not self.last_event and execution.events > MOST_EVENTS:
            self.last_event = execution.events - MOST_EVENTS
            self.first_event = self.last_event + 1
        if execution.events > self.last_event:
            self.add(events_of(engine, execution, self.last_event, large=False))

    def add(self, events: Iterable[HistoryEvent]) -> None:
        """Take in the next events."""
        for event in events:
            self._view.add(event)
            self.last_event = event.number
            if event.type.endswith("StateEntered"):
                self._enter(event, self._view.visits.pop())
            elif (lane := self.lanes.get(event.frame)) is not None:
                lane.visits[-1].last = event.number

    def _enter(self, event: HistoryEvent, visit: StateVisit) -> None:
        lane = self.lanes.get(event.frame)
        if lane is None:
            lane = self.lanes[event.frame] = self._lane_of(visit)
        node = LaneVisit(visit, event.number, event.number, lane)
        lane.visits.append(node)
        self.visits[event.number] = node
        self._newest[visit.where, visit.name] = node

    def _lane_of(self, visit: StateVisit) -> Lane:
        """A new lane, below the newest visit of the state that its place names."""
        label = visit.where[-1] if visit.where else ""
        name, _, rest = label.rpartition("[")
        parent = self._newest.get((visit.where[:-1], name)) if visit.where else None
        lane = Lane(visit.frame, label, int(rest.removesuffix("]") or 0), parent)
        (self.roots if parent is None else parent.lanes).append(lane)
        return lane


def rounds_of(visits: list[LaneVisit]) -> list[list[LaneVisit]]:
    """The visits of a lane in rounds of its loops: each begins with a state that its round has had already."""
    rounds: list[list[LaneVisit]] = []
    names: set[str] = set()
    for node in visits:
        if not rounds or node.visit.name in names:
            rounds.append([])
            names = set()
        rounds[-1].append(node)
        names.add(node.visit.name)
    return rounds
