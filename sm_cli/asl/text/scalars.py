"""Places inside a text value: which characters of a JSON or YAML text made which characters of the value.

Escapes, quotes, folded lines and the indentation of block scalars are followed one by one; where that does not
come out even, nothing is said, and the whole value is the place.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_PAIR}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|x[0-9a-fA-F]{{2}}|.)", re.DOTALL)
_BLANK = " \t\r\n"
#: What the one-letter escapes of JSON and YAML that mean a blank stand for.
_BLANK_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", " ": " ", "\t": "\t"}
_HEADER = re.compile(r"[|>][0-9+-]*[ \t]*(?:#[^\n]*)?\r?\n")


@lru_cache(maxsize=4)  # several problems are often found in one text
def characters(source: str, value: str) -> list[tuple[int, int]] | None:
    """For each character of `value` the [start, end) of what made it in `source`; None where they do not agree.

    `source` is a scalar as it stands in the text, with its quotes or its block header.
    """
    begin = source[:1]
    if begin == '"':
        return _escape_spans(source, value, 1)
    if begin in "|>" and (header := _HEADER.match(source)):
        return _plain(source, value, header.end(), "")
    if begin == "'":
        return _plain(source, value, 1, "'")
    return _plain(source, value, 0, "")


def _escape_spans(source: str, value: str, at: int) -> list[tuple[int, int]] | None:
    """A text in double quotes."""
    spans: list[tuple[int, int]] = []
    for c in value:
        step = _next_escaped(source, at, c)
        if step is None:
            return None
        spans.append(step)
        at = step[1]
    return spans


def _next_escaped(source: str, at: int, c: str) -> tuple[int, int] | None:
    blank = c in _BLANK
    while at < len(source):
        here = source[at]
        if here == "\\":
            match = _ESCAPE.match(source, at)
            if match is None:
                return None
            stands_for = _BLANK_ESCAPES.get(match[0][1:])
            if match[0][1] in "\r\n" or (not blank and stands_for is not None):
                at = match.end()  # a line that goes on, or a blank that the value lost in folding
                continue
            return match.span()
        if here == c or (blank and here in _BLANK):
            return at, at + 1
        if here not in _BLANK:
            return None
        at += 1
    return None


def _plain(source: str, value: str, at: int, quote: str) -> list[tuple[int, int]] | None:
    """A text without escapes: plain, in single quotes, or a block."""
    spans: list[tuple[int, int]] = []
    for c in value:
        if c not in _BLANK:
            while at < len(source) and source[at] in _BLANK and source[at] != c:
                at += 1
        elif at >= len(source) or source[at] not in _BLANK:
            spans.append((at, at))  # the line end that a block adds, or blanks that were folded away
            continue
        if at >= len(source) or (source[at] != c and c not in _BLANK):
            return None
        end = at + (2 if quote and c == quote else 1)
        spans.append((at, end))
        at = end
    return spans
