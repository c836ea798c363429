"""Tables and documents whose rows come one by one: the first page is shown at once, and no more than it is kept.

What is short looks as if it had been there as a whole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from sm_cli.cli import escaping
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json

T = TypeVar("T")

#: Rows that decide how wide columns are.
_PAGE = 200


def growing_table(
    heads: Sequence[str], items: Iterable[T], cells: Callable[[T], Sequence[str]], *, full: bool = False
) -> Iterator[tuple[T | None, str]]:
    """(None, the line of heads), then each item with its line. Of a table longer than a page every column is shown, and
    one grows when a later cell is wider."""
    coming = iter(items)
    page = list(islice(coming, _PAGE))
    lines = [cells(item) for item in page]
    beyond = list(islice(coming, 1))
    if not beyond:
        head, *rest = tables.table(heads, lines, full=full)
        yield None, head
        yield from zip(page, rest, strict=True)
        return
    rows = [list(heads), *(_cut_cells(line, full) for line in lines)]
    widths = [max(map(tables.width, column)) for column in zip(*rows, strict=True)]
    yield from zip([None, *page], [_line(row, widths) for row in rows], strict=True)
    for item in chain(beyond, coming):
        row = _cut_cells(cells(item), full)
        widths = [max(w, tables.width(cell)) for w, cell in zip(widths, row, strict=True)]
        yield item, _line(row, widths)


def _cut_cells(line: Sequence[str], full: bool) -> list[str]:
    return [tables.cell(text, full=full) for text in line]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(tables.pad(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip()


def growing_document(head: dict[str, Json], member: str, values: Iterable[Json], format: str) -> None:
    """The object `head` with one more member at its end, the array of `values`: as `json`, `jsonl` (a value a line,
    without the head), `yaml` or by JSONPath. But for these two, and for JSON on a terminal, no value is kept."""
    if format == "jsonl":
        for value in values:
            out.rows([value], format)
    elif format != "json" or sys.stdout.isatty():
        out.one({**head, member: list(values)}, format)
    else:
        _stream(head, member, values)


def _stream(head: dict[str, Json], member: str, values: Iterable[Json]) -> None:
    import orjson

    write = sys.stdout.write
    opening = escaping.escape(orjson.dumps({**head, member: []}).decode())
    write(opening.removesuffix("]}"))
    for number, value in enumerate(values):
        write(f"{',' if number else ''}{escaping.escape(orjson.dumps(value).decode())}")
    write("]}\n")
