"""Rules about query languages and the names of variables. States Language, "Variables".

What a name may be is said here; where it has a value, `assigned` says.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.asl.validation.rules.expressions import values
from sm_cli.asl.validation.schema import is_substitution
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json


@state_rule("SM801", "error", "A JSONata workflow has no JSONPath states", aws=SCHEMA)
def languages_fit(state: StateAt) -> Iterator[Finding]:
    owner: MachineAt = state.machine
    while owner.owner is not None:
        owner = owner.owner.machine
    if owner.language == "JSONata" and state.value.get("QueryLanguage") == "JSONPath":
        message = "QueryLanguage cannot be JSONPath: the whole workflow uses JSONata"
        yield Finding(state.at("QueryLanguage"), message)


@state_rule(
    "SM802",
    "error",
    "The name of a variable is an identifier of at most 80 characters, and not states",
    aws=SCHEMA,
)
def names_are_identifiers(state: StateAt) -> Iterator[Finding]:
    for pointer, members in assignments(state):
        for key in members:
            name = key.removesuffix(".$") if state.language == "JSONPath" else key
            if is_substitution(name):
                continue
            if problem := name_problem(name):
                yield Finding(child(pointer, key), problem, key=True, about=name)


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
