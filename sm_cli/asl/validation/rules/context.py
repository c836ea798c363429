"""Rules about the context object: `$$` in JSONPath, `$states.context` in JSONata. AWS, "Context object".

MEMBERS is all that it can hold; None there may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sm_cli.asl.outline import StateAt
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import Finding, state_rule
from sm_cli.asl.validation.rules.jsonata import readings
from sm_cli.asl.validation.rules.path_roots import Use, uses
from sm_cli.asl.validation.schema import is_unknown

Members: TypeAlias = "Mapping[str, Members] | None"

MEMBERS: Mapping[str, Members] = {
    "Execution": {
        **{name: {} for name in ("Id", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime")},
        "Input": None,
    },
    "State": {"EnteredTime": {}, "Name": {}, "RetryCount": {}},
    "StateMachine": {"Id": {}, "Name": {}},
    "Task": {"Token": {}},
    "Map": {"Item": {"Index": {}, "Value": None, "Key": {}, "Source": {}}},
}


def _reads(state: StateAt) -> Iterator[tuple[Use, tuple[str, ...], str]]:
    """(the place, the members asked for, how they are written) of each use of the context object."""
    for use in uses(state):
        if use.name == "$" and use.path is not None and use.path.steps:
            names: list[str] = []
            for step in use.path.steps:
                if not isinstance(step, str):
                    break
                names.append(step)
            end = use.start + len(use.path.text)
            yield Use(use.pointer, "$", use.start, end, use.is_guarded), tuple(names), use.path.text
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            if name.name == "states" and name.members[:1] == ("context",):
                text = ".".join(("$states", *name.members))
                end = name.start + len(text)
                yield Use(pointer, "$", name.start, end, name.is_guarded), name.members[1:], text


@state_rule("SM320", "warning", "The context object has what is asked of it")
def members_exist(state: StateAt) -> Iterator[Finding]:
    for use, names, _ in _reads(state):
        members: Members = MEMBERS
        for name in names:
            if members is None:
                break
            if name not in members:
                close = nearest(name, members)
                hint = f"did you mean {close}?" if close else f"it has {', '.join(members)}" if members else None
                yield use.finding(f"The context object has no {'.'.join(names)}", hint)
                break
            members = members[name]


@state_rule("SM321", "warning", "The context object is asked for an item in a Map, for a token where one is made")
def members_have_a_value(state: StateAt) -> Iterator[Finding]:
    for use, names, text in _reads(state):
        if use.is_guarded:
            continue
        if names[:2] == ("Map", "Item") and not _sees_items(state, use.pointer):
            yield use.finding(f"{text} has no value here: '{state.name}' is in no Map", None)
        elif names[:2] == ("Task", "Token") and not _has_token(state):
            hint = "let its Resource end with .waitForTaskToken, or with .sync where there is a job to wait for"
            yield use.finding(f"{text} has no value here: '{state.name}' waits for no token", hint)


def _sees_items(state: StateAt, pointer: str) -> bool:
    if state.type == "Map" and pointer.startswith((state.at("ItemSelector"), state.at("Parameters"))):
        return True
    outer = state.machine.owner
    while outer is not None:
        if outer.type == "Map":
            return True
        outer = outer.machine.owner
    return False


def _has_token(state: StateAt) -> bool:
    resource = state.text("Resource")
    if state.type != "Task" or resource is None or is_unknown(resource):
        return state.type == "Task"
    return parse_resource(resource).pattern != ""
