"""The words that every drawing of a graph shares: symbols, summaries, and text that is safe to draw.

A drawing shows one line where there is one; a character that would move the cursor, break the line or
turn the direction of writing is shown as its escape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from sm_cli.asl.graph.graph import Mark, Node

#: One column each.
SYMBOLS: Mapping[str, str] = {
    "SUCCEEDED": "✓",
    "FAILED": "✗",
    "CAUGHT": "✗",
    "RUNNING": "●",
    "ABORTED": "■",
    "TIMED_OUT": "✗",
}
#: Colours of a status where a drawing can have any: fill, stroke.
PALETTE: Mapping[str, tuple[str, str]] = {
    "SUCCEEDED": ("#d1fae5", "#059669"),
    "FAILED": ("#fee2e2", "#dc2626"),
    "CAUGHT": ("#fef3c7", "#d97706"),
    "RUNNING": ("#dbeafe", "#2563eb"),
    "ABORTED": ("#e5e7eb", "#6b7280"),
    "TIMED_OUT": ("#fee2e2", "#dc2626"),
}
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """The text with every control, format and unassigned character written as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escape(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")


def marked_name(node: Node, mark: Mark | None) -> str:
    """`✓ Name ×3`: the name with what happened to it."""
    if mark is None:
        return node.name
    often = f" ×{mark.count}" if mark.count > 1 else ""
    return f"{SYMBOLS.get(mark.status, '?')} {node.name}{often}"


def state_summary(node: Node) -> str:
    """`Task process:order`: what a state is, in one line."""
    if node.missing:
        return "missing"
    return f"{node.type} {node.detail}".strip()


def width_of(text: str) -> int:
    """How many columns a terminal takes for a text: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def _columns(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1


def shorten(text: str, width: int, *, keep_end: bool = False) -> str:
    """The text within so many columns, its end replaced by `…` where it is cut. keep_end: its beginning is."""
    text = plain(text)
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    part, cells = "", 0
    for c in reversed(text) if keep_end else text:
        cells += _columns(c)
        if cells > width - 1:
            break
        part += c
    return f"…{part[::-1].lstrip(' ')}" if keep_end else f"{part}…"
