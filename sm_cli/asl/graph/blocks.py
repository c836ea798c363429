"""Rectangles of text for the drawing in a terminal: lines of coloured spans, put beside and below each other.

A line knows its width in columns, and nothing here makes one wider than it was asked to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sm_cli.asl.graph.words import shorten, width_of

#: Where the line that enters and leaves a block runs.
AXIS = 1
_CODES = {
    "dim": "2",
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
#: One column for one column, so that the layout stays.
_ASCII = str.maketrans("─│╭╮╰╯┬┴├┤┼┌┐└┘╌┆▼▶↺●■✓✗×…·", "-|+++++++++++++-:v>@o#+xx~.")


class StyledText(NamedTuple):
    """A piece of a line in one style."""

    #: One piece of a line, without a line break.
    text: str
    #: A style of rich; "" for none.
    style: str = ""


class Line(NamedTuple):
    """Pieces of text beside each other."""

    #: Its pieces, from left to right.
    spans: tuple[StyledText, ...]
    #: In cells of the terminal.
    width: int


@dataclass(slots=True)
class Block:
    """Lines, entered at column AXIS of the first; `open` when the way goes on at column AXIS below the last."""

    #: From top to bottom.
    lines: list[Line]
    open: bool = False

    @property
    def width(self) -> int:
        """That of its widest line, in cells."""
        return max((line.width for line in self.lines), default=0)


def line(*parts: StyledText | str) -> Line:
    """One line of these pieces; a str has no style."""
    spans = tuple(StyledText(part) if isinstance(part, str) else part for part in parts)
    return Line(spans, sum(width_of(span.text) for span in spans))


def beside(*lines: Line) -> Line:
    """One line of these, left to right."""
    return Line(tuple(span for each in lines for span in each.spans), sum(each.width for each in lines))


def pad_line(content: Line, width: int, fill: str = " ", style: str = "") -> Line:
    """Filled on the right up to so many cells."""
    missing = width - content.width
    return content if missing <= 0 else Line((*content.spans, StyledText(fill * missing, style)), width)


def under(prefix: Line, lines: Iterable[Line]) -> list[Line]:
    """The lines, each behind the same prefix."""
    return [beside(prefix, each) for each in lines]


def box(
    title: Line, content: Sequence[Line], width: int, corners: str, style: str, bottom: Line | None = None
) -> list[Line]:
    """A frame, `width` columns wide, its title in the upper border. `corners`: the four, then ─ and │."""
    upper_left, upper_right, lower_left, lower_right, across, down = tuple(corners)
    begin = line(StyledText(f"{upper_left}{across} ", style), *title.spans, " ")
    rows = [beside(pad_line(begin, width - 1, across, style), line(StyledText(upper_right, style)))]
    for each in content:
        inner = pad_line(beside(line(StyledText(f"{down} ", style)), each), width - 1)
        rows.append(beside(inner, line(StyledText(down, style))))
    low = beside(line(StyledText(lower_left, style)), bottom or line())
    rows.append(beside(pad_line(low, width - 1, across, style), line(StyledText(lower_right, style))))
    return rows


def columns(blocks: Sequence[Sequence[Line]], widths: Sequence[int], gap: int) -> list[Line]:
    """Blocks side by side, their upper edges level."""
    height = max(len(block) for block in blocks)
    begins = [sum(widths[:i]) + gap * i for i in range(len(widths))]
    rows = []
    for i in range(height):
        row = line()
        for block, begin in zip(blocks, begins, strict=True):
            row = beside(pad_line(row, begin), block[i]) if i < len(block) else row
        rows.append(pad_line(row, begins[-1] + widths[-1]))
    return rows


def fit(text: str, width: int, style: str = "", *, keep_end: bool = False) -> StyledText:
    """The text, shortened to so many cells. keep_end: at its beginning."""
    return StyledText(shorten(text, width, keep_end=keep_end), style)


def render(lines: Iterable[Line], *, colour: bool, ascii_only: bool) -> str:
    """The text, without blanks at the ends of its lines, each of them ended by a newline."""
    out = []
    for each in lines:
        text = "".join(_paint(span) if colour else span.text for span in _trim(each.spans))
        out.append(f"{text.translate(_ASCII) if ascii_only else text}\n")
    return "".join(out)


def _trim(spans: tuple[StyledText, ...]) -> list[StyledText]:
    pieces = list(spans)
    while pieces:
        text, style = pieces.pop()
        if text := text.rstrip(" "):
            return [*pieces, StyledText(text, style)]
    return pieces


def _paint(span: StyledText) -> str:
    codes = ";".join(_CODES[word] for word in span.style.split())
    return f"\x1b[{codes}m{span.text}\x1b[0m" if codes and not span.text.isspace() else span.text
