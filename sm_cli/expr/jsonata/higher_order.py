"""JSONata's functions that take a function: `$map`, `$filter`, `$single`, `$reduce`, `$each`, `$sift`; and matching.

None is undefined. A function that is handed over is called as one that is named is: its arguments are checked
against its signature first, which jsonata-python leaves out. It gets the position and the whole only if it takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import NULL
from sm_cli.expr.jsonata.operators import truth
from sm_cli.expr.jsonata.regex import Match, Regex
from sm_cli.jsonvalue import is_number

#: Where a function of the package's takes more than JSONata's own does.
_TAKES = {"string": 1, "zip": 0}


def call_function(function: Any, *arguments: Any) -> Any:
    """The result of a function, a lambda or a regular expression; the context of the call is null."""
    current = Jsonata.CURRENT.jsonata
    return current.apply(function, list(arguments), NULL, current.environment)


def _takes(function: Any) -> int:
    """How many arguments a function has names for."""
    if isinstance(function, Regex):
        return 2
    if isinstance(function, Jsonata.JFunction):
        arity: int = function.get_number_of_args()
        return _TAKES.get(function.function_name, arity)
    return len(function.arguments) if hasattr(function, "arguments") else 0


def _with(function: Any, value: Any, at: Any, whole: Any) -> Any:
    return call_function(function, *(value, at, whole)[: max(1, min(3, _takes(function)))])


def _map(values: list[Any] | None, function: Any) -> Any:
    if values is None:
        return None
    results = [_with(function, value, index, values) for index, value in enumerate(values)]
    return Utils.create_sequence_from_iter(result for result in results if result is not None)


def _filter(values: list[Any] | None, function: Any) -> Any:
    if values is None:
        return None
    matches = [value for index, value in enumerate(values) if truth(_with(function, value, index, values))]
    return Utils.create_sequence_from_iter(matches)


def _single(values: list[Any] | None, function: Any) -> Any:
    if values is None:
        return None
    matches = []
    for index, value in enumerate(values):
        if function is None or truth(_with(function, value, index, values)):
            matches.append(value)
            if len(matches) > 1:
                raise JException("D3138", index)
    if not matches:
        raise JException("D3139", -1)
    return matches[0]


def _reduce(values: list[Any] | None, function: Any, init: Any) -> Any:
    if values is None:
        return None
    arity = _takes(function)
    if arity < 2:
        raise JException("D3050", 1)
    begin = 1 if init is None and values else 0
    result = values[0] if begin else init
    for index in range(begin, len(values)):
        result = call_function(function, *(result, values[index], index, values)[: min(4, arity)])
    return result


def _each(value: dict[str, Any] | None, function: Any) -> Any:
    results = [_with(function, member, name, value) for name, member in (value or {}).items()]
    return Utils.create_sequence_from_iter(result for result in results if result is not None)


def _sift(value: dict[str, Any] | None, function: Any) -> Any:
    if value is None:
        return None
    return {name: member for name, member in value.items() if truth(_with(function, member, name, value))} or None


def merge_sort(values: list[Any], swap: Callable[[Any, Any], bool]) -> list[Any]:
    """Stable, and it asks only whether two items must change places: the comparator need not be an order."""
    if len(values) <= 1:
        return values
    middle = len(values) // 2
    left, right = merge_sort(values[:middle], swap), merge_sort(values[middle:], swap)
    result, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if swap(left[i], right[j]):
            result.append(right[j])
            j += 1
        else:
            result.append(left[i])
            i += 1
    return result + left[i:] + right[j:]


# -- regular expressions ---------------------------------------------------------------------------------------------


def regex_matches(pattern: Any, value: str) -> Iterator[Match]:
    """One after the other; an empty one is an error, but for the first where nothing else follows. Raises
    JException."""
    if not isinstance(pattern, Regex):
        raise JException("T1010", -1, "match")  # a matcher that is a function of the user's
    match = pattern.search(value)
    while match is not None:
        following = _next(pattern, match)  # asked for first: JSONata looks ahead of any limit
        yield match
        match = following


def _next(pattern: Regex, before: Match) -> Match | None:
    if before.end() >= len(before.string):
        return None
    match = pattern.search(before.string, before.end())
    if match is not None and not match[0]:
        raise JException("D1004", -1)
    return match


def units(value: str, at: int) -> int:
    """The offset of a character as JavaScript counts, for which one beyond U+FFFF is two."""
    return at if value.isascii() else len(value[:at].encode("utf-16-le", "surrogatepass")) // 2


def match_at(pattern: Regex, arguments: list[Any]) -> Any:
    """What a regular expression gives that is called as a function: (text, where to begin)."""
    value, begin = (*arguments, None, None)[:2]
    if not isinstance(value, str):
        return None
    return _match_value(pattern, pattern.search(value, max(0, int(begin)) if is_number(begin) else 0))


def _match_value(pattern: Regex, match: Match | None) -> Any:
    if match is None:
        return None
    return {
        "match": match[0],
        "start": units(match.string, match.start()),
        "end": units(match.string, match.end()),
        "groups": list(match.groups()),
        "next": Jsonata.JLambda(lambda: _match_value(pattern, _next(pattern, match))),
    }


HIGHER: Mapping[str, Callable[..., Any]] = {
    "each": _each,
    "filter": _filter,
    "map": _map,
    "reduce": _reduce,
    "sift": _sift,
    "single": _single,
}
