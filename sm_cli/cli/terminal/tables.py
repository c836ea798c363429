"""Plain text for people: tables, times, durations.

No rich here. `sm list` has to answer at once, and its output is cut and grepped.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence

from sm_cli.cli.escaping import escape as clean

__all__ = ["cell", "clean", "cut_to_width", "duration", "local_time", "pad", "table", "width"]


#: Characters of a cell of a table.
_CELL = 300


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], *, full: bool = False) -> list[str]:
    """The lines of a table: columns as wide as needed, two spaces between them. A column that is empty
    everywhere is left out. A cell is cut after some 300 characters, unless `full`."""
    columns = [i for i in range(len(heads)) if not lines or any(line[i] for line in lines)]
    rows = [[heads[i] for i in columns], *([cell(line[i], full=full) for i in columns] for line in lines)]
    widths = [max(width(row[i]) for row in rows) for i in range(len(columns))]
    return ["  ".join(pad(text, w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def cell(text: str, *, full: bool = False) -> str:
    """What a cell of a table shows of this text."""
    return cut(clean(text), None if full else _CELL)


def pad(cell: str, to: int) -> str:
    """The cell, filled with blanks to so many cells of the terminal."""
    return cell + " " * (to - width(cell))


def width(cell: str) -> int:
    """Columns on a terminal: East Asian wide characters take two."""
    if cell.isascii():
        return len(cell)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in cell)


def cut_to_width(cell: str, to: int) -> str:
    """As much of the cell as takes so many cells of the terminal, the last of them a sign that there is more."""
    if width(cell) <= to:
        return cell
    while cell and width(cell) > to - 1:
        cell = cell[: to - 1] if len(cell) > to - 1 else cell[:-1]
    return f"{cell}…"[: max(0, to)]


def wrap(text: str, to: int) -> list[str]:
    """The text in lines of at most so many cells, broken between words, or within a word that is longer."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer) <= to:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        while width(lines[-1] or word) > to:
            rest = lines[-1] or word
            end = next(i for i in range(len(rest), 0, -1) if width(rest[:i]) <= max(2, to))
            lines[-1:] = [rest[:end], rest[end:]]
    return lines


#: Characters of a payload that a person sees at once: most of a screen of 80 columns and 24 lines.
_SCREEN = 1500


def cut(text: str, longest: int | None = _SCREEN) -> str:
    """At most so many characters of the text, and a sign that there are more."""
    return text if longest is None or len(text) <= longest else f"{text[:longest]}…"


def screenful(text: str, *, full: bool) -> str:
    """At most a screen of the text, with a note how long it is; all of it when `full`."""
    if full or len(text) <= _SCREEN:
        return text
    return f"{text[:_SCREEN]}… ({len(text):,} characters; --full shows them)"


def total(count: int | None) -> str:
    """How many there are, `?` while nobody knows."""
    return "?" if count is None else str(count)


def local_time(microseconds: int) -> str:
    """The moment in the machine's time zone, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(microseconds // 1_000_000))


def duration(microseconds: int) -> str:
    """`12 ms`, `3.4 s`, `2 m 5 s`, `3 h 5 m`, `2 d 3 h`."""
    if microseconds < 1_000_000:
        return f"{max(0, microseconds) // 1000} ms"
    seconds = microseconds / 1_000_000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, below, below_size in (("d", 86400, "h", 3600), ("h", 3600, "m", 60)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below_size} {below}"
    return f"{whole // 60} m {whole % 60} s"


def rough_duration(microseconds: int) -> str:
    """`2 s`, `5 m`, `3 h`, `2 d`: rounded up."""
    seconds = -(-max(0, microseconds) // 1_000_000)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size * (2 if unit != "m" else 1.5):
            return f"{-(-seconds // size)} {unit}"
    return f"{seconds} s"
