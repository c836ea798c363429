"""What sentences say of names: which of those that exist is nearest, several in a row, a path in the other language.

Capital letters count for nothing, because they are what is most often wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(word: str, words: Iterable[str], least: float = 0.6) -> str | None:
    """The name nearest to a word; None where none is alike. `least` is from 0, anything, to 1, the word itself."""
    names: dict[str, str] = {}
    for name in words:
        names.setdefault(name.lower(), name)
    close = get_close_matches(word.lower(), names, 1, least)
    return names[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """`did you mean 'order'?`, of the name nearest to a word; None where none is alike."""
    near = nearest(word, words)
    return None if near is None else f"did you mean {near!r}?"


def as_jsonata(path: str) -> str:
    """What a plain path of JSONPath is in JSONata."""
    root = "$states.context" if path.startswith("$$") else "$states.input"
    return root + path.lstrip("$")


def enumeration(names: Sequence[str], word: str = "and") -> str:
    """`A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
