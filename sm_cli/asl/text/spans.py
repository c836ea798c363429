"""Where everything of a text stands: a tree of offsets, turned into lines and columns only when asked.

Offsets count characters, not bytes; a line ends with LF, CRLF or CR, as an editor shows it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from sm_cli.diagnostics import Position
from sm_cli.jsonpointer import tokens

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class Span:
    """One value: its characters [start, end), those of its key, and the spans of what it holds."""

    #: The offset of its first character.
    start: int
    #: The offset after its last character.
    end: int
    #: The offset of its key; -1: it has none.
    key_start: int = -1
    #: The offset after its key; -1: it has none.
    key_end: int = -1
    #: Of an object by key, of an array in order; None: it holds nothing.
    members: dict[str, Span] | list[Span] | None = None

    def member(self, token: str) -> Span | None:
        """Where the member of this name or index stands; None when there is none."""
        if isinstance(self.members, dict):
            return self.members.get(token)
        if isinstance(self.members, list) and token.isdecimal() and int(token) < len(self.members):
            return self.members[int(token)]
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a text, at the characters [start, end)."""

    #: Such as SM003.
    code: str
    #: One sentence without its full stop.
    message: str
    #: The offset of the first character that is meant.
    start: int
    #: The offset after the last one.
    end: int
    #: What would put it right; None: nothing is proposed.
    hint: str | None = None


class Lines:
    """Turns offsets of one text into lines and columns."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def line(self, offset: int) -> int:
        """The line of a character, from 1."""
        return bisect_right(self._starts, offset)

    def start_of(self, line: int) -> int:
        """Where a line begins, in characters from 0."""
        return self._starts[line - 1]

    def column(self, offset: int) -> int:
        """The column of a character in its line, from 1."""
        return offset - self._starts[self.line(offset) - 1] + 1

    def position(self, start: int, end: int) -> Position:
        """Lines and columns of [start, end)."""
        return Position(self.line(start), self.column(start), self.line(end), self.column(end))


def find(root: Span, pointer: str) -> Span | None:
    """The span that a JSON pointer names, or None where the text has nothing."""
    span: Span | None = root
    for token in tokens(pointer):
        if span is None:
            return None
        span = span.member(token)
    return span
