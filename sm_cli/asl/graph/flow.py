"""Where the ways of one machine lead: the questions that the drawing asks before it decides on a layout.

Nothing here draws; the answers depend on the graph and on which states are drawn already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sm_cli.asl.graph.graph import EdgeKind, Graph

#: Ways with more states than this are not drawn side by side.
_FEW = 12


@dataclass(frozen=True, slots=True)
class Arm:
    """One way out of a state; edges of a kind that follow each other to the same target are one."""

    #: The id of the node that it leads to.
    target: str
    #: Which field leads there.
    kind: EdgeKind
    #: What stands at it; "" for nothing.
    label: str


class Flow:
    """The order in which the states of one machine are drawn."""

    def __init__(self, graph: Graph) -> None:
        self.start = graph.start
        self.drawn_states: set[str] = set()
        self._arms: dict[str, list[Arm]] = {node.name: [] for node in graph.nodes}
        for edge in graph.edges:
            _add(self._arms[edge.source], Arm(edge.target, edge.kind, edge.label))
        self._all: dict[str, set[str]] = {}

    def arms(self, name: str) -> list[Arm]:
        """The ways out of a state."""
        return self._arms[name]

    def reachable_states(self) -> set[str]:
        """The names of all states that the start leads to."""
        return set() if self.start is None else self._reach([self.start], ())

    def leads(self, source: str, target: str) -> bool:
        """Whether a way leads from one state to another."""
        if source not in self._all:
            self._all[source] = self._reach([source], ())
        return target in self._all[source]

    def region(self, name: str, stop: Collection[str]) -> frozenset[str]:
        """A state and what is still to be drawn after it."""
        return frozenset(self._undrawn([name], stop))

    def is_small(self, arms: Sequence[Arm], stop: Collection[str]) -> bool:
        """Whether there is something to draw in these ways, and not much."""
        return 0 < len(self._undrawn((arm.target for arm in arms), stop)) <= _FEW

    def meeting(self, arms: Sequence[Arm], stop: Collection[str], until: str | None) -> str | None:
        """The first state where several of these ways come together: one from which all others that they
        share can be reached. None when they share nothing, or no state comes first."""
        beyond = frozenset(stop) - {until}
        reaches = [self._undrawn([arm.target], beyond) for arm in arms]
        common = {name for i, reach in enumerate(reaches) for name in reach if any(name in r for r in reaches[i + 1 :])}
        if until is not None and until in common:
            common -= self._undrawn([until], beyond) - {until}
        for name in sorted(common, key=list(self._arms).index):
            after = {name} if name == until else self._undrawn([name], beyond)
            if common <= after:
                return name
        return None

    def _undrawn(self, names: Iterable[str], stop: Collection[str]) -> set[str]:
        return self._reach(
            [n for n in names if n not in self.drawn_states and n not in stop], (self.drawn_states, stop)
        )

    def _reach(self, names: list[str], barriers: Sequence[Collection[str]]) -> set[str]:
        names_so_far, waiting = set(names), list(names)
        while waiting:
            for arm in self._arms[waiting.pop()]:
                if arm.target not in names_so_far and not any(arm.target in barrier for barrier in barriers):
                    names_so_far.add(arm.target)
                    waiting.append(arm.target)
        return names_so_far


def _add(arms: list[Arm], arm: Arm) -> None:
    last = arms[-1] if arms else None
    if last is None or last.target != arm.target or last.kind != arm.kind or arm.kind not in ("rule", "catch"):
        arms.append(arm)
    elif arm.kind == "catch":
        arms[-1] = Arm(arm.target, arm.kind, f"{last.label}, {arm.label.removeprefix('Catch ')}")
    else:
        arms[-1] = Arm(arm.target, arm.kind, f"{last.label} or {arm.label}")
