"""Definition text to a Document, which knows the line and column of every JSON pointer.

Whatever is wrong with the text is a Diagnostic with a place; no input makes `parse` raise.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import orjson

from sm_cli.asl.text import json_source
from sm_cli.asl.text.scalars import characters
from sm_cli.asl.text.spans import Lines, Problem, Span, find
from sm_cli.diagnostics import Diagnostic, Position, Severity
from sm_cli.jsonpointer import tokens
from sm_cli.jsonvalue import Json, as_json, dumps, not_json_safely

Format = Literal["json", "yaml", "value"]

#: AWS refuses larger definitions (Step Functions quotas: 1 MB); here they only get a warning.
AWS_MAX_BYTES = 1_048_576
#: Larger texts are refused unread.
MAX_BYTES = 10 * 1_048_576
_IGNORE = re.compile(r"(?:^|\s)#\s*sm: ?ignore\[([A-Za-z0-9, ]*)\]")
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_YAML_SUFFIXES = (".yaml", ".yml")
_NOT_ONE = "A definition is an object with StartAt and States"


@dataclass(frozen=True, eq=False)
class Document:
    """A definition as it was given: its value, and for a text where everything stands in it.

    `format` is "value" for a dict that a program gave; then `text` and every position are None.
    """

    text: str | None
    #: The name that it came under; None: it came without.
    file: str | None
    format: Format
    #: The definition as JSON; any value, not only an object.
    value: Json
    _spans: Span | None = field(default=None, repr=False)
    #: Whether the text is the definition itself: False for one that stands in a template, or has values put in.
    is_whole: bool = True

    @property
    def own_text(self) -> str:
        """A text of exactly this definition: that which was given, or its value as JSON."""
        return self.text if self.text is not None and self.is_whole else dumps(self.value)

    @property
    def span_tree(self) -> Span | None:
        """Where everything stands in the text; None for a value."""
        return self._root

    def position(self, pointer: str, *, key: bool = False) -> Position | None:
        """The span of the value that a JSON pointer (RFC 6901) names, or of its key."""
        span = self._find(pointer)
        if span is None or self._lines is None:
            return None
        if key and span.key_start >= 0:
            return self._lines.position(span.key_start, span.key_end)
        return self._lines.position(span.start, span.end)

    def source_of(self, pointer: str) -> str | None:
        """The very characters of the value: `1.0` stays `1.0`."""
        span = self._find(pointer)
        return None if span is None or self.text is None else self.text[span.start : span.end]

    def position_in(self, pointer: str, start: int, end: int) -> Position | None:
        """The span of the characters [start, end) of a text value: escapes and folded lines are counted as they are
        written. Where that cannot be told, the span of the whole value."""
        span = self._find(pointer)
        value = _value_at(self.value, pointer)
        if span is None or self._lines is None or self.text is None or not isinstance(value, str):
            return self.position(pointer)
        places = characters(self.text[span.start : span.end], value)
        if not places:
            return self.position(pointer)
        first = places[start][0] if start < len(places) else places[-1][1]
        last = places[end - 1][1] if start < end <= len(places) else places[-1][1] if start < end else first + 1
        return self._lines.position(span.start + first, span.start + max(first, last))

    def _find(self, pointer: str) -> Span | None:
        return None if self._root is None else find(self._root, pointer)

    @cached_property
    def codes_to_ignore(self) -> dict[int, frozenset[str]]:
        """By line the codes that a comment of a YAML text asks to pass over: `# sm: ignore[SM404, SM206]` on that line,
        or on lines of their own just before it."""
        if self.format != "yaml" or self.text is None or "ignore[" not in self.text:
            return {}
        codes_by_line: dict[int, frozenset[str]] = {}
        waiting: frozenset[str] = frozenset()
        for number, line in enumerate(_LINE_ENDS.split(self.text), 1):
            match = _IGNORE.search(line)
            codes = frozenset(match[1].upper().replace(",", " ").split()) if match else frozenset()
            if match and codes and self._is_value(number, match.start()):
                codes = frozenset()  # a text that looks like a comment
            if line.lstrip().startswith("#"):
                waiting |= codes
            elif codes or (waiting and line.strip()):
                codes_by_line[number] = codes | waiting
                waiting = frozenset()
        return codes_by_line

    def _is_value(self, line: int, column: int) -> bool:
        """Whether a value that holds no others stands at this place, `column` from 0."""
        offset = self._lines.start_of(line) + column if self._lines is not None else -1
        span = self._root
        while span is not None and span.members:
            inside = span.members.values() if isinstance(span.members, dict) else span.members
            span = next((each for each in inside if each.start <= offset < each.end), None)
        return span is not None and span.members is None

    @cached_property
    def _lines(self) -> Lines | None:
        return None if self.text is None else Lines(self.text)

    @cached_property
    def _root(self) -> Span | None:
        if self._spans is not None or self.text is None:
            return self._spans
        return json_source.scan(self.text)[0]


def _value_at(value: Json, pointer: str) -> Json:
    """What a JSON pointer names; None where there is nothing."""
    for token in tokens(pointer):
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a text: no document exactly when a diagnostic is an error."""

    #: None exactly when a diagnostic is an error.
    document: Document | None
    #: In the order of the text.
    diagnostics: list[Diagnostic]


