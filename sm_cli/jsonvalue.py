"""JSON values: the one alias, exact reading, dumping, and the copy-on-write set.

A JSON value is never changed in place. Whoever needs another value builds it and shares what
stayed the same; so frames, histories and handlers may hold the same objects.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal, TypeAlias, TypeGuard

import orjson

from sm_cli.errors import InvalidJson

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_INT64_MIN, _INT64_MAX, _UINT64_MAX = -(2**63), 2**63 - 1, 2**64 - 1
#: Handlers may return only what JSON has, as json.dumps sees it: an OrderedDict is an object, a named tuple an
#: array. orjson would otherwise take dataclasses and datetimes too.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

#: Data is nested so many levels deep at most. orjson writes 254; what is in between is for what sm puts around data.
DEEPEST = 200
_SPARE = 254 - DEEPEST
_FEW = 8


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a JSON number: true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def dumps(value: Json) -> str:
    """Compact JSON text, keys in their own order."""
    return orjson.dumps(value).decode()


def size_of(value: Json) -> int:
    """Bytes of the compact JSON text in UTF-8."""
    return len(orjson.dumps(value))


def canonical(value: Json) -> bytes:
    """The one byte string that equal values share: compact, keys sorted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Json) -> str:
    """SHA-256 of the canonical form, as 64 hex digits."""
    import hashlib  # with decimal a twentieth of `sm list`, which needs neither

    return hashlib.sha256(canonical(value)).hexdigest()


