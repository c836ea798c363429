"""Terraform's functions that a definition is put together with, as far as they need nothing but their arguments.

Source: developer.hashicorp.com/terraform/language/functions. Each raises ValueError, TypeError, KeyError or IndexError
for arguments that are none of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm_cli.jsonvalue import Json, dumps, loads_exact


def as_text(value: Json) -> str:
    """A value inside a longer text."""
    return value if isinstance(value, str) else dumps(value)


def is_known(value: Json) -> bool:
    """Whether no placeholder stands in it."""
    if isinstance(value, dict):
        return all("${" not in key and is_known(member) for key, member in value.items())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return not (isinstance(value, str) and "${" in value)


def operate(sign: str, one: Json, other: Json) -> Json:
    """What an operator gives. Raises ValueError, TypeError."""
    if sign in ("==", "!="):
        return (dumps(one) == dumps(other)) == (sign == "==")
    if sign in ("&&", "||"):
        both = _truth(one), _truth(other)
        return all(both) if sign == "&&" else any(both)
    result: Json = _NUMBERS[sign](number(one), number(other))
    return int(result) if isinstance(result, float) and result.is_integer() else result


def number(value: Json) -> int | float:
    """A number, also one that is written as text. Raises ValueError, TypeError."""
    if isinstance(value, str):
        value = loads_exact(value, what="the number")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(value)
    return value


def _truth(value: Json) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "%": lambda a, b: a % b, "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip


def part_of(value: Json, key: Json) -> Json:
    """The member of an object or the item of a list. Raises KeyError, IndexError, TypeError, ValueError."""
    if isinstance(value, dict):
        return value[as_text(key)]
    if isinstance(value, list):
        return value[int(number(key))]
    raise TypeError(value)


def _flatten(value: Json) -> list[Json]:
    return [each for item in value for each in _flatten(item)] if isinstance(value, list) else [value]


def _format(text: str, *values: Json) -> str:
    for sign in ("%s", "%d", "%v", "%q"):
        text = text.replace(sign, "\0" if sign != "%q" else '"\0"')
    parts = text.replace("%%", "%").split("\0")
    if len(parts) != len(values) + 1:
        raise ValueError(text)
    return parts[0] + "".join(as_text(value) + part for value, part in zip(values, parts[1:], strict=True))


def _merge(*objects: Any) -> Json:
    result: dict[str, Json] = {}
    for each in objects:
        result |= dict(each or {})
    return result


def _distinct(items: list[Json]) -> list[Json]:
    return list({dumps(item): item for item in items}.values())


def _range(*limits: Json) -> list[Json]:
    numbers = range(*(int(number(limit)) for limit in limits))
    if len(numbers) > 1024:
        raise ValueError(limits)
    return list(numbers)


def _lookup(value: dict[str, Json], key: str, *other: Json) -> Json:
    return value.get(key, *other) if other else value[key]


#: By name.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    # objects
    "merge": _merge, "keys": sorted, "values": lambda value: [value[key] for key in sorted(value)], "lookup": _lookup,
    "tomap": dict, "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
    # lists
    "flatten": _flatten, "distinct": _distinct, "range": _range, "length": len, "tolist": list, "sort": sorted,
    "concat": lambda *lists: [item for each in lists for item in each],
    "element": lambda items, index: items[int(number(index)) % len(items)], "reverse": lambda items: items[::-1],
    "toset": lambda items: sorted(_distinct(items), key=as_text), "compact": lambda items: [i for i in items if i],
    "contains": lambda items, item: item in items,
    # texts
    "format": _format, "join": lambda sign, items: sign.join(as_text(item) for item in items),
    "split": lambda sign, text: text.split(sign), "replace": lambda text, old, new: text.replace(old, new),
    "upper": str.upper, "lower": str.lower, "title": str.title, "trimspace": str.strip,
    "chomp": lambda text: text.rstrip("\r\n"), "trimprefix": str.removeprefix, "trimsuffix": str.removesuffix,
    "jsonencode": dumps, "jsondecode": lambda text: loads_exact(text, what="the text"), "tostring": as_text,
    # numbers and the rest
    "tonumber": number, "tobool": lambda value: {"true": True, "false": False}[as_text(value)],
    "min": lambda *numbers: min(map(number, numbers)), "max": lambda *numbers: max(map(number, numbers)),
    "abs": lambda value: abs(number(value)), "nonsensitive": lambda value: value, "sensitive": lambda value: value,
}  # fmt: skip
