"""Small changes of a definition's text, each at its place: a key renamed, a value rewritten, `End: true` put in.

Nothing but the place itself is touched, and a change counts only when the changed text reads as the value
that it should; so comments, layout, quotes and line ends stay whatever a text looks like.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import orjson

from sm_cli.asl.text import json_source
from sm_cli.asl.text.spans import Span, find
from sm_cli.jsonpointer import tokens
from sm_cli.jsonvalue import Json

_LINE_END = re.compile(r"\r\n|\n|\r|\Z")
_PLAIN = re.compile(r"[A-Za-z][\w.$-]*")


@dataclass(frozen=True, slots=True)
class Change:
    """One change under a JSON pointer: `rename` its key to `new`, `set` it to what the JSON text `new` says, or
    `end`: give the object there `End: true`. `code` is the diagnostic's that asks for it."""

    code: str
    #: What is done.
    kind: Literal["rename", "set", "end"]
    pointer: str
    new: str = ""


#: [start, end) of the text, and what stands there instead.
_Edit = tuple[int, int, str]
#: Whether a text holds a definition of this value.
ReadsAs: TypeAlias = Callable[[str, Json], bool]


def apply_changes(text: str, changes: Sequence[Change]) -> tuple[str, list[Change]]:
    """The text with the changes in it, and those that could be made now; the others are left out.

    A change whose place another one of the list takes may be possible afterwards: ask again.
    """
    value, root = _read(text)
    return (text, []) if root is None else apply_where(text, value, root, changes, _reads_as)


def apply_where(
    text: str, value: Json, root: Span, changes: Sequence[Change], reads_as: ReadsAs
) -> tuple[str, list[Change]]:
    """The same for a definition that stands somewhere in a text. value, root: what it is, and where everything of it
    stands. reads_as: whether a text holds, in its place, a definition of this value."""
    spans_so_far: set[int] = set()
    changes_so_far: list[tuple[Change, list[_Edit]]] = []
    for change in sorted(changes, key=lambda c: -c.pointer.count("/")):
        edits = _EDITS[change.kind](text, root, change)
        starts = {start for start, _, _ in edits}
        if edits and not starts & spans_so_far:
            spans_so_far |= starts
            changes_so_far.append((change, edits))
    if not _is_right(text, value, changes_so_far, reads_as):
        changes_so_far = [one for one in changes_so_far if _is_right(text, value, [one], reads_as)]
        if not _is_right(text, value, changes_so_far, reads_as):
            changes_so_far = changes_so_far[:1]
    return _apply_edits(text, changes_so_far), [change for change, _ in changes_so_far]


def _read(text: str) -> tuple[Json, Span | None]:
    """The value as it is written, and where everything stands."""
    if text.lstrip()[:1] in ("{", "["):
        value, problems = json_source.read_json_text(text)
        if not problems:
            return value, json_source.scan(text)[0]
    from sm_cli.asl.text import yaml_source

    value, root, problems = yaml_source.read_yaml_text(text)
    return (None, None) if problems else (value, root)


def _is_right(text: str, value: Json, changes: list[tuple[Change, list[_Edit]]], reads_as: ReadsAs) -> bool:
    if not changes:
        return True
    goal = copy.deepcopy(value)
    for change, _ in changes:
        _apply(goal, change)
    return reads_as(_apply_edits(text, changes), goal)


def _reads_as(text: str, goal: Json) -> bool:
    value, root = _read(text)
    return root is not None and is_same(value, goal)


def is_same(value: Json, other: Json) -> bool:
    """Whether two values are the same, also in the order of their members."""
    return orjson.dumps(value) == orjson.dumps(other)


