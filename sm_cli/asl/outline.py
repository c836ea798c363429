"""A definition's skeleton: its machines and states, each with the pointer under which it stands.

The skeleton takes whatever is written and drops what has the wrong type; the structural check says
what was wrong with it, so that no rule has to ask again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sm_cli.asl.fields import Language, Syntax, fields_of, language_of
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True, eq=False)
class StateAt:
    """A state that is written as an object; `type` is its Type as written, or "" when that is no text."""

    #: Its key in States.
    name: str
    #: The JSON pointer of the state's object.
    pointer: str
    #: The state as it is written.
    value: dict[str, Json]
    type: str
    #: Its own query language, or that of the workflow.
    language: Language
    #: The machine that it belongs to.
    machine: MachineAt

    def text(self, name: str) -> str | None:
        """The value of a field when it is text."""
        return text_in(self.value, name)

    def at(self, *tokens: str | int) -> str:
        """The pointer of what these tokens lead to inside the state."""
        pointer = self.pointer
        for token in tokens:
            pointer = child(pointer, token)
        return pointer

    def items(self, name: str) -> Iterator[tuple[str, dict[str, Json]]]:
        """(pointer, object) of each object in an array field: the retriers, catchers and rules."""
        return objects_in(self.value, self.pointer, name)


@dataclass(frozen=True, slots=True, eq=False)
class MachineAt:
    """One StartAt and States. `shape` is Machine, Branch or Processor; `owner` the state that holds it;
    `names` all names in States, also of what is no object."""

    #: The JSON pointer of the object that has StartAt; "" for the whole definition.
    pointer: str
    #: The machine as it is written.
    value: dict[str, Json]
    shape: str
    #: The query language of states that name none: that of the whole definition.
    language: Language
    owner: StateAt | None
    #: By name; those that are objects.
    states: dict[str, StateAt] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How a sentence names it."""
        if self.owner is None:
            return "the workflow"
        if self.shape == "Processor":
            return f"the processor of '{self.owner.name}'"
        return f"branch {int(self.pointer.rsplit('/', 1)[1]) + 1} of '{self.owner.name}'"


def outline(definition: dict[str, Json]) -> list[MachineAt]:
    """All machines of a definition, outermost first, in the order in which they are written."""
    machines: list[MachineAt] = []
    _machine(definition, "", "Machine", None, language_of(definition, "JSONPath"), machines)
    return machines


def _machine(
    value: dict[str, Json],
    pointer: str,
    shape: str,
    owner: StateAt | None,
    language: Language,
    machines: list[MachineAt],
) -> None:
    machine = MachineAt(pointer, value, shape, language, owner)
    machines.append(machine)
    states = value.get("States")
    for name, state in states.items() if isinstance(states, dict) else ():
        at = child(f"{pointer}/States", name)
        machine.names[name] = at
        if not isinstance(state, dict):
            continue
        machine.states[name] = here = StateAt(
            name, at, state, text_in(state, "Type") or "", language_of(state, language), machine
        )
        for kind, inner_at, inner in _inside(here):
            _machine(inner, inner_at, kind, here, language, machines)


def _inside(state: StateAt) -> Iterator[tuple[str, str, dict[str, Json]]]:
    """(shape, pointer, object) of each machine that a state holds."""
    for name, kind in fields_of(state.type, state.language).items():
        if kind.holds == "Branch":
            yield from (("Branch", pointer, branch) for pointer, branch in state.items(name))
        elif kind.holds == "Processor" and isinstance(processor := state.value.get(name), dict):
            yield "Processor", state.at(name), processor


def text_in(value: dict[str, Json], name: str) -> str | None:
    """The member of this name when it is a string, else None."""
    text = value.get(name)
    return text if isinstance(text, str) else None


def objects_in(value: dict[str, Any], pointer: str, name: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """(pointer, object) of each object in the array that stands under a name."""
    items = value.get(name)
    if isinstance(items, list):
        for i, item in enumerate(items):
            if isinstance(item, dict):
                yield f"{pointer}/{name}/{i}", item


def members(
    value: dict[str, Json], pointer: str, shape: str, language: Language, syntaxes: tuple[Syntax, ...]
) -> Iterator[tuple[str, dict[str, Json], str]]:
    """(pointer, object, field) of every field of these syntaxes, in an object of this shape and in those
    inside it that are no machines."""
    for name, syntax, holds in _readable(shape, language):
        if name not in value:
            continue
        if syntax in syntaxes:
            yield f"{pointer}/{name}", value, name
        if holds:
            for at, item in objects_under(value, pointer, name):
                yield from members(item, at, holds, language, syntaxes)


def parts(
    value: dict[str, Json], pointer: str, shape: str, language: Language
) -> Iterator[tuple[str, dict[str, Json], str]]:
    """(pointer, object, shape) of an object and of those inside it that are no machines."""
    yield pointer, value, shape
    for name, _, holds in _readable(shape, language):
        if holds:
            for at, item in objects_under(value, pointer, name):
                yield from parts(item, at, holds, language)


def objects_under(value: dict[str, Json], pointer: str, name: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """(pointer, object) of what stands under a name: the object itself, or the objects of an array."""
    inner = value.get(name)
    if isinstance(inner, dict):
        yield f"{pointer}/{name}", inner
    elif inner is not None:
        yield from objects_in(value, pointer, name)


@lru_cache(maxsize=256)
def _readable(shape: str, language: Language) -> tuple[tuple[str, Syntax, str], ...]:
    """(field, syntax, shape inside) of the fields of a shape that hold something to read on; machines are
    not inside the state that has them."""
    fields = []
    for name, kind in fields_of(shape, language).items():
        holds = "" if kind.holds in ("Branch", "Processor") else kind.holds
        if kind.syntax or holds:
            fields.append((name, kind.syntax, holds))
    return tuple(fields)
