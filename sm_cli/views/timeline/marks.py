"""What an execution did, as marks on the graph of its definition: states, and the ways that it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.jsonpointer import child

if TYPE_CHECKING:
    from sm_cli.asl.graph.graph import Graph
    from sm_cli.jsonvalue import Json
    from sm_cli.views.timeline.lanes import LaneVisit

#: Of a state that several items went through, the status that needs attention most is shown.
_URGENCY = ("SUCCEEDED", "ABORTED", "CAUGHT", "TIMED_OUT", "FAILED", "RUNNING")


@dataclass(slots=True)
class StateMark:
    """What became of one state, in numbers of visits."""

    #: The most urgent one of the newest visits, each in its lane; "" before there is one.
    status: str = ""
    #: All of them.
    count: int = 0
    #: Those that are under way.
    running: int = 0
    #: Those that failed.
    failed: int = 0
    #: Attempts after the first.
    retries: int = 0


def state_pointer(machine: str, name: str) -> str:
    """The JSON pointer of a state of a machine with this pointer: what marks are kept under."""
    return child(f"{machine}/States", name)


def machines_inside(graph: Graph) -> dict[str, list[str]]:
    """By the pointer of each state that has any, the pointers of the machines in it: one for each branch, or the
    processor's."""
    return {
        state_pointer(machine.pointer, node.name): [group.pointer for group in node.groups]
        for machine in graph.walk()
        for node in machine.nodes
        if node.groups
    }


class PathMarks:
    """The states that lanes went through, and how often each way was taken."""

    def __init__(self, graph: Graph) -> None:
        #: By the pointer of the state.
        self.states: dict[str, StateMark] = {}
        #: By the pointer of the state that it leaves and the name of the one that it leads to.
        self.ways: dict[tuple[str, str], int] = {}
        self._inside = machines_inside(graph)

    def add(self, visits: Sequence[LaneVisit], machine: str = "") -> None:
        """Mark visits of one lane, in a machine with this pointer, and all that is below them."""
        newest: dict[str, str] = {}
        before: str | None = None
        for node in visits:
            visit = node.visit
            pointer = state_pointer(machine, visit.name)
            mark = self.states.setdefault(pointer, StateMark())
            mark.count += 1
            mark.running += visit.status == "RUNNING"
            mark.failed += visit.status in ("FAILED", "TIMED_OUT")
            mark.retries += visit.retries
            newest[pointer] = visit.status
            if before is not None:
                self.ways[before, visit.name] = self.ways.get((before, visit.name), 0) + 1
            before = pointer
            machines = self._inside.get(pointer, [])
            for lane in node.lanes if machines else ():
                self.add(lane.visits, machines[min(lane.index, len(machines) - 1)])
        for pointer, status in newest.items():
            mark = self.states[pointer]
            mark.status = max(mark.status or status, status, key=_URGENCY.index)

    def document(self) -> dict[str, Json]:
        """As JSON, for a program that draws."""
        return {
            "states": {
                pointer: {"status": mark.status, "count": mark.count, "running": mark.running, "failed": mark.failed,
                          "retries": mark.retries}
                for pointer, mark in self.states.items()
            },
            "ways": [[source, target, count] for (source, target), count in self.ways.items()],
        }  # fmt: skip
