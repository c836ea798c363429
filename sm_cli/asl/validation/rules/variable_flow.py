"""Rules about the variables that states read: whether they have a value there, and whose they are.

A variable has a value for certain when every way from StartAt assigns it, perhaps when one way does. An inner
machine sees what its owner sees; what it assigns itself is gone when it ends. States Language, "Variables".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sm_cli.asl.outline import MachineAt, StateAt, text_in
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Entry, Finding, analysis
from sm_cli.asl.validation.rules.flow import has_unknown_targets
from sm_cli.asl.validation.rules.jsonata import readings
from sm_cli.asl.validation.rules.maps import config
from sm_cli.asl.validation.rules.path_roots import Use, uses
from sm_cli.asl.validation.rules.variables import assignments
from sm_cli.asl.validation.schema import is_substitution, is_unknown
from sm_cli.expr.jsonata.reading import FUNCTIONS
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json

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
    #: Whether some names or some ways are unknown: those of a substitution.
    open: bool = False

    def bit(self, name: str) -> int:
        return self.bits.setdefault(name, 1 << len(self.bits))


def _known_variables(machines: list[MachineAt]) -> _Known:
    facts = _Known()
    for machine in machines:
        for name, pointer in _assigned_variables(machine, facts).items():
            facts.homes.setdefault(name, []).append((machine, pointer))
    if facts.bits:
        for machine in machines:
            _flow(machine, facts)
    return facts


def _assigned_variables(machine: MachineAt, facts: _Known) -> dict[str, str]:
    """The variables that a machine assigns, each with the pointer of its first assignment."""
    pointers: dict[str, str] = {}
    for state in machine.states.values():
        if is_unknown(state.value.get("Assign")) or has_unknown_targets(state):
            facts.open = True
        for pointer, members in assignments(state):
            for key in members:
                name = _name(state, key)
                if is_substitution(name):
                    facts.open = True
                facts.bit(name)
                pointers.setdefault(name, child(pointer, key))
    return pointers


def _name(state: StateAt, key: str) -> str:
    return key.removesuffix(".$") if state.language == "JSONPath" else key


def _flow(machine: MachineAt, facts: _Known) -> None:
    """Follow every transition of a machine until nothing changes any more."""
    certain, possible = _at_entry(machine, facts)
    start = machine.value.get("StartAt")
    if not isinstance(start, str) or start not in machine.states:
        return
    at = {name: state.pointer for name, state in machine.states.items()}
    facts.certain[at[start]], facts.possible[at[start]] = certain, possible
    edges = {name: list(_edges(state, facts)) for name, state in machine.states.items()}
    waiting, names_in_queue = deque([start]), {start}
    while waiting:
        name = waiting.popleft()
        names_in_queue.discard(name)
        sure, maybe = facts.certain[at[name]], facts.possible[at[name]]
        for target, bits in edges[name]:
            if target not in at:
                continue
            there = at[target]
            new_sure = facts.certain.get(there, _EVERYTHING) & (sure | bits)
            new_maybe = facts.possible.get(there, 0) | maybe | bits
            if new_sure != facts.certain.get(there) or new_maybe != facts.possible.get(there):
                facts.certain[there], facts.possible[there] = new_sure, new_maybe
                if target not in names_in_queue:
                    names_in_queue.add(target)
                    waiting.append(target)


def _at_entry(machine: MachineAt, facts: _Known) -> tuple[int, int]:
    owner = machine.owner
    if owner is None or _is_apart(machine):
        return 0, 0
    return facts.certain.get(owner.pointer, 0), facts.possible.get(owner.pointer, 0)


def _is_apart(machine: MachineAt) -> bool:
    """Whether a machine is the processor of a distributed Map, whose items run as executions of their own."""
    return machine.shape == "Processor" and machine.owner is not None and _mode(machine.owner) == "DISTRIBUTED"


def _mode(state: StateAt) -> object:
    return config(state)[1].get("Mode")


def _edges(state: StateAt, facts: _Known) -> Iterator[tuple[str, int]]:
    """(state it may go to, variables that have a value on the way: assigned there, or asked for by a rule). A rule or a
    catcher that is taken assigns its own only."""
    own = _bits(state, state.value.get("Assign"), facts)
    answers = 0  # by the rules so far, none of which has applied
    for _, rule in state.items("Choices"):
        present, absent = _asked_of(state, rule, facts)
        if isinstance(target := rule.get("Next"), str):
            yield target, _bits(state, rule.get("Assign"), facts) | answers | present
        answers |= absent
    for single in ("Next", "Default", "TimeoutPath"):
        if (following := state.text(single)) is not None:
            yield following, own | answers
    for _, catcher in state.items("Catch"):
        if isinstance(target := catcher.get("Next"), str):
            yield target, _bits(state, catcher.get("Assign"), facts)


#: A condition that asks nothing but whether a variable has a value, perhaps together with others that must hold too.
_PRESENT = re.compile(r"(?:\{%|\band\b)\s*\$exists\(\s*\$(\w+)\s*\)\s*(?=%\}|\band\b)")
_ABSENT = re.compile(r"\{%\s*\$not\(\s*\$exists\(\s*\$(\w+)\s*\)\s*\)\s*%\}")


def _asked_of(state: StateAt, rule: dict[str, Json], facts: _Known) -> tuple[int, int]:
    """(the variables that have a value where this rule applies, those that have one where it does not)."""
    if state.language == "JSONata":
        condition = text_in(rule, "Condition") or ""
        present, absent = _PRESENT.findall(condition), _ABSENT.findall(condition)
    else:
        tests = rule.get("And")
        present = [
            name for test in (rule, *(tests if isinstance(tests, list) else ())) if (name := _variable_of(test, True))
        ]
        opposite = rule.get("Not")
        absent = [name for name in (_variable_of(rule, False), _variable_of(opposite, True)) if name]
    return _bits_of(present, facts), _bits_of(absent, facts)


def _variable_of(test: Json, present: bool) -> str:
    """The variable of which a test asks just this; "" when it asks something else."""
    variable = test.get("Variable") if isinstance(test, dict) and test.get("IsPresent") is present else None
    return variable[1:] if isinstance(variable, str) and variable.startswith("$") else ""


def _bits_of(names: Iterable[str], facts: _Known) -> int:
    bits = 0
    for name in names:
        bits |= facts.bits.get(name, 0)
    return bits


def _bits(state: StateAt, members: object, facts: _Known) -> int:
    bits = 0
    for key in members if isinstance(members, dict) else ():
        bits |= facts.bit(_name(state, key))
    return bits


def reads(state: StateAt) -> Iterator[Use]:
    """Every variable that a state reads, in both query languages."""
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            if name.name != "states" and not name.is_call:
                yield Use(pointer, name.name, name.start, name.end, name.is_guarded)
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
    facts = _known_variables(machines)
    yield from _shadowing(machines, facts)
    if not facts.open:
        yield from _without_values(machines, facts)


def _shadowing(machines: list[MachineAt], facts: _Known) -> Iterator[tuple[str, Finding]]:
    inside = {machine.pointer: machine for machine in machines if machine.owner is not None}
    for name, homes in facts.homes.items():
        for machine, pointer in homes:
            outer = machine.owner if machine.pointer in inside and not _is_apart(machine) else None
            if outer is not None and facts.possible.get(outer.pointer, 0) & facts.bits[name]:
                who = machine.label[:1].upper() + machine.label[1:]
                owner = _owner_of(name, outer, facts)
                message = f"{who} cannot assign ${name}: it is a variable of {owner}"
                yield "SM803", Finding(pointer, message, key=True)


def _owner_of(name: str, state: StateAt, facts: _Known) -> str:
    homes = [machine for machine, _ in facts.homes[name]]
    while state.machine not in homes and state.machine.owner is not None:
        state = state.machine.owner
    return state.machine.label


def _without_values(machines: list[MachineAt], facts: _Known) -> Iterator[tuple[str, Finding]]:
    for machine in machines:
        for state in machine.states.values():
            if facts.bits and state.pointer not in facts.possible:
                continue  # never entered: SM206 says it, or what keeps the graph from being known
            certain, possible = facts.certain.get(state.pointer, 0), facts.possible.get(state.pointer, 0)
            for use in reads(state):
                bit = facts.bits.get(use.name, 0)
                if bit & certain or (bit & possible and use.is_guarded):
                    continue
                if bit & possible:
                    message = f"${use.name} may have no value here: not every way to '{state.name}' assigns it"
                    yield "SM818", use.finding(message, "assign it on every way, or ask $exists first")
                elif use.name not in FUNCTIONS:
                    yield _without_value(use, state, facts)


def _without_value(use: Use, state: StateAt, facts: _Known) -> tuple[str, Finding]:
    outer: MachineAt | None = state.machine
    apart = False
    homes = [home for home, _ in facts.homes.get(use.name, ())]
    while outer is not None:
        if outer in homes:
            if apart:
                message = f"The items of a distributed Map cannot read ${use.name}, a variable of {outer.label}"
                return "SM820", use.finding(message, "pass it on with ItemSelector")
            message = f"${use.name} has no value yet: no state before '{state.name}' assigns it"
            return "SM817", use.finding(message, None)
        apart = apart or _is_apart(outer)
        outer = outer.owner.machine if outer.owner is not None else None
    if homes:
        message = f"${use.name} is a variable of {homes[0].label}, and is gone when that has ended"
        return "SM819", use.finding(message, "return its value as output, and assign it here")
    close = nearest(use.name, [*facts.bits, "states"], 0.7)
    hint = f"did you mean ${close}?" if close else None
    return "SM817", use.finding(f"${use.name} has no value: no state assigns it", hint)