def parse(text: str | bytes, *, file: str | None = None) -> Parsed:
    """Read a definition, JSON or YAML by its content. `file` is only a name for the diagnostics."""
    if (size := len(text)) > MAX_BYTES:
        return _refusal("SM008", f"The definition has {size:,} bytes; at most {MAX_BYTES:,} are read", file)
    if isinstance(text, bytes):
        content = text
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as e:
            return _not_utf8(e, file)
    else:
        text = text.removeprefix("\ufeff")
        try:
            content = text.encode()
        except UnicodeEncodeError as e:
            message = "this text holds half of a surrogate pair, which no UTF-8 text can hold"
            return _problems(text, [Problem("SM014", message, e.start, e.end)], file)
    beginning = text.lstrip()[:1]
    if not beginning:
        return _refusal("SM002", "The definition is empty", file)
    result = _parse_json(text, file) if beginning in "{[" else _parse_yaml(text, file)
    if result.document is not None and len(content) > AWS_MAX_BYTES:
        message = f"The definition has {len(content):,} bytes; AWS takes at most {AWS_MAX_BYTES:,}"
        return Parsed(result.document, [_diagnostic("SM015", message, None, file, severity="warning")])
    return result


def from_value(value: object) -> Parsed:
    """Take a definition that a program built. What is not JSON is refused, and the value is copied."""
    document, problem = as_json(value)
    if problem is not None:
        problem = not_json_safely(value)
        document = None if problem else _plain(value)
        if document is None:
            problem = problem or "it holds text that is not Unicode, or is nested too deeply"
            return _refusal("SM016", f"The definition is not JSON: {problem}", None)
    if json_source.deeper_than(document, json_source.MAX_DEPTH):
        return _refusal("SM009", f"The definition is nested more than {json_source.MAX_DEPTH} levels deep", None)
    return _object(Document(None, None, "value", document))


def _plain(value: object) -> Json:
    """A JSON value of plain dicts and lists, made of their subclasses and of tuples; None where there is none."""
    try:
        plain: Any = json.loads(json.dumps(value))
        orjson.dumps(plain)
    except (TypeError, ValueError, RecursionError):
        return None
    result: Json = plain
    return result


def _parse_json(text: str, file: str | None) -> Parsed:
    value, problems = json_source.read_json_text(text)
    if not problems:
        return _object(Document(text, file, "json", value))
    if _may_be_flow_yaml(text, file):
        from_yaml = _parse_yaml(text, file)
        if from_yaml.document is not None:
            return from_yaml
    return _problems(text, problems, file)


def _may_be_flow_yaml(text: str, file: str | None) -> bool:
    """`{StartAt: A, …}` is YAML; a text whose first key stands in quotes is JSON unless its name says YAML."""
    if file is not None and file.lower().endswith(_YAML_SUFFIXES):
        return True
    inside = text.lstrip()[1:].lstrip()[:1]
    return inside.isalpha()


def _parse_yaml(text: str, file: str | None) -> Parsed:
    from sm_cli.asl.text import yaml_source  # its import costs 15 ms that a JSON definition need not pay
    from sm_cli.asl.text.numbers_as_text import keep_source_text

    value, spans, problems = yaml_source.read_yaml_text(text)
    if problems:
        return _problems(text, problems, file)
    if spans is None:
        return _refusal("SM002", "The definition is empty", file)
    if isinstance(value, dict):
        keep_source_text(value, text, spans)
    return _object(Document(text, file, "yaml", value, spans))


def _object(document: Document) -> Parsed:
    if isinstance(document.value, dict):
        return Parsed(document, [])
    message = f"{_NOT_ONE}; this is {kind_of(document.value)}"
    return Parsed(None, [_diagnostic("SM005", message, document.position(""), document.file)])


def kind_of(value: Json) -> str:
    """What a JSON value is, in words: "an array", "text", "a number"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return "a number"
    return {dict: "an object", list: "an array", str: "text"}[type(value)]


def _not_utf8(error: UnicodeDecodeError, file: str | None) -> Parsed:
    before = error.object[: error.start]
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _refusal("SM001", "The definition is UTF-16; save it as UTF-8", file)
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    message = f"The definition is not UTF-8: line {line} holds the byte 0x{error.object[error.start]:02x}"
    return Parsed(None, [_diagnostic("SM001", message, Position(line, column, line, column + 1), file)])


def _refusal(code: str, message: str, file: str | None) -> Parsed:
    position = None if code == "SM016" else Position(1, 1, 1, 1)
    return Parsed(None, [_diagnostic(code, message, position, file)])


def _problems(text: str, problems: list[Problem], file: str | None) -> Parsed:
    lines = Lines(text)
    return Parsed(
        None,
        [_diagnostic(p.code, _sentence(p), lines.position(p.start, p.end), file, hint=p.hint) for p in problems],
    )


def _sentence(problem: Problem) -> str:
    return problem.message[:1].upper() + problem.message[1:]


def _diagnostic(
    code: str,
    message: str,
    position: Position | None,
    file: str | None,
    *,
    severity: Severity = "error",
    hint: str | None = None,
) -> Diagnostic:
    return Diagnostic(code, severity, message, "", position, hint, file)
