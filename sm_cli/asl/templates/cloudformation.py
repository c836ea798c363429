"""SAM, CloudFormation, and what CDK makes: the state machines among the resources of a template.

Fields: docs.aws.amazon.com, AWS::StepFunctions::StateMachine and AWS::Serverless::StateMachine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sm_cli.asl.templates.files import ReadFile
from sm_cli.asl.templates.intrinsics import NoValue, Resolver, function_of
from sm_cli.asl.templates.machines import MachineReader, TemplateMachine
from sm_cli.asl.templates.stack import Stack
from sm_cli.asl.templates.tagged_yaml import TemplateText
from sm_cli.asl.text.spans import Span
from sm_cli.jsonvalue import Json

TYPES = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")


def is_stack(document: TemplateText) -> bool:
    """Whether a document is a template of CloudFormation: resources with types."""
    value = document.value
    resources = value.get("Resources") if isinstance(value, dict) else None
    return isinstance(resources, dict) and any(
        name.startswith("Fn::ForEach") or (isinstance(each, dict) and "Type" in each)
        for name, each in resources.items()
    )


def stack_of(value: Json, values: Mapping[str, Json], functions: Mapping[str, str] | None = None) -> Stack:
    """The names of a template. functions: those that another tool adds, by their logical ids."""

    def part(name: str) -> dict[str, Json]:
        section = value.get(name) if isinstance(value, dict) else None
        return section if isinstance(section, dict) else {}

    return Stack(part("Resources"), part("Parameters"), part("Mappings"), part("Conditions"), values, functions or {})


def stack_machines(
    document: TemplateText, text: str, file: str, values: Mapping[str, Json], read: ReadFile
) -> Iterator[TemplateMachine]:
    """The machines of a template, in its order."""
    resolver = Resolver(text, stack_of(document.value, values))
    yield from resource_machines(document, MachineReader(file, text, resolver, read))


def resource_machines(document: TemplateText, reader: MachineReader) -> Iterator[TemplateMachine]:
    """The machines among the Resources of a document."""
    resources = document.value.get("Resources") if isinstance(document.value, dict) else None
    place = document.span.member("Resources")
    stack = reader.resolver.stack
    for name, resource, span, values in _expanded(resources, place):
        reader.resolver.stack = replace(stack, values={**stack.values, **values})
        if isinstance(resource, dict) and resource.get("Type") in TYPES:
            properties, where = resource.get("Properties"), span.member("Properties")
            if isinstance(properties, dict) and where is not None:
                machine = _machine(name, properties, where, reader)
                yield replace(machine, deployed_name=reader.resolver.stack.name_of(name))
            else:
                yield reader.unknown(name, span, f"The state machine {name} has no Properties")


def _expanded(resources: Json, place: Span | None) -> Iterator[tuple[str, Json, Span, dict[str, Json]]]:
    """(logical id, resource, place, values of loops) of each; `Fn::ForEach` is written out where its list is plain."""
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        span = None if place is None else place.member(name)
        if span is None:
            continue
        if not name.startswith("Fn::ForEach"):
            yield name, resource, span, {}
        elif isinstance(resource, list) and len(resource) == 3:
            variable, items, body = resource
            inside = span.member("2")
            for item in items if isinstance(items, list) else ():
                for key, member in body.items() if isinstance(body, dict) else ():
                    member_span = None if inside is None else inside.member(key)
                    if isinstance(item, str) and member_span is not None:
                        logical_id = key.replace(f"${{{variable}}}", item).replace(f"&{{{variable}}}", item)
                        yield logical_id, member, member_span, {str(variable): item}


def _machine(name: str, properties: dict[str, Json], span: Span, reader: MachineReader) -> TemplateMachine:
    substitutions = _substitutions(properties, span, reader)
    for field, read in _FIELDS.items():
        place = span.member(field)
        if field in properties and place is not None:
            value = properties[field]
            while function_of(value) == "Fn::If":
                value, place = reader.resolver._branch(*_argument(value, place))
            return read(name, value, place, substitutions, reader)
    return reader.unknown(name, span, f"The state machine {name} has no definition")


def _argument(value: Json, span: Span) -> tuple[Json, Span]:
    inner = span.member("Fn::If")
    return (value["Fn::If"], inner) if isinstance(value, dict) and inner is not None else (None, span)


def _substitutions(properties: dict[str, Json], span: Span, reader: MachineReader) -> dict[str, Json]:
    """The values of `${Name}`: those of the template, and those that were given, which win."""
    known_values = dict(reader.resolver.stack.values)
    value, place = properties.get("DefinitionSubstitutions"), span.member("DefinitionSubstitutions")
    if not isinstance(value, dict) or place is None:
        return known_values
    try:
        result, _ = reader.resolver.resolve(value, place)
    except NoValue:
        return known_values
    return {**(result if isinstance(result, dict) else {}), **known_values}


def _in_template(
    name: str, value: Json, span: Span, substitutions: dict[str, Json], reader: MachineReader
) -> TemplateMachine:
    include = _included(value)
    if include is not None:
        return reader.of_file(name, include, span, substitutions)
    return reader.of_value(name, value, span, substitutions)


def _included(value: Json) -> str | None:
    """The file of a definition that `AWS::Include` puts in."""
    transform = value.get("Fn::Transform") if isinstance(value, dict) else None
    parameters = transform.get("Parameters") if isinstance(transform, dict) else None
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    return location if isinstance(location, str) else None


def _elsewhere(
    name: str, value: Json, span: Span, substitutions: dict[str, Json], reader: MachineReader
) -> TemplateMachine:
    """DefinitionUri and DefinitionS3Location: a path, or an object in S3, whose key may be a path of the project."""
    if isinstance(value, dict) and "Key" in value:
        key = value["Key"]
        text = key if isinstance(key, str) else reader.resolver.text_of(key, span.member("Key") or span).text
    elif isinstance(value, str):
        text = value
    else:
        text = reader.resolver.text_of(value, span).text
    return reader.of_file(name, text, span, substitutions)


_Read = Callable[[str, Json, Span, dict[str, Json], MachineReader], TemplateMachine]
_FIELDS: dict[str, _Read] = {
    "Definition": _in_template,
    "DefinitionString": _in_template,
    "DefinitionUri": _elsewhere,
    "DefinitionS3Location": _elsewhere,
}


def substitutions_of_file(
    document: TemplateText, text: str, template: str, values: Mapping[str, Json], file: str, read: ReadFile
) -> dict[str, Json] | None:
    """The DefinitionSubstitutions of the machine whose definition is this file; None where there is none."""
    reader = MachineReader(template, text, Resolver(text, stack_of(document.value, values)), read)
    resources = document.value.get("Resources") if isinstance(document.value, dict) else None
    place = document.span.member("Resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if place is None or not isinstance(resource, dict) or not isinstance(properties, dict):
            continue
        if resource.get("Type") not in TYPES:
            continue
        path = properties.get("DefinitionUri") or _included(properties.get("Definition"))
        if isinstance(path, dict):
            path = path.get("Key")
        neighbour = read(path) if isinstance(path, str) else None
        resource_span = place.member(name)
        span = None if resource_span is None else resource_span.member("Properties")
        if neighbour is not None and neighbour.file == file and span is not None:
            return _substitutions(properties, span, reader)
    return None
