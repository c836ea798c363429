"""Rules about where a machine goes: names, transitions, ends, islands and endless loops.

What follows from a transition that is already reported is not reported again: in a machine with a
broken transition nobody is told which states cannot be reached. States Language, "Transitions".
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.fields import fields_of
from sm_cli.asl.outline import MachineAt, StateAt, text_in
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, definition_rule, machine_rule, state_rule
from sm_cli.asl.validation.schema import is_substitution, is_unknown
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import is_number

MOVING = ("Task", "Parallel", "Map", "Message", "Pass", "Wait")
ENDING = ("Succeed", "Fail")
#: Comparing a name with thousands of others takes time: only so many broken transitions get a proposal.
MOST_PROPOSALS = 25
#: Where a state of a type names others: its own fields, and the array whose objects have a Next.
_TRANSITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "Task": (("Next",), "Catch"),
    "Parallel": (("Next",), "Catch"),
    "Map": (("Next",), "Catch"),
    "Message": (("Next", "TimeoutPath"), "Catch"),
    "Choice": (("Default",), "Choices"),
    "Succeed": ((), ""),
    "Fail": ((), ""),
}


@definition_rule("SM201", "error", "A name stands for one state of the whole definition", aws="DUPLICATE_STATE_NAME")
def names_are_unique(machines: list[MachineAt]) -> Iterator[Finding]:
    homes: dict[str, MachineAt] = {}
    for machine in machines:
        for name, pointer in machine.names.items():
            first = homes.setdefault(name, machine)
            if first is not machine:
                message = f"The name '{name}' belongs to a state of {first.label} already"
                yield Finding(pointer, message, "names are unique in the whole definition", key=True, about=name)


@machine_rule("SM202", "error", "The name of a state has 1 to 80 characters", aws="INVALID_STATE_NAME", harmless=True)
def names_have_a_length(machine: MachineAt) -> Iterator[Finding]:
    for name, pointer in machine.names.items():
        if not 1 <= len(name) <= 80 and not is_substitution(name):
            message = f"The name of a state has 1 to 80 characters; this has {len(name)}"
            yield Finding(pointer, message, key=True)


@definition_rule("SM203", "error", "A transition leads to a state of the same machine", aws="MISSING_TRANSITION_TARGET")
def targets_exist(machines: list[MachineAt]) -> Iterator[Finding]:
    homes = {name: machine for machine in reversed(machines) for name in machine.names}
    proposals = MOST_PROPOSALS
    for machine in machines:
        for pointer, target in all_targets(machine):
            if target in machine.names or is_substitution(target) or not machine.names:
                continue
            field = pointer.rsplit("/", 1)[1]
            if target in homes:
                home = homes[target].label
                message = f"{field} names '{target}', which is a state of {home}, not of {machine.label}"
                hint = "a transition cannot enter or leave a branch or a processor"
                yield Finding(pointer, message, hint, about=target)
                continue
            proposals -= 1
            close = nearest(target, machine.names) if proposals >= 0 else None
            suggestion = f"did you mean '{close}'?" if close is not None else None
            yield Finding(pointer, f"{field} names '{target}', and there is no such state", suggestion, about=target)


def all_targets(machine: MachineAt) -> Iterator[tuple[str, str]]:
    """(pointer, name) of StartAt and of every transition of a machine."""
    start = machine.value.get("StartAt")
    if isinstance(start, str):
        yield f"{machine.pointer}/StartAt", start
    for state in machine.states.values():
        yield from targets(state)


def targets(state: StateAt) -> Iterator[tuple[str, str]]:
    """(pointer, name) of every transition of a state."""
    single, many = _TRANSITIONS.get(state.type, (("Next",), ""))
    for field in single:
        if (name := state.text(field)) is not None:
            yield state.at(field), name
    for pointer, item in state.items(many):
        if (target := text_in(item, "Next")) is not None:
            yield f"{pointer}/Next", target


@state_rule("SM204", "error", "A state that goes on has Next or End", *MOVING, aws=SCHEMA)
def goes_on_or_ends(state: StateAt) -> Iterator[Finding]:
    has_next, end = "Next" in state.value, state.value.get("End")
    if has_next and end is True:
        later = max("Next", "End", key=list(state.value).index)
        yield Finding(
            state.at(later), f"The state '{state.name}' has both Next and End; keep one of them", key=True, about="both"
        )
    elif has_next or ("End" in state.value and end is not False):
        return
    elif end is False:
        yield Finding(state.at("End"), "End: false ends nothing, and there is no Next", "write Next, or End: true")
    elif not any(is_misspelled(field, state) for field in ("Next", "End")):
        yield Finding(state.pointer, f"The state '{state.name}' has neither Next nor End", key=True)


def is_misspelled(field: str, state: StateAt) -> bool:
    """Whether a state has no such field but one that is surely a misspelling of it, which SM101 reports."""
    unknown_fields = state.value.keys() - fields_of(state.type, state.language).keys()
    return field not in state.value and nearest(field, sorted(unknown_fields), 0.75) is not None


def is_terminal(state: StateAt) -> bool:
    """Whether the machine ends in this state."""
    return state.type in ENDING or (state.type in MOVING and state.value.get("End") is True)


def has_unknown_targets(state: StateAt) -> bool:
    """Whether a substitution stands where a state says where it goes: in a transition, in place of all its rules or
    catchers or of one of them, or of a whole field."""
    single, many = _TRANSITIONS.get(state.type, (("Next",), "Catch"))
    items = state.value.get(many)
    entries = items if isinstance(items, list) else [items]
    written = [*(state.value.get(field) for field in (*single, "End", "Type")), *entries]
    written += [entry.get("Next") for entry in entries if isinstance(entry, dict)]
    keys = [*state.value, *(key for entry in entries if isinstance(entry, dict) for key in entry)]
    return any(is_unknown(value) for value in written) or any(is_substitution(key) for key in keys)


def is_known(machine: MachineAt) -> bool:
    """Whether every transition of a machine can be followed: then, and only then, its graph says something."""
    if not isinstance(machine.value.get("StartAt"), str) or len(machine.states) != len(machine.names):
        return False
    if any(target not in machine.names for _, target in all_targets(machine)):
        return False
    return all(_moves(state) for state in machine.states.values())


def _moves(state: StateAt) -> bool:
    """Whether a state says where it goes, and has no field that may have been meant to."""
    if state.type not in _TRANSITIONS and state.type not in MOVING:
        return False
    if not state.value.keys() <= fields_of(state.type, state.language).keys():
        return False
    _, many = _TRANSITIONS.get(state.type, ((), ""))
    items = state.value.get(many, [])
    if not isinstance(items, list) or not all(isinstance(i, dict) and isinstance(i.get("Next"), str) for i in items):
        return False
    if state.type in MOVING:
        return state.text("Next") is not None or state.value.get("End") is True
    return state.type in ENDING or any(True for _ in targets(state))


def reached_from(machine: MachineAt, start: str) -> set[str]:
    """The names of all states that can follow this one, and its own."""
    return closure(edges_of(machine), {start})


def edges_of(machine: MachineAt) -> dict[str, set[str]]:
    """Where each state of a machine may go."""
    return {name: {target for _, target in targets(state)} for name, state in machine.states.items()}


def closure(edges: dict[str, set[str]], start: set[str]) -> set[str]:
    """What can be reached over the edges, the start included."""
    names, waiting = set(start), list(start)
    while waiting:
        for name in edges.get(waiting.pop(), set()) - names:
            names.add(name)
            waiting.append(name)
    return names


@machine_rule("SM205", "error", "A machine can come to an end", aws="MISSING_END_STATE", harmless=True)
def can_end(machine: MachineAt) -> Iterator[Finding]:
    if not is_known(machine):
        return
    start = str(machine.value["StartAt"])
    if any(is_terminal(machine.states[name]) for name in reached_from(machine, start)):
        return
    where = "" if machine.owner is None else f" of {machine.label}"
    hint = "let a state have End: true, or go to a Succeed or Fail state"
    if any(is_terminal(state) for state in machine.states.values()):
        yield Finding(f"{machine.pointer}/StartAt", f"No way from StartAt{where} leads to an end", hint)
    else:
        yield Finding(f"{machine.pointer}/States", f"No state{where} ends it: it would run for ever", hint, key=True)


@definition_rule("SM209", "warning", "The TimeoutSeconds of a definition set a limit")
def timeouts_are_limits(machines: list[MachineAt]) -> Iterator[Finding]:
    if is_number(seconds := machines[0].value.get("TimeoutSeconds")) and seconds == 0:
        yield Finding("/TimeoutSeconds", "TimeoutSeconds is 0, which sets no limit", "leave it out, or give seconds")


@machine_rule("SM210", "error", "The name of a state and a Resource hold no U+0000")
def names_are_text(machine: MachineAt) -> Iterator[Finding]:
    hint = "no database and no log shows such a name as it is"
    for name, pointer in machine.names.items():
        if "\0" in name:
            yield Finding(pointer, "The name of a state holds the character U+0000", hint, key=True)
    for state in machine.states.values():
        if "\0" in (text_in(state.value, "Resource") or ""):
            yield Finding(state.at("Resource"), "Resource holds the character U+0000", hint)


@machine_rule("SM206", "warning", "Every state can be reached", aws="MISSING_TRANSITION_TARGET")
def is_reached(machine: MachineAt) -> Iterator[Finding]:
    if not is_known(machine):
        return
    reachable = reached_from(machine, str(machine.value["StartAt"]))
    for name, pointer in machine.names.items():
        if name not in reachable:
            yield Finding(pointer, f"The state '{name}' cannot be reached from StartAt", key=True)


@machine_rule("SM207", "warning", "Every loop has a way out")
def loops_have_exits(machine: MachineAt) -> Iterator[Finding]:
    if not is_known(machine):
        return
    back: dict[str, set[str]] = {}
    for name, state in machine.states.items():
        for _, target in targets(state):
            back.setdefault(target, set()).add(name)
    leaving = closure(back, {name for name, state in machine.states.items() if is_terminal(state)})
    reachable = reached_from(machine, str(machine.value["StartAt"]))
    if not leaving & reachable:
        return  # SM205 says it of the whole machine
    endless_states = [name for name in machine.names if name in reachable and name not in leaving]
    if endless_states:
        others = f" (with {', '.join(endless_states[1:4])})" if len(endless_states) > 1 else ""
        message = f"From the state '{endless_states[0]}'{others} no way leads to an end: it is an endless loop"
        yield Finding(child(f"{machine.pointer}/States", endless_states[0]), message, key=True)
