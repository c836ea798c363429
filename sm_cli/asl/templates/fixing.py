"""Fixes of a definition that stands in a template as it is: each change at its place, everything else as it was.

A change counts only when the template, read anew, has that definition with the change and every other one as before.
What a function gives, what is escaped, and an expression of another language are not the text of a definition: there
nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.asl.text.edits import Change, apply_where, is_same
from sm_cli.asl.text.source import Document
from sm_cli.asl.text.spans import Span
from sm_cli.asl.validation.fixes import MAX_ROUNDS, changes_of
from sm_cli.jsonvalue import Json

#: From the text of a template to the definitions that stand in it, by name; None for one that cannot be read.
ReadMachines: TypeAlias = Callable[[str], Mapping[str, Document | None]]


@dataclass(frozen=True, slots=True)
class FixedMachine:
    """What became of one machine of a template."""

    #: The whole text of the template.
    text: str
    #: What was changed, in order.
    changes: tuple[Change, ...] = ()
    #: What would fix the definition and could not be changed in its place.
    left: tuple[Change, ...] = ()


def fix_machine(text: str, machine: str, read: ReadMachines, ignore: Collection[str] = ()) -> FixedMachine:
    """Fix a machine of a template. The codes in `ignore` are left alone. Fixing twice changes nothing more."""
    changes: list[Change] = []
    for _ in range(MAX_ROUNDS):
        documents = read(text)
        document = documents.get(machine)
        if document is None or document.span_tree is None:
            return FixedMachine(text, tuple(changes))
        candidates = changes_of(document, ignore)

        def reads_as(new: str, goal: Json, before: Mapping[str, Document | None] = documents) -> bool:
            after = read(new)
            return list(after) == list(before) and all(
                is_same(_value(after[name]), goal if name == machine else _value(before[name])) for name in before
            )

        if not _is_definition(text, document.span_tree):
            return FixedMachine(text, tuple(changes), tuple(candidates))
        text, latest = apply_where(text, document.value, document.span_tree, candidates, reads_as)
        if not latest:
            return FixedMachine(text, tuple(changes), tuple(candidates))
        changes += latest
    return FixedMachine(text, tuple(changes))


def _is_definition(text: str, span: Span) -> bool:
    """Whether it is written as JSON or YAML: an object of Terraform's language has other signs, `Key = value`."""
    places = span.members.values() if isinstance(span.members, dict) else ()
    return not any("=" in text[place.key_end : place.start] for place in places)


def _value(document: Document | None) -> Json:
    return None if document is None else document.value
