"""The functions that AWS adds to JSONata, and the random functions of JSONata.

They speak plain JSON and know no engine; what is random comes from the scope. AWS, "Transforming data with
JSONata in Step Functions": `$partition $range $hash $random $uuid $parse`; there is no `$eval`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from random import Random

from sm_cli.errors import InvalidJson
from sm_cli.expr.intrinsics.calls import FUNCTIONS as INTRINSICS
from sm_cli.expr.jsonata.engine import FunctionError, HostFunction, Sequence
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json, loads_exact

#: The most items that one call may make.
MAX_ITEMS = 1_000_000
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _partition(_scope: Scope, items: list[Json], size: float) -> Json:
    chunk = math.floor(size)
    if chunk < 1:
        raise FunctionError(f"$partition needs chunks of at least 1 item, not {size}")
    return [items[i : i + chunk] for i in range(0, len(items), chunk)]


def _range(_scope: Scope, first: float, last: float, step: float) -> Json:
    if step == 0:
        raise FunctionError("$range needs a step that is not 0")
    # The end is included; a millionth of a step forgives what binary fractions add up to.
    count = math.floor((last - first) / step + 1e-6) + 1
    if count > MAX_ITEMS:
        raise FunctionError(f"$range would make {count} items; at most {MAX_ITEMS} are allowed")
    return Sequence(first + i * step for i in range(count))


def _hash(_scope: Scope, text: str, algorithm: str) -> Json:
    name = _ALGORITHMS.get(algorithm)
    if name is None:
        raise FunctionError(f"$hash knows {', '.join(_ALGORITHMS)}, but not {algorithm}")
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _parse(_scope: Scope, text: str) -> Json:
    try:
        return loads_exact(text, what="the text given to $parse")
    except InvalidJson as e:
        raise FunctionError(e.message) from None


def _random(scope: Scope, seed: float | None) -> Json:
    return (scope.random() if seed is None else Random(seed)).random()


def _shuffle(scope: Scope, items: list[Json]) -> Json:
    copy = items.copy()
    scope.random().shuffle(copy)
    return copy


FUNCTIONS: Mapping[str, HostFunction] = {
    "hash": HostFunction("<ss:s>", _hash),
    "parse": HostFunction("<s:x>", _parse),
    "partition": HostFunction("<an:a>", _partition),
    "random": HostFunction("<n?:n>", _random),
    "range": HostFunction("<nnn:a>", _range),
    "shuffle": HostFunction("<a:a>", _shuffle),
    "uuid": HostFunction("<:s>", INTRINSICS["UUID"].apply),
}
