"""What each operation may be given: botocore's model of it, and the answers to what does not fit.

`model.json` is made of botocore's model by a test, which fails when the two differ. A value of the wrong type is a
SerializationException; what breaks a constraint is a ValidationException with AWS's sentence, all of them in one. A
member that the model does not have is passed over, as on AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sm_cli.jsonvalue import Json, dumps
from sm_cli.server.aws.refusals import CallRefused

#: What Coral, which reads requests at AWS, calls the types of JSON.
_TOKENS = {str: "STRING_VALUE", bool: "", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_WANTED = {"string": "a String", "boolean": "a Boolean", "integer": "an Integer", "long": "a Long", "float": "a Float"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "long": (int,), "float": (int, float),
    "list": (list,), "structure": (dict,),
}  # fmt: skip
#: Bits of AWS's whole numbers.
_BITS = {"integer": 31, "long": 63}
#: A sentence quotes so much of a value.
_QUOTED = 256


@cache
def model() -> dict[str, Any]:
    """The operations with their inputs and exceptions, and the shapes that the inputs are made of."""
    whole: dict[str, Any] = json.loads((Path(__file__).parent / "model.json").read_text(encoding="utf-8"))
    return whole


def operations() -> tuple[str, ...]:
    """The names of all."""
    return tuple(model()["operations"])


def check_request(operation: str, parameters: Json) -> dict[str, Any]:
    """The parameters, which fit the operation. Raises CallRefused."""
    shape = model()["operations"][operation]["input"]
    if not isinstance(parameters, dict):
        raise CallRefused("SerializationException", "The body of a request is a JSON object.")
    for problem in _misfits(shape, parameters, ""):
        raise CallRefused("SerializationException", problem)
    problems = list(_violations(shape, parameters, ""))
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        raise CallRefused("ValidationException", f"{len(problems)} validation {errors} detected: {'; '.join(problems)}")
    return {name: value for name, value in parameters.items() if value is not None}


def unknown_members(operation: str, parameters: Json) -> list[str]:
    """The names that the operation does not have, by name."""
    members = model()["shapes"][model()["operations"][operation]["input"]]["members"]
    return sorted(name for name in parameters if name not in members) if isinstance(parameters, dict) else []


def _misfits(name: str, value: Json, path: str) -> Iterator[str]:
    """What of a value has the wrong type."""
    shape = model()["shapes"][name]
    kind = shape["type"]
    if value is None:
        return
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits:
        yield f"{_conversion(kind, value)}{f' (at {path})' if path else ''}"
    elif kind in _BITS and isinstance(value, int) and not -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind]:
        yield f"{value} is no {_WANTED[kind].split()[1]} (at {path})"
    elif isinstance(value, dict):
        for member, inner in value.items():
            if member in shape["members"]:
                yield from _misfits(shape["members"][member], inner, f"{path}.{member}" if path else member)
    elif isinstance(value, list):
        for i, inner in enumerate(value, start=1):
            yield from _misfits(shape["member"], inner, f"{path}.{i}.member")


def _conversion(kind: str, value: Json) -> str:
    if kind in ("list", "structure"):
        return f"Expected {'list' if kind == 'list' else 'structure'} or null"
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list):
        return "Start of list found where not expected"
    token = f"{str(value).upper()}_VALUE" if isinstance(value, bool) else _TOKENS[type(value)]
    return f"{token} can not be converted to {_WANTED[kind]}"


def _violations(name: str, value: Any, path: str) -> Iterator[str]:
    """Each constraint that a value breaks, as AWS says it."""
    shape = model()["shapes"][name]
    kind = shape["type"]
    if kind == "structure":
        for member in shape.get("required", ()):
            if value.get(member) is None:
                where = f"{path}.{member}" if path else member
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for member, inner in value.items():
            if member in shape["members"] and inner is not None:
                yield from _violations(shape["members"][member], inner, f"{path}.{member}" if path else member)
        return
    if kind == "list":
        for i, inner in enumerate(value, start=1):
            if inner is not None:
                yield from _violations(shape["member"], inner, f"{path}.{i}.member")
    for constraint in _broken_constraints(shape, kind, value):
        yield f"{_quote(shape, value)} at '{path}' failed to satisfy constraint: Member must {constraint}"


def _broken_constraints(shape: dict[str, Any], kind: str, value: Any) -> Iterator[str]:
    measured, what = (len(value), "length") if kind in ("string", "list") else (value, "value")
    if "min" in shape and measured < shape["min"]:
        yield f"have {what} greater than or equal to {shape['min']}"
    if "max" in shape and measured > shape["max"]:
        yield f"have {what} less than or equal to {shape['max']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"satisfy enum value set: [{', '.join(shape['enum'])}]"
    if "pattern" in shape and not _matches(shape["pattern"], value):
        yield f"satisfy regular expression pattern: {shape['pattern']}"


def _matches(pattern: str, value: str) -> bool:
    return value.isascii() if pattern == r"\p{ASCII}*" else re.fullmatch(pattern, value) is not None


def _quote(shape: dict[str, Any], value: Any) -> str:
    """What AWS says of a value: nothing of one that may be secret."""
    if shape.get("sensitive"):
        return "Value"
    text = value if isinstance(value, str) else dumps(value)
    return f"Value '{text if len(text) <= _QUOTED else text[:_QUOTED] + '…'}'"
