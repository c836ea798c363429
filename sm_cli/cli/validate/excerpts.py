"""A problem as people read it: one sentence with its place, the line it stands in, and a mark under the very thing.

The first line is `file:line:column: severity CODE: sentence`, which editors and grep understand; colours go
only to a terminal, and what is shown of a file is never obeyed by one.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from sm_cli.cli.terminal.output import is_coloured
from sm_cli.cli.terminal.tables import clean, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sm_cli.diagnostics import Diagnostic, Position

_LINE_END = re.compile(r"\r\n|\n|\r")
#: Columns of a frame where there is no terminal to ask.
_WIDE = 120
_NARROWEST = 40
_OFF, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "info": "\x1b[36m"}
_NAMES = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("note", "notes")}


class Frames:
    """Shows the problems of one text."""

    def __init__(self, text: str, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self._lines = _LINE_END.split(text)
        self._has_colour = is_coloured(stream)
        self._width = max(_NARROWEST, _columns(stream))

    def show(self, problem: Diagnostic) -> Iterator[str]:
        """The lines about one problem."""
        place = clean(problem.file or "definition")
        if problem.position:
            place += f":{problem.position.line}:{problem.position.column}"
        kind = self._paint(f"{problem.severity} {problem.code}:", _COLOURS[problem.severity])
        yield f"{self._paint(f'{place}:', _BOLD)} {kind} {clean(problem.message)}"
        hint = clean(problem.hint or "")
        if problem.position is None or problem.position.line > len(self._lines):
            if hint:
                yield f"  {hint}"
            return
        yield from self._frame(problem.position, _COLOURS[problem.severity], hint)

    def _frame(self, place: Position, colour: str, hint: str) -> Iterator[str]:
        number = str(place.line)
        gutter = " " * len(number)
        before, mark_text, after = self._cut(place, self._width - len(number) - 6)
        line = f"{before}{mark_text}{after}".rstrip()
        yield f"  {self._paint(f'{number} |', _DIM)} {line}".rstrip() if line else f"  {number} |"
        blank, mark = " " * width(before), "^" * max(1, width(mark_text))
        beside = len(gutter) + 5 + len(blank) + len(mark) + 1 + width(hint) <= self._width
        end = f" {hint}" if hint and beside else ""
        yield f"  {self._paint(f'{gutter} |', _DIM)} {blank}{self._paint(mark + end, colour)}"
        if hint and not beside:
            yield f"  {self._paint(f'{gutter} |', _DIM)} {self._paint(hint, colour)}"

    def _cut(self, place: Position, room: int) -> tuple[str, str, str]:
        """The line before, in and after the mark; of a line too long for the screen what stands about the mark."""
        line = self._lines[place.line - 1]
        start = min(place.column - 1, len(line))
        end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
        # No more than could be seen is looked at: a definition may be one line of a million characters.
        before = _display_text(line[max(0, start - 2 * room) : start])
        mark_text = _display_text(line[start : min(end, start + 2 * room)])
        after = _display_text(line[max(start, end) :][: 2 * room])
        if width(before) + width(mark_text) + width(after) <= room:
            return before, mark_text, after
        mark_text = _beginning(mark_text, room * 2 // 3)
        head = _end_of(before, max(room // 4, room - width(mark_text) - width(after)))
        return head, mark_text, _beginning(after, room - width(head) - width(mark_text))

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_OFF}" if self._has_colour else text


def _columns(stream: TextIO) -> int:
    if not stream.isatty():
        return _WIDE
    import shutil

    return shutil.get_terminal_size((_WIDE, 24)).columns


def _display_text(text: str) -> str:
    return clean(text.replace("\t", "    "))


def _beginning(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    head = text[: max(0, room - 1)]
    while width(head) > room - 1:
        head = head[:-1]
    return f"{head}…" if room > 0 else ""


def _end_of(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    tail = text[len(text) - max(0, room - 1) :]
    while width(tail) > room - 1:
        tail = tail[1:]
    return f"…{tail}" if room > 0 else ""


def summary(problems_by_file: Iterable[Sequence[Diagnostic]]) -> str:
    """`2 errors, 1 warning in 3 files`."""
    files = list(problems_by_file)
    counts = Counter(problem.severity for problems in files for problem in problems)
    parts = [f"{n} {_NAMES[kind][n != 1]}" for kind in ("error", "warning", "info") if (n := counts[kind])]
    return f"{', '.join(parts) or 'no problem'} in {len(files)} {'file' if len(files) == 1 else 'files'}"
