"""What a terminal, a log or a CI system would obey, written so that a person reads it instead.

Every line of text leaves through `escape`, in `output.text`, `failures.say` and the formatters of `logs`; names,
causes, keys and paths are other people's text. An escape is the one that JSON has, so JSON stays the same value.
"""

from __future__ import annotations

import re

# Patterns as text: `re` compiles each when a line first needs it, and most commands print none that does.

#: Control characters (C0, DEL, C1), line and paragraph separators, what changes the direction of text or is not seen,
#: halves of surrogate pairs, tags. Joiners stay: scripts and emoji need them.
_HIDDEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: A colour as this program writes it.
_COLOUR = "(\x1b\\[[0-9;]*m)"


def escape(line: str) -> str:
    """One line of text with nothing in it that is obeyed: `\\n`, `\\u001b`, `\\u202e`."""
    return line if line.isprintable() else re.sub(_HIDDEN, _escape, line)


def escaped_lines(text: str) -> str:
    """Text of several lines that this program has broken itself."""
    return text if text.isprintable() else "\n".join(map(escape, text.split("\n")))


def escape_painted(text: str) -> str:
    """`escaped_lines` for text that has colours of ours; whoever paints has escaped what is painted."""
    return "".join(part if i % 2 else escaped_lines(part) for i, part in enumerate(re.split(_COLOUR, text)))


def mark_lines(trace: str) -> str:
    """A traceback with a mark before each line: its messages are data, and a CI system obeys lines that begin as they
    like, blanks passed over."""
    return "\n".join(f"| {line}" for line in escaped_lines(trace.rstrip()).split("\n"))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if (short := _SHORT.get(character)) is not None:
        return short
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    return f"\\u{0xD7C0 + (number >> 10):04x}\\u{0xDC00 | number & 0x3FF:04x}"
