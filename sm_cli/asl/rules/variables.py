"""Rules about query languages, expressions and variables. States Language, "Variables" and "Using JSONata".

Rule: JSONata itself is not read here; only where an expression begins and ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.rules.catalogue import Finding, definition_rule, state_rule
from sm_cli.asl.rules.expressions import values
from sm_cli.asl.rules.flow import closure, edges_of
from sm_cli.asl.schema import is_substitution, is_unknown
from sm_cli.asl.spans import child
from sm_cli.jsonvalue import Json


@state_rule("SM801", "error", "A JSONata workflow has no JSONPath states")
def languages_fit(state: StateAt) -> Iterator[Finding]:
    owner: MachineAt = state.machine
    while owner.owner is not None:
        owner = owner.owner.machine
    if owner.language == "JSONata" and state.value.get("QueryLanguage") == "JSONPath":
        message = "QueryLanguage cannot be JSONPath: the whole workflow uses JSONata"
        yield Finding(state.at("QueryLanguage"), message)


@state_rule("SM802", "error", "The name of a variable is an identifier of at most 80 characters, and not states")
def names_are_identifiers(state: StateAt) -> Iterator[Finding]:
    for pointer, assigned in assignments(state):
        for key in assigned:
            name = key.removesuffix(".$") if state.language == "JSONPath" else key
            if is_substitution(name):
                continue
            if problem := name_problem(name):
                yield Finding(child(pointer, key), problem, key=True)


def name_problem(name: str) -> str | None:
    """Why a text cannot name a variable, as a sentence; None when it can."""
    if name == "states":
        return "The name states is taken: $states is the language's own"
    if len(name) > 80:
        return f"The name of a variable has at most 80 characters; this has {len(name)}"
    if not name.isidentifier():
        return f"'{name}' cannot name a variable: a name has letters, digits and _ and begins with no digit"
    return None


def assignments(state: StateAt) -> Iterator[tuple[str, dict[str, Json]]]:
    """(pointer, object) of each Assign of a state, its rules and catchers included."""
    for pointer, field, value in values(state, "template"):
        if field == "Assign" and isinstance(value, dict):
            yield pointer, value


@definition_rule("SM803", "error", "An inner machine assigns no variable of an outer one")
def inner_names_are_new(machines: list[MachineAt]) -> Iterator[Finding]:
    assigned = {machine.pointer: _assigned(machine.states.values()) for machine in machines}
    for machine in machines:
        inner = assigned[machine.pointer]
        outer = machine.owner
        while outer is not None and inner:
            if not inner.keys().isdisjoint(assigned[outer.machine.pointer]):
                before = assigned_before(outer)
                for name in [name for name in inner if name in before]:
                    who = machine.called[:1].upper() + machine.called[1:]
                    message = f"{who} cannot assign ${name}: it is a variable of {outer.machine.called}"
                    yield Finding(inner[name], message, key=True)
                inner = {name: pointer for name, pointer in inner.items() if name not in before}
            outer = outer.machine.owner


def assigned_before(state: StateAt) -> dict[str, str]:
    """The variables that may have a value when a state is entered, each with the pointer of one assignment;
    only those of its own machine."""
    back: dict[str, set[str]] = {}
    for name, nexts in edges_of(state.machine).items():
        for target in nexts:
            back.setdefault(target, set()).add(name)
    earlier = closure(back, back.get(state.name, set()))
    return _assigned(other for name, other in state.machine.states.items() if name in earlier)


def _assigned(states: Iterable[StateAt]) -> dict[str, str]:
    """The variables that these states assign, each with the pointer of one assignment."""
    found: dict[str, str] = {}
    for state in states:
        for pointer, assigned in assignments(state):
            for key in assigned:
                name = key.removesuffix(".$") if state.language == "JSONPath" else key
                found.setdefault(name, child(pointer, key))
    return found


@state_rule("SM804", "error", "An expression that begins with {% ends with %}")
def expressions_are_closed(state: StateAt) -> Iterator[Finding]:
    for pointer, text in texts(state):
        if text.startswith("{%") and not text.rstrip().endswith("%}"):
            yield Finding(pointer, "This expression is not closed: it ends with %}")


@state_rule("SM806", "warning", "Nothing stands before {% and after %}")
def nothing_stands_outside(state: StateAt) -> Iterator[Finding]:
    for pointer, text in texts(state):
        begins, ends = text.lstrip().startswith("{%"), text.rstrip().endswith("%}")
        if (begins and ends and text != text.strip()) or (ends and not begins):
            message = "This is plain text, no expression: {% must stand at its very beginning and %} at its end"
            yield Finding(pointer, message)


@state_rule("SM805", "warning", "A JSONata state has no keys that end in .$")
def keys_have_no_dollar(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONPath":
        return
    for at, _, template in values(state, "template"):
        waiting: list[tuple[str, Json]] = [(at, template)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, list):
                waiting.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))
            for key, inner in value.items() if isinstance(value, dict) else ():
                if key.endswith(".$"):
                    message = f"{key} means nothing in JSONata: the key and its value stay as they are"
                    yield Finding(child(pointer, key), message, "write {% … %} as the value", key=True)
                waiting.append((child(pointer, key), inner))


def texts(state: StateAt) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every text of a JSONata state that may be an expression and is known."""
    if state.language == "JSONPath":
        return
    for at, _, template in values(state, "template", "timestamp"):
        waiting: list[tuple[str, Json]] = [(at, template)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, str):
                if not is_unknown(value):
                    yield pointer, value
            elif isinstance(value, dict):
                waiting.extend((child(pointer, key), inner) for key, inner in value.items())
            elif isinstance(value, list):
                waiting.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))
