"""JSONata's functions of text, where jsonata-python differs from JSONata 2.0.6.

None is undefined. A function is called with arguments that its signature has checked.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote

from jsonata.functions import Functions  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.higher_order import call_function, regex_matches, units
from sm_cli.expr.jsonata.regex import Match, Regex
from sm_cli.expr.jsonata.text import as_string, check_length

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
#: What encodeURI leaves alone, and decodeURI therefore too.
_RESERVED = re.compile("%(?:23|24|26|2B|2C|2F|3A|3B|3D|3F|40)", re.IGNORECASE)


def _string(value: Any, prettify: bool | None) -> str | None:
    return None if value is None else as_string(value, indent=prettify is True)


def _number(value: Any) -> float | None:
    if value is None or not isinstance(value, str):
        return None if value is None else float(value) if isinstance(value, float) else int(value)
    number = math.inf
    if _NUMBER.fullmatch(value):
        number = float(value)
    elif _RADIX.fullmatch(value) and len(value) < 256:
        number = float(int(value, 0))
    if math.isinf(number):
        raise JException("D3030", -1, value)
    return number


def _substring(value: str | None, start: float | None, length: float | None) -> str | None:
    if value is None or start is None:
        return value
    begin = max(start, -len(value))
    if length is None:
        return value[math.trunc(begin) :]
    if length <= 0:
        return ""
    begin = begin if begin >= 0 else len(value) + begin
    return value[math.trunc(begin) : math.trunc(begin + length)]


def _lowercase(value: str | None) -> str | None:
    return None if value is None else value.lower()


def _pad(value: str | None, width: float | None, sign: str | None) -> str | None:
    if value is None:
        return None
    check_length(abs(int(width or 0)))
    result: str | None = Functions.pad(value, width, sign)
    return result


def _join(pieces: list[str] | None, separator: str | None) -> str | None:
    if pieces is None:
        return None
    between = separator or ""
    check_length(sum(map(len, pieces)) + len(between) * len(pieces))
    return between.join(pieces)


# -- regular expressions ---------------------------------------------------------------------------------------------


def _check_limit(limit: float | None, code: str) -> int | None:
    """How many there may be: all when it is None."""
    if limit is not None and limit < 0:
        raise JException(code, -1, limit)
    return None if limit is None else math.ceil(limit)


def _contains(value: str | None, token: Any) -> bool | None:
    if value is None or isinstance(token, str):
        return None if value is None else token in value
    if not isinstance(token, Regex):
        raise JException("T1010", -1, "contains")  # a matcher that is a function of the user's
    return token.search(value) is not None


def _match(value: str | None, pattern: Any, limit: float | None) -> Any:
    if value is None:
        return None
    most = _check_limit(limit, "D3040")
    matches = (
        {"match": match[0], "index": units(value, match.start()), "groups": list(match.groups())}
        for match in islice(regex_matches(pattern, value), most)
    )
    return Utils.create_sequence_from_iter(matches)


def _split(value: str | None, separator: Any, limit: float | None) -> list[str] | None:
    if value is None:
        return None
    most = _check_limit(limit, "D3020")
    if isinstance(separator, str):
        parts = value.split(separator) if separator else list(value)
        return parts if limit is None else parts[: math.floor(limit)]
    pieces: list[str] = []
    start = 0
    for match in islice(regex_matches(separator, value), most):
        pieces.append(value[start : match.start()])
        start = match.end()
    if most is None or len(pieces) < most:
        pieces.append(value[start:])
    return pieces


def _replace(value: str | None, pattern: Any, replacement: Any, limit: float | None) -> str | None:
    if value is None:
        return None
    if pattern == "":
        raise JException("D3010", -1)
    most = _check_limit(limit, "D3011")
    if isinstance(pattern, str):
        return _replace_text(value, pattern, replacement, most)
    pieces: list[str] = []
    start = length = 0
    for match in islice(regex_matches(pattern, value), most):
        new = _expand(replacement, match) if isinstance(replacement, str) else _call_replacement(replacement, match)
        pieces += (value[start : match.start()], new)
        start = match.end()
        length += len(new)
        check_length(length)
    return "".join(pieces) + value[start:]


def _replace_text(value: str, pattern: str, replacement: Any, most: int | None) -> str:
    if not isinstance(replacement, str):
        raise JException("D3012", -1, replacement)
    count = value.count(pattern) if most is None else min(most, value.count(pattern))
    check_length(len(value) + count * len(replacement))
    return value.replace(pattern, replacement, count)


def _call_replacement(function: Any, match: Match) -> str:
    match_object = {
        "match": match[0],
        "start": units(match.string, match.start()),
        "end": units(match.string, match.end()),
        "groups": list(match.groups()),
    }
    new = call_function(function, match_object)
    if not isinstance(new, str):
        raise JException("D3012", -1, new)
    return new


def _expand(template: str, match: Match) -> str:
    """The replacement text: `$$` is a dollar sign, `$0` the match, `$n` its n-th group."""
    groups = match.groups()
    digits = len(str(len(groups)))

    def value(reference: re.Match[str]) -> str:
        number, rest = reference[1], ""
        if number == "$":
            return "$"
        if number[0] == "0":
            return match[0] + number[1:]
        number, rest = number[:digits], number[digits:]
        if digits > 1 and int(number) > len(groups):
            number, rest = number[: digits - 1], number[digits - 1 :] + rest
        return (groups[int(number) - 1] or "" if int(number) <= len(groups) else "") + rest

    return re.sub(r"\$(\$|[0-9]+)", value, template)


# -- encodings -------------------------------------------------------------------------------------------------------


def _base64decode(value: str | None) -> str | None:
    """As UTF-8, as `$base64encode` writes it; bytes that are none are taken for letters, as JSONata does."""
    if value is None:
        return None
    try:
        # Padding may be left out.
        data = binascii.a2b_base64(value + "=" * (-len(value) % 4))
    except ValueError as e:
        raise JException(f"the text given to $base64decode is not base64: {e}", -1) from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decoder(name: str, keep: re.Pattern[str] | None) -> Callable[[str | None], str | None]:
    def decode(value: str | None) -> str | None:
        if value is None:
            return None
        if re.search("%(?![0-9A-Fa-f]{2})", value):
            raise JException("D3140", -1, name, value)
        # What is kept is written so that decoding it gives it back.
        text = keep.sub(lambda match: f"%25{match[0][1:]}", value) if keep else value
        try:
            return unquote(text, errors="strict")
        except UnicodeDecodeError:
            raise JException("D3140", -1, name, value) from None

    return decode


STRINGS: Mapping[str, Callable[..., Any]] = {
    "base64decode": _base64decode,
    "contains": _contains,
    "decodeUrl": _decoder("decodeUrl", _RESERVED),
    "decodeUrlComponent": _decoder("decodeUrlComponent", None),
    "join": _join,
    "lowercase": _lowercase,
    "match": _match,
    "number": _number,
    "pad": _pad,
    "replace": _replace,
    "split": _split,
    "string": _string,
    "substring": _substring,
}
