"""JSONata's regular expressions, which are JavaScript's, as Python's.

What means the same in both stays; what only JavaScript knows is rewritten; what Python cannot do raises re.error.
None may hold up a worker: matching backtracks, and one that would go on for ever (`/(x+x+)+y/`) is given up. That is
why they are of the package `regex`, which knows a time limit, and not of `re`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from sm_cli.expr.jsonata.engine import LimitExceededError

if TYPE_CHECKING:
    import regex

#: A match; the package's own type has the members of that of `re`.
Match: TypeAlias = "regex.Match[str]"
#: Seconds that one match may take.
LONGEST = 0.5

#: What a class of characters holds: JavaScript's digits and letters are of ASCII, its blanks are those of Unicode.
_CLASSES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r"\t\n\x0b\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
}
#: What they leave out, for inside another class; letters know case there, so `\W` is left to Python.
_COMPLEMENTS = {
    "D": r"\x00-/:-\U0010ffff",
    "S": r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\ufefe\uff00-\U0010ffff",
}
#: The ends of lines, which `.` does not match and between which `^` and `$` stand with the flag m.
_LINE_ENDS = r"\n\r\u2028\u2029"
_WORD = _CLASSES["w"]
#: Between a letter and none, of ASCII.
_BOUNDARY = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_NO_BOUNDARY = f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"
#: How often something is repeated, as JavaScript writes it.
_COUNT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
#: A named group, or a reference to one.
_NAME = re.compile(r"\(\?<(?![=!])(?P<group>[^>]*)>|\\k(?:<(?P<reference>[^>]*)>)?")
#: The same, and what may look like it: escapes and classes of characters.
_GROUPS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?<(?![=!])(?P<name>[^>]*)>", re.DOTALL)
#: Letters that are one with an ASCII letter for Python where the case does not matter, and not for JavaScript.
_LONE = "\u0130\u0131\u017f\u212a"
#: Letters that mean something behind a backslash in both languages; any other stands for itself.
_ESCAPES = frozenset("bBdDsSwWfnrtv0123456789")
#: What Python would take for a set operation inside a class.
_SET_SIGNS = frozenset("[&~|")


class Regex:
    """A regular expression, compiled. What takes too long raises LimitExceededError.

    The engine knows one by its four methods; only `search` is called, by our own functions.
    """

    __slots__ = ("_pattern",)

    def __init__(self, pattern: regex.Pattern[str]) -> None:
        self._pattern = pattern

    def search(self, value: str, at: int = 0) -> Match | None:
        """The first match from this position, as `re` gives it."""
        with _time_bound():
            return self._pattern.search(value, at, timeout=LONGEST)

    def finditer(self, value: str) -> list[Match]:
        """All matches."""
        with _time_bound():
            return list(self._pattern.finditer(value, timeout=LONGEST))

    def sub(self, replacement: str, value: str, count: int = 0) -> str:
        """The text with its matches replaced."""
        with _time_bound():
            return self._pattern.sub(replacement, value, count, timeout=LONGEST)

    def split(self, value: str, limit: int = 0) -> list[str]:
        """The text between its matches."""
        with _time_bound():
            return self._pattern.split(value, limit, timeout=LONGEST)


@contextmanager
def _time_bound() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise LimitExceededError(
            f"takes more than {LONGEST:g} s to match a regular expression; look for a repetition inside another one"
        ) from None


def compile_regex(pattern: str, flags: Any) -> Regex:
    """`flags` has `case_insensitive` and `multiline`. Raises re.error."""
    import regex  # only who writes one waits for its import

    # The ends of lines are written out by `translate`: those of Python are other ones.
    options = regex.IGNORECASE if flags.case_insensitive else 0
    try:
        translation = translate(pattern, multiline=flags.multiline)
        return Regex(regex.compile(_lone(translation) if flags.case_insensitive else translation, options))
    except regex.error as e:
        raise re.error(str(e)) from e


def translate(pattern: str, *, multiline: bool = False) -> str:
    """A JavaScript pattern in the words of the `regex` module."""
    out: list[str] = []
    inside = False  # a class of characters
    at = 0
    names = _group_names(pattern)
    while at < len(pattern):
        name_match = None if inside else _NAME.match(pattern, at)
        if name_match is not None:
            piece, width = _rename_group(name_match, names)
        else:
            piece, width, inside = _next(pattern, at, inside, multiline)
        out.append(piece)
        at += width
    return "".join(out)


def _group_names(pattern: str) -> dict[str, str]:
    """What each named group is called in the translation: nobody sees a name, and Python knows fewer. Raises re.error
    for what is no name and for one that is given twice, as JavaScript does."""
    names: dict[str, str] = {}
    for match in _GROUPS.finditer(pattern):
        if match["name"] is not None:
            name = _unescape(match["name"])
            if not name.replace("$", "_").isidentifier():
                raise re.error("Invalid capture group name")
            if name in names:
                raise re.error("Duplicate capture group name")
            names[name] = f"g{len(names)}"
    return names


def _rename_group(match: re.Match[str], names: dict[str, str]) -> tuple[str, int]:
    """The beginning of a named group, or a reference to one, and how long it is. Raises re.error."""
    if match["group"] is not None:
        return f"(?P<{names[_unescape(match['group'])]}>", len(match[0])
    if not names:
        return "k", 2  # without any name it is the letter
    name = _unescape(match["reference"] or "")
    if name not in names:
        raise re.error("Invalid named capture referenced")
    return f"(?P={names[name]})", len(match[0])


def _unescape(name: str) -> str:
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), name)


def _lone(pattern: str) -> str:
    """With the flag i: what is of ASCII matches only what is of ASCII, and the letters of _LONE only themselves."""

    def keep(match: re.Match[str]) -> str:
        piece = match[0]
        if piece[0] in "\\(":
            return piece
        if piece[0] == "[" and (piece[1] == "^" or not piece.isascii() or re.search(r"\\W|\\U0010ffff", piece)):
            return piece
        return f"(?-i:{piece})" if piece in _LONE else f"(?:(?-i:(?![{_LONE}])){piece})"

    # Escapes, names of groups and classes are taken whole.
    return re.sub(rf"\\.|\(\?-i:|\(\?P[<=]\w+[>)]|\[(?:\\.|[^\]\\])*\]|[iksIKS{_LONE}]", keep, pattern, flags=re.DOTALL)


def _next(pattern: str, at: int, inside: bool, multiline: bool) -> tuple[str, int, bool]:
    """What the piece at `at` becomes, how long it is, and whether a class of characters is open behind it."""
    sign = pattern[at]
    if sign == "\\" and at + 1 < len(pattern):
        return *_escape(pattern, at, inside), inside
    if inside:
        return (f"\\{sign}" if sign in _SET_SIGNS else sign), 1, sign != "]"
    if sign == "[":
        if pattern.startswith("[^]", at):
            return r"[\s\S]", 3, False
        if pattern.startswith("[]", at):
            return "(?!)", 2, False
        return ("[^", 2, True) if pattern.startswith("[^", at) else ("[", 1, True)
    if sign == "{" and not _COUNT.match(pattern, at):
        return r"\{", 1, False  # Python would read `{,2}` as a count
    if sign == ".":
        return f"[^{_LINE_ENDS}]", 1, False
    if sign == "^" and multiline:
        return f"(?:^|(?<=[{_LINE_ENDS}]))", 1, False
    if sign == "$":
        # Python's $ also stands before a line feed at the end.
        return (f"(?:\\Z|(?=[{_LINE_ENDS}]))" if multiline else r"\Z"), 1, False
    return sign, 1, False


def _escape(pattern: str, at: int, inside: bool) -> tuple[str, int]:
    letter = pattern[at + 1]
    if letter == "c" and re.match("[A-Za-z]", pattern[at + 2 : at + 3]):
        return f"\\x{ord(pattern[at + 2]) % 32:02x}", 3
    if letter in "xu":
        # Without its digits it stands for itself: `\u{2}` is the letter u, twice.
        digits = re.compile("[0-9A-Fa-f]{2}" if letter == "x" else "[0-9A-Fa-f]{4}").match(pattern, at + 2)
        return (f"\\{letter}{digits[0]}", 2 + len(digits[0])) if digits else (letter, 2)
    if letter in "bB" and not inside:
        return (_BOUNDARY if letter == "b" else _NO_BOUNDARY), 2
    if letter in _CLASSES:
        return (_CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"), 2
    if letter.lower() in _CLASSES and not inside:
        # Without case: a letter that Python folds to one of ASCII is none of them for JavaScript.
        return f"(?-i:[^{_CLASSES[letter.lower()]}])", 2
    if letter in _COMPLEMENTS:
        return _COMPLEMENTS[letter], 2
    if letter.isalnum() and letter.isascii() and letter not in _ESCAPES:
        return letter, 2
    return f"\\{letter}", 2
