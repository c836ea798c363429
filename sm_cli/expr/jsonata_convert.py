"""Between JSON and the values of jsonata-python, where None is JSONata's undefined and NULL is JSON's null.

Rule: nothing is changed in place, and what needs no change is shared.
"""

from __future__ import annotations

import math
from typing import Any

import orjson
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]  # the package ships no types
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata_engine import UNDEFINED, EngineError, Undefined, UnsupportedResultError
from sm_cli.jsonvalue import Json

#: The engine's value for JSON's null.
NULL: Any = Utils.NULL_VALUE

_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def to_engine(value: Json) -> Any:
    """The engine's form of a JSON value."""
    if value is None:
        return NULL
    if not isinstance(value, (dict, list)):
        return value
    try:
        # Far quicker than a walk, and most values hold no null.
        if b"null" not in orjson.dumps(value):
            return value
    except TypeError:
        return _with_null(value)  # deeper, or with greater numbers, than orjson writes
    return _with_null(value)


def _with_null(value: Any) -> Any:
    if value is None:
        return NULL
    if isinstance(value, dict):
        return _changed_object(value, {key: _with_null(member) for key, member in value.items()})
    if isinstance(value, list):
        return _changed_array(value, [_with_null(item) for item in value])
    return value


def _changed_object(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    if len(new) == len(old) and all(member is new[key] for key, member in old.items()):
        return old
    return new


def _changed_array(old: list[Any], new: list[Any]) -> list[Any]:
    if type(old) is list and all(one is other for one, other in zip(old, new, strict=True)):
        return old
    return new


def from_engine(value: Any) -> Json | Undefined:
    """The JSON of an engine's value. Raises UnsupportedResultError for a function, EngineError for NaN and Infinity."""
    return UNDEFINED if value is None else _json(value)


def _json(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return whole_characters(value)
    if kind is bool:
        return value
    if kind is int or kind is float:
        return number(value)
    if kind is dict:
        Jsonata.CURRENT.jsonata.spend(1)  # parts can be shared, so that a value is endless to walk
        # A member that is undefined vanishes; an item of an array keeps its place.
        return _changed_object(value, {key: _json(member) for key, member in value.items() if member is not None})
    if isinstance(value, list):
        Jsonata.CURRENT.jsonata.spend(1)
        return _changed_array(value, [_json(item) for item in value])
    if value is NULL or value is None:
        return None
    raise UnsupportedResultError


def whole_characters(value: str) -> str:
    """Text in which the halves of a surrogate pair are one character; JSON is UTF-8, which cannot hold a half."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def number(value: float) -> int | float:
    """Whole numbers are integers, as far as 64 bits hold them."""
    if isinstance(value, int):
        return value if _INT64_MIN <= value <= _UINT64_MAX else float(value)
    if not math.isfinite(value):
        raise EngineError("D1001", f"Number out of range: {'NaN' if math.isnan(value) else 'Infinity'}")
    return int(value) if value.is_integer() and _INT64_MIN <= value <= _UINT64_MAX else value
