"""Between JSON and the values of jsonata-python, where None is JSONata's undefined and NULL is JSON's null.

Nothing is changed in place, and what needs no change is shared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import orjson
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]  # the package ships no types
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.engine import UNDEFINED, Undefined, UnsupportedResultError
from sm_cli.jsonvalue import Json

#: The engine's value for JSON's null.
NULL: Any = Utils.NULL_VALUE

_SCALARS = frozenset((str, bool, int, float))
#: An engine's numbers may be out of JSON's range.
_SAME = frozenset((str, bool))
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def to_engine(value: Json) -> Any:
    """The engine's form of a JSON value."""
    if value is None:
        return NULL
    if not isinstance(value, (dict, list)):
        return value
    try:
        # Far quicker than a walk, and most values hold no null.
        holds_null = b"null" in orjson.dumps(value)
    except TypeError:
        holds_null = True  # it is deeper, or has greater numbers, than orjson writes
    return _with_null(value) if holds_null else value


def _with_null(value: Any) -> Any:
    return NULL if value is None else _map_members(value, _with_null, _SCALARS)


def _map_members(value: Any, convert: Callable[[Any], Any], same: frozenset[type]) -> Any:
    """An object or an array with its members converted, those of a type in `same` excepted; itself if none changes."""
    copy: Any = None
    for key, member in value.items() if type(value) is dict else enumerate(value):
        if type(member) in same:
            continue
        new = convert(member)
        if new is not member:
            if copy is None:
                copy = value.copy()
            copy[key] = new
    return value if copy is None else copy


def walk(value: Any, times: int = 1) -> None:
    """Charge the running evaluation for a look at every item: parts can be shared, so a walk may never end."""
    Jsonata.CURRENT.jsonata.spend(times + (len(value) * times >> 4))


def from_engine(value: Any) -> Json | Undefined:
    """The JSON of an engine's value. Raises UnsupportedResultError for a function."""
    return UNDEFINED if value is None else _json(value)


def _json(value: Any) -> Any:
    kind = type(value)
    if kind in _SAME:
        return value
    if kind is int or kind is float:
        return number(value)
    if kind is dict:
        walk(value)
        # A member that is undefined vanishes; an item of an array keeps its place.
        members = value if None not in value.values() else {k: v for k, v in value.items() if v is not None}
        return _map_members(members, _json, _SAME)
    if isinstance(value, list):
        walk(value)
        return _map_members(value if kind is list else list(value), _json, _SAME)
    if value is NULL or value is None:
        return None
    raise UnsupportedResultError


def number(value: float) -> int | float | str:
    """Whole numbers are integers, as far as 64 bits hold them; as on AWS, a number that JSON has not is its name."""
    if isinstance(value, int):
        return value if _INT64_MIN <= value <= _UINT64_MAX else float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and _INT64_MIN <= value <= _UINT64_MAX else value
