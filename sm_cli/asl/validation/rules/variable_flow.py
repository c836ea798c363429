"""Rules about the variables that states read: whether they have a value there, and whose they are.

A variable has a value for certain when every way from StartAt assigns it, perhaps when one way does. An inner
machine sees what its owner sees; what it assigns itself is gone when it ends. States Language, "Variables".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Entry, Finding, analysis
from sm_cli.asl.validation.rules.jsonata import readings
from sm_cli.asl.validation.rules.maps import config
from sm_cli.asl.validation.rules.path_roots import Use, uses
from sm_cli.asl.validation.rules.variables import assignments
from sm_cli.asl.validation.schema import is_substitution, is_unknown
from sm_cli.expr.jsonata.reading import FUNCTIONS
from sm_cli.jsonpointer import child

_EVERYTHING = -1


@dataclass(slots=True)
class _Known:
    """The variables of a definition. A set of them is an int with a bit for each name."""

    bits: dict[str, int] = field(default_factory=dict)
    #: By the pointer of a state: what certainly has a value when it is entered, and what may have one.
    certain: dict[str, int] = field(default_factory=dict)
    possible: dict[str, int] = field(default_factory=dict)
    #: By name the machines that assign it, with the pointer of one assignment in each.
    homes: dict[str, list[tuple[MachineAt, str]]] = field(default_factory=dict)
    #: Whether some names are unknown: those of a substitution.
    open: bool = False

    def bit(self, name: str) -> int:
        return self.bits.setdefault(name, 1 << len(self.bits))


def _known_variables(machines: list[MachineAt]) -> _Known:
    known = _Known()
    for machine in machines:
        for name, pointer in _assigned_variables(machine, known).items():
            known.homes.setdefault(name, []).append((machine, pointer))
    if known.bits:
        for machine in machines:
            _flow(machine, known)
    return known


def _assigned_variables(machine: MachineAt, known: _Known) -> dict[str, str]:
    """The variables that a machine assigns, each with the pointer of its first assignment."""
    found: dict[str, str] = {}
    for state in machine.states.values():
        if is_unknown(state.value.get("Assign")) or is_unknown(state.value.get("Type")):
            known.open = True
        for pointer, assigned in assignments(state):
            for key in assigned:
                name = _name(state, key)
                if is_substitution(name):
                    known.open = True
                known.bit(name)
                found.setdefault(name, child(pointer, key))
    return found


def _name(state: StateAt, key: str) -> str:
    return key.removesuffix(".$") if state.language == "JSONPath" else key


def _flow(machine: MachineAt, known: _Known) -> None:
    """Follow every transition of a machine until nothing changes any more."""
    certain, possible = _at_entry(machine, known)
    start = machine.value.get("StartAt")
    if not isinstance(start, str) or start not in machine.states:
        return
    at = {name: state.pointer for name, state in machine.states.items()}
    known.certain[at[start]], known.possible[at[start]] = certain, possible
    edges = {name: list(_edges(state, known)) for name, state in machine.states.items()}
    waiting, queued = deque([start]), {start}
    while waiting:
        name = waiting.popleft()
        queued.discard(name)
        sure, maybe = known.certain[at[name]], known.possible[at[name]]
        for target, assigned in edges[name]:
            if target not in at:
                continue
            there = at[target]
            new_sure = known.certain.get(there, _EVERYTHING) & (sure | assigned)
            new_maybe = known.possible.get(there, 0) | maybe | assigned
            if new_sure != known.certain.get(there) or new_maybe != known.possible.get(there):
                known.certain[there], known.possible[there] = new_sure, new_maybe
                if target not in queued:
                    queued.add(target)
                    waiting.append(target)


def _at_entry(machine: MachineAt, known: _Known) -> tuple[int, int]:
    owner = machine.owner
    if owner is None or _is_apart(machine):
        return 0, 0
    return known.certain.get(owner.pointer, 0), known.possible.get(owner.pointer, 0)


def _is_apart(machine: MachineAt) -> bool:
    """Whether a machine is the processor of a distributed Map, whose items run as executions of their own."""
    return machine.shape == "Processor" and machine.owner is not None and _mode(machine.owner) == "DISTRIBUTED"


def _mode(state: StateAt) -> object:
    return config(state)[1].get("Mode")


def _edges(state: StateAt, known: _Known) -> Iterator[tuple[str, int]]:
    """(state it may go to, variables assigned on the way). A rule or a catcher that is taken assigns its own only."""
    own = _bits(state, state.value.get("Assign"), known)
    for single in ("Next", "Default", "TimeoutPath"):
        if (following := state.text(single)) is not None:
            yield following, own
    for name in ("Choices", "Catch"):
        for _, item in state.items(name):
            target = item.get("Next")
            if isinstance(target, str):
                yield target, _bits(state, item.get("Assign"), known)


def _bits(state: StateAt, assigned: object, known: _Known) -> int:
    found = 0
    for key in assigned if isinstance(assigned, dict) else ():
        found |= known.bit(_name(state, key))
    return found


def _reads(state: StateAt) -> Iterator[Use]:
    """Every variable that a state reads, in both query languages."""
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            if name.name != "states" and not name.called:
                yield Use(pointer, name.name, name.start, name.end, name.guarded)
    for use in uses(state):
        if use.name not in ("", "$"):
            yield use


@analysis(
    Entry(
        "SM803",
        "error",
        "An inner machine assigns no variable of an outer one",
        aws=SCHEMA,
        harmless=True,
    ),
    Entry("SM817", "warning", "A variable that is read is assigned before"),
    Entry("SM818", "warning", "A variable that is read is assigned on every way that leads there"),
    Entry("SM819", "warning", "A variable is read only where its machine runs"),
    Entry("SM820", "error", "The items of a distributed Map read no variables from outside", harmless=True),
)
def variables_have_values(machines: list[MachineAt]) -> Iterator[tuple[str, Finding]]:
    """Findings of the entries above, each with its code."""
    known = _known_variables(machines)
    yield from _shadowing(machines, known)
    if not known.open:
        yield from _without_values(machines, known)


def _shadowing(machines: list[MachineAt], known: _Known) -> Iterator[tuple[str, Finding]]:
    inside = {machine.pointer: machine for machine in machines if machine.owner is not None}
    for name, homes in known.homes.items():
        for machine, pointer in homes:
            outer = machine.owner if machine.pointer in inside and not _is_apart(machine) else None
            if outer is not None and known.possible.get(outer.pointer, 0) & known.bits[name]:
                who = machine.called[:1].upper() + machine.called[1:]
                owner = _owner_of(name, outer, known)
                message = f"{who} cannot assign ${name}: it is a variable of {owner}"
                yield "SM803", Finding(pointer, message, key=True)


def _owner_of(name: str, state: StateAt, known: _Known) -> str:
    homes = [machine for machine, _ in known.homes[name]]
    while state.machine not in homes and state.machine.owner is not None:
        state = state.machine.owner
    return state.machine.called


def _without_values(machines: list[MachineAt], known: _Known) -> Iterator[tuple[str, Finding]]:
    for machine in machines:
        for state in machine.states.values():
            if known.bits and state.pointer not in known.possible:
                continue  # never entered: SM206 says it, or what keeps the graph from being known
            certain, possible = known.certain.get(state.pointer, 0), known.possible.get(state.pointer, 0)
            for use in _reads(state):
                bit = known.bits.get(use.name, 0)
                if bit & certain or (bit & possible and use.guarded):
                    continue
                if bit & possible:
                    message = f"${use.name} may have no value here: not every way to '{state.name}' assigns it"
                    yield "SM818", use.finding(message, "assign it on every way, or ask $exists first")
                elif use.name not in FUNCTIONS:
                    yield _without_value(use, state, known)


def _without_value(use: Use, state: StateAt, known: _Known) -> tuple[str, Finding]:
    outer: MachineAt | None = state.machine
    apart = False
    homes = [home for home, _ in known.homes.get(use.name, ())]
    while outer is not None:
        if outer in homes:
            if apart:
                message = f"The items of a distributed Map cannot read ${use.name}, a variable of {outer.called}"
                return "SM820", use.finding(message, "pass it on with ItemSelector")
            message = f"${use.name} has no value yet: no state before '{state.name}' assigns it"
            return "SM817", use.finding(message, None)
        apart = apart or _is_apart(outer)
        outer = outer.owner.machine if outer.owner is not None else None
    if homes:
        message = f"${use.name} is a variable of {homes[0].called}, and is gone when that has ended"
        return "SM819", use.finding(message, "return its value as output, and assign it here")
    close = nearest(use.name, [*known.bits, "states"], 0.7)
    hint = f"did you mean ${close}?" if close else None
    return "SM817", use.finding(f"${use.name} has no value: no state assigns it", hint)
