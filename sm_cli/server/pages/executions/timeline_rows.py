"""The timeline of an execution as rows: visits, rounds of loops, branches and items; what is folded is not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.views.timeline.lanes import rounds_of

if TYPE_CHECKING:
    from sm_cli.views.timeline.lanes import Lane, LaneVisit, Timeline

#: Rows of one group, until somebody asks for more of them.
PORTION = 100
#: A fork with no more branches, or items, than this is open at first when all in it is not much.
_FEW, _LITTLE = 6, 40
#: What needs attention stands first among items.
_FIRST = {"FAILED": 0, "TIMED_OUT": 0, "RUNNING": 1}


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One row. Times are microseconds since 1970 UTC."""

    #: Names it in its execution: `v12` (the visit that event 12 began), `l7` (the lane of frame 7), `r1.3` (the third
    #: round of frame 1), `m…` for the row that asks for more of a group.
    key: str
    #: How deep it is, from 0.
    depth: int
    #: What stands at its left.
    text: str
    #: The state's type; "" of what is no state.
    type: str = ""
    #: A status of `StateVisit`.
    status: str = "RUNNING"
    #: When it began.
    start: int = 0
    #: When it ended; None while it is under way.
    end: int | None = None
    #: Microseconds at its beginning in which it was in the queue.
    queue_time: int = 0
    #: Attempts after the first.
    retries: int = 0
    #: The error name; None unless it failed.
    error: str | None = None
    #: What is below it, in words.
    note: str = ""
    #: Whether something is below it.
    folds: bool = False
    #: Whether that is open.
    is_open: bool = False
    #: The number of the event that began the visit; None of what is no visit.
    visit: int | None = None
    #: How many rows of its group are left; of a row that asks for more.
    left: int = 0


class RowMaker:
    """Makes the rows of a timeline.

    opened: the keys of what is open; None: what is open at first. portions: by the key of a group, how many of its rows
    are wanted. now: microseconds since 1970 UTC; until then what is in the queue has been there."""

    def __init__(self, opened: Collection[str] | None, portions: Mapping[str, int], now: int) -> None:
        self.opened = opened
        self.portions = portions
        self.now = now
        self.rows: list[TimelineRow] = []

    def make(self, timeline: Timeline) -> list[TimelineRow]:
        """All rows that are to be seen."""
        for lane in timeline.roots:
            if lane.label:  # what it is a branch of is too old to be looked at
                self._lane(lane, 0)
            else:
                self._visits(lane, 0)
        return self.rows

    def _is_open(self, key: str, at_first: bool) -> bool:
        return at_first if self.opened is None else key in self.opened

    def _visits(self, lane: Lane, depth: int) -> None:
        rounds = rounds_of(lane.visits)
        if len(rounds) == 1:
            self._portion(f"l{lane.frame}", lane.visits, depth)
            return
        key = f"q{lane.frame}"
        # The newest rounds are what somebody looks for: they stand first.
        order = [*range(len(rounds) - 1, -1, -1)]
        wanted = self.portions.get(key, PORTION)
        for number in order[:wanted]:
            self._round(lane, rounds[number], number, len(rounds), depth)
        self._more(key, len(order) - wanted, wanted, depth)

    def _round(self, lane: Lane, nodes: Sequence[LaneVisit], number: int, count: int, depth: int) -> None:
        key = f"r{lane.frame}.{number + 1}"
        is_open = self._is_open(key, number == count - 1)
        last = nodes[-1].visit
        status = "SUCCEEDED" if last.status == "CAUGHT" else last.status
        note = "1 state" if len(nodes) == 1 else f"{len(nodes)} states"
        self.rows.append(TimelineRow(
            key, depth, f"Round {number + 1}", "", status, nodes[0].visit.start, last.end, error=last.error,
            note=note, folds=True, is_open=is_open,
        ))  # fmt: skip
        if is_open:
            self._portion(key, nodes, depth + 1)

    def _portion(self, key: str, nodes: Sequence[LaneVisit], depth: int) -> None:
        wanted = self.portions.get(key, PORTION)
        for node in nodes[:wanted]:
            self._visit(node, depth)
        self._more(key, len(nodes) - wanted, wanted, depth)

    def _visit(self, node: LaneVisit, depth: int) -> None:
        visit, key = node.visit, f"v{node.first}"
        lanes = node.lanes
        is_little = 0 < len(lanes) <= _FEW and sum(len(lane.visits) for lane in lanes) <= _LITTLE
        is_open = bool(lanes) and self._is_open(key, is_little)
        self.rows.append(TimelineRow(
            key, depth, visit.name, visit.type, visit.status, visit.start, visit.end,
            visit.queue_time_until(self.now), visit.retries, visit.error, lanes_text(lanes), bool(lanes), is_open,
            node.first,
        ))  # fmt: skip
        if not is_open:
            return
        wanted = self.portions.get(key, PORTION)
        in_order = (
            sorted(lanes, key=lambda lane: (_FIRST.get(lane.status, 2), lane.index)) if len(lanes) > _FEW else lanes
        )
        for lane in in_order[:wanted]:
            self._lane(lane, depth + 1)
        self._more(key, len(lanes) - wanted, wanted, depth + 1)

    def _lane(self, lane: Lane, depth: int) -> None:
        key = f"l{lane.frame}"
        is_few = lane.parent is not None and len(lane.parent.lanes) <= _FEW
        is_open = self._is_open(key, is_few)
        note = "1 state" if len(lane.visits) == 1 else f"{len(lane.visits)} states"
        self.rows.append(TimelineRow(
            key, depth, lane.label, "", lane.status, lane.start, lane.end, error=lane.error, note=note, folds=True,
            is_open=is_open,
        ))  # fmt: skip
        if is_open:
            self._visits(lane, depth + 1)

    def _more(self, group: str, left: int, wanted: int, depth: int) -> None:
        if left > 0:
            text = f"Show {min(left, max(PORTION, wanted)):,} more of {left:,}"
            self.rows.append(TimelineRow(f"m{group}:{wanted * 2}", depth, text, left=left))


def lanes_text(lanes: Sequence[Lane]) -> str:
    """`all 3 succeeded`, `9,990 succeeded, 10 failed`; "" for none."""
    counts = Counter(lane.status.lower().replace("_", " ") for lane in lanes)
    if len(counts) == 1 and len(lanes) > 1:
        return f"all {len(lanes):,} {next(iter(counts))}"
    return ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
