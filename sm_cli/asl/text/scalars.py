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
def characters(written: str, value: str) -> list[tuple[int, int]] | None:
    """For each character of `value` the [start, end) of what made it in `written`; None where they do not agree.

    `written` is a scalar as it stands in the text, with its quotes or its block header.
    """
    begin = written[:1]
    if begin == '"':
        return _escaped(written, value, 1)
    if begin in "|>" and (header := _HEADER.match(written)):
        return _plain(written, value, header.end(), "")
    if begin == "'":
        return _plain(written, value, 1, "'")
    return _plain(written, value, 0, "")


def _escaped(written: str, value: str, at: int) -> list[tuple[int, int]] | None:
    """A text in double quotes."""
    found: list[tuple[int, int]] = []
    for c in value:
        step = _next_escaped(written, at, c)
        if step is None:
            return None
        found.append(step)
        at = step[1]
    return found


def _next_escaped(written: str, at: int, c: str) -> tuple[int, int] | None:
    blank = c in _BLANK
    while at < len(written):
        here = written[at]
        if here == "\\":
            match = _ESCAPE.match(written, at)
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


def _plain(written: str, value: str, at: int, quote: str) -> list[tuple[int, int]] | None:
    """A text without escapes: plain, in single quotes, or a block."""
    found: list[tuple[int, int]] = []
    for c in value:
        if c not in _BLANK:
            while at < len(written) and written[at] in _BLANK and written[at] != c:
                at += 1
        elif at >= len(written) or written[at] not in _BLANK:
            found.append((at, at))  # the line end that a block adds, or blanks that were folded away
            continue
        if at >= len(written) or (written[at] != c and c not in _BLANK):
            return None
        end = at + (2 if quote and c == quote else 1)
        found.append((at, end))
        at = end
    return found
