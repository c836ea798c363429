"""A graph as a drawing for the terminal, top to bottom.

Every state is a box; the way runs along the left edge of the boxes. A Choice with short ways draws them side
by side, any other fork as a tree: the main way goes straight down, the others hang from it. A state is drawn
once; every further way to it is a reference: `▶ Name`, or `↺ Name` when it closes a loop.

Every state and every way of the graph is in the drawing, whatever the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sm_cli.asl.graph.blocks import AXIS, Block, Line, StyledText, beside, box, columns, fit, line, render, under
from sm_cli.asl.graph.flow import Arm, Flow
from sm_cli.asl.graph.graph import Graph, Marks, Node
from sm_cli.asl.graph.words import marked_name, plain, shorten, width_of

_NARROWEST = 20
_WIDEST = 400
#: Narrower than this nothing is drawn beside a line; it comes further down instead.
_LEAST = 16
#: Machines inside a state need this much, or are drawn further down.
_LEAST_GROUP = 26
#: A detail, a resource's name say, widens a box no further.
_DETAIL = 44
#: So much of a condition shows at least, where several stand side by side.
_LABEL = 26
_GAP = 2
_ROUND = "╭╮╰╯─│"
_DASHED = "┌┐└┘╌┆"
_TYPE_STYLES = {
    "Choice": "yellow",
    "Task": "cyan",
    "Message": "blue",
    "Wait": "magenta",
    "Succeed": "green",
    "Fail": "red",
}
_MARK_STYLES = {"SUCCEEDED": "green", "FAILED": "red", "CAUGHT": "yellow", "RUNNING": "blue", "TIMED_OUT": "red"}


def to_text(
    graph: Graph, marks: Marks | None = None, *, colour: bool = False, width: int = 80, ascii_only: bool = False
) -> str:
    """The drawing, ending in a newline; no line is wider than `width` columns (from 20 to 400).

    `colour` adds ANSI colours. `marks` show the path taken: ✓ ✗ ● before the name, ×N for several visits.
    `ascii_only` draws with ASCII characters (names stay as they are).
    """
    width = min(max(width, _NARROWEST), _WIDEST)
    drawing = _Drawing(marks)
    lines = drawing.machine(graph, width)
    while drawing.later:
        title, group = drawing.later.pop(0)
        lines += [line(), line(fit(title, width, "bold")), *drawing.machine(group, width)]
    return render(lines, colour=colour, ascii_only=ascii_only)


class _Drawing:
    """What all machines of one drawing share: the marks, what was shortened, what is still to be drawn."""

    def __init__(self, marks: Marks | None) -> None:
        self.marks = marks
        #: Grows when a name had to be shortened: then a narrower layout may do better.
        self.cuts = 0
        self.later: list[tuple[str, Graph]] = []

    def machine(self, graph: Graph, width: int) -> list[Line]:
        if not graph.nodes:
            return [line(StyledText("(no states)", "dim"))]
        return _Machine(self, graph, width).lines()

    def style(self, node: Node) -> str:
        if node.missing:
            return "red"
        if self.marks is None:
            return _TYPE_STYLES.get(node.type, "")
        mark = self.marks.get(node.id)
        return "dim" if mark is None else _MARK_STYLES.get(mark.status, "")

    def box(self, node: Node, width: int, *, goes_on: bool) -> list[Line]:
        style = self.style(node)
        mark = self.marks.get(node.id) if self.marks else None
        title = "missing" if node.missing else plain(node.type) or "no type"
        if mark is not None and mark.status != "SUCCEEDED":
            title += f" · {mark.status.lower().replace('_', ' ')}"
        name = plain(marked_name(node, mark))
        self.cuts += width_of(name) > width - 4
        content = [line(fit(name, width - 4, "dim" if style == "dim" else f"{style} bold".strip()))]
        if node.detail:
            # Of a resource the end counts: the function's name, the action.
            room, keep_end = min(width - 4, max(_DETAIL, width_of(name))), node.type == "Task"
            content.append(line(fit(node.detail, room, "dim", keep_end=keep_end)))
        content += self.groups(node, width - 4)
        ends = node.ends and node.type not in ("Succeed", "Fail")
        bottom = [StyledText("┬" if goes_on else "─" if not node.missing else "╌", style)]
        bottom += [StyledText("─ ", style), StyledText("end", "dim"), StyledText(" ")] if ends else []
        content_width = max(max(each.width for each in content) + 4, width_of(title) + 6, 10 if ends else 8)
        wide = min(content_width, width)
        corners = _ROUND if not node.missing else "╭╮╰╯╌┆"
        return box(line(fit(title, wide - 5, style)), content, wide, corners, style, line(*bottom))

    def groups(self, node: Node, width: int) -> list[Line]:
        """The machines inside a state, each in a frame: side by side where they fit."""
        if not node.groups:
            return []
        if width < _LEAST_GROUP:
            self.later += [(f"{plain(node.name)}: {group.title}", group) for group in node.groups]
            return [line(fit(f"{len(node.groups)} inside, drawn below", width, "dim"))]
        before = self.cuts
        frames = [self.frame(group, width) for group in node.groups]
        widths = [frame[0].width for frame in frames]
        if self.cuts == before and sum(widths) + len(frames) - 1 <= width:
            return columns(frames, widths, 1)
        return [each for frame in frames for each in frame]

    def frame(self, group: Graph, width: int) -> list[Line]:
        content = self.machine(group, width - 4)
        title = shorten(group.title, width - 5)
        wide = min(max(*(each.width + 4 for each in content), width_of(title) + 6), width)
        return box(line(StyledText(title, "dim")), content, wide, _DASHED, "dim")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a chain is drawn: in so many columns; it leaves open where it comes to `until`, and only refers
    to the states in `stop`, which are drawn further down."""

    width: int
    until: str | None = None
    stop: frozenset[str] = frozenset()


