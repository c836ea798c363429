"""Terraform: the definitions of `aws_sfn_state_machine`, and of modules for step functions.

A definition is a heredoc or another text, `templatefile`, `file`, or a plain `jsonencode`; what it refers to is
followed in the files of the same folder. An attribute of a resource becomes an ARN that it could have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sm_cli.asl.templates.files import NeighbourFile, ReadFile
from sm_cli.asl.templates.hcl import Block, Expression, read_blocks, read_expression
from sm_cli.asl.templates.intrinsics import Resolver
from sm_cli.asl.templates.machines import MachineReader, TemplateMachine
from sm_cli.asl.templates.mapped_text import MappedText, parse_mapped
from sm_cli.asl.templates.stack import Stack, placeholder
from sm_cli.asl.templates.terraform_json import read_json_blocks
from sm_cli.asl.templates.terraform_module import Module, ModuleFile
from sm_cli.asl.text.source import Document, Parsed
from sm_cli.asl.text.spans import Span
from sm_cli.asl.text.substitutions import substitute
from sm_cli.jsonvalue import Json

#: Functions that give their argument, as far as a definition is concerned.
_TRANSPARENT = frozenset(
    ["trimspace", "chomp", "tostring", "nonsensitive", "sensitive", "jsondecode", "yamldecode", "yamlencode", "abspath"]
)
#: What modules call such an argument.
_ARGUMENT = re.compile(r"(?:state_?machine|step_?functions?|sfn)_definition")
_MOST_DEPTH = 50
_FOR_MACHINES = re.compile(r"step[-_]?func|sfn|state[-_]?machine", re.IGNORECASE)


def terraform_machines(
    text: str, file: str, values: Mapping[str, Json], read: ReadFile, beside: Sequence[NeighbourFile]
) -> Iterator[TemplateMachine]:
    """The machines of a file, in its order. beside: the other files of its folder."""
    own = ModuleFile(file, text, _blocks_of(file, text))
    others = [ModuleFile(each.file, each.content.decode("utf-8-sig", "replace"), []) for each in beside]
    for each in others:
        each.blocks = _blocks_of(each.name, each.text)
    module = Module([own, *others], values, read)
    for block in own.blocks:
        if block.words[:2] == ("resource", "aws_sfn_state_machine") or block.words[0] == "module":
            yield from _machines_of_block(block, own, module)


def _machines_of_block(block: Block, file: ModuleFile, module: Module) -> Iterator[TemplateMachine]:
    """The machine of a block, or with `for_each` one for each member of it that is known, as `name.key`."""
    name, definition = block.words[-1], _definition_of(block)
    if definition is None:
        if block.words[0] == "resource":
            place = Span(block.start, block.start + 1)
            yield _reader(file, module).unknown(name, place, f"The state machine {name} has no definition")
        return
    deployed_name = module.name_of(block.words[1], name)
    for key, each in _members(block, file, module):
        module.begin()
        module.scope = {} if each is None else {"each": each}
        label = name if key is None else f"{name}.{key}"
        yield replace(_machine(label, definition, file, module), deployed_name=deployed_name if key is None else label)
    module.scope = {}


def _members(block: Block, file: ModuleFile, module: Module) -> list[tuple[str | None, Json]]:
    """(key, what `each` is) of the members of `for_each`; one of neither where there is none, or it is not known."""
    expression = block.attributes.get("for_each")
    value = None if expression is None else module.value(expression, file)[0]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = {str(item): item for item in value}
    if not isinstance(value, dict) or not value:
        return [(None, None)]
    return [(key, {"key": key, "value": member}) for key, member in value.items()]


def _blocks_of(file: str, text: str) -> list[Block]:
    return read_json_blocks(text) if file.endswith(".json") else read_blocks(text)


def _definition_of(block: Block) -> Expression | None:
    """The definition that a resource or a module is given; of modules those for step functions, by their source or by
    the name of the argument."""
    definition = block.attributes.get("definition")
    source = block.attributes.get("source")
    text = "" if source is None else "".join(part[0] for part in source.parts)
    if block.words[0] == "resource" or (definition is not None and _FOR_MACHINES.search(text)):
        return definition
    return next((value for name, value in block.attributes.items() if _ARGUMENT.fullmatch(name)), None)


def _reader(file: ModuleFile, module: Module) -> MachineReader:
    return MachineReader(file.name, file.text, Resolver(file.text, Stack(values=module.values)), module.read)


def _machine(name: str, expression: Expression, file: ModuleFile, module: Module, depth: int = 0) -> TemplateMachine:
    span = Span(expression.start, max(expression.end, expression.start + 1))
    source = " ".join(file.text[expression.start : expression.end].split())[:60]
    unknown = f"The definition of {name} is {source}, which is not computed here"
    if depth > _MOST_DEPTH:
        return _reader(file, module).unknown(name, span, unknown)
    inner = _inner(expression, file, module)
    if inner is not None:
        return _machine(name, *inner, module, depth + 1)
    if expression.kind == "call" and expression.name in ("templatefile", "file") and expression.items:
        variables = module.value(expression.items[1], file)[0] if len(expression.items) > 1 else None
        known_values = {**(variables if isinstance(variables, dict) else {}), **module.values}
        path = _path(expression.items[0], file, module)
        is_template = expression.name == "templatefile"
        return _reader(file, module).of_file(name, path, span, known_values, is_template=is_template)
    if expression.kind == "text":
        result = parse_mapped(module.text_of(expression), file.text, file.name)
    else:
        value, place = module.value(expression, file)
        if isinstance(value, dict):
            result = Parsed(Document(file.text, file.name, "json", value, place, is_whole=False), [])
        elif isinstance(value, str) and "StartAt" in value and not value.startswith("${"):
            text = MappedText()
            text.add(value, span.start, span.end)
            result = parse_mapped(text, file.text, file.name)
        else:
            return _reader(file, module).unknown(name, span, unknown)
    if result.document is not None:
        result = replace(result, document=substitute(result.document, module.values))
    notes = [_reader(file, module).note(*each) for each in dict.fromkeys(module.notes) if file is module.files[0]]
    return TemplateMachine(name, Parsed(result.document, result.diagnostics + notes), file.name, file.text)


def _inner(expression: Expression, file: ModuleFile, module: Module) -> tuple[Expression, ModuleFile] | None:
    """What stands for a definition: the value of a name, the argument of jsonencode, the branch of a conditional."""
    if expression.kind == "text" and len(expression.parts) == 1 and expression.parts[0][1] is None:
        source, _, start, _ = expression.parts[0]
        if file.text.startswith("${", start) and not file.name.endswith(".json"):
            return read_expression(file.text, start + 2), file
        return read_expression(source), ModuleFile(file.name, source, [])
    if expression.kind == "call" and expression.items:
        if expression.name == "jsonencode" or expression.name in _TRANSPARENT:
            return expression.items[0], file
        return None
    if expression.kind == "conditional":
        condition, *branches = expression.items
        holds, _ = module.value(condition, file)
        if isinstance(holds, bool):
            return branches[0 if holds else 1], file
        return next(((each, file) for each in branches if _may_be_definition(each)), None)
    if expression.kind == "path":
        return module.follow(expression.name) or _rendered(expression.name, module)
    return None


def _may_be_definition(expression: Expression) -> bool:
    return expression.kind != "text" or any("StartAt" in part for part, *_ in expression.parts)


def _rendered(path: str, module: Module) -> tuple[Expression, ModuleFile] | None:
    """`data.template_file.x.rendered`: its template, with its variables as those of templatefile."""
    parts = path.split(".")
    if parts[:2] != ["data", "template_file"] or len(parts) != 4:
        return None
    template = module.attribute(("data", "template_file", parts[2]), "template")
    variables = module.attribute(("data", "template_file", parts[2]), "vars")
    if template is None or template[0].kind != "call" or variables is None:
        return template
    call = replace(template[0], name="templatefile", items=[template[0].items[0], variables[0]])
    return call, template[1]


def _path(expression: Expression, file: ModuleFile, module: Module) -> str:
    """A path: `${path.module}` and its kin are the folder of the file."""
    if expression.kind == "path":
        target = module.follow(expression.name)
        return _path(*target, module) if target is not None else placeholder(expression.name)
    if expression.kind == "call" and expression.items:
        return _path(expression.items[0], file, module)
    texts = [part if places is not None else str(module.meaning(part)) for part, places, _, _ in expression.parts]
    return "".join(texts)
