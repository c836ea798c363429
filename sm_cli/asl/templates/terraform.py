"""Terraform: the definitions of `aws_sfn_state_machine`, and of modules for step functions.

A definition is a heredoc or another text, `templatefile`, `file`, or a plain `jsonencode`; what it refers to is
followed in the files of the same folder. An attribute of a resource becomes an ARN that it could have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sm_cli.asl.templates.files import NeighbourFile, ReadFile
from sm_cli.asl.templates.hcl import Block, Expression, read_blocks, read_expression
from sm_cli.asl.templates.intrinsics import Resolver
from sm_cli.asl.templates.machines import MachineReader, TemplateMachine
from sm_cli.asl.templates.mapped_text import MappedText, parse_mapped
from sm_cli.asl.templates.stack import ACCOUNT, REGION, Stack, placeholder
from sm_cli.asl.text.source import Document, Parsed
from sm_cli.asl.text.spans import Span
from sm_cli.asl.text.substitutions import substitute
from sm_cli.jsonvalue import Json, dumps, loads_exact

#: Functions that give their argument, as far as a definition is concerned.
_TRANSPARENT = frozenset(
    ["trimspace", "chomp", "tostring", "nonsensitive", "sensitive", "jsondecode", "yamldecode", "yamlencode", "abspath"]
)
_INDEX = re.compile(r"\[[^\]]*\]")
_FOR_MACHINES = re.compile(r"step[-_]?func|sfn|state[-_]?machine", re.IGNORECASE)
_FACTS = {
    ("aws_region", "name"): REGION, ("aws_region", "id"): REGION, ("aws_region", "region"): REGION,
    ("aws_caller_identity", "account_id"): ACCOUNT, ("aws_partition", "partition"): "aws",
    ("aws_partition", "dns_suffix"): "amazonaws.com",
}  # fmt: skip
_ARNS = {
    "aws_lambda_function": "lambda:function:", "aws_lambda_alias": "lambda:function:",
    "aws_sfn_state_machine": "states:stateMachine:", "aws_sfn_activity": "states:activity:", "aws_sns_topic": "sns:",
    "aws_sqs_queue": "sqs:", "aws_dynamodb_table": "dynamodb:table/", "aws_ecs_cluster": "ecs:cluster/",
    "aws_ecs_task_definition": "ecs:task-definition/", "aws_batch_job_queue": "batch:job-queue/",
    "aws_batch_job_definition": "batch:job-definition/",
}  # fmt: skip
_NAMES = ("function_name", "name", "bucket", "family", "identifier")
_MOST_STEPS = 500
_MOST_DEPTH = 150


@dataclass(slots=True)
class _File:
    """One file of the module, with its blocks."""

    name: str
    text: str
    blocks: list[Block]


@dataclass(slots=True)
class _Module:
    """The files of a folder, which share their names."""

    files: list[_File]
    values: Mapping[str, Json]
    read: ReadFile
    _steps: int = field(default=0)

    def attribute(self, words: tuple[str, ...], name: str) -> tuple[Expression, _File] | None:
        for file in self.files:
            for block in file.blocks:
                if block.words == words and name in block.attributes:
                    return block.attributes[name], file
        return None

    def follow(self, path: str) -> tuple[Expression, _File] | None:
        """The expression that `local.x` or `var.x` stands for."""
        kind, _, name = path.partition(".")
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return None
        if kind == "local":
            return self.attribute(("locals",), name)
        return self.attribute(("variable", name), "default") if kind == "var" else None

    def meaning(self, source: str) -> Json:
        """What the expression of an interpolation gives; a placeholder where that is not known."""
        expression = read_expression(source)
        path = _INDEX.sub("", expression.name)
        if expression.kind == "path":
            for name in (path, path.partition(".")[2]):
                if name in self.values:
                    return self.values[name]
            if path.startswith("path."):
                return "."
            target = self.follow(path)
            if target is not None and target[0].kind == "path":
                return self.meaning(target[0].name)
            if target is not None and target[0].kind in ("text", "number", "word"):
                value, _ = self.value(*target)
                return value
            return self._resource(path)
        if expression.kind == "call" and expression.name == "jsonencode" and expression.items:
            file = _File("", source, [])
            value, _ = self.value(expression.items[0], file)
            return dumps(value)
        return placeholder(source)

    def _resource(self, path: str) -> Json:
        parts = path.split(".")
        if parts[0] == "data" and len(parts) == 4:
            parts = parts[1:]
            if (parts[0], parts[2]) in _FACTS:
                return _FACTS[parts[0], parts[2]]
        if parts[0] == "module" and len(parts) == 3 and "arn" in parts[2]:
            is_function = "lambda" in parts[2] or "function" in parts[2]
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{parts[1]}" if is_function else placeholder(path)
        if len(parts) != 3 or not parts[0].startswith("aws_"):
            return placeholder(path)
        kind, label, attribute = parts
        name = self._name(kind, label)
        if "arn" in attribute or (
            attribute == "id" and kind in ("aws_sfn_state_machine", "aws_sfn_activity", "aws_sns_topic")
        ):
            service, _, rest = _ARNS.get(kind, f"{kind.split('_')[1]}:").partition(":")
            if kind == "aws_s3_bucket":
                return f"arn:aws:s3:::{name}"
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}{name}"
        return name if attribute in (*_NAMES, "id") else placeholder(path)

    def _name(self, kind: str, label: str) -> str:
        """The name that a resource has as plain text, else its label."""
        for name in _NAMES:
            target = self.attribute(("resource", kind, label), name)
            if target is not None and target[0].kind == "text" and all(part[1] is not None for part in target[0].parts):
                return "".join(part[0] for part in target[0].parts) or label
        return label

    def text_of(self, expression: Expression) -> MappedText:
        """A text, character by character with its place."""
        result = MappedText()
        for part, places, start, end in expression.parts:
            if places is not None:
                result.add_places(part, places)
            else:
                value = self.meaning(part)
                result.add(value if isinstance(value, str) else dumps(value), start, end)
        return result

    def value(self, expression: Expression, file: _File, depth: int = 0) -> tuple[Json, Span]:
        """What a plain expression gives, and where all of it stands; a placeholder for what is not plain."""
        span = Span(expression.start, expression.end)
        if expression.kind == "text":
            if len(expression.parts) == 1 and expression.parts[0][1] is None:
                return self.meaning(expression.parts[0][0]), span
            return self.text_of(expression).text, span
        if expression.kind in ("number", "word"):
            return loads_exact(expression.name, what="the number"), span
        if expression.kind == "object" and depth < _MOST_DEPTH:
            members: dict[str, Json] = {}
            places: dict[str, Span] = {}
            for key, start, end, inner in expression.members:
                members[key], place = self.value(inner, file, depth + 1)
                places[key] = replace(place, key_start=start, key_end=end)
            return members, replace(span, members=places)
        if expression.kind == "list" and depth < _MOST_DEPTH:
            pairs = [self.value(item, file, depth + 1) for item in expression.items]
            return [value for value, _ in pairs], replace(span, members=[place for _, place in pairs])
        if expression.kind == "call" and expression.name == "merge" and depth < _MOST_DEPTH:
            return self._merge(expression, file, depth)
        if expression.kind == "path" and depth < _MOST_DEPTH:
            target = self.follow(_INDEX.sub("", expression.name))
            if target is not None and target[0].kind in ("object", "list", "call"):
                value, _ = self.value(*target, depth + 1)
                return value, _everywhere(value, span)
        return self.meaning(file.text[expression.start : expression.end]), span

    def _merge(self, expression: Expression, file: _File, depth: int) -> tuple[Json, Span]:
        """The members of all its arguments; a placeholder when one of them is not known."""
        result: dict[str, Json] = {}
        places: dict[str, Span] = {}
        for item in expression.items:
            value, place = self.value(item, file, depth + 1)
            if not isinstance(value, dict) or not isinstance(place.members, dict):
                return placeholder("merge(...)"), Span(expression.start, expression.end)
            result |= value
            places |= place.members
        return result, Span(expression.start, expression.end, members=places)


def terraform_machines(
    text: str, file: str, values: Mapping[str, Json], read: ReadFile, beside: Sequence[NeighbourFile]
) -> Iterator[TemplateMachine]:
    """The machines of a file, in its order. beside: the other files of its folder."""
    own = _File(file, text, read_blocks(text))
    others = [_File(each.file, each.content.decode("utf-8-sig", "replace"), []) for each in beside]
    for each in others:
        each.blocks = read_blocks(each.text)
    module = _Module([own, *others], values, read)
    for block in own.blocks:
        name = block.words[-1]
        if block.words[:2] == ("resource", "aws_sfn_state_machine") or _is_module(block):
            definition = block.attributes.get("definition")
            module._steps = 0
            if definition is not None:
                machine = _machine(name, definition, own, module)
                yield replace(machine, deployed_name=module._name(block.words[1], name))
            elif block.words[0] == "resource":
                yield _reader(own, module).unknown(
                    name, Span(block.start, block.start + 1), f"The state machine {name} has no definition"
                )


def _is_module(block: Block) -> bool:
    source = block.attributes.get("source")
    text = "" if source is None else "".join(part[0] for part in source.parts)
    return block.words[0] == "module" and _FOR_MACHINES.search(text) is not None


def _reader(file: _File, module: _Module) -> MachineReader:
    return MachineReader(file.name, file.text, Resolver(file.text, Stack(values=module.values)), module.read)


def _machine(name: str, expression: Expression, file: _File, module: _Module) -> TemplateMachine:
    reader, span = _reader(file, module), Span(expression.start, max(expression.end, expression.start + 1))
    if expression.kind == "text":
        result = parse_mapped(module.text_of(expression), file.text, file.name)
        if result.document is not None:
            result = replace(result, document=substitute(result.document, module.values))
        return TemplateMachine(name, result, file.name, file.text)
    if expression.kind == "object" or expression.name == "merge":
        value, place = module.value(expression, file)
        document = Document(file.text, file.name, "json", value, place, is_whole=False)
        return TemplateMachine(name, Parsed(substitute(document, module.values), []), file.name, file.text)
    if expression.kind == "call" and expression.items:
        first = expression.items[0]
        if expression.name == "jsonencode" or expression.name in _TRANSPARENT:
            return _machine(name, first, file, module)
        if expression.name in ("templatefile", "file"):
            variables = module.value(expression.items[1], file)[0] if len(expression.items) > 1 else None
            known_values = {**(variables if isinstance(variables, dict) else {}), **module.values}
            return reader.of_file(
                name, _path(first, file, module), span, known_values, is_template=expression.name == "templatefile"
            )
    if expression.kind == "path":
        target = module.follow(expression.name) or _rendered(expression.name, module)
        if target is not None:
            return _machine(name, *target, module)
    source = " ".join(file.text[expression.start : expression.end].split())[:60]
    return reader.unknown(name, span, f"The definition of {name} is {source}, which is not computed here")


def _rendered(path: str, module: _Module) -> tuple[Expression, _File] | None:
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


def _everywhere(value: Json, span: Span) -> Span:
    """Places of a value that stands elsewhere: all of it is where it is named."""
    result = Span(span.start, span.end)
    if isinstance(value, dict):
        result.members = {
            key: replace(_everywhere(member, span), key_start=span.start, key_end=span.end)
            for key, member in value.items()
        }
    elif isinstance(value, list):
        result.members = [_everywhere(item, span) for item in value]
    return result


def _path(expression: Expression, file: _File, module: _Module) -> str:
    """A path: `${path.module}` and its kin are the folder of the file."""
    if expression.kind == "path":
        target = module.follow(expression.name)
        return _path(*target, module) if target is not None else placeholder(expression.name)
    if expression.kind == "call" and expression.items:
        return _path(expression.items[0], file, module)
    texts = [part if places is not None else str(module.meaning(part)) for part, places, _, _ in expression.parts]
    return "".join(texts)