class _Machine:
    """One machine's states, drawn from its start; each is drawn once."""

    def __init__(self, drawing: _Drawing, graph: Graph, width: int) -> None:
        self.drawing = drawing
        self.graph = graph
        self.width = width
        self.flow = Flow(graph)
        self.nodes = {node.name: node for node in graph.nodes}

    def lines(self) -> list[Line]:
        place = _Place(self.width)
        lines: list[Line] = []
        if self.graph.start is not None:
            lines += [line(" ", StyledText("●", "bold"))] if not self.graph.pointer else []
            lines += self.chain(self.graph.start, place, arrow=not self.graph.pointer).lines
        reachable = self.flow.reachable_states() if self.graph.start is not None else set()
        for name in sorted(self.nodes, key=lambda name: name not in reachable):
            if name not in self.flow.drawn_states:
                lines.append(line())
                if name not in reachable:
                    lines.append(line(fit("not reached from StartAt:", self.width, "dim")))
                lines += self.chain(name, place, arrow=False).lines
        return lines

    def chain(self, name: str, place: _Place, *, arrow: bool = True) -> Block:
        """From a state on, as far as the way goes: to the end, to a reference, or to `until`."""
        lines: list[Line] = []
        came = ""
        while name != place.until:
            if self.is_known(name, place):
                lines.append(beside(line(" ╰"), self.reference(came, name, place.width - 2)))
                return Block(lines)
            self.flow.drawn_states.add(name)
            arms = self.flow.arms(name)
            lines += [line(" ▼")] if arrow else []
            lines += self.drawing.box(self.nodes[name], place.width, goes_on=bool(arms))
            came, arrow = name, True
            if not arms:
                return Block(lines)
            if len(arms) == 1 and not arms[0].label:
                name = arms[0].target
                continue
            onward = self.side_by_side(name, arms, place, lines)
            if onward is None:
                onward = self.tree(name, arms, place, lines)
            if not onward:
                return Block(lines)
            name = onward
        return Block(lines, open=True)

    def is_known(self, name: str, place: _Place) -> bool:
        """Whether a way to this state is shown by a reference here."""
        return name != place.until and (name in self.flow.drawn_states or name in place.stop)

    def reference(self, source: str, name: str, width: int) -> Line:
        loop = name in self.flow.drawn_states and self.flow.leads(name, source)
        return line(StyledText("↺" if loop else "▶", "yellow" if loop else ""), " ", fit(name, width - 2))

    # -- forks -----------------------------------------------------------------------------------

    def tree(self, name: str, arms: Sequence[Arm], place: _Place, lines: list[Line]) -> str:
        """Ways below each other; the last goes straight on. Its target, or "" when none goes on."""
        main = self.main_of(name, arms, place)
        stop = place.stop
        if main is not None and main.target != place.until:
            stop |= self.flow.region(main.target, place.stop)
        inner = _Place(place.width - 3, None, stop)
        others = [arm for arm in arms if arm is not main]
        for i, arm in enumerate(others):
            last = main is None and i == len(others) - 1
            if self.is_known(arm.target, inner) or arm.target == place.until or inner.width < _LEAST:
                lines.append(self.inline(name, arm, place.width, "╰" if last else "├"))
                continue
            lines.append(line(" ╰──╮ " if last else " ├──╮ ", fit(arm.label, place.width - 6, "dim")))
            lines += under(line("   " if last else " │ "), self.chain(arm.target, inner).lines)
        if main is None:
            return ""
        if main.label:
            lines.append(line(" │ ", fit(main.label, place.width - 3, "dim")))
        return main.target

    def main_of(self, name: str, arms: Sequence[Arm], place: _Place) -> Arm | None:
        """The way that goes straight on: Next; for a Choice the one to where the others meet, or else the
        longest, which keeps a loop's way out on the left: a status that is asked for again and again."""
        free = [arm for arm in arms if not self.is_known(arm.target, place)]
        if self.nodes[name].type != "Choice":
            return next((arm for arm in free if arm.kind == "next"), None)
        meeting = self.flow.meeting(arms, place.stop, place.until)
        there = next((arm for arm in free if arm.target in (meeting, place.until)), None)
        # Of ways as long as each other the last: Default.
        return there or max(reversed(free), key=lambda arm: len(self.flow.region(arm.target, place.stop)), default=None)

    def inline(self, source: str, arm: Arm, width: int, corner: str) -> Line:
        """`├─ label ─▶ Name`, both shortened as far as they must be."""
        room = width - 8
        name = shorten(arm.target, max(room - width_of(plain(arm.label)), room // 2))
        label = shorten(arm.label, room - width_of(name))
        begin = line(f" {corner}─ ", StyledText(label, "dim"), " ─") if label else line(f" {corner}─")
        return beside(begin, self.reference(source, arm.target, width_of(name) + 2))

    def side_by_side(self, name: str, arms: Sequence[Arm], place: _Place, lines: list[Line]) -> str | None:
        """A Choice's ways in columns. Where they meet, "" when nowhere, None when they do not fit."""
        if self.nodes[name].type != "Choice" or len(arms) * _LEAST > place.width:
            return None
        meeting = self.flow.meeting(arms, place.stop, place.until)
        stop = place.stop
        if meeting is not None and meeting != place.until:
            stop |= self.flow.region(meeting, place.stop)
        if not self.flow.is_small(arms, stop):
            return None
        state_before = self.flow.drawn_states.copy(), self.drawing.cuts, len(self.drawing.later)
        inner = _Place(place.width, meeting, stop)
        columns = [self.column(name, arm, inner) for arm in arms]
        widths = _widths(columns, arms, place.width)
        if widths is None or self.drawing.cuts > state_before[1] or len(self.drawing.later) > state_before[2]:
            self.flow.drawn_states, self.drawing.cuts = state_before[0], state_before[1]
            del self.drawing.later[state_before[2] :]
            return None
        lines += _fork(columns, arms, widths)
        return meeting or "" if any(block.open for block in columns) else ""

    def column(self, source: str, arm: Arm, place: _Place) -> Block:
        if self.is_known(arm.target, place):
            return Block([beside(line(" ╰"), self.reference(source, arm.target, place.width - 2))])
        return self.chain(arm.target, place)


def _widths(blocks: Sequence[Block], arms: Sequence[Arm], width: int) -> list[int] | None:
    """A width for each column, with as much of its condition as there is room for; None when they do not fit."""
    wishes = [width_of(plain(arm.label)) + AXIS + 2 for arm in arms]
    widths = [max(block.width, min(want, _LABEL), 5) for block, want in zip(blocks, wishes, strict=True)]
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    if spare < 0:
        return None
    for i, want in enumerate(wishes):
        more = min(max(want - widths[i], 0), spare)
        widths[i] += more
        spare -= more
    return widths


def _fork(blocks: Sequence[Block], arms: Sequence[Arm], widths: Sequence[int]) -> list[Line]:
    """The ways from one line, through their columns, to one line again for those that are open."""
    last = len(blocks) - 1
    joints = ["├", *"┬" * (last - 1), "╮"]
    lines = [_rail(joints, widths, last)]
    labels = [[line(" │ ", fit(arm.label, w - 3, "dim"))] for arm, w in zip(arms, widths, strict=True)]
    lines += columns(labels, widths, _GAP)
    height = max(len(block.lines) for block in blocks)
    columns_of_lines = [[*b.lines, *([line(" │")] * (height - len(b.lines) if b.open else 0))] for b in blocks]
    lines += columns(columns_of_lines, widths, _GAP) if height else []
    ways = [i for i, block in enumerate(blocks) if block.open]
    if ways and ways[-1] > 0:
        ends = ["┴" if block.open else "─" for block in blocks]
        ends[0] = "├" if blocks[0].open else "╭"
        ends[ways[-1]] = "╯"
        lines.append(_rail(ends, widths, ways[-1]))
    return lines


def _rail(joints: Sequence[str], widths: Sequence[int], last: int) -> Line:
    """A horizontal line with a joint at the axis of each column up to `last`."""
    return line(" ", *(joints[i] + "─" * (widths[i] + _GAP - 1) for i in range(last)), joints[last])
