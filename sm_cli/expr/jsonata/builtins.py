"""JSONata's own functions, where jsonata-python differs from JSONata 2.0.6: numbers, arrays, objects, time.

Rule: None is undefined, NULL is null. A function is called with arguments that its signature has checked. Time is the
scope's, which the evaluator knows: no clock is read.
"""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from jsonata.functions import Functions  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import walk
from sm_cli.expr.jsonata.higher_order import HIGHER, call, merge_sort
from sm_cli.expr.jsonata.operators import clone, is_function, is_number, truth
from sm_cli.expr.jsonata.pictures import format_number
from sm_cli.expr.jsonata.regex import Regex
from sm_cli.expr.jsonata.strings import STRINGS

#: AWS has no `$eval`.
REMOVED = frozenset({"eval"})

# -- numbers ---------------------------------------------------------------------------------------------------------


def _round(value: float | None, digits: float | None) -> float | None:
    """Half to even, of the number as it is written."""
    if value is None:
        return None
    return float(round(Decimal(repr(value)), math.floor(digits or 0)))


def _power(base: float | None, exponent: float | None) -> float | None:
    if base is None:
        return None
    if exponent is None:
        raise JException("D3061", -1, base, exponent)
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        raise JException("D3061", -1, base, exponent) from None
    return result


def _sum(values: list[float] | None) -> float | None:
    # One after the other, as JSONata does: sum() would correct the roundings.
    return None if values is None else functools.reduce(operator.add, values, 0.0)


def _average(values: list[float] | None) -> float | None:
    return functools.reduce(operator.add, values, 0.0) / len(values) if values else None


def _format_base(value: float | None, radix: float | None) -> str | None:
    if value is None:
        return None
    base = 10 if radix is None else int(radix)
    if not 2 <= base <= 36:
        raise JException("D3100", -1, base)
    written: str | None = Functions.format_base(value, base)
    return written


#: How the package begins what it says of a picture, and JSONata's code for it.
_PICTURE_ERRORS = {
    "Formatting or parsing": "D3130",
    "In a decimal digit": "D3131",
    "Unknown component": "D3132",
    "The 'name' modifier": "D3133",
    "The timezone": "D3134",
    "No matching": "D3135",
    "The date/time picture": "D3136",
}


def _pictured(function: Callable[..., Any], picture: str | None, *arguments: Any) -> Any:
    """What the package's function gives, with its errors in JSONata's words."""
    try:
        return function(*arguments)
    except KeyError as e:
        # A letter that is no component of a picture, or a name that is none of a month.
        raise JException("D3132" if len(str(e.args[0])) == 1 else "D3136", -1, e.args[0]) from None
    except RuntimeError as e:
        code = next((code for begin, code in _PICTURE_ERRORS.items() if str(e).startswith(begin)), None)
        if code is None:
            raise
        named = re.search(r"\[([^MxFP\s\]])[nN]", picture or "") if code == "D3133" else None
        raise JException(code, -1, named[1] if named else picture) from None


def _format_integer(value: float | None, picture: str | None) -> str | None:
    if value is None:
        return None
    written: str = _pictured(Functions.format_integer, picture, math.floor(value), picture)
    return written


def _parse_integer(value: str | None, picture: str | None) -> float | None:
    if value is None:
        return None
    try:
        number: float | None = _pictured(Functions.parse_integer, picture, value, picture)
    except ValueError:
        leading = re.match(r"\s*[-+]?[0-9]+", value)
        return int(leading[0]) if leading else math.nan
    return number


def _format_number(value: float | None, picture: str, options: dict[str, Any] | None) -> str | None:
    return None if value is None else format_number(value, picture, options)


# -- arrays and objects ----------------------------------------------------------------------------------------------


def _boolean(value: Any) -> bool | None:
    return None if value is None else _true(value)


def _not(value: Any) -> bool | None:
    return None if value is None else not _true(value)


def _true(value: Any) -> bool:
    """JSONata wraps an argument that is a function, and the wrapper is false."""
    return not is_function(value) and truth(value)


def _distinct(values: Any) -> Any:
    if not isinstance(values, list) or len(values) <= 1:
        return values
    first: dict[Any, Any] = {}
    for value in values:
        first.setdefault(_identity(value), value)
    items = list(first.values())
    return Utils.create_sequence_from_iter(items) if Utils.is_sequence(values) else items


def _identity(value: Any) -> Any:
    """A key that equal values share, and no others."""
    if isinstance(value, dict):
        walk(value, 4)
        return "object", frozenset((key, _identity(member)) for key, member in value.items())
    if isinstance(value, list):
        walk(value, 4)
        return "array", tuple([_identity(item) for item in value])
    if isinstance(value, (str, bool)) or is_number(value):
        return type(value) if isinstance(value, (str, bool)) else float, value
    return "other", id(value)


