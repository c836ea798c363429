"""One JSON Schema (draft-07) for whole definitions, made from the field table, by which editors complete and check.

It refuses nothing that `validate` takes. What no schema can say (targets, paths, expressions) is left to
`validate`; a state's fields are chosen by its Type and query language with if/then, never by a oneOf, so that an
editor always knows which state is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sm_cli.asl.editor.descriptions import description
from sm_cli.asl.fields import LANGUAGES, OPEN_SHAPES, STATE_TYPES, Kind, Language, fields_of
from sm_cli.asl.validation.schema import EXPRESSION, schema_of

Schema = dict[str, Any]

#: What another tool replaces by a value of any type.
_UNKNOWN = r"\$\{[^{}]+\}|^%[A-Za-z]\w*%$|^__[A-Za-z]\w*__$"
_MACHINES = ("Branch", "Processor")
#: The states whose inner machines take over the query language of the machine around them.
_HOLDING = ("Parallel", "Map")


def editor_schema() -> Schema:
    """The schema of a definition. Every call makes a new one."""
    shapes = _Made()
    definition = shapes.machine("Machine", "JSONPath")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A workflow in Amazon States Language, with Message states as sm has them",
        **definition,
        "definitions": dict(sorted(shapes.definitions.items())),
    }


class _Made:
    """The definitions made so far; each is made when something first refers to it."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def machine(self, shape: str, default: Language) -> Schema:
        """A StartAt with its States, in this query language unless (which only a whole definition can) it says
        otherwise."""
        fields = fields_of(shape, default)
        properties = {name: self._property(shape, name, kind, default, default) for name, kind in fields.items()}
        machine: Schema = {
            "type": "object",
            "properties": properties,
            "required": ["StartAt", "States"],
            "additionalProperties": False,
        }
        if "QueryLanguage" not in fields:
            return {**machine, "allOf": [self._states(default)]}
        other = _other(default)
        choice = {"if": _says("QueryLanguage", other), "then": self._states(other), "else": self._states(default)}
        return {**machine, **choice}

    def _states(self, language: Language) -> Schema:
        return {"properties": {"States": {"additionalProperties": self._state(language)}}}

    def _state(self, around: Language) -> Schema:
        """A state in a machine of this query language."""
        name = f"State.{around}"
        if self._is_new(name):
            kinds = {field: fields_of("Pass", around)[field] for field in ("Type", "QueryLanguage", "Comment")}
            self.definitions[name] = {
                "type": "object",
                "properties": {f: self._property("Pass", f, kind, around, around) for f, kind in kinds.items()},
                "required": ["Type"],
                "allOf": [{"if": _says("Type", type), "then": self._state_of(type, around)} for type in STATE_TYPES],
            }
        return _ref(name)

    def _state_of(self, type: str, around: Language) -> Schema:
        other = _other(around)
        return {
            "if": _says("QueryLanguage", other),
            "then": self._shape(type, other, around),
            "else": self._shape(type, around, around),
        }

    def _shape(self, shape: str, language: Language, around: Language) -> Schema:
        """An object of this shape; `around` is the language of the machine that it stands in."""
        name = f"{shape}.{language}"
        if shape in _HOLDING and language != around:
            name += f".in.{around}"
        if self._is_new(name):
            small = dict(schema_of(shape, language))
            shape_schema: Schema = {"type": "object"}
            shape_schema["properties"] = {
                field: self._property(shape, field, kind, language, around)
                for field, kind in fields_of(shape, language).items()
            }
            if small["required"]:
                shape_schema["required"] = small["required"]
            if shape not in OPEN_SHAPES:
                shape_schema["additionalProperties"] = False
            conditions = [_with_message(condition) for condition in small.get("allOf", ())]
            conditions += _goes_on(shape, shape_schema["properties"])
            if conditions:
                shape_schema["allOf"] = conditions
            self.definitions[name] = shape_schema
        return _ref(name)

    def _machine_ref(self, shape: str, default: Language) -> Schema:
        name = f"{shape}.{default}"
        if self._is_new(name):
            self.definitions[name] = self.machine(shape, default)
        return _ref(name)

    def _is_new(self, name: str) -> bool:
        """Whether a definition is still to be made; it counts as made from now on, because it may hold itself."""
        if name in self.definitions:
            return False
        self.definitions[name] = {}
        return True

    def _property(self, shape: str, field: str, kind: Kind, language: Language, around: Language) -> Schema:
        schema: Schema = {"description": f"{description(shape, field)} {_begin(kind.wants)}.", **_value(kind, language)}
        if not kind.holds:
            return schema
        is_machine = kind.holds in _MACHINES
        inner = self._machine_ref(kind.holds, around) if is_machine else self._shape(kind.holds, language, around)
        if kind.schema.get("type") == "array":
            return {**schema, "items": inner}
        if kind.expression and language == "JSONata":
            return {**schema, "if": {"type": "object"}, "then": inner}
        return {**schema, "allOf": [inner]}


def _value(kind: Kind, language: Language) -> Schema:
    """What the value may be: where no text is wanted also one that stands for a value, and where a text is wanted
    also a number, because YAML writes both alike."""
    schema: Schema = dict(kind.schema)
    if "enum" in schema:
        return {"enum": [*schema["enum"], 1.0]} if schema["enum"] == ["1.0"] else schema
    json_type = schema.get("type", [])
    types = list(json_type) if isinstance(json_type, list) else [json_type]
    if not types or (types == ["object"] and kind.holds and not kind.expression):
        return schema
    if "string" not in types:
        expression = kind.expression and language == "JSONata"
        if kind.syntax == "text":
            schema["items"] = {"type": ["string", "number"]}
        pattern = f"{EXPRESSION}|{_UNKNOWN}" if expression else _UNKNOWN
        return {**schema, "type": [*types, "string"], "pattern": pattern,
                "patternErrorMessage": f"This must be {kind.wants}."}  # fmt: skip
    if kind.syntax in ("text", "state") and types == ["string"]:
        return {**schema, "type": ["string", "number"]}
    return schema


def _goes_on(shape: str, properties: Schema) -> Iterator[Schema]:
    if shape in STATE_TYPES and {"Next", "End"} <= properties.keys():
        yield {"anyOf": [{"required": ["Next"]}, {"required": ["End"]}], "errorMessage": "The state needs Next or End."}


def _with_message(condition: Schema) -> Schema:
    """A condition with the sentence that editors show when it is not met."""
    if "not" in condition:
        first, second = condition["not"]["required"]
        return {**condition, "errorMessage": f"{first} and {second} exclude each other."}
    names = [choice["required"][0] for choice in condition["anyOf"]]
    return {**condition, "errorMessage": f"One of these is needed: {', '.join(names)}."}


def _says(field: str, value: str) -> Schema:
    return {"properties": {field: {"const": value}}, "required": [field]}


def _other(language: Language) -> Language:
    return LANGUAGES[1 - LANGUAGES.index(language)]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _begin(words: str) -> str:
    return words[:1].upper() + words[1:]
