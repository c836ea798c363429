"""Templates as values with the place of everything: JSON, and YAML with tags, anchors, merge keys, several documents.

A short form becomes its long one (`!GetAtt A.Arn` is `{"Fn::GetAtt": "A.Arn"}`), an alias the value of its anchor.
Nothing is constructed but what JSON has.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import yaml

from sm_cli.asl.text import json_source
from sm_cli.asl.text.spans import Problem, Span
from sm_cli.asl.text.yaml_source import YamlBuilder, read_events
from sm_cli.jsonvalue import Json

_CONSTANTS: dict[str, Json] = {
    "True": True, "TRUE": True, "False": False, "FALSE": False, "Null": None, "NULL": None, "~": None,
}  # fmt: skip
#: Tags whose long form has no `Fn::`.
_BARE = ("Ref", "Condition")


class TemplateText(NamedTuple):
    """One document of a template's text."""

    #: What it says, in JSON's types.
    value: Json
    #: Where everything of it stands.
    span: Span


@lru_cache(maxsize=8)  # a template is asked again for each definition that it names
def read_template_text(text: str) -> tuple[list[TemplateText], list[Problem]]:
    """The documents of a text, or what is wrong with it; shared by who asks, so nobody changes them. Raises nothing."""
    if text.lstrip()[:1] == "{":
        value, problems = json_source.read_json_text(text)
        span = None if problems else json_source.scan(text)[0]
        if span is not None:
            return [TemplateText(value, span)], []
    builder = _TemplateBuilder(text)
    read_events(builder, text)
    builder.end_document()
    return builder.documents, builder.problems


class _TemplateBuilder(YamlBuilder):
    """Takes what a definition must not have, and gives it its meaning."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.documents: list[TemplateText] = []
        self._anchors: dict[str, tuple[Json, Span]] = {}
        self._anchor: str | None = None
        self._tag: str | None = None

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.end_document()
        super().take(event)

    def end_document(self) -> None:
        """What comes next belongs to another document."""
        if self.root is not None:
            self.documents.append(TemplateText(self.value, self.root))
        self.value, self.root = None, None
        self._anchors.clear()

    def _extent(self, event: yaml.ScalarEvent) -> tuple[int, int]:
        start, end = super()._extent(event)
        while event.style and self.text[start : start + 1] in ("!", "&"):  # the properties before the scalar
            while start < end and not self.text[start].isspace():
                start += 1
            while start < end and self.text[start].isspace():
                start += 1
        return start, end

    def _meaning(self, event: yaml.ScalarEvent, start: int, end: int) -> Json:
        if event.tag is not None and event.tag.startswith("!") and event.tag != "!":
            self._tag = event.tag
            return event.value
        if event.tag is None and event.implicit[0] and event.value in _CONSTANTS:
            return _CONSTANTS[event.value]
        return super()._meaning(event, start, end)

    def _take_key(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        self._anchor = None
        self._open[-1].key = (event.value, start, end)

    def _place(self, value: Json, span: Span) -> None:
        tag, self._tag = self._tag, None
        anchor, self._anchor = self._anchor, None
        if tag is not None:
            name = tag[1:] if tag[1:] in _BARE else f"Fn::{tag[1:]}"
            value, span = {name: value}, Span(span.start, span.end, members={name: span})
        if anchor is not None:
            self._anchors[anchor] = (value, span)
        top = self._open[-1] if self._open else None
        if top is not None and top.key is not None and top.key[0] == "<<" and isinstance(top.value, dict):
            top.key = None
            self._merge(top.value, top.span, value, span)
            return
        super()._place(value, span)

    def _merge(self, target: dict[str, Json], into: Span, value: Json, span: Span) -> None:
        """What `<<` puts into a mapping: members that it does not have itself."""
        if isinstance(value, list) and isinstance(span.members, list):
            for item, item_span in zip(value, span.members, strict=True):
                self._merge(target, into, item, item_span)
        elif isinstance(value, dict) and isinstance(span.members, dict) and isinstance(into.members, dict):
            for key, inner in value.items():
                if key not in target:
                    target[key] = inner
                    into.members[key] = span.members[key]

    def _refuse_anchor(self, event: yaml.NodeEvent) -> None:
        self._anchor = event.anchor

    def _refuse_tag(self, tag: str, start: int) -> None:  # noqa: ARG002 - the hook's own arguments
        if tag.startswith("!"):
            self._tag = tag

    def _refuse_alias(self, event: yaml.AliasEvent) -> None:
        value, span = self._anchors.get(event.anchor or "", (None, None))
        if self._expects_key():
            self._open[-1].key = (value if isinstance(value, str) else f"*{event.anchor}", 0, 0)
        elif span is not None:
            self._place(value, replace(span))
        else:
            self._place(None, Span(0, 0))