def _sort(values: list[Any] | None, comparator: Any) -> Any:
    if values is None or len(values) <= 1:
        return values
    if comparator is None:
        if not all(map(is_number, values)) and not all(isinstance(value, str) for value in values):
            raise JException("D3070", -1)
        return sorted(values)
    return merge_sort(values, lambda left, right: truth(call(comparator, left, right)))


def _keys(value: Any) -> Any:
    return Utils.create_sequence_from_iter(_names(value))


def _names(value: Any) -> dict[str, None]:
    if isinstance(value, dict):
        return dict.fromkeys(value)
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else ():
        walk(value)
        found.update(_names(item))
    return found


def _spread(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        return value
    found: list[Any] = []
    _spread_into(value, found)
    # One object by itself stands for its one member; what was an array stays one.
    return found if isinstance(value, list) and value else Utils.create_sequence_from_iter(found)


def _spread_into(value: Any, found: list[Any]) -> None:
    if isinstance(value, (dict, list)):
        walk(value)
    if isinstance(value, dict):
        found.extend({name: member} for name, member in value.items())
    elif isinstance(value, list):
        for item in value:
            _spread_into(item, found)
    elif value is not None:
        found.append(value)


def _error(message: str | None) -> None:
    raise JException("D3137", -1, message or "$error() function evaluated")


def _assert(condition: bool | None, message: str | None) -> None:
    if not condition:
        raise JException("D3141", -1, message or "$assert() statement failed")


def _type(value: Any) -> str | None:
    return "function" if isinstance(value, Regex) else Functions.type(value)


# -- time ------------------------------------------------------------------------------------------------------------

_ISO = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(T[0-2]\d:[0-5]\d:[0-5]\d)?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.ASCII
)
#: The beginning of the year 100, in milliseconds.
_YEAR_100 = (datetime(100, 1, 1) - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
#: What a picture can say, from the greatest unit to the least, by their letters.
_DATE_PARTS = (("Y", "[Y0001]", "%Y"), ("M", "[M01]", "%m"), ("D", "[D01]", "%d"))


def _millis() -> int:
    return int(Jsonata.CURRENT.jsonata.scope.now // 1000)


def _from_millis(millis: float | None, picture: str | None, zone: str | None) -> str | None:
    if zone is not None and not re.fullmatch(r"[+-]?\d{4}", zone):
        raise JException(f"a time zone is written like +0530, not {zone}", -1)
    try:
        written: str | None = _pictured(Functions.datetime_from_millis, picture, millis, picture, zone)
    except (ValueError, OverflowError):
        raise JException(f"the moment {millis} lies outside of the years 1 to 9999", -1) from None
    return written


def _now(picture: str | None, zone: str | None) -> str | None:
    return _from_millis(_millis(), picture, zone)


def _to_millis(value: str | None, picture: str | None) -> int | None:
    if value is None:
        return None
    if picture is not None:
        return _parsed(value, picture)
    match = _ISO.fullmatch(value)
    if match is None:
        raise JException("D3110", -1, value)
    year, month, day, time, fraction, zone = match.groups()
    written = f"{year}-{month or '01'}-{day or '01'}{time or 'T00:00:00'}{fraction or ''}{zone or ''}"
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise JException("D3110", -1, value) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000 // 1)


def _parsed(value: str, picture: str) -> int | None:
    """By the picture. What is greater than its greatest unit is today's, and the package would ask the clock for it."""
    said = {match[1] for match in re.finditer(r"\[(?!\[)\s*([A-Za-z])", picture.replace("[[", ""))}
    missing = []
    if not said & set("XxWw"):
        for letter, part, code in _DATE_PARTS:
            if letter in said or (letter != "Y" and "d" in said):
                break
            missing.append((part, code))
    if missing:
        today = datetime.fromtimestamp(_millis() / 1000, UTC)
        value = f"{'-'.join(today.strftime(code) for _, code in missing)} {value}"
        picture = f"{'-'.join(part for part, _ in missing)} {picture}"
    try:
        parsed: int | None = _pictured(Functions.datetime_to_millis, picture, value, picture)
        if parsed is not None and parsed < _YEAR_100:
            # Two digits are of the twentieth century, as JavaScript's dates have it.
            early = datetime(1970, 1, 1) + timedelta(milliseconds=parsed)
            parsed += (early.replace(year=early.year + 1900) - early) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise JException("D3110", -1, value) from None  # no such day or month
    return parsed


BUILTINS: Mapping[str, Callable[..., Any]] = {
    **HIGHER,
    **STRINGS,
    "assert": _assert,
    "average": _average,
    "boolean": _boolean,
    "clone": clone,
    "distinct": _distinct,
    "error": _error,
    "formatBase": _format_base,
    "formatInteger": _format_integer,
    "formatNumber": _format_number,
    "fromMillis": _from_millis,
    "keys": _keys,
    "millis": _millis,
    "not": _not,
    "now": _now,
    "parseInteger": _parse_integer,
    "power": _power,
    "round": _round,
    "sort": _sort,
    "spread": _spread,
    "sum": _sum,
    "toMillis": _to_millis,
    "type": _type,
}
