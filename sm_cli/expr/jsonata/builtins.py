"""JSONata's own functions, where jsonata-python differs from JSONata 2.0.6: numbers, arrays, objects, time.

None is undefined, NULL is null. A function is called with arguments that its signature has checked. Time is the
scope's, which the evaluator knows: no clock is read.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from jsonata.functions import Functions  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import walk
from sm_cli.expr.jsonata.higher_order import HIGHER, call_function, merge_sort
from sm_cli.expr.jsonata.operators import clone, is_function, truth
from sm_cli.expr.jsonata.pictures.date_reading import read_date, read_iso
from sm_cli.expr.jsonata.pictures.dates import format_date
from sm_cli.expr.jsonata.pictures.integers import format_integer, parse_integer
from sm_cli.expr.jsonata.pictures.numbers import format_number
from sm_cli.expr.jsonata.regex import Regex
from sm_cli.expr.jsonata.strings import STRINGS
from sm_cli.expr.jsonata.text import code_units, number_text
from sm_cli.jsonvalue import is_number

#: AWS has no `$eval`.
REMOVED = frozenset({"eval"})

# -- numbers ---------------------------------------------------------------------------------------------------------


def _round(value: float | None, digits: float | None) -> float | None:
    """Half to even, of the number as it is written."""
    if value is None:
        return None
    if abs(value) >= 2**53 and (digits or 0) >= 0:
        return float(value)  # there is no fraction
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
    whole = _round(value, None)
    if whole is None or not math.isfinite(whole):
        raise JException(f"{value} cannot be written with the base {base}", -1)
    if base == 10:
        return str(int(whole)) if abs(whole) < 2**53 else number_text(whole)
    rest, digits = abs(int(whole)), ""
    while rest:
        rest, digit = divmod(rest, base)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"{'-' if whole < 0 else ''}{digits or '0'}"


def _format_integer(value: float | None, picture: str) -> str | None:
    return None if value is None else format_integer(value, picture)


def _parse_integer(value: str | None, picture: str) -> float | None:
    return None if value is None else parse_integer(value, picture)


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
        return sorted(values, key=code_units) if isinstance(values[0], str) else sorted(values)
    return merge_sort(values, lambda left, right: truth(call_function(comparator, left, right)))


def _keys(value: Any) -> Any:
    return Utils.create_sequence_from_iter(_names(value))


def _names(value: Any) -> dict[str, None]:
    if isinstance(value, dict):
        return dict.fromkeys(value)
    names: dict[str, None] = {}
    for item in value if isinstance(value, list) else ():
        walk(value)
        names.update(_names(item))
    return names


def _spread(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        return value
    objects: list[Any] = []
    _spread_into(value, objects)
    # One object by itself stands for its one member; what was an array stays one.
    return objects if isinstance(value, list) and value else Utils.create_sequence_from_iter(objects)


def _spread_into(value: Any, objects: list[Any]) -> None:
    if isinstance(value, (dict, list)):
        walk(value)
    if isinstance(value, dict):
        objects.extend({name: member} for name, member in value.items())
    elif isinstance(value, list):
        for item in value:
            _spread_into(item, objects)
    elif value is not None:
        objects.append(value)


def _error(message: str | None) -> None:
    raise JException("D3137", -1, message or "$error() function evaluated")


def _assert(condition: bool | None, message: str | None) -> None:
    if not condition:
        raise JException("D3141", -1, message or "$assert() statement failed")


def _type(value: Any) -> str | None:
    return "function" if isinstance(value, Regex) else Functions.type(value)


# -- time ------------------------------------------------------------------------------------------------------------


def _millis() -> int:
    return int(Jsonata.CURRENT.jsonata.scope.now // 1000)


def _from_millis(millis: float | None, picture: str | None, zone: str | None) -> str | None:
    return None if millis is None else format_date(millis, picture, zone)


def _now(picture: str | None, zone: str | None) -> str:
    return format_date(_millis(), picture, zone)


def _to_millis(value: str | None, picture: str | None) -> float | None:
    if value is None:
        return None
    return read_iso(value) if picture is None else read_date(value, picture, _millis())


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
