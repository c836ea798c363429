"""A folder of Terraform: its names, and what its expressions give as far as that is known without a provider.

A resource gets an ARN that it could have. What is not known is a placeholder `${…}`; an expression that would have to
be computed with one is a placeholder, too, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sm_cli.asl.templates.files import ReadFile
from sm_cli.asl.templates.hcl import Block, Expression, read_expression
from sm_cli.asl.templates.mapped_text import MappedText
from sm_cli.asl.templates.stack import ACCOUNT, REGION, placeholder
from sm_cli.asl.templates.terraform_functions import FUNCTIONS, as_text, is_known, operate, part_of
from sm_cli.asl.text.spans import Span
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, loads_exact

_INDEX = re.compile(r"\[[^\]]*\]")
_STEP = re.compile(r"\.([\w-]+|\*)|\[([^\]]*)\]")
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
#: Functions that pass through what they do not look into.
_WITH_PLACEHOLDERS = frozenset(
    [
        "concat",
        "flatten",
        "merge",
        "format",
        "join",
        "jsonencode",
        "tolist",
        "tomap",
        "tostring",
        "lookup",
        "element",
        "values",
        "length",
        "nonsensitive",
        "sensitive",
    ]
)
_MOST_STEPS = 5000
_MOST_DEPTH = 150


@dataclass(slots=True)
class ModuleFile:
    """One file of the module, with its blocks."""

    #: As sentences name it.
    name: str
    #: All of it.
    text: str
    #: In its order.
    blocks: list[Block]


@dataclass(slots=True)
class Module:
    """The files of a folder, which share their names."""

    #: The first is the one whose machines are read.
    files: list[ModuleFile]
    #: Values that were given, by the names of variables; they win.
    values: Mapping[str, Json]
    #: Finds the files that it names.
    read: ReadFile
    #: What a `for` has given names to, where it is being evaluated.
    scope: dict[str, Json] = field(default_factory=dict)
    #: (offset, sentence) of what could not be computed, for expressions of the first file.
    notes: list[tuple[int, str]] = field(default_factory=list)
    _steps: int = field(default=0)

    def begin(self) -> None:
        """Forget what was said and done for the machine before."""
        self._steps = 0
        self.notes.clear()

    def attribute(self, words: tuple[str, ...], name: str) -> tuple[Expression, ModuleFile] | None:
        """An attribute of the block with these words, and the file that it stands in."""
        for file in self.files:
            for block in file.blocks:
                if block.words == words and name in block.attributes:
                    return block.attributes[name], file
        return None

    def follow(self, path: str) -> tuple[Expression, ModuleFile] | None:
        """The expression that `local.x` or `var.x` stands for."""
        kind, _, name = path.partition(".")
        self._steps += 1
        if self._steps > _MOST_STEPS or "." in name:
            return None
        if kind == "local":
            return self.attribute(("locals",), name)
        return self.attribute(("variable", name), "default") if kind == "var" else None

    def meaning(self, source: str) -> Json:
        """What the expression of an interpolation gives; a placeholder where that is not known."""
        return self.value(read_expression(source), ModuleFile("", source, []))[0]

    def _path(self, path: str, depth: int) -> Json:
        """What a path leads to: a name of a `for`, a value that was given, a local, a variable, or a resource."""
        plain = _INDEX.sub("", path)
        for name in (plain, plain.partition(".")[2]):
            if name in self.values:
                return self.values[name]
        first, _, _ = re.split(r"([.\[])", path, maxsplit=1) if re.search(r"[.\[]", path) else (path, "", "")
        if first in self.scope:
            return self._steps_into(self.scope[first], path[len(first) :], path)
        if plain.startswith("path."):
            return "."
        match = re.match(r"(?:local|var)\.[\w-]+", path)
        target = None if match is None else self.follow(match[0])
        if match is not None and target is not None:
            value, _ = self.value(*target, depth + 1)
            return self._steps_into(value, path[match.end() :], path)
        return self._resource(plain)

    def _steps_into(self, value: Json, rest: str, path: str) -> Json:
        for match in _STEP.finditer(rest):
            key: Json = match[1] if match[1] is not None else self.meaning(match[2])
            try:
                value = part_of(value, key)
            except (KeyError, IndexError, TypeError, ValueError, InvalidJson):
                return placeholder(path)
        return value

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
        name = self.name_of(kind, label)
        if "arn" in attribute or (
            attribute == "id" and kind in ("aws_sfn_state_machine", "aws_sfn_activity", "aws_sns_topic")
        ):
            service, _, rest = _ARNS.get(kind, f"{kind.split('_')[1]}:").partition(":")
            if kind == "aws_s3_bucket":
                return f"arn:aws:s3:::{name}"
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}{name}"
        return name if attribute in (*_NAMES, "id") else placeholder(path)

    def name_of(self, kind: str, label: str) -> str:
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
                result.add(as_text(self.meaning(part)), start, end)
        return result

    def value(self, expression: Expression, file: ModuleFile, depth: int = 0) -> tuple[Json, Span]:
        """What an expression gives, and where all of it stands; a placeholder for what is not known."""
        span = Span(expression.start, expression.end)
        if expression.kind == "text":
            if len(expression.parts) == 1 and expression.parts[0][1] is None:
                return self.meaning(expression.parts[0][0]), span
            return self.text_of(expression).text, span
        if expression.kind in ("number", "word"):
            return loads_exact(expression.name, what="the number"), span
        if depth > _MOST_DEPTH:
            return self._unknown(expression, file), span
        if expression.kind == "object":
            return self._object(expression, file, depth, span)
        if expression.kind == "list":
            pairs = [self.value(item, file, depth + 1) for item in expression.items]
            return [value for value, _ in pairs], replace(span, members=[place for _, place in pairs])
        if expression.kind == "conditional":
            return self._conditional(expression, file, depth, span)
        if expression.kind == "for":
            return self._for(expression, file, depth, span)
        if expression.kind == "call" and expression.name == "merge":
            result = self._merge(expression, file, depth, span)
            if result is not None:
                return result
        if expression.kind == "path":
            value = self._path(expression.name, depth)
        else:
            value = self._compute(expression, file, depth)
        return value, everywhere(value, span)

    def _conditional(self, expression: Expression, file: ModuleFile, depth: int, span: Span) -> tuple[Json, Span]:
        """The branch that is taken; where that is not known the first object or list among them, else a placeholder."""
        condition, yes, no = expression.items
        holds, _ = self.value(condition, file, depth + 1)
        if isinstance(holds, bool):
            return self.value(yes if holds else no, file, depth + 1)
        for branch in (yes, no):
            value, place = self.value(branch, file, depth + 1)
            if isinstance(value, (dict, list)):
                return value, place
        return self._unknown(expression, file), span

    def _object(self, expression: Expression, file: ModuleFile, depth: int, span: Span) -> tuple[Json, Span]:
        members: dict[str, Json] = {}
        places: dict[str, Span] = {}
        for name, start, end, inner in expression.members:
            key = as_text(self.meaning(name[2:-1])) if name.startswith("${") and name.endswith("}") else name
            members[key], place = self.value(inner, file, depth + 1)
            places[key] = replace(place, key_start=start, key_end=end)
        return members, replace(span, members=places)

    def _merge(self, expression: Expression, file: ModuleFile, depth: int, span: Span) -> tuple[Json, Span] | None:
        """The members of all its arguments, with their places; None when one of them is no object."""
        result: dict[str, Json] = {}
        places: dict[str, Span] = {}
        for item in expression.items:
            value, place = self.value(item, file, depth + 1)
            if not isinstance(value, dict) or not isinstance(place.members, dict):
                return None
            result |= value
            places |= place.members
        return result, replace(span, members=places)

    def _for(self, expression: Expression, file: ModuleFile, depth: int, span: Span) -> tuple[Json, Span]:
        parts = {name: part for name, _, _, part in expression.members}
        collection, _ = self.value(parts["in"], file, depth + 1)
        if not isinstance(collection, (list, dict)):
            return self._unknown(expression, file), span
        pairs: list[tuple[Json, Json]] = list(
            collection.items() if isinstance(collection, dict) else enumerate(collection)
        )
        items: list[tuple[Json, Json, Span]] = []
        before = dict(self.scope)
        for key, value in pairs:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                break
            names = expression.variables
            self.scope[names[-1]] = value
            if len(names) == 2:
                self.scope[names[0]] = key
            if "if" not in parts or self.value(parts["if"], file, depth + 1)[0] is not False:
                name = self.value(parts["key"], file, depth + 1)[0] if "key" in parts else None
                items.append((name, *self.value(parts["value"], file, depth + 1)))
            self.scope = dict(before)
        if expression.name == "list":
            return [value for _, value, _ in items], replace(span, members=[place for _, _, place in items])
        places = {as_text(key): replace(place, key_start=place.start, key_end=place.end) for key, _, place in items}
        return {as_text(key): value for key, value, _ in items}, replace(span, members=places)

    def _compute(self, expression: Expression, file: ModuleFile, depth: int) -> Json:
        """What an operator, a function or a key gives, when all that it needs is known."""
        if expression.kind == "call" and expression.name in ("try", "coalesce") and expression.items:
            values = (self.value(item, file, depth + 1)[0] for item in expression.items)
            value = next((each for each in values if each not in (None, "") and is_known(each)), None)
            return self._unknown(expression, file) if value is None else value
        operands = [self.value(item, file, depth + 1)[0] for item in expression.items]
        try:
            if expression.kind == "part":
                return part_of(operands[0], operands[1])
            if (
                expression.kind == "call"
                and expression.name in FUNCTIONS
                and (expression.name in _WITH_PLACEHOLDERS or all(is_known(each) for each in operands))
            ):
                result: Json = FUNCTIONS[expression.name](*operands)
                return result
            if expression.kind in ("operation", "not") and all(is_known(each) for each in operands):
                return operate(expression.name, *operands) if len(operands) == 2 else operands[0] is False
        except (
            KeyError,
            IndexError,
            TypeError,
            ValueError,
            AttributeError,
            ZeroDivisionError,
            StopIteration,
            InvalidJson,
        ):
            pass  # what is wrong there Terraform says; here it is not known
        return self._unknown(expression, file)

    def _unknown(self, expression: Expression, file: ModuleFile) -> Json:
        source = " ".join(file.text[expression.start : expression.end].split())
        if file is self.files[0]:
            self.notes.append(
                (expression.start, f"What {source[:60]} gives is not computed here; a placeholder stands for it")
            )
        return placeholder(source)


def everywhere(value: Json, span: Span) -> Span:
    """Places of a value that stands elsewhere: all of it is where it is named."""
    result = Span(span.start, span.end)
    if isinstance(value, dict):
        result.members = {
            key: replace(everywhere(member, span), key_start=span.start, key_end=span.end)
            for key, member in value.items()
        }
    elif isinstance(value, list):
        result.members = [everywhere(item, span) for item in value]
    return result
