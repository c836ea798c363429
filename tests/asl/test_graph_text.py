"""The drawing in the terminal: a reader who follows its lines finds exactly the ways of the definition."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.asl.graph.graph import Mark, graph_of
from sm_cli.asl.graph.terminal import to_text
from sm_cli.asl.graph.words import shorten, width_of
from sm_cli.asl.text.source import parse

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
    st.builds(lambda c: {"Type": "Task", "End": True, "Catch": [{"ErrorEquals": ["E"], "Next": c}]}, TARGET),
    st.builds(
        lambda to, other: {"Type": "Choice", "Choices": [_rule(t, i) for i, t in enumerate(to)], "Default": other},
        st.lists(TARGET, min_size=1, max_size=5), TARGET,
    ),
    st.builds(lambda next, late: {"Type": "Message", "Next": next, "TimeoutPath": late}, TARGET, TARGET),
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


def definitions() -> list[Any]:
    if not VALID.exists():
        pytest.skip("the shared definitions are not beside this checkout")
    texts = [json.loads(row)["text"] for row in VALID.read_text(encoding="utf-8").splitlines()]
    return [document.value for text in texts if (document := parse(text).document) is not None]


def test_every_definition_of_the_field_is_drawn_whole_and_within_the_width() -> None:
    graphs = [graph_of(value) for value in definitions()]
    assert len(graphs) > 100
    for graph in graphs:
        names = {node.name for inner in graph.walk() for node in inner.nodes}
        for width in (20, 33, 60, 80, 140):
            drawing = to_text(graph, width=width)
            assert max(map(width_of, drawing.splitlines())) <= width
        assert [name for name in names if name not in to_text(graph, width=400)] == []


SHORT: dict[str, Any] = {
    "StartAt": "Check",
    "States": {
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThan": 1000, "Next": "Large"}],
            "Default": "Small",
        },
        "Large": {"Type": "Task", "Resource": "large", "Next": "Merge"},
        "Small": {"Type": "Wait", "Seconds": 3, "Next": "Merge"},
        "Merge": {"Type": "Pass", "End": True},
    },
}


def test_short_ways_of_a_choice_stand_side_by_side_and_meet() -> None:
    assert (
        to_text(graph_of(SHORT))
        == """\
 ●
 ▼
╭─ Choice ─╮
│ Check    │
╰┬─────────╯
 ├──────────────────╮
 │ $.total > 1000   │ default
 ▼                  ▼
╭─ Task ─╮         ╭─ Wait ─╮
│ Large  │         │ Small  │
│ large  │         │ 3 s    │
╰┬───────╯         ╰┬───────╯
 ├──────────────────╯
 ▼
╭─ Pass ─╮
│ Merge  │
╰── end ─╯
"""
    )


def test_where_the_width_is_too_small_the_ways_hang_from_the_line() -> None:
    assert (
        to_text(graph_of(SHORT), width=26)
        == """\
 ●
 ▼
╭─ Choice ─╮
│ Check    │
╰┬─────────╯
 ├──╮ $.total > 1000
 │  ▼
 │ ╭─ Task ─╮
 │ │ Large  │
 │ │ large  │
 │ ╰┬───────╯
 │  ╰▶ Merge
 │ default
 ▼
╭─ Wait ─╮
│ Small  │
│ 3 s    │
╰┬───────╯
 ▼
