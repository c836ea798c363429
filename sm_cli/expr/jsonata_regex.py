"""JSONata's regular expressions, which are JavaScript's, as Python's.

Rule: what means the same in both stays; what only JavaScript knows is rewritten; what Python cannot do raises re.error.
"""

from __future__ import annotations

import re
from typing import Any

#: What a class of characters holds: JavaScript's are of ASCII.
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_"}
#: Letters that mean something behind a backslash in both languages; any other stands for itself.
_ESCAPES = frozenset("bBdDsSwWfnrtvxu0123456789")
#: What Python would take for a set operation inside a class.
_SET_SIGNS = frozenset("[&~|")


def compile_regex(pattern: str, flags: Any) -> re.Pattern[str]:
    """`flags` has `case_insensitive` and `multiline`. Raises re.error."""
    options = re.IGNORECASE if flags.case_insensitive else re.NOFLAG
    if flags.multiline:
        options |= re.MULTILINE
    return re.compile(translate(pattern, multiline=flags.multiline), options)


def translate(pattern: str, *, multiline: bool = False) -> str:
    out: list[str] = []
    inside = False  # a class of characters
    at = 0
    while at < len(pattern):
        piece, taken, inside = _next(pattern, at, inside, multiline)
        out.append(piece)
        at += taken
    return "".join(out)


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
    if sign == "$" and not multiline:
        return r"\Z", 1, False  # Python's $ also stands before a line feed at the end
    if pattern.startswith("(?<", at) and pattern[at + 3 : at + 4] not in ("=", "!"):
        return "(?P<", 3, False
    return sign, 1, False


def _escape(pattern: str, at: int, inside: bool) -> tuple[str, int]:
    letter = pattern[at + 1]
    if letter == "k" and (name := re.compile(r"<(\w+)>").match(pattern, at + 2)):
        return f"(?P={name[1]})", 2 + len(name[0])
    if letter in _CLASSES:
        return (_CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"), 2
    if letter.lower() in _CLASSES and not inside:
        return f"[^{_CLASSES[letter.lower()]}]", 2
    if letter.isalnum() and letter.isascii() and letter not in _ESCAPES:
        return letter, 2
    return f"\\{letter}", 2
