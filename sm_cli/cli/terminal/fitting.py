"""Tables that fit the terminal: ids cut to what names one, times as a person says them, STATUS in colour.

Only on a terminal, and not with `-o wide`. Whatever reads stdout otherwise gets every cell whole, with full ids
and times, as it always was.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.timestamps import MICROSECONDS

_COLOURS = {
    "SUCCEEDED": "32", "FAILED": "31", "TIMED_OUT": "31", "ABORTED": "33", "CAUGHT": "33", "RUNNING": "36",
    "PENDING": "2",
}  # fmt: skip
#: The last column is cut to no less, and left out where it would have to be.
_LEAST = 6


class TimeCell(NamedTuple):
    """A cell that is a time."""

    #: Microseconds since 1970 UTC.
    at: int


class PublicId(NamedTuple):
    """A cell that is a public id."""

    #: The whole id.
    ref: str


Cell: TypeAlias = str | TimeCell | PublicId


def whole_text(cell: Cell) -> str:
    """What stands in a table that nobody has to fit."""
    match cell:
        case TimeCell(at=at):
            return tables.local_time(at)
        case PublicId(ref=ref):
            return ref
    return cell


def fits_terminal(*, wide: bool) -> bool:
    """Whether tables are made to fit: stdout is a terminal, and the person has not asked for all."""
    return not wide and sys.stdout.isatty()


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, wide: bool, now: int,
    refs: Mapping[str, str] | None = None, whole: str | None = None,
) -> None:  # fmt: skip
    """A table on stdout. now: microseconds since 1970 UTC. refs: of ids the beginning that names one. whole: the head
    of a column that is of no use when it is cut."""
    if not fits_terminal(wide=wide):
        for line in tables.table(heads, [[*map(whole_text, row)] for row in rows]):
            out.text(line)
        return
    cells = [[short_text(cell, now, refs or {}) for cell in row] for row in rows]
    for line in fitted_table(heads, cells, out.terminal_size(sys.stdout).columns, whole=whole):
        out.lines(line)


def short_text(cell: Cell, now: int, refs: Mapping[str, str]) -> str:
    """What stands in a table that fits. now: microseconds since 1970 UTC. refs: of ids the beginning that names one."""
    match cell:
        case TimeCell(at=at):
            return relative_time(at, now)
        case PublicId(ref=ref):
            return refs.get(ref, ref)
    return cell


def fitted_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], columns: int, *, whole: str | None = None
) -> list[str]:
    """The lines of a table of so many cells: the last column is cut, and where that does not do, left out."""
    columns_with_text = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    cells = [[heads[i] for i in columns_with_text], *([tables.cell(row[i]) for i in columns_with_text] for row in rows)]
    widths = [max(tables.width(row[i]) for row in cells) for i in range(len(columns_with_text))]
    if whole is None or whole not in cells[0]:
        widths = _fitted_widths(widths, columns)
    status = cells[0].index("STATUS") if "STATUS" in cells[0] else None
    return [_painted_line(row[: len(widths)], widths, status) for row in cells]


def _fitted_widths(widths: list[int], columns: int) -> list[int]:
    """Of the columns that are shown: the very last may be cut, others are shown whole or, from the last on, not."""
    count = len(widths)
    least = [*widths[:-1], min(_LEAST, widths[-1])]
    while count > 1 and sum(least[:count]) + 2 * (count - 1) > columns:
        count -= 1
    before = sum(widths[: count - 1]) + 2 * (count - 1)
    return [*widths[: count - 1], max(1, min(widths[count - 1], columns - before))]


def _painted_line(row: Sequence[str], widths: Sequence[int], status: int | None) -> str:
    cut = [tables.cut_to_width(cell, width) for cell, width in zip(row, widths, strict=True)]
    cells = [tables.pad(cell, width) for cell, width in zip(cut, widths, strict=True)]
    cells[-1] = cells[-1].rstrip()
    if status is not None and status < len(row):
        cells[status] = paint_status(cells[status], row[status])
    return "  ".join(cells).rstrip()


def paint_status(text: str, status: str) -> str:
    """The text in the colour of this status, where stdout has colours."""
    colour = _COLOURS.get(status)
    return text if colour is None or not out.is_coloured(sys.stdout) else f"\x1b[{colour}m{text}\x1b[0m"


def relative_time(at: int, now: int) -> str:
    """`2 min ago`, `in 3 h`; a date after four weeks. Both are microseconds since 1970 UTC."""
    seconds = abs(at - now) // MICROSECONDS
    for size, below, unit in ((60, 1, "s"), (3600, 60, "min"), (2 * 86400, 3600, "h"), (28 * 86400, 86400, "d")):
        if seconds < size:
            return f"{seconds // below} {unit} ago" if at <= now else f"in {seconds // below} {unit}"
    return time.strftime("%Y-%m-%d", time.localtime(at // MICROSECONDS))


def time_of_day(at: int, now: int) -> str:
    """`14:36:34` of today, else with its date; local time. Both are microseconds since 1970 UTC."""
    text, today = tables.local_time(at), tables.local_time(now)
    return text[11:] if text[:10] == today[:10] else text


def all_refs(rows: Iterable[Sequence[Cell]]) -> list[str]:
    """The ids in these rows."""
    return [cell.ref for row in rows for cell in row if isinstance(cell, PublicId)]