╭─ Pass ─╮
│ Merge  │
╰── end ─╯
"""
    )


def test_a_loop_is_a_reference_back() -> None:
    states: dict[str, Any] = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    assert to_text(graph_of({"StartAt": "A", "States": states})).endswith("╰┬───────╯\n ╰↺ A\n")


GROUPS: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
                {"StartAt": "Two", "States": {"Two": {"Type": "Pass", "End": True}}},
            ],
        }
    },
}


def test_branches_stand_in_frames_beside_each_other_or_below_or_further_down() -> None:
    graph = graph_of(GROUPS)
    assert "│ ┌╌ branch 1 ╌┐ ┌╌ branch 2 ╌┐ │" in to_text(graph)
    narrow = to_text(graph, width=31)
    assert narrow.index("One") < narrow.index("branch 2") < narrow.index("Two")
    narrowest = to_text(graph, width=24)
    assert "2 inside, drawn be" in narrowest
    assert narrowest.index("Both: branch 1") < narrowest.index("One") < narrowest.index("Both: branch 2")


def test_marks_show_what_happened_with_symbols_words_counts_and_colours() -> None:
    marks = {
        ("", "Check"): Mark("SUCCEEDED", 3),
        ("", "Large"): Mark("CAUGHT"),
        ("", "Small"): Mark("FAILED"),
        ("", "Merge"): Mark("TIMED_OUT"),
    }
    plain = to_text(graph_of(SHORT), marks)
    assert "│ ✓ Check ×3 │" in plain
    assert "╭─ Task · caught ─╮  ╭─ Wait · failed ─╮" in plain
    assert "│ ✗ Large         │  │ ✗ Small         │" in plain
    assert "╭─ Pass · timed out ─╮" in plain
    coloured = to_text(graph_of(SHORT), marks, colour=True)
    assert "\x1b[32;1m✓ Check ×3\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_a_state_that_was_not_visited_is_dim_beside_marks() -> None:
    assert "\x1b[2mMerge\x1b[0m" in to_text(graph_of(SHORT), {("", "Check"): Mark("RUNNING")}, colour=True)


def test_without_unicode_it_is_drawn_in_ascii() -> None:
    drawing = to_text(graph_of(SHORT), {("", "Check"): Mark("RUNNING")}, ascii_only=True)
    assert drawing.isascii()
    assert "| o Check            |" in drawing


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("right\u202eleft", r"right\u202eleft"),
        ("支払いを確認", "支払いを確認"),
        ("-->", "-->"),
    ],
)
def test_a_name_cannot_break_the_drawing(name: str, shown: str) -> None:
    drawing = to_text(graph_of({"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}))
    assert f"│ {shown} " in drawing
    assert len({width_of(row) for row in drawing.splitlines()[2:]}) == 1


def test_missing_and_unreachable_states_are_shown() -> None:
    states: dict[str, Any] = {"A": {"Type": "Pass", "Next": "Nowhere"}, "Island": {"Type": "Succeed"}}
    drawing = to_text(graph_of({"StartAt": "A", "States": states}))
    assert "╭╌ missing ╌╮\n┆ Nowhere   ┆\n╰╌╌╌╌╌╌╌╌╌╌╌╯\n" in drawing
    assert drawing.index("not reached from StartAt:") < drawing.index("Island")


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"Resource": "arn:aws:lambda:x:1:function:team-of-orders-in-production-eu-west-1-calculate-the-price"},
         "-west-1-calculate-the-price"),
        ({"Resource": "arn:aws:states:::lambda:invoke",
          "Parameters": {"FunctionName": f"arn:aws:lambda:x:1:function:of-{'orders-' * 5}production-price:$LATEST"}},
         "-orders-production-price"),
        ({"Resource": "arn:aws:states:::aws-sdk:cognitoidentityprovider:adminRespondToAuthChallenge"},
         ":adminRespondToAuthChallenge"),
        ({"Resource": "${TheStackOfTheTeamWithTheLongNameInProductionPriceFunctionArn}"}, "PriceFunctionArn}"),
        ({"Resource": "\u4e2d" * 60 + "price"}, "\u4e2dprice"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [30, 48, 80])
def test_of_a_long_resource_the_end_is_shown(fields: dict[str, Any], end: str, width: int) -> None:
    state = {"Type": "Task", "End": True, **fields}
    drawing = to_text(graph_of({"StartAt": "A", "States": {"A": state}}), width=width)
    (row,) = [row for row in drawing.splitlines() if "…" in row]
    shown = row.strip("│ ")
    assert shown.startswith("…")
    assert shown.endswith(end[-len(shown) + 1 :] if width == 30 else end)
    assert max(width_of(each) for each in drawing.splitlines()) <= width


def test_of_other_long_details_the_beginning_is_shown() -> None:
    state: dict[str, Any] = {"Type": "Fail", "Error": "Orders." + "x" * 90}
    drawing = to_text(graph_of({"StartAt": "A", "States": {"A": state}}), width=40)
    assert "│ Orders.xxx" in drawing


@pytest.mark.parametrize(("keep_end", "expected"), [(False, "abc…"), (True, "…efg")])
def test_a_text_is_cut_at_one_end(keep_end: bool, expected: str) -> None:
    assert shorten("abcdefg", 4, keep_end=keep_end) == expected
    assert shorten("abcdefg", 7, keep_end=keep_end) == "abcdefg"
    assert [shorten("ab", width, keep_end=keep_end) for width in (0, 1)] == ["", "…"]


@pytest.mark.parametrize("definition", [None, [], {}, {"StartAt": 1, "States": 2}, {"States": {}}])
def test_what_is_no_workflow_has_a_drawing_without_states(definition: Any) -> None:
    assert to_text(graph_of(definition)) == "(no states)\n"


def test_a_choice_with_three_hundred_rules_stays_readable() -> None:
    rules: list[Any] = [_rule(f"S{i}", i) for i in range(300)]
    states: dict[str, Any] = {f"S{i}": {"Type": "Succeed"} for i in range(300)}
    graph = graph_of({"StartAt": "C", "States": {"C": {"Type": "Choice", "Choices": rules}, **states}})
    drawing = to_text(graph, width=60)
    assert max(map(len, drawing.splitlines())) <= 60
    assert drawing.count("─ Succeed ─") == 300