def scalar_text(value: Json) -> str:
    """The text under which a correlation value matches: `42`, `42.0` and `"42"` are the same, as are `true`
    and `"true"`."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= _INT64_MAX:
        value = int(value)
    return dumps(value)


def scalar_kind(value: Json) -> Literal["s", "n", "b"]:
    """What `scalar_text` does not tell: a string, a number or a boolean."""
    if isinstance(value, str):
        return "s"
    return "b" if isinstance(value, bool) else "n"


def folded_text(text: str) -> str:
    """What texts share that differ in case and blanks only."""
    return "".join(text.casefold().split())


def loads(text: str | bytes) -> Any:
    """Read back what `dumps` wrote. For text that a person wrote use `loads_exact`."""
    return orjson.loads(text)


def loads_exact(text: str | bytes, *, what: str = "the input") -> Json:
    """Parse JSON that a person or another program wrote, refusing what could not be kept exactly.

    Raises InvalidJson for bytes that are not UTF-8, for text that is not JSON (with line and column), for
    NaN and Infinity, for integers beyond 64 bits, for decimals that a double cannot hold, for an object that
    names a key twice, and for what is nested more than DEEPEST levels deep.
    """
    import json  # what only prints does not read

    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as e:
            raise InvalidJson(f"{what} is not UTF-8: byte {e.start} is 0x{e.object[e.start]:02x}") from None
    try:
        value: Json = json.loads(
            text,
            parse_int=lambda digits: _exact_int(digits, what),
            parse_float=lambda digits: _exact_float(digits, what),
            parse_constant=lambda word: _refuse_constant(word, what),
            object_pairs_hook=lambda pairs: _unique_keys(pairs, what),
        )
    except json.JSONDecodeError as e:
        raise InvalidJson(
            f"{what} is not JSON: {e.msg} at line {e.lineno}, column {e.colno}", line=e.lineno, column=e.colno
        ) from None
    except RecursionError:
        raise InvalidJson(f"{what} is nested more than {DEEPEST} levels deep") from None
    surrogates = re.search(_LONE_SURROGATE, text) is not None
    del text  # what follows writes the value, and a long one is not there three times over
    if is_too_deep(value):
        raise InvalidJson(f"{what} is nested more than {DEEPEST} levels deep")
    if surrogates:
        _refuse_lone_surrogates(value, what)
    return value


_LONE_SURROGATE = r"\\u[dD][89a-fA-F]"


def _refuse_lone_surrogates(value: Json, what: str) -> None:
    try:
        orjson.dumps(value)
    except TypeError:
        raise InvalidJson(f"{what} holds half of a surrogate pair, which no UTF-8 text can hold") from None


def _exact_int(digits: str, what: str) -> int:
    # The length check comes first: int() refuses very long digit strings with a sentence about itself.
    if len(digits) > 21 or not _INT64_MIN <= (value := int(digits)) <= _UINT64_MAX:
        short = digits if len(digits) <= 40 else f"{digits[:20]}… ({len(digits)} digits)"
        raise InvalidJson(f"{what} holds the integer {short}, which does not fit in 64 bits; write it as a string")
    return value


def _exact_float(digits: str, what: str) -> float:
    value = float(digits)
    if math.isinf(value) or (len(digits) > 15 and not _same_decimal(digits, repr(value))):
        short = digits if len(digits) <= 40 else f"{digits[:20]}…"
        raise InvalidJson(f"{what} holds the number {short}, which a double cannot keep exactly; write it as a string")
    return value


def _same_decimal(digits: str, others: str) -> bool:
    from decimal import Decimal

    return Decimal(digits) == Decimal(others)


def _refuse_constant(word: str, what: str) -> float:
    raise InvalidJson(f"{what} holds {word}, which is not JSON")


def _unique_keys(pairs: list[tuple[str, Json]], what: str) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJson(f"{what} names the key {key!r} twice in one object")
            seen.add(key)
    return value


def not_json(value: object, path: str = "$") -> str | None:
    """None when `value` is JSON, else a sentence that names what is not and where."""
    if value is None or type(value) in (str, bool):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path} is {value}, which JSON does not have"
    if isinstance(value, int):
        return None if _INT64_MIN <= value <= _UINT64_MAX else f"{path} is an integer beyond 64 bits"
    if isinstance(value, dict):
        for key, member in value.items():
            if type(key) is not str:
                return f"{path} has the key {key!r} of type {type(key).__name__}; JSON keys are strings"
            if problem := not_json(member, f"{path}.{key}"):
                return problem
        return None
    if isinstance(value, (list, tuple)):
        return next((p for i, item in enumerate(value) if (p := not_json(item, f"{path}[{i}]"))), None)
    if isinstance(value, str):
        return None
    return f"{path} is of type {type(value).__name__}"


def as_json(value: object) -> tuple[Json, str | None]:
    """A handler's own copy of a value, as JSON: (value, None), or (None, the sentence of `not_json`)."""
    is_flat = is_small(value)  # then nothing can be too deep: most results are so, and levels around them cost more
    try:
        encoded = orjson.dumps(value if is_flat else _copy_level(value), _array, _STRICT)
    except (TypeError, RecursionError) as e:
        return None, not_json_safely(value) or (_TOO_DEEP if _is_recursion_end(e) else str(e))
    # orjson writes NaN and Infinity as null, in silence; only then is the slow walk needed.
    if b"null" in encoded and (problem := not_json(value)):
        return None, problem
    if is_flat or len(encoded) < _SHARED:
        return orjson.loads(encoded if is_flat else memoryview(encoded)[_SPARE:-_SPARE]), None
    del encoded
    return _own(value), None


_TOO_DEEP = f"the value is nested more than {DEEPEST} levels deep or holds itself"


def is_too_deep(value: object) -> bool:
    """Whether objects and arrays are nested more than DEEPEST levels deep. Costs what writing the value costs."""
    if not isinstance(value, (dict, list)):
        return False
    if len(value) <= _FEW:  # most data is small and flat, and a look shows that for less
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, (dict, list)):
                break
        else:
            return False
    try:
        orjson.dumps(_copy_level(value))
    except TypeError as e:
        return _is_recursion_end(e)
    return False


class TooLarge(ValueError):
    """A value whose JSON text is longer than it may be."""


class TooDeep(ValueError):
    """A value whose objects and arrays are nested more than DEEPEST levels deep."""


#: JSON data has so many bytes of text at most, unless somebody sets another limit.
MAX_PAYLOAD = 32 << 20
#: What is short whatever it is.
FLAT = frozenset((int, float, bool, type(None)))
#: Below this limit every value is measured exactly; above it, what is flat and short at a look is let through.
_EXACT_BELOW = 1 << 16
#: Characters of a text that is short.
SHORT = 256


