"""The drawing in the terminal: a reader who follows its lines finds exactly the ways of the definition."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.asl.graph import Mark, graph_of
from sm_cli.asl.graph_text import to_text
from sm_cli.asl.graph_words import width_of
from sm_cli.asl.source import parse

VALID = Path(__file__).resolve().parents[2] / ".." / "shared" / "validation" / "valid.jsonl"


class Reader:
    """Follows the lines of a drawing of one machine with short ASCII names."""

    def __init__(self, drawing: str) -> None:
        self.rows = drawing.splitlines()
        self.boxes = {
            (y, match.start()): match[1]
            for y, row in enumerate(self.rows)
            for match in re.finditer(r"[│┆] [✓✗●■]? ?(S\d+)(?: ×\d+)? *[│┆]", row)
            if self.at(y - 1, match.start()) == "╭"
        }

    def at(self, y: int, x: int) -> str:
        return self.rows[y][x] if 0 <= y < len(self.rows) and 0 <= x < len(self.rows[y]) else " "

    def edges(self) -> set[tuple[str, str]]:
        found = set()
        for (y, x), name in self.boxes.items():
            while self.at(y, x) not in "╰":
                y += 1
            if self.at(y, x + 1) == "┬":
                found |= {(name, target) for target in self.down(y + 1, x + 1)}
        return found

    def down(self, y: int, x: int) -> set[str]:
        """Where the line arriving at (y, x) from above leads."""
        here = self.at(y, x)
        if here in "│":
            return self.down(y + 1, x)
        if here == "▼":
            return {self.boxes[y + 2, x - 1]}
        if here == "╰":
            return self.named(y, x) if re.match(r"╰(─ .*─|─)?[▶↺]", self.rows[y][x:]) else self.right(y, x + 1)
        if here in "├┴╯":
            return self.fork(y, x)
        raise AssertionError(f"the line ends at {y}:{x} in\n" + "\n".join(self.rows))

    def fork(self, y: int, x: int) -> set[str]:
        rest = self.rows[y][x:]
        if re.match(r"├(─ .*─|─)[▶↺] ", rest):
            return self.named(y, x) | self.down(y + 1, x)
        if re.match(r"├─[─┬]*╮", rest):
            return self.right(y, x + 1) | self.down(y + 1, x)
        while self.at(y, x) in "─┴╯":
            x -= 1
        assert self.at(y, x) in "├╭", self.rows[y]
        return self.down(y + 1, x)

    def right(self, y: int, x: int) -> set[str]:
        here = self.at(y, x)
        if here == "─":
            return self.right(y, x + 1)
        if here == "┬":
            return self.down(y + 1, x) | self.right(y, x + 1)
        assert here == "╮", (y, x, self.rows[y])
        return self.down(y + 1, x)

    def named(self, y: int, x: int) -> set[str]:
        found = re.search(r"[▶↺] (S\d+)", self.rows[y][x:])
        assert found is not None, self.rows[y]
        return {found[1]}


def read_back(drawing: str) -> set[tuple[str, str]]:
    return Reader(drawing).edges()


NAMES = [f"S{i}" for i in range(12)]
TARGET = st.sampled_from(NAMES)


def _rule(target: str, value: int) -> dict[str, Any]:
    return {"Variable": "$.x", "NumericEquals": value, "Next": target}


STATE = st.one_of(
    st.builds(lambda next: {"Type": "Pass", "Next": next}, TARGET),
    st.builds(lambda: {"Type": "Pass", "End": True}),
    st.just({"Type": "Succeed"}),
    st.just({"Type": "Fail", "Error": "E"}),
    st.builds(
        lambda next, caught: {
            "Type": "Task", "Resource": "r", "Next": next, "Catch": [{"ErrorEquals": ["E"], "Next": c} for c in caught],
        },
        TARGET, st.lists(TARGET, max_size=3),
    ),
    st.builds(lambda caught: {"Type": "Task", "Resource": "r", "End": True, "Catch": [{"ErrorEquals": ["E"], "Next": caught}]}, TARGET),
    st.builds(
        lambda rules, default: {"Type": "Choice", "Choices": [_rule(t, i) for i, t in enumerate(rules)], "Default": default},
        st.lists(TARGET, min_size=1, max_size=5), TARGET,
    ),
    st.builds(
        lambda next, late: {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": 1, "Next": next, "TimeoutPath": late},
        TARGET, TARGET,
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(STATE, min_size=12, max_size=12), st.integers(24, 160))
def test_a_reader_finds_exactly_the_edges_of_any_machine(states: list[dict[str, Any]], width: int) -> None:
    graph = graph_of({"StartAt": "S0", "States": dict(zip(NAMES, states, strict=True))})
    drawing = to_text(graph, width=width)
    assert max(map(len, drawing.splitlines())) <= width
    reader = Reader(drawing)
    assert sorted(reader.boxes.values()) == sorted(NAMES)
    assert reader.edges() == {(edge.source, edge.target) for edge in graph.edges}
