"""Text put together from parts of a template, and where in the template each of its characters stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from sm_cli.asl.text.scalars import characters
from sm_cli.asl.text.source import Document, Parsed, parse
from sm_cli.asl.text.spans import Lines, Span
from sm_cli.diagnostics import Diagnostic


@dataclass(slots=True)
class MappedText:
    """A text, character by character with the [start, end) of what made it."""

    #: Its parts, in order.
    parts: list[str] = field(default_factory=list)
    #: For each character the offset of the first one that made it.
    starts: list[int] = field(default_factory=list)
    #: For each character the offset after the last one that made it.
    ends: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.parts)

    def add(self, text: str, start: int, end: int) -> None:
        """Put a text behind it all of which was made by the same characters."""
        self.parts.append(text)
        self.starts += [start] * len(text)
        self.ends += [end] * len(text)

    def add_places(self, text: str, places: list[tuple[int, int]]) -> None:
        """Put a text behind it whose characters have a place each."""
        self.parts.append(text)
        self.starts += [start for start, _ in places]
        self.ends += [end for _, end in places]

    def append(self, other: MappedText) -> None:
        """Put another one behind it."""
        self.parts += other.parts
        self.starts += other.starts
        self.ends += other.ends


def places_of(template: str, span: Span, value: str) -> list[tuple[int, int]]:
    """Where each character of a text value stands in the template; the whole value where that cannot be told."""
    inside = characters(template[span.start : span.end], value)
    if inside is None or len(inside) != len(value):
        return [(span.start, span.end)] * len(value)
    return [(span.start + start, span.start + end) for start, end in inside]


def parse_mapped(joined_text: MappedText, template: str, file: str | None) -> Parsed:
    """Read a definition from such a text: every place, of a value and of a problem, is one of the template."""
    text = joined_text.text
    result = parse(text, file=file)
    lines, template_lines = Lines(text), Lines(template)

    def move(problem: Diagnostic) -> Diagnostic:
        place = problem.position
        if place is None or not joined_text.starts:
            return problem
        start = lines.start_of(place.line) + place.column - 1
        end = lines.start_of(place.end_line) + place.end_column - 1
        position = template_lines.position(*_outer(joined_text, start, end))
        return Diagnostic(
            problem.code, problem.severity, problem.message, problem.pointer, position, problem.hint, problem.file
        )

    problems = [move(problem) for problem in result.diagnostics]
    document = result.document
    if document is None or document.span_tree is None:
        return Parsed(None, problems)
    span = _move(document.span_tree, joined_text)
    return Parsed(Document(template, file, "json", document.value, span, is_whole=False), problems)


def _outer(joined_text: MappedText, start: int, end: int) -> tuple[int, int]:
    last = len(joined_text.starts) - 1
    first = joined_text.starts[min(start, last)]
    return first, max(first, joined_text.ends[min(max(start, end - 1), last)])


def _move(span: Span, joined_text: MappedText) -> Span:
    start, end = _outer(joined_text, span.start, span.end)
    result = Span(start, end)
    if span.key_start >= 0:
        result.key_start, result.key_end = _outer(joined_text, span.key_start, span.key_end)
    if isinstance(span.members, dict):
        result.members = {key: _move(member, joined_text) for key, member in span.members.items()}
    elif span.members is not None:
        result.members = [_move(member, joined_text) for member in span.members]
    return result
