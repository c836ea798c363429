"""JSON as JSONata writes it: `$string`, the operator `&`, and the numbers in both.

What JavaScript's JSON.stringify writes, with numbers of at most 15 digits. JSONata, "String functions".
"""

from __future__ import annotations

import json
import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

from sm_cli.expr.jsonata.convert import NULL, walk

#: The most characters that one function or operator may make.
MAX_TEXT = 16_000_000
#: How many digits of a number are written.
_FIFTEEN = Context(prec=15, rounding=ROUND_HALF_UP)


def check_length(characters: int) -> None:
    """Raises when a text would be longer than one evaluation may make."""
    if characters > MAX_TEXT:
        raise JException(f"a text of {characters} characters is longer than the {MAX_TEXT} that are allowed", -1)


def code_units(value: str) -> str:
    """Each character beyond U+FFFF as its two halves: JavaScript compares texts by these."""
    if value.isascii():
        return value
    halves = value.encode("utf-16-le", "surrogatepass")
    return "".join([chr(low | high << 8) for low, high in zip(halves[::2], halves[1::2], strict=True)])


def as_string(value: Any, indent: bool = False) -> str:
    """A string as it is, anything else as JSON; nothing for undefined and for functions. Raises JException (D3001)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise JException("D3001", -1, value)
    if not isinstance(value, (dict, list)):
        return _scalar(value, "")
    pieces = _Pieces(indent)
    pieces.write(value, "\n")
    return "".join(pieces.pieces)


def number_text(value: float) -> str:
    """A number as JavaScript writes it, rounded to 15 digits. Raises JException (D1001)."""
    if isinstance(value, int) and -(10**15) < value < 10**15:
        return str(value)
    shortest = repr(value)
    # What takes no more than 15 digits is itself; of two that are as near, JavaScript takes the greater.
    decimal = float(value) if len(shortest) <= 15 else float(_FIFTEEN.create_decimal(value))
    if not math.isfinite(decimal):
        raise JException("D1001", -1, value)
    if decimal == 0:
        return "0"
    if 1e-6 <= abs(decimal) < 1e21:
        plain = f"{Decimal(repr(decimal)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits, _, exponent = repr(decimal).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent):+d}"


def _scalar(value: Any, function: str) -> str:
    """`function` is what stands for a function or a regular expression."""
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else function


class _Pieces:
    """The pieces of a JSON text. Values can share parts: what is written, not what is there, is limited."""

    def __init__(self, indent: bool) -> None:
        self.indent = indent
        self.pieces: list[str] = []
        self.length = 0

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)
        check_length(self.length)

    def write(self, value: Any, margin: str) -> None:
        if isinstance(value, (dict, list)):
            walk(value)
        if isinstance(value, dict):
            members = [(f"{json.dumps(key, ensure_ascii=False)}:", member) for key, member in value.items()]
            self.list("{", [each for each in members if each[1] is not None], "}", margin)
        elif isinstance(value, list):
            self.list("[", [("", NULL if item is None else item) for item in value], "]", margin)
        else:
            self.add(_scalar(value, '""'))

    def list(self, begin: str, members: list[tuple[str, Any]], end: str, margin: str) -> None:
        if not members:
            self.add(begin + end)
            return
        inside = f"{margin}  " if self.indent else ""
        self.add(begin)
        for index, (name, member) in enumerate(members):
            self.add(f"{',' if index else ''}{inside}{name}{' ' if name and self.indent else ''}")
            self.write(member, inside)
        self.add((margin if self.indent else "") + end)
