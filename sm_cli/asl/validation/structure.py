"""The structural check: every object of a definition against its small JSON Schema, in our own sentences.

One mistake is one diagnostic. A misspelt field is not also a missing one, and a value of the wrong
type is not also out of bounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sm_cli.asl.fields import STATE_TYPES, SUCCESSORS, Kind, Language, fields_of, state_types_with
from sm_cli.asl.outline import MachineAt, objects_under
from sm_cli.asl.text.source import kind_of
from sm_cli.asl.validation.nearest import as_jsonata, enumeration, nearest
from sm_cli.asl.validation.rules.catalogue import Finding
from sm_cli.asl.validation.schema import Breach, breaches, fits, is_substitution, is_unknown, schema_of
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json

Found = tuple[str, Finding]
_NEEDS_JSONATA = "an expression {% … %} needs QueryLanguage: JSONata"

#: What a rule of a Choice is in the other query language.
_RULES = {"Rule": "Expression", "Expression": "Rule"}
_PATHS = ("$.", "$$.", "$[")
_MACHINE_SHAPES = ("Branch", "Processor")


def check_machine(machine: MachineAt) -> Iterator[Found]:
    """(code, finding) for one machine and its states; the machines inside its states come by themselves."""
    yield from check_object(machine.value, machine.pointer, machine.shape, machine.language, machine.shape.lower())
    states = machine.value.get("States")
    for name, value in states.items() if isinstance(states, dict) else ():
        state = machine.states.get(name)
        if state is None:
            if not is_unknown(value):
                message = f"A state is an object with a Type; '{name}' is {kind_of(value)}"
                yield "SM108", Finding(machine.names[name], message)
        elif state.type in STATE_TYPES:
            yield from check_object(state.value, state.pointer, state.type, state.language, f"'{name}'")
        elif not is_unknown(state.value.get("Type")):
            yield from _type(state.value, state.pointer, name)


def _type(value: dict[str, Json], pointer: str, name: str) -> Iterator[Found]:
    if "Type" not in value:
        close = nearest("Type", value)
        hint = f"did you mean Type instead of {close}?" if close else f"one of {', '.join(STATE_TYPES)}"
        yield "SM102", Finding(pointer, f"The state '{name}' has no Type", hint, key=True, about="Type")
        return
    state_type = value["Type"]
    close = nearest(state_type, STATE_TYPES) if isinstance(state_type, str) else None
    message = f"Type must be {enumeration(STATE_TYPES, 'or')}, not {display_value(state_type)}"
    yield "SM104", Finding(f"{pointer}/Type", message, f"did you mean {close}?" if close else None)


def check_object(value: dict[str, Json], pointer: str, shape: str, language: Language, owner: str) -> Iterator[Found]:
    """(code, finding) for an object of this shape and for the objects inside it that are no machines."""
    if not fits(schema_of(shape, language), value):
        yield from _explain(value, pointer, shape, language, owner)
    for name, kind in fields_of(shape, language).items():
        if not kind.holds or name not in value or kind.holds in _MACHINE_SHAPES:
            continue
        for at, item in objects_under(value, pointer, name):
            yield from check_object(item, at, kind.holds, language, _ITEMS.get(kind.holds, name))


_ITEMS = {"Retrier": "a retrier", "Catcher": "a catcher", "Rule": "a rule", "Test": "a rule", "Expression": "a rule"}


def _explain(value: dict[str, Json], pointer: str, shape: str, language: Language, owner: str) -> Iterator[Found]:
    """What jsonschema finds wrong with an object that does not fit, said for its writer."""
    fields = fields_of(shape, language)
    problems = breaches(shape, language, value)
    meanings: set[str] = set()
    if any(breach.keyword == "additionalProperties" for breach in problems):
        for name in value:
            if name not in fields and not is_substitution(name):
                code, finding, instead = _unknown_field(name, value, pointer, shape, language, owner)
                meanings.add(instead)
                yield code, finding
    pointers: set[str] = set()
    for breach in problems:
        if breach.path:
            code, finding = _wrong(breach, pointer, fields, language)
            if finding.pointer not in pointers:
                pointers.add(finding.pointer)
                yield code, finding
        else:
            yield from _misfit(breach, value, pointer, owner, meanings)


def _misfit(breach: Breach, value: dict[str, Json], pointer: str, owner: str, meanings: set[str]) -> Iterator[Found]:
    """A field that is missing, or two that exclude each other."""
    if breach.keyword == "required" and breach.missing not in meanings:
        message = f"{_begin(owner)} has no {breach.missing}"
        yield "SM102", Finding(pointer, message, key=True, about=breach.missing)
    elif breach.keyword == "not":
        first, second = breach.asks["required"]
        later = max(first, second, key=list(value).index)
        other = first if later == second else second
        message = f"{later} cannot stand beside {other}; keep one of them"
        yield "SM105", Finding(child(pointer, later), message, key=True, about=f"{first}, {second}")
    elif breach.keyword == "anyOf":
        names = [name for choice in breach.asks for name in choice["required"]]
        if not meanings & set(names):
            yield (
                "SM106",
                Finding(pointer, f"{_begin(owner)} needs {enumeration(names, 'or')}", key=True, about=", ".join(names)),
            )


def _wrong(breach: Breach, pointer: str, fields: Mapping[str, Kind], language: Language) -> Found:
    """A value of the wrong type or out of its bounds."""
    field = str(breach.path[0])
    kind, at = fields[field], pointer
    for token in breach.path:
        at = child(at, token)
    this = kind_of(breach.value)
    if len(breach.path) > 1:
        message = f"Each item of {field} must be {_words(breach.asks)}; this is {this}"
        return "SM103", Finding(at, message, about=_json_types(breach))
    wants = kind.wants
    if "pattern" in breach.bounds and "expression" not in wants:
        wants += " or a {% … %} expression"
    if breach.keyword in ("minItems", "minProperties"):
        return "SM104", Finding(at, f"{field} must be {wants}; this is empty", about="empty")
    hint = _evaluated_form(field, breach.value, fields, language) if isinstance(breach.value, str) else None
    if breach.keyword == "type" and this != "a number":
        return "SM103", Finding(at, f"{field} must be {wants}; this is {this}", hint, about=_json_types(breach))
    if breach.keyword == "enum" and isinstance(breach.value, str) and len(breach.asks) > 1:
        close = nearest(breach.value, [str(word) for word in breach.asks])
        hint = f"did you mean {close}?" if close else None
    code = "SM103" if breach.keyword == "type" else "SM104"
    message = f"{field} must be {wants}, not {display_value(breach.value)}"
    return code, Finding(at, message, hint, about=_broken_bound(breach, kind))


def _broken_bound(breach: Breach, kind: Kind) -> str:
    """What the value had to be, for who tells it in AWS's words: the words of an enumeration (of what is no text: that
    it is one), the JSON types, or the bound: `minimum 0`, `minimum 0.0` where the number need not be whole."""
    if breach.keyword == "enum":
        return "string" if not isinstance(breach.value, str) else ", ".join(str(word) for word in breach.asks)
    if breach.keyword in ("minimum", "maximum"):
        bound = float(breach.asks) if kind.schema.get("type") == "number" else breach.asks
        return f"{breach.keyword} {bound}"
    return _json_types(breach) if breach.keyword == "type" else breach.keyword


def _json_types(breach: Breach) -> str:
    """The JSON types that the value may have."""
    return breach.asks if isinstance(breach.asks, str) else ", ".join(str(each) for each in breach.asks)


def _evaluated_form(field: str, text: str, fields: Mapping[str, Kind], language: Language) -> str | None:
    """How a text that should be evaluated is written; None for a text that is none."""
    if language == "JSONPath":
        if text.startswith("{%"):
            return _NEEDS_JSONATA if fields[field].expression else None
        return f"use {field}Path" if text.startswith(_PATHS) and f"{field}Path" in fields else None
    if not fields[field].expression or not text.startswith(("$states.", *_PATHS)):
        return None
    return f"write {{% {text if text.startswith('$states.') else as_jsonata(text)} %}}"


def _unknown_field(
    name: str, value: dict[str, Json], pointer: str, shape: str, language: Language, owner: str
) -> tuple[str, Finding, str]:
    """(code, finding, the field that was meant or "") for a field that this shape does not have."""
    at = child(pointer, name)
    other: Language = "JSONPath" if language == "JSONata" else "JSONata"
    if name in fields_of(shape, other) or name in fields_of(_RULES.get(shape, ""), other):
        fields = fields_of(shape, language)
        back = {new: old for old, new in SUCCESSORS.items() if old in fields}
        instead = (SUCCESSORS if language == "JSONata" else back).get(name, "")
        hint = f"{language} has {instead} for it" if instead in fields else None
        message = f"{name} belongs to {other}, and {owner if shape not in _RULES else 'this state'} uses {language}"
        return "SM107", Finding(at, message, hint, key=True), instead
    if name == "QueryLanguage":
        message = f"{_begin(owner)} has no QueryLanguage: its states have that of the whole definition, or their own"
        return "SM101", Finding(at, message, "give it to each state that needs it", key=True), ""
    known_names = [field for field in fields_of(shape, language) if field not in value]
    close = nearest(name, known_names, 0.75)
    hint = f"did you mean {close}?" if close else None
    types = state_types_with(name) if shape in STATE_TYPES else ()
    if shape == "Test" and name in ("Next", "Assign", "Output"):
        message = f"{name} stands only in the outermost rule, not in a rule inside And, Or or Not"
        return "SM101", Finding(at, message, key=True), ""
    if types:
        message = f"A {shape} state has no {name}; {enumeration(types)} {'have' if len(types) > 1 else 'has'} it"
        return "SM101", Finding(at, message, key=True), ""
    title = name or "with an empty name"
    return "SM101", Finding(at, f"{_begin(owner)} has no field {title}", hint, key=True), close or ""


def _begin(owner: str) -> str:
    """An owner at the beginning of a sentence."""
    subjects = {"machine": "The definition", "branch": "The branch", "processor": "The processor"}.get(owner)
    return subjects or (f"The state {owner}" if owner.startswith("'") else owner[:1].upper() + owner[1:])


def _words(json_type: Json) -> str:
    return "an object" if json_type == "object" else "text"


def display_value(value: Json) -> str:
    """A value as a sentence shows it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
