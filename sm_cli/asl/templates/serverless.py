"""The Serverless Framework: `stepFunctions.stateMachines`, as the plugin serverless-step-functions reads them.

`${self:…}` and its kin stay placeholders. A function is named by its key; `GreetLambdaFunction` is the logical id that
the framework gives to `greet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sm_cli.asl.templates.cloudformation import resource_machines, stack_of
from sm_cli.asl.templates.files import ReadFile
from sm_cli.asl.templates.intrinsics import Resolver
from sm_cli.asl.templates.machines import MachineReader, TemplateMachine
from sm_cli.asl.templates.tagged_yaml import TemplateText, read_template_text
from sm_cli.asl.text.spans import Span
from sm_cli.jsonvalue import Json

_FILE = re.compile(r"\$\{\s*file\(\s*['\"]?([^)'\"]+?)['\"]?\s*\)\s*(?::\s*([\w.-]+))?\s*(?:,[^}]*)?\}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9]")


def is_serverless(document: TemplateText) -> bool:
    """Whether a document is a configuration of the Serverless Framework."""
    value = document.value
    return isinstance(value, dict) and (
        ("service" in value and "provider" in value)
        or _at(value, "stepFunctions", "stateMachines") is not None
        or isinstance(_at(value, "stateMachines"), dict)
    )


def serverless_machines(
    document: TemplateText, text: str, file: str, values: Mapping[str, Json], read: ReadFile
) -> Iterator[TemplateMachine]:
    """The machines of a configuration, in its order, and those among the resources that it adds."""
    functions = _functions(document.value)
    resources, place = _at(document.value, "resources"), document.span.member("resources")
    stack = replace(stack_of(resources, values, functions), machines=_machine_names(document.value))
    reader = MachineReader(file, text, Resolver(text, stack), read)
    plugin, span = _at(document.value, "stepFunctions"), document.span.member("stepFunctions")
    if isinstance(plugin, str) and span is not None:
        yield from _machines_of_file("stepFunctions", plugin, span, reader, within="stateMachines")
    machines = _at(plugin, "stateMachines")
    span = span.member("stateMachines") if span is not None else None
    if machines is None:
        machines, span = _at(document.value, "stateMachines"), document.span.member("stateMachines")
    if span is not None:
        yield from _machines(machines, span, reader)
    if isinstance(resources, list) and place is not None and isinstance(place.members, list):
        for item, item_place in zip(resources, place.members, strict=True):
            yield from resource_machines(TemplateText(item, item_place), reader)
    elif place is not None:
        yield from resource_machines(TemplateText(resources, place), reader)


def _machines(value: Json, span: Span, reader: MachineReader) -> Iterator[TemplateMachine]:
    if isinstance(value, str):
        yield from _machines_of_file("stateMachines", value, span, reader)
    elif isinstance(value, list) and isinstance(span.members, list):
        for item, place in zip(value, span.members, strict=True):
            yield from _machines(item, place, reader)
    elif isinstance(value, dict) and isinstance(span.members, dict):
        for name, machine in value.items():
            place = span.members[name]
            if isinstance(machine, str):
                yield from _machines_of_file(name, machine, place, reader, inside=name)
            elif isinstance(machine, dict):
                yield _machine(name, machine, place, reader)


def _machine(name: str, machine: dict[str, Json], span: Span, reader: MachineReader) -> TemplateMachine:
    return replace(_definition(name, machine, span, reader), deployed_name=_deployed_name(name, machine))


def _deployed_name(key: str, machine: Json) -> str:
    """The `name` of a machine, where it is plain, else its key."""
    name = _at(machine, "name")
    return name if isinstance(name, str) and "${" not in name else key


def _definition(name: str, machine: dict[str, Json], span: Span, reader: MachineReader) -> TemplateMachine:
    definition, place = machine.get("definition"), span.member("definition")
    values = dict(reader.resolver.stack.values)
    if place is None or definition is None:
        return reader.unknown(name, span, f"The state machine {name} has no definition")
    match = _FILE.fullmatch(definition.strip()) if isinstance(definition, str) else None
    if match is None:
        return reader.of_value(name, definition, place, values)
    if match[2] is None:
        return reader.of_file(name, match[1], place, values)
    return _member_of_file(name, match[1], match[2], place, reader)


def _machines_of_file(
    name: str, value: str, span: Span, reader: MachineReader, inside: str | None = None, within: str | None = None
) -> Iterator[TemplateMachine]:
    """Machines, or with `inside` the one machine of that name, in a file of their own. within: the member of what is
    named that holds them."""
    match = _FILE.fullmatch(value.strip())
    neighbour = None if match is None else reader.read(match[1])
    if match is None or neighbour is None:
        yield reader.unknown(name, span, f"The definition of {name} is {value}, which is not in the project")
        return
    text = neighbour.content.decode("utf-8-sig", "replace")
    documents, _ = read_template_text(text)
    there = MachineReader(neighbour.file, text, Resolver(text, reader.resolver.stack), reader.read)
    for document in documents:
        inner, place = document.value, document.span
        for token in [*((match[2] or "").split(".") if match[2] else ()), *([within] if within else ())]:
            inner, found_place = _at(inner, token), place.member(token)
            place = found_place or place
        if inside is None:
            yield from _machines(inner, place, there)
        elif isinstance(inner, dict):
            yield _machine(inside, inner, place, there)


def _member_of_file(name: str, path: str, member: str, span: Span, reader: MachineReader) -> TemplateMachine:
    neighbour = reader.read(path)
    if neighbour is None:
        return reader.unknown(name, span, f"The definition of {name} is {path}, which is not in the project")
    text = neighbour.content.decode("utf-8-sig", "replace")
    documents, _ = read_template_text(text)
    inner: Json = documents[0].value if documents else None
    place: Span | None = documents[0].span if documents else None
    for token in member.split("."):
        inner, place = _at(inner, token), place.member(token) if place is not None else None
    if place is None:
        return reader.unknown(name, span, f"The definition of {name} is {member} in {path}, which has no such member")
    there = MachineReader(neighbour.file, text, Resolver(text, reader.resolver.stack), reader.read)
    return there.of_value(name, inner, place, dict(reader.resolver.stack.values))


def _functions(value: Json) -> dict[str, str]:
    """The functions by every name that a definition may call them."""
    functions = _at(value, "functions")
    groups = functions if isinstance(functions, list) else [functions]
    names = [name for group in groups if isinstance(group, dict) for name in group]
    ids: dict[str, str] = {}
    for name in names:
        logical = _NOT_IN_ID.sub("", name.replace("-", "Dash").replace("_", "Underscore"))
        ids[f"{logical[:1].upper()}{logical[1:]}LambdaFunction"] = name
        ids[name] = name
    return ids


def _machine_names(value: Json) -> dict[str, str]:
    """The names of the machines by every logical id that they may have: that of `id`, and those that the plugin
    makes of a key."""
    machines = _at(value, "stepFunctions", "stateMachines")
    names: dict[str, str] = {}
    for key, machine in machines.items() if isinstance(machines, dict) else ():
        name, own_id = _deployed_name(key, machine), _at(machine, "id")
        logical = _NOT_IN_ID.sub("", key.replace("-", "Dash").replace("_", "Underscore"))
        for each in (
            own_id,
            f"{logical[:1].upper()}{logical[1:]}StepFunctionsStateMachine",
            _NOT_IN_ID.sub("", name),
            key,
        ):
            if isinstance(each, str):
                names.setdefault(each, name)
    return names


def _at(value: Json, *path: str) -> Json:
    for token in path:
        value = value.get(token) if isinstance(value, dict) else None
    return value