def _apply_edits(text: str, changes: list[tuple[Change, list[_Edit]]]) -> str:
    for start, end, new in sorted((edit for _, edits in changes for edit in edits), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _apply(value: Json, change: Change) -> None:
    """Make the change in the value; the changes of what lies deeper come first, so that pointers still lead there."""
    path = tokens(change.pointer)
    for token in path if change.kind == "end" else path[:-1]:
        value = value[int(token)] if isinstance(value, list) else value[token] if isinstance(value, dict) else None
    if change.kind == "end" and isinstance(value, dict):
        value["End"] = True
    elif change.kind == "set" and isinstance(value, list):
        value[int(path[-1])] = json.loads(change.new)
    elif change.kind == "set" and isinstance(value, dict):
        value[path[-1]] = json.loads(change.new)
    elif isinstance(value, dict):
        members = [(change.new if key == path[-1] else key, inner) for key, inner in value.items()]
        value.clear()
        value.update(members)


# Where a change stands in the text; no edits where that cannot be told for sure


def _rename(text: str, root: Span, change: Change) -> list[_Edit]:
    span, key = find(root, change.pointer), tokens(change.pointer)[-1]
    if span is None or span.key_start < 0:
        return []
    key_text = text[span.key_start : span.key_end]
    quote = key_text[:1] if key_text[:1] in ("'", '"') else ""
    if key_text != f"{quote}{key}{quote}" or not (quote or _PLAIN.fullmatch(change.new)):
        return []  # escapes, tags
    return [(span.key_start, span.key_end, f"{quote}{change.new}{quote}")]


def _set(_text: str, root: Span, change: Change) -> list[_Edit]:
    span = find(root, change.pointer)
    return [] if span is None or span.start == span.end else [(span.start, span.end, change.new)]


def _end(text: str, root: Span, change: Change) -> list[_Edit]:
    span = find(root, change.pointer)
    if span is None or not isinstance(span.members, dict) or not span.members:
        return []
    last = list(span.members.values())[-1]
    if not text.startswith("{", span.start):
        return _end_of_block(text, last)
    key = text[last.key_start : last.key_end]
    quote = key[:1] if key[:1] in ("'", '"') else ""
    between = _between(text, last) or ": "
    member = f"{quote}End{quote}{between}true"
    indent = _indent(text, last.key_start)
    rest = _rest_of_line(text, last.end)
    has_comma = rest.lstrip().startswith(",")
    comma: list[_Edit] = [] if has_comma else [(last.end, last.end, ",")]
    if indent is None or text[last.end : last.end + len(rest)].strip().startswith("}"):
        after = last.end + rest.index(",") + 1 if has_comma else last.end
        return [(after, after, f"{'' if has_comma else ','} {member}")]
    at = last.end + len(rest)
    return _merge_insertions([*comma, (at, at, f"{_line_end(text, last.key_start)}{indent}{member}")])


def _merge_insertions(edits: list[_Edit]) -> list[_Edit]:
    """Two insertions at one place are one."""
    if len(edits) == 2 and edits[0][0] == edits[1][0]:
        return [(edits[0][0], edits[0][1], edits[0][2] + edits[1][2])]
    return edits


def _end_of_block(text: str, last: Span) -> list[_Edit]:
    indent = _indent(text, last.key_start)
    if indent is None:
        return []
    at = last.end + len(_rest_of_line(text, last.end))
    return [(at, at, f"{_line_end(text, last.key_start)}{indent}End: true")]


def _between(text: str, member: Span) -> str:
    """What stands between a key and its value: `: `, `:`, ` : `."""
    between = text[member.key_end : member.start]
    return between if between.strip() == ":" and "\n" not in between and "\r" not in between else ""


def _indent(text: str, offset: int) -> str | None:
    """The blanks before a key that begins its line; None for one that does not."""
    before = text[max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1 : offset]
    return None if before.strip() else before


def _rest_of_line(text: str, offset: int) -> str:
    match = _LINE_END.search(text, offset)
    return text[offset : match.start() if match else len(text)]


def _line_end(text: str, offset: int) -> str:
    """How the lines of the text end, by the first that ends after the offset, else by the first of all."""
    match = _LINE_END.search(text, offset)
    if not match or not match.group():
        match = _LINE_END.search(text)
    return (match.group() if match else "") or "\n"


_EDITS: dict[str, Callable[[str, Span, Change], list[_Edit]]] = {"rename": _rename, "set": _set, "end": _end}
