"""What `sm validate --fix` fixes: mistakes that have one remedy and no other.

What could have been meant in two ways is left to its writer. A field's name has one close candidate; a
number stands where only text can; a state without Next is the last of its machine; a path lacks its `.$`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sm_cli.asl.fields import GROUPS, OPEN_SHAPES, STATE_TYPES, Kind, Language, Syntax, fields_of, state_types_with
from sm_cli.asl.outline import MachineAt, StateAt, members, outline, parts
from sm_cli.asl.text.edits import Change, apply_changes
from sm_cli.asl.text.source import Document, parse
from sm_cli.asl.validation.rules.expressions import paths_have_their_dollar, value_problem
from sm_cli.asl.validation.schema import fits, is_substitution
from sm_cli.jsonpointer import child, tokens
from sm_cli.jsonvalue import Json

#: A change can make another one possible: a state's own Type, the End of the state around it.
MAX_ROUNDS = 20
_LEADING = ("Next", "Default", "TimeoutPath")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Fixed:
    """The fixed text, and what was changed, in the order in which it was."""

    #: The whole text.
    text: str
    #: In the order in which they were made.
    changes: tuple[Change, ...] = ()


def fix(text: str, *, file: str | None = None, ignore: Collection[str] = ()) -> Fixed:
    """Fix the text of a definition; one that cannot be read, or in which nothing is sure, comes back as it is.

    The codes in `ignore` are left alone. Fixing twice changes nothing more. Line ends stay; a byte order mark is
    not part of a text.
    """
    changes: list[Change] = []
    for _ in range(MAX_ROUNDS):
        document = parse(text, file=file).document
        candidates = [] if document is None else changes_of(document, ignore)
        text, latest = apply_changes(text, candidates) if candidates else (text, [])
        if not latest:
            break
        changes += latest
    return Fixed(text, tuple(changes))


def changes_of(document: Document, ignore: Collection[str] = ()) -> list[Change]:
    """What would fix a definition. The codes in `ignore` are left alone."""
    return [change for change in _changes(document) if not _is_ignored(document, change, ignore)]


def _is_ignored(document: Document, change: Change, ignore: Collection[str]) -> bool:
    """Whether an option or a comment on its line asks to pass over such a problem."""
    place = document.position(change.pointer, key=True)
    return change.code in ignore or (place is not None and change.code in document.codes_to_ignore.get(place.line, ()))


def _changes(document: Document) -> Iterator[Change]:
    value = document.value
    for machine in outline(value) if isinstance(value, dict) else ():
        yield from _of_object(document, machine, machine.value, machine.pointer, machine.shape, machine.language)
        for state in machine.states.values():
            if state.type in STATE_TYPES:
                yield from _of_object(document, machine, state.value, state.pointer, state.type, state.language)
                yield from _dollars(state)
            elif "Type" not in state.value:
                yield from _types(state)
        yield from _ends(machine)


def _of_object(
    document: Document, machine: MachineAt, value: dict[str, Json], pointer: str, shape: str, language: Language
) -> Iterator[Change]:
    for at, inner, inner_shape in parts(value, pointer, shape, language):
        yield from _names(inner, at, inner_shape, language)
        yield from _unquote(document, inner, at, inner_shape, language)
    yield from _texts(document, machine, value, pointer, shape, language)


# A field's name


def _names(value: dict[str, Json], pointer: str, shape: str, language: Language) -> Iterator[Change]:
    """SM101: each name that is none, where one field of the shape is close to it and is not there yet."""
    fields = fields_of(shape, language)
    if shape in OPEN_SHAPES or not fields:
        return
    other: Language = "JSONPath" if language == "JSONata" else "JSONata"
    foreign = fields_of(shape, other)
    candidates: dict[str, list[str]] = {}
    for name in value:
        if name in fields or name in foreign or is_substitution(name):
            continue
        if shape in STATE_TYPES and state_types_with(name):
            continue  # another state type has it: which of the two is wrong?
        close = _nearest(name, [field for field in fields if field not in value])
        if close is None or _is_excluded(close, shape, value, value[name]):
            continue
        if _can_be(fields[close], value[name], language):
            candidates.setdefault(close, []).append(name)
    for field, names in candidates.items():
        if len(names) == 1:
            yield Change("SM101", "rename", child(pointer, names[0]), field)


def _is_excluded(field: str, shape: str, value: dict[str, Json], new: Json) -> bool:
    """Whether something in the object cannot stand beside such a field: then which of the two is wrong?"""
    pairs = GROUPS[shape].at_most_one if shape in GROUPS else ()
    if any(field in pair and any(other in value for other in pair if other != field) for pair in pairs):
        return True
    ends = {"Next": value.get("End"), "End": new if "Next" in value else None}.get(field)
    return ends is not None and ends is not False


def _can_be(kind: Kind, value: Json, language: Language) -> bool:
    """Whether a value can stand in such a field, if need be without its quotes."""
    if isinstance(value, str) and kind.expression and language == "JSONata":
        return True
    return fits(kind.schema, value) or (isinstance(value, str) and _literal(kind, value) is not None)


def _types(state: StateAt) -> Iterator[Change]:
    """SM102: the Type itself under another name."""
    names = [name for name in state.value if _nearest(name, ["Type"]) and state.value[name] in STATE_TYPES]
    if len(names) == 1:
        yield Change("SM102", "rename", child(state.pointer, names[0]), "Type")


def _nearest(name: str, fields: list[str]) -> str | None:
    """The one field that is close to a name; None when there are none or several."""
    same = [field for field in fields if _fold(field) == _fold(name)]
    close = same or [field for field in fields if _is_close(_fold(name), _fold(field))]
    return close[0] if len(close) == 1 else None


def _fold(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _is_close(one: str, other: str) -> bool:
    """Whether a slip or two lead from one word to the other: a letter too many, too few, wrong, or swapped."""
    shorter = min(len(one), len(other))
    most = 0 if shorter < 3 else 1 if shorter < 6 else 2
    return abs(len(one) - len(other)) <= most and distance(one, other) <= most


def distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out, replaced or swapped with their neighbour (optimal alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, two_before[j - 2] + 1)
            row.append(least)
    return row[-1]


# Values


def _texts(
    document: Document, machine: MachineAt, value: dict[str, Json], pointer: str, shape: str, language: Language
) -> Iterator[Change]:
    """SM103: a number where the language wants text, such as an error name 404, is the text that was written."""
    syntaxes: tuple[Syntax, Syntax] = ("text", "state")
    for syntax in syntaxes:
        for at, holder, field in members(value, pointer, shape, language, (syntax,)):
            current = holder[field]
            places = (
                [(f"{at}/{i}", item) for i, item in enumerate(current)]
                if isinstance(current, list)
                else [(at, current)]
            )
            for place, item in places:
                source = document.source_of(place)
                if not isinstance(item, (int, float)) or isinstance(item, bool) or source is None:
                    continue
                if source in machine.names if syntax == "state" else field != "Version" or source == "1.0":
                    yield Change("SM103", "set", place, json.dumps(source))


def _unquote(
    document: Document, value: dict[str, Json], pointer: str, shape: str, language: Language
) -> Iterator[Change]:
    """SM103: `"30"` where a number must stand, `"true"` or `True` where true must."""
    for field, kind in fields_of(shape, language).items():
        text, at = value.get(field), child(pointer, field)
        if isinstance(text, str) and (literal := _literal(kind, text)) is not None:
            scalar = document.source_of(at) or ""
            if scalar.strip("'\"") == text:
                yield Change("SM103", "set", at, literal)


def _literal(kind: Kind, text: str) -> str | None:
    """The number, true or false that a text spells where this kind wants one; None when it spells none."""
    json_type = kind.schema.get("type")
    if json_type == "boolean" and text.lower() in ("true", "false"):
        return text.lower()
    is_number = json_type in ("integer", "number") and _NUMBER.fullmatch(text) is not None
    return text if is_number and fits(kind.schema, json.loads(text)) else None


def _dollars(state: StateAt) -> Iterator[Change]:
    """SM308: a key whose value is a path or a call, without the `.$` that would evaluate it."""
    for finding in paths_have_their_dollar(state):
        *above, key = tokens(finding.pointer)
        holder = _under(state, above)
        value = holder.get(key)
        if isinstance(value, str) and f"{key}.$" not in holder and value_problem(value, key) is None:
            yield Change("SM308", "rename", finding.pointer, f"{key}.$")


def _under(state: StateAt, path: list[str]) -> dict[str, Json]:
    """The object that a path of tokens leads to; it lies inside the state."""
    value: Json = state.value
    for token in path[len(tokens(state.pointer)) :]:
        value = value[int(token)] if isinstance(value, list) else value[token] if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


# The end of a machine


def _ends(machine: MachineAt) -> Iterator[Change]:
    """SM204: the state that comes last, or has only states for failures after it, ends the machine."""
    names = list(machine.names)
    for i, name in enumerate(names):
        state = machine.states.get(name)
        if state is not None and _lacks_an_end(state) and _comes_last(machine, names[i + 1 :]):
            yield Change("SM204", "end", state.pointer)


def _lacks_an_end(state: StateAt) -> bool:
    fields = fields_of(state.type, state.language)
    if state.type not in STATE_TYPES or not {"Next", "End"} <= fields.keys():
        return False
    return not any(
        key in ("Next", "End") or is_substitution(key) or (key not in fields and _nearest(key, ["Next", "End"]))
        for key in state.value
    )


def _comes_last(machine: MachineAt, later: list[str]) -> bool:
    """Whether none of the states that follow in the text can be meant as the next one."""
    if not later:
        return True
    reachable, calmly = _reachable(machine, by_catchers=True), _reachable(machine, by_catchers=False)
    if not set(machine.names) <= reachable:
        return False
    return all(name not in calmly or _type_of(machine, name) == "Fail" for name in later)


def _type_of(machine: MachineAt, name: str) -> str:
    return machine.states[name].type if name in machine.states else ""


def _reachable(machine: MachineAt, *, by_catchers: bool) -> set[str]:
    """The states that can be reached, by way of catchers too or without them."""
    start = machine.value.get("StartAt")
    waiting, names = [start] if isinstance(start, str) else [], set()
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            state = machine.states.get(name)
            waiting += _targets(state, by_catchers) if state is not None else []
    return names


def _targets(state: StateAt, by_catchers: bool) -> list[str]:
    objects = [state.value, *(item for _, item in state.items("Choices"))]
    if by_catchers:
        objects += [item for _, item in state.items("Catch")]
    return [target for holder in objects for field in _LEADING if isinstance(target := holder.get(field), str)]
