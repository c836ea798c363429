"""A place in a path's text, and what every part of the parser does there.

The text is read once, left to right, without going back over it; whatever nests is bounded by DEEPEST and
DEEPEST_FILTER, so that no text takes more than linear time or the interpreter's stack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from sm_cli.expr.jsonpath.steps import PathError

DEEPEST = 32
#: Filters inside filters multiply the work: each level is another factor of the document's size.
DEEPEST_FILTER = 3

_SPACE = re.compile(r"\s*")
_QUOTED = {"'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.S), '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.S)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
QUOTES = frozenset(_QUOTED)


class Cursor:
    """Where the reading is, how deep it is there, and what was noticed on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.filters = 0
        #: What keeps the path from being a Reference Path, as a phrase and its offset; None as long as nothing does.
        self.offence: tuple[str, int] | None = None
        #: The unquoted words that a filter took for strings.
        self.words: list[str] = []

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        """Raise PathError: "The path … " and the problem, at the cursor if no other offset is given."""
        excerpt = self.text if len(self.text) <= 80 else f"{self.text[:80]}…"
        raise PathError(" ".join(filter(None, ("The path", excerpt, problem))), self.at if at is None else at)

    def offend(self, phrase: str, at: int) -> None:
        """Keep the first thing that a reference path must not have. at: where, in characters from 0."""
        if self.offence is None:
            self.offence = (phrase, at)

    def peek(self) -> str:
        """The next character; "" at the end."""
        return self.text[self.at : self.at + 1]

    def skip_space(self) -> str:
        """Move to the next character that is no space, and return it ("" at the end)."""
        self.take(_SPACE)
        return self.peek()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern matches here, and go on behind it; None when it does not."""
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def expect(self, character: str, problem: str) -> None:
        """Go on behind this character. Raises PathError when another one comes."""
        if self.skip_space() != character:
            self.fail(problem)
        self.at += 1

    def enter(self) -> None:
        """One level deeper. Raises PathError beyond the deepest."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"nests more than {DEEPEST} levels deep")

    def leave(self) -> None:
        """One level up."""
        self.depth -= 1

    def quoted_string(self) -> str:
        """The string in quotes at this place; escapes as in JSON, and a backslash before either quote."""
        start = self.at
        match = self.take(_QUOTED[self.peek()])
        if match is None:
            self.fail("has a quote that is not closed")
        return self.unescape(match[1], _CONTROLS, start)

    def name(self) -> str:
        """The name of a member, in quotes. A backslash before anything but itself, the quote that is around the name,
        a control letter of JSON's or `u` and four hex digits escapes nothing and stays: `$['a\\"b']`."""
        start = self.at
        quote = self.peek()
        match = self.take(_QUOTED[quote])
        if match is None:
            self.fail("has a quote that is not closed")
        escapes = {**_CONTROLS, quote: quote, "\\": "\\"}
        return self.unescape(
            _ESCAPE.sub(lambda m: m[0] if m[1] or m[2] in escapes else "\\" + m[0], match[1]), escapes, start
        )

    def unescape(self, raw: str, controls: Mapping[str, str], start: int) -> str:
        """Backslash escapes: four hex digits after `u` (a pair of surrogates is one character), `controls`, else
        the escaped character itself."""
        if "\\" not in raw:
            return raw
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else controls.get(m[2], m[2]), raw)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail("holds half of a surrogate pair", start)
