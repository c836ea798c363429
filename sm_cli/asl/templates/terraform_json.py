"""Terraform's other syntax, `*.tf.json`: the same blocks, written as JSON, whose texts hold `${…}`.

Source: developer.hashicorp.com/terraform/language/syntax/json.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.templates.hcl import Block, Expression, read_template
from sm_cli.asl.templates.mapped_text import places_of
from sm_cli.asl.templates.tagged_yaml import read_template_text
from sm_cli.asl.text.spans import Span
from sm_cli.jsonvalue import Json, dumps

#: How many labels a block of a kind has.
_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "locals": 0}


def read_json_blocks(text: str) -> list[Block]:
    """The blocks of a text, in its order. Raises nothing."""
    documents, problems = read_template_text(text)
    blocks: list[Block] = []
    for document in () if problems else documents:
        members = document.value.items() if isinstance(document.value, dict) else ()
        for kind, value in members:
            span = document.span.member(kind)
            if kind in _LABELS and span is not None:
                blocks += _blocks(text, (kind,), _LABELS[kind], value, span)
    return blocks


def _blocks(text: str, words: tuple[str, ...], labels: int, value: Json, span: Span) -> Iterator[Block]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _blocks(text, words, labels, item, span.member(str(i)) or span)
    elif isinstance(value, dict) and labels:
        for label, item in value.items():
            yield from _blocks(text, (*words, label), labels - 1, item, span.member(label) or span)
    elif isinstance(value, dict):
        places = {name: span.member(name) or span for name in value}
        attributes = {name: _expression(text, item, places[name]) for name, item in value.items()}
        yield Block(words, span.start, attributes)


def _expression(text: str, value: Json, span: Span) -> Expression:
    if isinstance(value, dict):
        result = Expression("object", span.start, span.end)
        for name, item in value.items():
            place = span.member(name) or span
            result.members.append((name, place.key_start, place.key_end, _expression(text, item, place)))
        return result
    if isinstance(value, list):
        items = [_expression(text, item, span.member(str(i)) or span) for i, item in enumerate(value)]
        return Expression("list", span.start, span.end, items=items)
    if not isinstance(value, str):
        return Expression("number", span.start, span.end, dumps(value))
    outer = places_of(text, span, value)
    result = Expression("text", span.start, span.end)
    for part, places, start, end in read_template(value).parts:
        first, last = (outer[start][0], outer[end - 1][1]) if start < end <= len(outer) else (span.start, span.end)
        moved_places = None if places is None else [(outer[a][0], outer[b - 1][1]) for a, b in places]
        result.parts.append((part, moved_places, first, last))
    return result
