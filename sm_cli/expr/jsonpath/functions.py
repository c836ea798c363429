"""The functions that may end a path: `$.items.length()`, `$..price.max()`, `$.concat("a", $.b)`.

One pure function each, in Jayway's meaning: numbers come out as decimals (`sum()` of 1 and 2 is 3.0),
what is not a number is passed over, and an aggregate of nothing is an error rather than a zero.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import TypeAlias

from sm_cli.expr.jsonpath.steps import Node, PathNotFound, json_text
from sm_cli.jsonvalue import is_number

#: (the value that the path found, the arguments) → the value of the path.
Function: TypeAlias = Callable[[Node, Sequence[Node]], Node]

_NOTHING = "Aggregation function attempted to calculate value using empty array"


def _spread(values: Sequence[Node]) -> list[Node]:
    """Arguments as one list: an array stands for its items."""
    return [item for value in values for item in (value if isinstance(value, list) else (value,))]


def _aggregate(calculate: Callable[[list[float]], float]) -> Function:
    def function(value: Node, arguments: Sequence[Node]) -> Node:
        candidates = [*(value if isinstance(value, list) else ()), *_spread(arguments)]
        numbers = [float(item) for item in candidates if is_number(item)]
        if not numbers:
            raise PathNotFound(_NOTHING)
        result = calculate(numbers)
        if not math.isfinite(result):
            raise PathNotFound("Aggregation function met numbers too large for a decimal")
        return result

    return function


def _sum(numbers: Iterable[float]) -> float:
    # One by one from the left, as Java does: sum() of later Pythons corrects the rounding, and so differs.
    return reduce(operator.add, numbers, 0.0)


def _average(numbers: list[float]) -> float:
    return _sum(numbers) / len(numbers)


def _standard_deviation(numbers: list[float]) -> float:
    mean = _average(numbers)
    return math.sqrt(_sum((number - mean) * (number - mean) for number in numbers) / len(numbers))


def _length(value: Node, arguments: Sequence[Node]) -> Node:
    if arguments and isinstance(arguments[0], list):
        value = arguments[0]
    return len(value) if isinstance(value, (list, dict)) else None


def _keys(value: Node, _arguments: Sequence[Node]) -> Node:
    return list(value) if isinstance(value, dict) else None


def _concat(value: Node, arguments: Sequence[Node]) -> Node:
    own = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    texts = [item if isinstance(item, str) else json_text(item) for item in _spread(arguments) if item is not None]
    return "".join(own + texts)


def _append(value: Node, arguments: Sequence[Node]) -> Node:
    return [*value, *arguments] if isinstance(value, list) else value


def _item(value: Node, position: Node) -> Node:
    if not isinstance(value, list) or not is_number(position) or not -len(value) <= position < len(value):
        raise PathNotFound(_NOTHING)
    return value[int(position)]


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "length": _length,
        "size": _length,
        "keys": _keys,
        "min": _aggregate(min),
        "max": _aggregate(max),
        "sum": _aggregate(_sum),
        "avg": _aggregate(_average),
        "stddev": _aggregate(_standard_deviation),
        "concat": _concat,
        "append": _append,
        "first": lambda value, _arguments: _item(value, 0),
        "last": lambda value, _arguments: _item(value, -1),
        "index": lambda value, arguments: _item(value, arguments[0] if arguments else None),
    }
)