def check_bounds(value: Json, limit: int) -> int:
    """Bytes of the value's JSON text; 0 for one that a look shows to be small, where the limit is not. Raises TooLarge
    when it has more than `limit` bytes, TooDeep beyond DEEPEST levels.

    A value that shares its parts may be small in memory and endless as text, so it is never written before it is
    known to be bounded: the work done here is bounded by `limit`, not by the length of the text.
    """
    if limit >= _EXACT_BELOW and is_small(value):
        return 0
    _refuse_expansion(value, limit)
    try:
        size = len(orjson.dumps(_copy_level(value))) - 2 * _SPARE
    except TypeError as e:
        if _is_recursion_end(e):
            raise TooDeep from None
        raise
    if size > limit:
        raise TooLarge
    return size


def is_small(value: Any) -> bool:
    """Whether a short look shows that the value is flat and has some KB of text at most."""
    # Called for each value that is kept: types are compared, which takes a third of the time of isinstance.
    kind = type(value)
    if kind is dict:
        if len(value) > _FEW:
            return False
        for key, item in value.items():
            if type(key) is not str or len(key) > SHORT:
                return False
            kind = type(item)
            if kind not in FLAT and (kind is not str or len(item) > SHORT):
                return False
        return True
    if kind is list:
        if len(value) > _FEW:
            return False
        for item in value:
            kind = type(item)
            if kind not in FLAT and (kind is not str or len(item) > SHORT):
                return False
        return True
    return kind in FLAT or (kind is str and len(value) <= SHORT)


def _refuse_expansion(value: Json, limit: int) -> None:
    """Count what the text has at least, level by level, and stop at the limit."""
    least = 0
    level: list[Json] = [value]
    for _ in range(DEEPEST + 1):
        below: list[Json] = []
        for node in level:
            if isinstance(node, str):
                least += len(node)
            elif isinstance(node, list):
                least += 2 * len(node)  # at least a digit and a comma
                if least <= limit:
                    below += node
            elif isinstance(node, dict):
                least += sum(map(len, node)) + 5 * len(node)
                if least <= limit:
                    below += node.values()
            if least > limit:
                raise TooLarge
        if not below:
            return
        level = below
    raise TooDeep


def _copy_level(value: object) -> object:
    for _ in range(_SPARE):
        value = [value]
    return value


def _is_recursion_end(error: Exception) -> bool:
    return "Recursion limit" in str(error)


def _array(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError


def not_json_safely(value: object) -> str | None:
    """As `not_json`; a value that is nested too deep for that is one more problem."""
    try:
        return not_json(value)
    except RecursionError:
        return _TOO_DEEP


def copy(value: Json) -> Json:
    """A deep copy that shares nothing that can be changed: for handing data to code that may change it."""
    if type(value) not in (dict, list):
        return value
    encoded = orjson.dumps(value)
    if len(encoded) < _SHARED:
        result: Json = orjson.loads(encoded)
        return result
    del encoded
    return _own(value)


#: From so many bytes of text on a copy shares its texts and numbers with what it was made of.
_SHARED = 1 << 20
#: What a value of exactly this type is, JSON is, and nobody can change.
_LEAVES = FLAT | {str}


def _own(value: Any) -> Json:
    """What reading back the written value gives, but texts and numbers are shared. `value` is known to be writable."""
    kind = type(value)
    if kind in _LEAVES:
        leaf: Json = value
        return leaf
    if kind is list or isinstance(value, tuple):
        return [item if type(item) in _LEAVES else _own(item) for item in value]
    if kind is dict:
        return {key: item if type(item) in _LEAVES else _own(item) for key, item in value.items()}
    if isinstance(value, dict):
        return _own(dict(value))
    if isinstance(value, list):
        return _own(list(value))
    written: Json = orjson.loads(orjson.dumps(value, _array, _STRICT))
    return written


class CannotPlace(ValueError):
    """`set_at` met a scalar, or an index beyond the end, on the way."""


def set_at(document: Json, steps: tuple[str | int, ...], value: Json) -> Json:
    """`document` with `value` at `steps`; objects are made on the way, everything else is shared.

    States Language, "ResultPath": missing objects are created; an array index beyond the end or a
    scalar on the way is States.ResultPathMatchFailure, raised here as CannotPlace.
    """
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(document, list) or not -len(document) <= step < len(document):
            raise CannotPlace
        items = document.copy()
        items[step] = set_at(items[step], rest, value)
        return items
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise CannotPlace
    members = document.copy()
    members[step] = set_at(members.get(step), rest, value) if rest else value
    return members
