"""What each of the eighteen intrinsic functions does, and their table.

FUNCTIONS is the truth about arity and argument types. A function is called only with arguments that its row
has checked; what it still cannot do it says by ArgumentsError. States Language, "Intrinsic Functions" and Appendix B.

A function that wants whole numbers rounds other ones half up, as AWS documents; Hash takes any value.
"""

from __future__ import annotations

import binascii
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, TypeAlias

from sm_cli.errors import InvalidJson
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json, dumps, loads_exact

#: Answers what is wrong with an argument, as "must be a string, not 5", or None.
Check: TypeAlias = Callable[[Json], "str | None"]

MAX_CHARACTERS = 10_000
MAX_ITEMS = 1_000
MAX_DEPTH = 200
#: So many delimiters are looked for one by one; more of them in one go, character by character.
_FEW = 16
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class ArgumentsError(Exception):
    """A function cannot do what it is asked to: `reason` is a clause for a person."""

    def __init__(self, reason: str, function: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.function = function


def _half_up(number: float) -> int:
    whole = math.floor(number)
    return whole + (number - whole >= 0.5)


# -- what an argument may be ---------------------------------------------------------------------------------------


def _display_value(value: Json) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    text = dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _anything(_value: Json) -> str | None:
    return None


def _text(value: Json) -> str | None:
    return None if type(value) is str else f"must be a string, not {_display_value(value)}"


def _short_text(value: Json) -> str | None:
    if type(value) is str and len(value) > MAX_CHARACTERS:
        return f"may have at most {MAX_CHARACTERS} characters, not {len(value)}"
    return _text(value)


def _short(value: Json) -> str | None:
    return _short_text(value) if type(value) is str else None  # any other value is measured when it is written


def _array(value: Json) -> str | None:
    return None if type(value) is list else f"must be an array, not {_display_value(value)}"


def _object(value: Json) -> str | None:
    return None if type(value) is dict else f"must be an object, not {_display_value(value)}"


def _integer(value: Json) -> str | None:
    if type(value) is not int and type(value) is not float:
        return f"must be a number, not {_display_value(value)}"
    if not _INT32_MIN <= value <= _INT32_MAX:
        return f"must lie between {_INT32_MIN} and {_INT32_MAX}, not be {_display_value(value)}"
    return None


def _positive(value: Json) -> str | None:
    return _integer(value) or (None if _half_up(value) >= 1 else f"must be at least 1, not {_display_value(value)}")  # type: ignore[arg-type]  # _integer said so


def _index(value: Json) -> str | None:
    return _integer(value) or (None if _half_up(value) >= 0 else f"must be at least 0, not {_display_value(value)}")  # type: ignore[arg-type]  # _integer said so


def _step(value: Json) -> str | None:
    return _integer(value) or (None if _half_up(value) else "must not be 0")  # type: ignore[arg-type]  # _integer said so


def _number(value: Json) -> str | None:
    return None if type(value) is int or type(value) is float else f"must be a number, not {_display_value(value)}"


def _algorithm(value: Json) -> str | None:
    if type(value) is str and value in _ALGORITHMS:
        return None
    return f"must be one of {', '.join(_ALGORITHMS)}, not {_display_value(value)}"


def _shallow(value: Json) -> str | None:
    if value is True:
        return "must be false: only shallow merging is supported"
    return None if value is False else f"must be false, not {_display_value(value)}"


# -- the functions; the checks above have passed before one is called ------------------------------------------------


def equality_key(value: Json, depth: int = 0) -> Any:
    """A hashable that two JSON values share exactly when they are equal: 1 and 1.0 are, 1 and true are not. Raises
    ArgumentsError beyond the depth of data."""
    if depth > MAX_DEPTH:
        raise ArgumentsError(f"the values are nested deeper than {MAX_DEPTH} levels")
    if type(value) is bool:
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", tuple([equality_key(item, depth + 1) for item in value]))
    if isinstance(value, dict):
        return ("object", frozenset([(key, equality_key(item, depth + 1)) for key, item in value.items()]))
    return value


def java_text(value: Json, depth: int = 0) -> str:
    """A value as Java writes it into a text: `{a=1, b=[x, y]}`, texts without quotes, 1e21 as `1.0E21`. Raises
    ArgumentsError."""
    if type(value) is str:
        return value
    if depth > MAX_DEPTH:
        raise ArgumentsError(f"a value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return "{" + ", ".join([f"{key}={java_text(member, depth + 1)}" for key, member in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([java_text(item, depth + 1) for item in value]) + "]"
    if type(value) is float:
        return _java_double(value)
    return str(value) if type(value) is int else _compact(value)


def _java_double(value: float) -> str:
    """Java, Double.toString: plain from 0.001 to below 10,000,000, else `d.dddEn`."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int), "JSON has no NaN and no Infinity"
    figures = "".join(map(str, digits)).rstrip("0")
    power = exponent + len(digits) - 1
    return f"{'-' * sign}{figures[0]}.{figures[1:] or '0'}E{power}"


def _compact(value: Json) -> str:
    try:
        return dumps(value)
    except TypeError as e:
        raise ArgumentsError(f"the value cannot be written as JSON: {e}") from None


def text_or_json(value: Json) -> str:
    """A string as it is, another value as its JSON text."""
    return value if type(value) is str else _compact(value)


_ESCAPED = re.compile(r"\\[{}'\\]")
_ESCAPED_OR_PLACE = re.compile(r"\\(?P<escaped>[{}'\\])|\{\}")


def format_pattern(template: str, arguments: int) -> str:
    """`template` as a %-format with a %s for each {}; refused when braces stand alone or the count is another.
    Raises ArgumentsError."""
    bare = _ESCAPED.sub(" ", template) if "\\" in template else template
    alone = re.search("[{}]", bare.replace("{}", ""))
    if alone is not None:
        raise ArgumentsError(rf"the template holds a {alone[0]} on its own; write it as \{alone[0]}")
    count = bare.count("{}")
    if count != arguments:
        follow = "1 value follows" if arguments == 1 else f"{arguments} values follow"
        raise ArgumentsError(f"the template has {count} {{}}, but {follow} it")
    return _ESCAPED_OR_PLACE.sub(lambda part: part["escaped"] or "%s", template.replace("%", "%%"))


def _format(template: str, *values: Json) -> Json:
    return format_pattern(template, len(values)) % tuple([java_text(value) for value in values])


def _string_to_json(text: str) -> Json:
    if not text.strip(" \t\r\n"):
        return None
    try:
        return loads_exact(text, what="the text")
    except InvalidJson as e:
        raise ArgumentsError(e.message) from None


def _array_partition(scope: Scope, items: list[Json], size: float) -> Json:
    chunk, most = _half_up(size), scope.limits.elements
    if len(items) > chunk * most:
        raise ArgumentsError(f"it would make {-(-len(items) // chunk):,} arrays; at most {most:,} are allowed")
    return [items[i : i + chunk] for i in range(0, len(items), chunk)]


def _array_contains(items: list[Json], value: Json) -> Json:
    """What Python calls equal is looked at again: it takes 1 for true."""
    try:
        alike = [item for item in items if item == value]
    except RecursionError:
        raise ArgumentsError(f"the values are nested deeper than {MAX_DEPTH} levels") from None
    if not alike:
        return False
    key = equality_key(value)
    return any(equality_key(item) == key for item in alike)


def _array_range(first: float, last: float, step: float) -> Json:
    # The end is included: one beyond it, in the direction of the step, is where range() stops.
    stride = _half_up(step)
    numbers = range(_half_up(first), _half_up(last) + (1 if stride > 0 else -1), stride)
    if len(numbers) > MAX_ITEMS:
        raise ArgumentsError(f"the range has {len(numbers)} items; at most {MAX_ITEMS} are allowed")
    return list(numbers)


def _array_get_item(items: list[Json], index: float) -> Json:
    at = _half_up(index)
    if not 0 <= at < len(items):
        raise ArgumentsError(f"the index {at} lies outside the array, which has {len(items)} items")
    return items[at]


def _array_unique(scope: Scope, items: list[Json]) -> Json:
    if len(items) > scope.limits.elements:
        raise ArgumentsError(f"the array has {len(items):,} items; at most {scope.limits.elements:,} are compared")
    first: dict[Any, Json] = {}
    for item in items:
        first.setdefault(equality_key(item), item)
    return list(first.values())


def _base64_encode(text: str) -> Json:
    return binascii.b2a_base64(text.encode(), newline=False).decode()


def _base64_decode(text: str) -> Json:
    try:
        return binascii.a2b_base64(text, strict_mode=True).decode()
    except UnicodeDecodeError:
        raise ArgumentsError("the decoded bytes are not UTF-8 text") from None
    except ValueError:  # binascii.Error is one, and a letter beyond ASCII raises the bare kind
        raise ArgumentsError("the text is not base64") from None


def _hash(data: Json, algorithm: str) -> Json:
    text = text_or_json(data)
    if problem := _short_text(text):
        raise ArgumentsError(f"the value written as JSON {problem}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _math_add(one: float, other: float) -> Json:
    total = _half_up(one) + _half_up(other)
    if problem := _integer(total):
        raise ArgumentsError(f"the sum {problem}")
    return total


def _math_random(scope: Scope, start: float, end: float, *seed: float) -> Json:
    first, beyond = _half_up(start), _half_up(end)
    if first >= beyond:
        raise ArgumentsError(f"the end {beyond} must be greater than the start {first}")
    return (Random(_half_up(seed[0])) if seed else scope.random()).randrange(first, beyond)


def _string_split(text: str, delimiters: str) -> Json:
    if not delimiters:
        return [text] if text else []
    first, *others = dict.fromkeys(delimiters)
    if len(others) < _FEW:
        for delimiter in others:
            text = text.replace(delimiter, first)
    else:
        text = text.translate(dict.fromkeys(map(ord, others), first))
    return [piece for piece in text.split(first) if piece]


def _uuid(scope: Scope) -> Json:
    bits = scope.random().getrandbits(128)
    # RFC 4122, 4.4: version 4 in the top nibble of byte 6, variant 10 in the top bits of byte 8.
    digits = f"{bits & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# -- the table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Function:
    """One row: how to apply it, what its arguments must be, how many of them may be left out.

    `more` checks every further argument of a function that takes any number; `needs_scope` puts the Scope first.
    """

    #: Called with the arguments, which were checked.
    apply: Callable[..., Json]
    #: One for each argument, in order.
    checks: tuple[Check, ...]
    #: How many of the last arguments may be left out.
    optional: int = 0
    more: Check | None = None
    needs_scope: bool = False

    def check(self, index: int) -> Check:
        """What the argument of this index must be."""
        return self.checks[index] if index < len(self.checks) else (self.more or _anything)

    def arity_problem(self, count: int) -> str | None:
        """What is wrong with so many arguments; None when nothing is."""
        least, most = len(self.checks) - self.optional, len(self.checks)
        if count >= least and (count <= most or self.more):
            return None
        if self.more:
            return f"takes at least {least} argument, not {count}"
        number = str(most) if least == most else f"{least} or {most}"
        return f"takes {number} argument{'s' if most != 1 else ''}, not {count}"


#: States Language, Appendix B, "List of ASL Intrinsic Functions"; the keys stand without their "States.".
FUNCTIONS: Mapping[str, Function] = {
    "Array": Function(lambda *items: list(items), (), more=_anything),
    "ArrayContains": Function(_array_contains, (_array, _anything)),
    "ArrayGetItem": Function(_array_get_item, (_array, _index)),
    "ArrayLength": Function(len, (_array,)),
    "ArrayPartition": Function(_array_partition, (_array, _positive), needs_scope=True),
    "ArrayRange": Function(_array_range, (_integer, _integer, _step)),
    "ArrayUnique": Function(_array_unique, (_array,), needs_scope=True),
    "Base64Decode": Function(_base64_decode, (_short_text,)),
    "Base64Encode": Function(_base64_encode, (_short_text,)),
    "Format": Function(_format, (_text,), more=_anything),
    "Hash": Function(_hash, (_short, _algorithm)),
    "JsonMerge": Function(lambda one, other, _deep: {**one, **other}, (_object, _object, _shallow)),
    "JsonToString": Function(_compact, (_anything,)),
    "MathAdd": Function(_math_add, (_integer, _integer)),
    "MathRandom": Function(_math_random, (_integer, _integer, _number), optional=1, needs_scope=True),
    "StringSplit": Function(_string_split, (_text, _text)),
    "StringToJson": Function(_string_to_json, (_text,)),
    "UUID": Function(_uuid, (), needs_scope=True),
}
