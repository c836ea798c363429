"""Rules about what runs a definition: handlers, the type of workflow, values that are put in.

These are asked only of who wants to run it; without them a definition is valid or not by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sm_cli.asl.fields import Kind, Language, fields_of
from sm_cli.asl.outline import MachineAt, StateAt, parts
from sm_cli.asl.resources import BUILT_IN, Resource, parse_resource, serving
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, entry
from sm_cli.asl.validation.rules.expressions import template_members
from sm_cli.asl.validation.rules.jsonata import unreadable_placeholders
from sm_cli.asl.validation.rules.maps import config
from sm_cli.asl.validation.schema import is_substitution, is_unknown
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json

entry("SM606", "warning", "A Resource has a handler")
entry(
    "SM607",
    "error",
    "An express workflow waits for nothing outside itself",
    aws=SCHEMA,
    harmless=True,
)
entry("SM901", "error", "A substitution is replaced where its value is needed")

_READ_SYNTAXES = ("state", "path", "reference", "number path", "place", "value", "timestamp")


def _resources(machines: list[MachineAt]) -> Iterator[tuple[StateAt, Resource]]:
    for machine in machines:
        for state in machine.states.values():
            text = state.text("Resource") if state.type == "Task" else None
            if text is not None and not is_unknown(text):
                yield state, parse_resource(text)


def without_handler(machines: list[MachineAt], handlers: Collection[str]) -> Iterator[Finding]:
    """Tasks that no handler of these names serves, wildcards among them; what `sm` itself serves needs none."""
    for state, resource in _resources(machines):
        ours = resource.kind in ("invoke", "activity") or resource.needs_no_handler or resource.handler in BUILT_IN
        if not ours and serving(resource.handler, handlers) is None:
            close = nearest(resource.handler, handlers)
            hint = resource.why_refused or (f"did you mean {close}?" if close else None)
            yield Finding(state.at("Resource"), f"No handler is registered as '{resource.handler}'", hint)


def not_express(machines: list[MachineAt]) -> Iterator[Finding]:
    """What an EXPRESS workflow cannot have."""
    for state, resource in _resources(machines):
        what = "an activity" if resource.kind == "activity" else f".{resource.pattern}" if resource.pattern else ""
        if what:
            yield Finding(state.at("Resource"), f"An express workflow cannot use {what}")
    for machine in machines:
        for state in machine.states.values():
            pointer, definition = config(state) if state.type == "Map" else ("", {})
            if definition.get("Mode") == "DISTRIBUTED":
                yield Finding(f"{pointer}/Mode", "An express workflow cannot have a distributed Map")


def awaits_messages(machines: list[MachineAt]) -> Iterator[Finding]:
    """Message states, which only `sm` has: nobody could send anything to an execution that is not stored."""
    for machine in machines:
        for state in machine.states.values():
            if state.type == "Message":
                yield Finding(state.at("Type"), "An express workflow cannot wait for a message")


def find_placeholders(machines: list[MachineAt]) -> Iterator[Finding]:
    """Texts that another tool should have replaced, where more than their characters is needed."""
    for machine in machines:
        yield from _unreplaced_in(machine.value, machine.pointer, machine.shape, machine.language)
        states = machine.value.get("States")
        for name, value in states.items() if isinstance(states, dict) else ():
            if is_unknown(value):
                yield _placeholder_finding(machine.names[name], f"The state '{name}'", value)
        for state in machine.states.values():
            if is_unknown(state_type := state.value.get("Type")):
                yield _placeholder_finding(state.at("Type"), "Type", state_type)
                continue
            findings = list(_unreplaced_in(state.value, state.pointer, state.type, state.language))
            yield from findings
            for pointer, field, value in template_members(state):
                if field.endswith(".$") and is_unknown(value):
                    yield _placeholder_finding(pointer, field, value)
            for pointer, text in unreadable_placeholders(state):
                if all(finding.pointer != pointer for finding in findings):
                    yield _placeholder_finding(pointer, "The expression", text)


def _unreplaced_in(owner: dict[str, Json], at: str, shape_of_owner: str, language: Language) -> Iterator[Finding]:
    for pointer, value, shape in parts(owner, at, shape_of_owner, language):
        for name in value:
            if is_substitution(name):
                message = f"The field {name} is one that nothing has replaced by a name"
                yield Finding(child(pointer, name), message, key=True)
        for field, kind in fields_of(shape, language).items():
            inner = value.get(field)
            if field != "Type" and is_unknown(inner) and (shape != "Task" if field == "Resource" else _is_read(kind)):
                yield _placeholder_finding(child(pointer, field), field, inner)
            elif kind.holds and isinstance(inner, list):
                for i, item in enumerate(inner):
                    if is_unknown(item):
                        yield _placeholder_finding(f"{child(pointer, field)}/{i}", field, item)


def _is_read(kind: Kind) -> bool:
    json_type = kind.schema.get("type", "string")
    takes_text = "string" in (json_type if isinstance(json_type, list) else [json_type])
    return kind.syntax in _READ_SYNTAXES or "enum" in kind.schema or not takes_text


def _placeholder_finding(pointer: str, field: str, value: Json) -> Finding:
    return Finding(pointer, f"{field} holds {value}, which nothing has replaced by a value")
