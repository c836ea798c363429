"""One small JSON Schema (draft 2020-12) for each shape of object, made from the field table.

No schema reaches into another; an object that holds others is checked level by level, so that an error
always says which field of which object is wrong. `fits` answers yes or no without the jsonschema package,
whose import costs more than checking a thousand states; only for a no is jsonschema asked what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sm_cli.asl.fields import GROUPS, OPEN_SHAPES, Groups, Kind, Language, fields_of
from sm_cli.jsonvalue import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

#: A JSONata expression: the whole text, with no blank outside.
EXPRESSION = r"^\{%[\s\S]*%\}$"
#: `${Name}` of SAM, CDK and Terraform: a value of any type, not known here.
_SUBSTITUTION = re.compile(r"\$\{[^{}]+\}")
#: A whole value of `%NAME%` or `__NAME__`: other tools' ways to write the same.
_PLACEHOLDER = re.compile(r"%[A-Za-z]\w*%|__[A-Za-z]\w*__")


def is_substitution(value: Json) -> bool:
    """Whether a text holds `${Name}`: then what it will be is unknown."""
    return isinstance(value, str) and "${" in value and _SUBSTITUTION.search(value) is not None


def is_unknown(value: Json) -> bool:
    """Whether a value is a text that another tool replaces before the definition is used."""
    return isinstance(value, str) and (is_substitution(value) or _PLACEHOLDER.fullmatch(value) is not None)


@lru_cache(maxsize=256)
def schema_of(shape: str, language: Language) -> Mapping[str, Any]:
    """The JSON Schema of a shape in a query language. Objects inside are only asked to be objects."""
    kinds = fields_of(shape, language)
    groups = GROUPS.get(shape, Groups())
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{shape} ({language})",
        "type": "object",
        "properties": {name: _value_schema(kind, language) for name, kind in kinds.items()},
        "required": list(groups.required),
    }
    if shape not in OPEN_SHAPES:
        schema["additionalProperties"] = False
    conditions: list[dict[str, Any]] = [
        {"not": {"required": list(pair)}}
        for pair in groups.at_most_one
        if shape in OPEN_SHAPES or kinds.keys() >= set(pair)
    ]
    for fields in groups.at_least_one:
        usable = [name for name in fields if shape in OPEN_SHAPES or name in kinds]
        conditions.append({"anyOf": [{"required": [name]} for name in usable]})
    if conditions:
        schema["allOf"] = conditions
    return schema


def _value_schema(kind: Kind, language: Language) -> dict[str, Any]:
    schema = dict(kind.schema)
    if kind.expression and language == "JSONata":
        json_type = schema.get("type", [])
        types = list(json_type) if isinstance(json_type, list) else [json_type]
        if "string" not in types:
            # Bounds concern only numbers and the pattern only texts, so one flat schema says both.
            return {**schema, "type": [*types, "string"], "pattern": EXPRESSION}
    return schema


_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
}


def _is(name: str, value: Json) -> bool:
    if name == "integer":
        return _is("number", value) and (isinstance(value, int) or float(str(value)).is_integer())
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def fits(schema: Mapping[str, Any], value: Json) -> bool:
    """Whether a value satisfies a schema of this module: exactly what jsonschema would answer, except that
    a text that another tool will replace fits wherever a value stands."""
    json_type = schema.get("type")
    if json_type is not None and not any(
        _is(name, value) for name in ([json_type] if isinstance(json_type, str) else json_type)
    ):
        return is_unknown(value)
    if "enum" in schema and value not in schema["enum"]:
        return is_unknown(value)
    if isinstance(value, dict):
        return _object_fits(schema, value)
    if isinstance(value, list):
        items = schema.get("items")
        return len(value) >= schema.get("minItems", 0) and (items is None or all(fits(items, v) for v in value))
    if isinstance(value, str):
        return _text_fits(schema, value)
    if isinstance(value, (int, float)):
        return not value < schema.get("minimum", value) and not value > schema.get("maximum", value)
    return True


def _text_fits(schema: Mapping[str, Any], value: str) -> bool:
    ok = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    if ok and "pattern" in schema:
        ok = re.search(schema["pattern"], value) is not None
    return ok or is_unknown(value)


def _object_fits(schema: Mapping[str, Any], value: dict[str, Json]) -> bool:
    properties = schema.get("properties", {})
    for name, member in value.items():
        inner = properties.get(name)
        if inner is None:
            if schema.get("additionalProperties", True) is False:
                return False
        elif not fits(inner, member):
            return False
    if len(value) < schema.get("minProperties", 0) or not all(name in value for name in schema.get("required", ())):
        return False
    return all(_condition_holds(condition, value) for condition in schema.get("allOf", ()))


def _condition_holds(condition: Mapping[str, Any], value: dict[str, Json]) -> bool:
    if "not" in condition:
        return not all(name in value for name in condition["not"]["required"])
    return any(all(name in value for name in choice["required"]) for choice in condition["anyOf"])


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that jsonschema found: the keyword of the schema that is broken, what it asks, and by what.

    `path` leads from the object to the value; `bounds` is the schema that the value should satisfy.
    """

    #: Of JSON Schema: required, enum, …
    keyword: str
    #: What the schema says under the keyword.
    asks: Any
    path: tuple[str | int, ...]
    #: What is there instead.
    value: Json
    bounds: Mapping[str, Any]
    #: For a missing field its name.
    missing: str = ""


def breaches(shape: str, language: Language, value: dict[str, Json]) -> list[Breach]:
    """All that is wrong with an object that does not fit, as jsonschema says it; values that are not known
    yet (`${Name}`) are passed over."""
    problems: list[Breach] = []
    for error in _validator_of(shape, language).iter_errors(value):
        path = tuple(error.path)
        instance: Any = error.instance
        bounds = error.schema if isinstance(error.schema, Mapping) else {}
        if path and is_unknown(instance):
            continue
        missing = ""
        if error.validator == "required":
            # jsonschema makes one error of each missing field, in the order in which the schema lists them.
            names = [name for name in bounds["required"] if name not in instance]
            missing = names[sum(1 for breach in problems if breach.missing)]
        problems.append(Breach(str(error.validator), error.validator_value, path, instance, bounds, missing))
    return problems


@lru_cache(maxsize=256)
def _validator_of(shape: str, language: Language) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # its import takes 0.2 s, and a right definition needs none

    return Draft202012Validator(schema_of(shape, language))
