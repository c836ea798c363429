"""YAML text: its value by JSON's rules for plain scalars, where everything stands, and what is wrong with it.

`true false null` and JSON's numbers are what they are in JSON, every other plain scalar is the text
that was written (`NO`, `on`, `12:30`, `0x1F`, a timestamp). The parser's events are read one by one, never
its nodes: so depth is bounded, and an anchor is seen where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from sm_cli.asl.text.json_source import MAX_DEPTH, MAX_PROBLEMS, TOO_DEEP, excerpt
from sm_cli.asl.text.spans import Lines, Problem, Span
from sm_cli.asl.text.yaml_errors import sentence
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, loads_exact

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONSTANTS: dict[str, Json] = {"true": True, "false": False, "null": None, "": None}
_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = {"!", f"{_CORE}str"}
_SCALAR_TAGS = {f"{_CORE}{name}" for name in ("int", "float", "bool", "null")}
_COLLECTION_TAGS = {"!", f"{_CORE}map", f"{_CORE}seq"}
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_yaml_text(text: str) -> tuple[Json, Span | None, list[Problem]]:
    """The value of a YAML text and the spans of all of it, or its problems (then the value means nothing).

    An empty text gives no span and no problem.
    """
    builder = YamlBuilder(text)
    read_events(builder, text)
    return builder.value, builder.root, builder.problems


def read_events(builder: YamlBuilder, text: str) -> None:
    """Give the builder every event of a text; where it cannot be read on, its problems say why. Raises nothing."""
    try:
        for event in yaml.parse(text, Loader=_LOADER):  # events only: nothing is constructed
            builder.take(event)
    except _Stop:
        pass
    except yaml.YAMLError as e:
        builder.problems.append(_syntax(text, e))


def _syntax(text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = getattr(error, "position", 0) if mark is None else mark.index
    offset = min(offset, len(text))
    if "nesting depth" in str(error):  # libyaml has a bound of its own, and meets it before its first event
        return Problem("SM009", TOO_DEEP, offset, min(offset + 1, len(text)))
    message, hint = sentence(error, text, offset)
    return Problem("SM004", message, offset, min(offset + 1, len(text)), hint)


class _Stop(Exception):
    """Nothing that follows can be read."""


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    span: Span
    value: dict[str, Json] | list[Json]
    flow: bool
    keys: dict[str, int] = field(default_factory=dict)
    key: tuple[str, int, int] | None = None


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark is not None else 0


class YamlBuilder:
    """Takes the parser's events and builds the value and its spans side by side."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: Json = None
        self.root: Span | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._lines: Lines | None = None

    def take(self, event: yaml.Event) -> None:
        """The next event of the text."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._end(event)
        elif isinstance(event, yaml.AliasEvent):
            self._refuse_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            start = _start(event)
            self._note("SM013", "a second YAML document begins here; a definition is one document", start, start + 3)
            raise _Stop

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = self._extent(event)
        self._refuse_anchor(event)
        if self._expects_key():
            self._take_key(event, start, end)
        else:
            self._place(self._meaning(event, start, end), Span(start, end))

    def _extent(self, event: yaml.ScalarEvent) -> tuple[int, int]:
        """The scalar's own characters: without a tag before it, and without the line ends after a block."""
        start, end = _start(event), _end(event)
        if event.tag is not None and not event.style:
            start = max(start, end - len(event.value))
        elif event.style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
        return start, end

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _take_key(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        top, key = self._open[-1], event.value
        if key == "<<" and not event.style:
            message = "the merge key << is not part of the States Language"
            self._note("SM011", message, start, end, "write the fields out")
        if (first := top.keys.setdefault(key, start)) != start:
            line = self._line(first)
            self._note("SM006", f"the key '{excerpt(key)}' stands here again; its first is on line {line}", start, end)
        top.key = (key, start, end)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        start = _start(event)
        self._refuse_anchor(event)
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            self._refuse_tag(event.tag, start)
        if self._expects_key():
            self._note("SM004", "a key must be a text, not a mapping or a list", start, start + 1)
            raise _Stop
        if len(self._open) == MAX_DEPTH:
            self._note("SM009", TOO_DEEP, start, start + 1)
            raise _Stop
        is_object = isinstance(event, yaml.MappingStartEvent)
        value: dict[str, Json] | list[Json] = {} if is_object else []
        span = Span(start, _end(event), members={} if is_object else [])
        self._place(value, span)
        self._open.append(_Open(span, value, bool(event.flow_style)))

    def _end(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        collection = self._open.pop()
        span, members = collection.span, collection.span.members
        if collection.flow:
            span.end = _end(event)
        elif members:
            # A block's end mark stands where the next thing begins: after comments and blank lines.
            last = members[-1] if isinstance(members, list) else next(reversed(members.values()))
            span.end = max(span.start, last.end)

    def _place(self, value: Json, span: Span) -> None:
        if not self._open:
            self.value, self.root = value, span
            return
        top = self._open[-1]
        if isinstance(top.value, list) and isinstance(top.span.members, list):
            top.value.append(value)
            top.span.members.append(span)
        elif isinstance(top.value, dict) and isinstance(top.span.members, dict) and top.key is not None:
            key, span.key_start, span.key_end = top.key
            top.key = None
            top.value[key] = value
            top.span.members[key] = span

    def _meaning(self, event: yaml.ScalarEvent, start: int, end: int) -> Json:
        text = event.value
        if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
            if _SURROGATE.search(text):
                message = "this text holds half of a surrogate pair, which no UTF-8 text can hold"
                self._note("SM014", message, start, end)
            return text
        if event.tag is not None and event.tag not in _SCALAR_TAGS:
            self._refuse_tag(event.tag, _start(event))
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if not _NUMBER.fullmatch(text):
            return text
        try:
            return loads_exact(text, what="the definition")
        except InvalidJson as e:
            self._note("SM007", e.message, start, end)
            return None

    # Sentences

    def _line(self, offset: int) -> int:
        self._lines = self._lines or Lines(self.text)
        return self._lines.line(offset)

    def _note(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, start, min(end, len(self.text)), hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def _refuse_anchor(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            start = max(self.text.find("&", _start(event)), _start(event))
            end = start + 1 + len(event.anchor)
            message = f"the anchor &{excerpt(event.anchor)} is not part of the States Language"
            self._note("SM010", message, start, end, "write the value out wherever it is needed")

    def _refuse_alias(self, event: yaml.AliasEvent) -> None:
        start, end = _start(event), _end(event)
        if not any(problem.code == "SM010" for problem in self.problems):
            message = f"the alias *{excerpt(event.anchor or '')} is not part of the States Language"
            self._note("SM010", message, start, end, "write the value out")
        if self._expects_key():
            self._open[-1].key = (f"*{event.anchor}", start, end)
        else:
            self._place(None, Span(start, end))

    def _refuse_tag(self, tag: str, start: int) -> None:
        tag_text = f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
        message = f"the YAML tag {excerpt(tag_text)} is not part of the States Language"
        hint = "write the value itself, or a substitution such as ${Name}"
        self._note("SM012", message, start, start + len(tag_text), hint)
