"""The binary operators of JSONata over jsonata-python's values, by the rules of JSONata 2.0.6.

None is undefined, NULL is null, True is no number. The engine's own operators are not used, because they divide
by zero with a Python error, round what `%` gives, and hold 1 and true for equal in `in`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import walk
from sm_cli.expr.jsonata.engine import LimitExceededError
from sm_cli.expr.jsonata.text import as_string, check_length, code_units
from sm_cli.jsonvalue import is_number

#: The widest range that JSONata itself makes; an evaluation's own limit is lower.
MAX_RANGE = 10_000_000


def truth(value: Any) -> bool:
    """JSONata's `$boolean`, with undefined as false; an array is as true as any of its items."""
    if isinstance(value, list):
        walk(value)
        return any(truth(item) for item in value)
    if isinstance(value, (bool, int, float, str, dict)):
        return bool(value)
    # A function is an object with members there; undefined, null and a regular expression are false.
    return is_function(value)


def is_function(value: Any) -> bool:
    """Whether it is a function of JSONata's or of the user's."""
    return isinstance(value, Jsonata.JFunction) or getattr(value, "_jsonata_lambda", False) is True


def equal(left: Any, right: Any) -> bool:
    """Deep equality; undefined equals nothing."""
    if left is None or right is None:
        return False
    if isinstance(left, list):
        walk(left)
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(equal(one, other) for one, other in zip(left, right, strict=True))
        )
    if isinstance(left, dict):
        walk(left)
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(member, right[key]) for key, member in left.items())
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def clone(value: Any) -> Any:
    """A copy that shares nothing."""
    if isinstance(value, dict):
        walk(value)
        return {key: clone(member) for key, member in value.items()}
    if isinstance(value, list):
        walk(value)
        return [clone(item) for item in value]
    return value


def flat(values: list[Any], result: list[Any]) -> None:
    """Add to `result` what is in `values` and in the arrays inside it."""
    walk(values)
    for value in values:
        if isinstance(value, list):
            flat(value, result)
        else:
            result.append(value)


def lookup(value: Any, name: str) -> Any:
    """The member of that name; of an array those of its items, as a sequence."""
    if isinstance(value, dict):
        return value.get(name)
    if not isinstance(value, list):
        return None
    walk(value)
    result = Utils.create_sequence()
    for item in value:
        member = lookup(item, name)
        if isinstance(member, list):
            result.extend(member)
        elif member is not None:
            result.append(member)
    return result


def position(index: float, length: int) -> int:
    """The place, from 0, that an index means in so many items: its whole part, from the end when it is negative."""
    whole = int(index // 1)
    return whole + length if whole < 0 else whole


def differ(left: Any, right: Any, node: Any) -> bool:
    """Whether two values of one term of a sorting differ. Raises JException (T2007, T2008) for what has no order."""
    for each in (left, right):
        if not is_number(each) and not isinstance(each, str):
            raise JException("T2008", node.position, each)
    if isinstance(left, str) is not isinstance(right, str):
        raise JException("T2007", node.position, left, right)
    return bool(left != right)


def together(items: list[Any]) -> Any:
    """One item as it is, several as one array, into which the arrays among them are spread."""
    if len(items) == 1:
        return items[0]
    result = Utils.JList()
    for item in items:
        if isinstance(item, list):
            result.extend(item)
        elif item is not None:
            result.append(item)
    return result


def _unequal(left: Any, right: Any) -> bool:
    return left is not None and right is not None and not equal(left, right)


def _arithmetic(sign: str, compute: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if left is not None:
            _check_number(left, "T2001", sign)
        if right is not None:
            _check_number(right, "T2002", sign)
        if left is None or right is None:
            return None
        return whole_number(compute(float(left), float(right)))

    return apply


def _check_number(value: Any, code: str, sign: str) -> None:
    if not is_number(value):
        raise JException(code, -1, sign, value)
    if not math.isfinite(value):
        raise JException("D1001", -1, value)


def whole_number(value: float) -> float:
    """An integer when it is whole."""
    return int(value) if value.is_integer() else value


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.copysign(math.inf, left) * math.copysign(1, right) if left else math.nan


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right else math.nan


def _comparison(sign: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        for value in (left, right):
            if value is not None and not is_number(value) and not isinstance(value, str):
                raise JException("T2010", -1, sign, value)
        if left is None or right is None:
            return None
        if isinstance(left, str) is not isinstance(right, str):
            raise JException("T2009", -1, left, right, sign)
        return compare(code_units(left), code_units(right)) if isinstance(left, str) else compare(left, right)

    return apply


def _concatenate(left: Any, right: Any) -> str:
    one, other = as_string(left), as_string(right)
    check_length(len(one) + len(other))
    return one + other


def _range(left: Any, right: Any) -> Any:
    for code, value in (("T2003", left), ("T2004", right)):
        if value is not None and not (is_number(value) and float(value).is_integer()):
            raise JException(code, -1, value)
    if left is None or right is None or left > right:
        return None
    first, last = int(left), int(right)
    evaluator = Jsonata.CURRENT.jsonata
    if last - first >= MAX_RANGE:
        raise JException("D2014", -1, last - first + 1)
    most = evaluator.scope.limits.span
    if last - first >= most:
        raise LimitExceededError(f"makes a range of {last - first + 1:,} items; {most:,} are allowed")
    evaluator.build(last - first + 1)
    return Utils.create_sequence_from_iter(range(first, last + 1))


def _includes(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    items = right if isinstance(right, list) else [right]
    if isinstance(left, (dict, list)):
        return any(left is item for item in items)  # one and the same, not an equal one
    return any(equal(left, item) for item in items)


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", _divide),
    "%": _arithmetic("%", _remainder),
    "=": equal,
    "!=": _unequal,
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "&": _concatenate,
    "..": _range,
    "in": _includes,
}
