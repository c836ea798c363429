"""Rows of a text with delimiters, as objects of strings.

What AWS's developer guide says under "How Step Functions parses input CSV files". A field in double quotes may
hold delimiters and newlines; a doubled quote is one quote, in quotes or not; a backslash escapes a backslash, a quote
and the delimiter, and vanishes before anything else; a short row is filled up with empty strings, a long one is cut.
Memory holds one row, and a row has a limit.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TextIO

from sm_cli.buckets.failures import ItemReaderFailed
from sm_cli.buckets.limits import LARGEST_ITEM, too_large
from sm_cli.jsonvalue import Json

#: AWS reads headers of up to 10 KiB.
_LARGEST_HEADERS = 10 << 10


@dataclass(frozen=True, slots=True)
class Form:
    """How the text is written. `headers` None: they stand in the first row."""

    #: The character between two fields.
    delimiter: str
    headers: tuple[str, ...] | None


def headers_problem(headers: tuple[str, ...]) -> str | None:
    """The cause with which these names of columns are refused, if they are."""
    if len(set(headers)) != len(headers):
        return "CSV headers cannot contain duplicates."
    if sum(len(header.encode()) for header in headers) > _LARGEST_HEADERS:
        return f"CSV headers cannot be larger than {_LARGEST_HEADERS} bytes."
    return None


def check_names(header: Sequence[str], name: str) -> None:
    """Raises ItemReaderFailed for a first row in which no names of columns stand."""
    for number, cell in enumerate(header, 1):
        if not cell.strip() or _is_number(cell):
            what = repr(cell) if cell.strip() else "blank"
            raise ItemReaderFailed(f"the first row of {name} does not name its columns: field {number} is {what}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def items(
    text: TextIO, name: str, form: Form, check: Callable[[Sequence[str]], None] = lambda _: None
) -> Iterator[Json]:
    """An object for each row. `text` keeps its newlines as they are (`newline=""`). check: called with the first row,
    where the names of the columns stand there. Raises ItemReaderFailed."""
    rows = cells(text, name, form.delimiter)
    headers = form.headers
    if headers is None:
        headers = tuple(next(rows, ()))
        check(headers)
        if problem := headers_problem(headers):
            raise ItemReaderFailed(problem)
    width = len(headers)
    for row in rows:
        if len(row) < width:
            row.extend([""] * (width - len(row)))
        yield dict(zip(headers, row, strict=False))


def cells(text: TextIO, name: str, delimiter: str) -> Iterator[list[str]]:
    """The fields of each row; blank lines are none. Raises ItemReaderFailed."""
    number = 0
    while line := text.readline(LARGEST_ITEM + 1):
        number += 1
        if len(line) > LARGEST_ITEM:
            raise too_large(f"the row at line {number} of {name}")
        if '"' not in line and "\\" not in line:
            if bare := line.rstrip("\r\n"):
                yield bare.split(delimiter)
            continue
        row = _quick(line, delimiter)
        if row is None:
            record = _Record(delimiter)
            first, size = number, len(line)
            while not record.feed(line):
                line = text.readline(LARGEST_ITEM + 1)
                number, size = number + 1, size + len(line)
                if size > LARGEST_ITEM:
                    raise too_large(f"the row at line {first} of {name}")
                if not line:
                    raise ItemReaderFailed(f"{name} ends inside the quotes of a field of the row at line {first}")
            row = record.cells
        yield row


def _quick(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line on which the standard parser, several times as fast, agrees with AWS; else None."""
    if "\\" in line or '""' in line:
        return None
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True))
    except csv.Error:  # it does not end on this line, or something follows a closing quote
        return None


class _Record:
    """One row that is read line by line."""

    def __init__(self, delimiter: str) -> None:
        self.cells: list[str] = []
        self._special = ("\\", '"', delimiter)
        self._delimiter = delimiter
        self._plain, self._quoted_run = _runs(delimiter)
        self._field: list[str] = []
        self._inside = False
        self._has_content = False  # whether the field has had a character or a quote

    def feed(self, line: str) -> bool:
        """Take a line, with its newline; True when the row is complete."""
        at = 0
        while at < len(line):
            run = (self._quoted_run if self._inside else self._plain).match(line, at)
            if run is not None:
                self._add(run.group())
                at = run.end()
                continue
            sign, following = line[at], line[at + 1 : at + 2]
            at += 1
            if sign == "\\":
                if following in self._special:
                    self._add(following)
                    at += 1
            elif sign == '"':
                at += self._quote(following)
            elif sign == self._delimiter:
                self._close()
            else:
                break  # the newline that ends the row
        if self._inside:
            return False
        self._close()
        return True

    def _quote(self, following: str) -> int:
        """What a quote means here, and whether it takes the sign that follows it along."""
        if not self._inside and not self._has_content:
            self._inside = self._has_content = True
        elif following == '"':
            self._add('"')
            return 1
        elif self._inside:
            self._inside = False
        else:
            self._add('"')
        return 0

    def _add(self, text: str) -> None:
        self._field.append(text)
        self._has_content = True

    def _close(self) -> None:
        self.cells.append("".join(self._field))
        self._field.clear()
        self._has_content = False


@lru_cache(maxsize=8)
def _runs(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What needs no thought outside quotes, and inside."""
    return re.compile(rf'[^"\\\r\n{re.escape(delimiter)}]+'), re.compile(r'[^"\\]+')
