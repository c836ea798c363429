"""A rule about loops in which time passes without anything that could end them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.validation.rules.catalogue import Finding, machine_rule
from sm_cli.asl.validation.rules.flow import edges_of, is_known, reached_from
from sm_cli.asl.validation.rules.jsonata import readings
from sm_cli.asl.validation.rules.path_roots import uses
from sm_cli.asl.validation.rules.variables import assignments
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.jsonpointer import child

#: The members that a path names before anything else stands in it.
_MEMBERS = re.compile(r"\.([A-Za-z_]\w*)|\['([^'\\]+)'\]")
#: Functions of JSONata that answer otherwise each time.
_VARYING = frozenset(("now", "millis", "random", "uuid"))

#: A place in the input: the names of the members that lead to it. () is all of it.
Place = tuple[str, ...]


@dataclass(slots=True)
class _Touched:
    """Places of the input and names of variables."""

    places: set[Place] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def meets(self, others: _Touched) -> bool:
        """Whether one of these places or variables lies in one of those, or holds it."""
        if self.variables & others.variables:
            return True
        return any(a[: len(b)] == b[: len(a)] for a in self.places for b in others.places)


@machine_rule("SM208", "warning", "A loop changes what its Choice asks")
def loops_make_progress(machine: MachineAt) -> Iterator[Finding]:
    if not is_known(machine):
        return
    for loop in _instant_loops(machine):
        states = [machine.states[name] for name in machine.states if name in loop]
        choices = [state for state in states if state.type == "Choice"]
        conditions = _conditions(choices)
        effects = _effects(states)
        if conditions is None or effects is None or conditions.meets(effects):
            continue
        names = ", ".join(state.name for state in states[:4]) + (", …" if len(states) > 4 else "")
        first = choices[0].name
        message = f"Nothing in the loop of {names} changes what '{first}' asks, and nothing in it waits"
        hint = "once round it goes round for ever; let a Wait, a Task or a Message stand in it, or change what is asked"
        yield Finding(child(f"{machine.pointer}/States", first), message, hint, key=True)


def _instant_loops(machine: MachineAt) -> Iterator[set[str]]:
    """The names of the Pass and Choice states that lead to one another, where a way leads out again."""
    reachable = reached_from(machine, str(machine.value["StartAt"]))
    everywhere = edges_of(machine)
    instant = [name for name in machine.states if name in reachable and machine.states[name].type in ("Pass", "Choice")]
    for loop in _components(instant, everywhere):
        circles = len(loop) > 1 or any(name in everywhere[name] for name in loop)
        if circles and any(everywhere[name] - loop for name in loop):
            yield loop


def _components(names: list[str], edges: dict[str, set[str]]) -> Iterator[set[str]]:
    """The names in groups that can be reached from one another over these names alone (Tarjan's algorithm)."""
    rest, number, lowest = set(names), dict[str, int](), dict[str, int]()
    open_: list[str] = []
    for first in names:
        waiting = [] if first in number else [(first, iter(edges[first] & rest))]
        while waiting:
            name, following = waiting[-1]
            if name not in number:
                number[name] = lowest[name] = len(number)
                open_.append(name)
            target = next(following, None)
            if target is None:
                waiting.pop()
                if waiting:
                    above = waiting[-1][0]
                    lowest[above] = min(lowest[above], lowest[name])
                if lowest[name] == number[name]:
                    group = {open_.pop()}
                    while name not in group:
                        group.add(open_.pop())
                    rest -= group
                    yield group
            elif target not in number:
                waiting.append((target, iter(edges[target] & rest)))
            elif target in rest:
                lowest[name] = min(lowest[name], number[target])


def _conditions(choices: Iterable[StateAt]) -> _Touched | None:
    """What the rules of these states look at; None when it is nothing, or another thing each time, or not known."""
    touches = _Touched()
    for state in choices:
        if state.value.get("InputPath", "$") != "$" or is_unknown(state.value.get("Choices")):
            return None
        conditions = _conditions_jsonata(state) if state.language == "JSONata" else _conditions_jsonpath(state)
        for name, place in conditions:
            if name is None:
                return None
            if name:
                touches.variables.add(name)
            else:
                touches.places.add(place)
    return touches if touches.places or touches.variables else None


def _conditions_jsonpath(state: StateAt) -> Iterator[tuple[str | None, Place]]:
    """(variable, place): "" and a place of the input, a name, or None for what is another one each time."""
    for use in uses(state):
        if "/Choices/" not in use.pointer or "/Assign/" in use.pointer or "/Output/" in use.pointer:
            continue
        if use.path is None or use.name == "$":
            yield None, ()
        else:
            yield use.name, _place(use.path.text)


def _conditions_jsonata(state: StateAt) -> Iterator[tuple[str | None, Place]]:
    for pointer, _, reading in readings(state):
        if not pointer.endswith("/Condition"):
            continue
        for variable in reading.variables:
            if variable.is_call:
                if variable.name in _VARYING:
                    yield None, ()
            elif variable.name != "states":
                yield variable.name, ()
            elif variable.members[:1] == ("input",):
                yield "", variable.members[1:]
            else:
                yield None, ()


def _effects(states: Iterable[StateAt]) -> _Touched | None:
    """What these states may change of their data; None when that cannot be known."""
    touches = _Touched()
    for state in states:
        for _, members in assignments(state):
            touches.variables.update(name.removesuffix(".$") for name in members)
        if any(is_unknown(value) for value in state.value.values()):
            return None
        if state.language == "JSONata":
            rules = [rule for _, rule in state.items("Choices") if isinstance(rule, dict)]
            if any("Output" in each for each in (state.value, *rules)):
                touches.places.add(())
        else:
            touches.places.update(_results(state))
    return touches


def _results(state: StateAt) -> Iterator[Place]:
    """Where a JSONPath state puts something else than what was there."""
    if state.value.get("OutputPath", "$") != "$":
        yield ()
    if state.type == "Choice":
        if state.value.get("InputPath", "$") != "$":
            yield ()
        return
    path = state.value.get("ResultPath", "$")
    if isinstance(path, str) and path != "$":
        yield _place(path)
    elif path is not None and (
        "Result" in state.value or "Parameters" in state.value or state.value.get("InputPath", "$") != "$"
    ):
        yield ()


def _place(path: str) -> Place:
    """The members that a path names one after the other from its root."""
    steps: list[str] = []
    at = path.find("$") + 1
    while match := _MEMBERS.match(path, at):
        steps.append(match[1] or match[2])
        at = match.end()
    return tuple(steps)
