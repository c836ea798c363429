"""The catalogue of rules: every code that a diagnostic can bear, with its severity and what it asks.

Rule: a code is never given a second meaning; docs and editors name problems by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.asl.diagnostics import Severity
from sm_cli.asl.outline import MachineAt, StateAt


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem under a JSON pointer; `key` points at the key rather than at the value."""

    pointer: str
    message: str
    hint: str | None = None
    key: bool = False


DefinitionRule: TypeAlias = Callable[[list[MachineAt]], Iterator[Finding]]
MachineRule: TypeAlias = Callable[[MachineAt], Iterator[Finding]]
StateRule: TypeAlias = Callable[[StateAt], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue: what holds where nothing is wrong."""

    code: str
    severity: Severity
    title: str


CATALOGUE: dict[str, Entry] = {}
DEFINITION_RULES: list[tuple[Entry, DefinitionRule]] = []
MACHINE_RULES: list[tuple[Entry, MachineRule]] = []
#: By state type; a rule for all of them stands under each.
STATE_RULES: dict[str, list[tuple[Entry, StateRule]]] = {}


def entry(code: str, severity: Severity, title: str) -> Entry:
    """Register a code."""
    if code in CATALOGUE:
        raise AssertionError(f"{code} is in the catalogue twice")
    CATALOGUE[code] = made = Entry(code, severity, title)
    return made


def definition_rule(code: str, severity: Severity, title: str) -> Callable[[DefinitionRule], DefinitionRule]:
    """Register a rule that looks at all machines together."""
    made = entry(code, severity, title)

    def register(rule: DefinitionRule) -> DefinitionRule:
        DEFINITION_RULES.append((made, rule))
        return rule

    return register


def machine_rule(code: str, severity: Severity, title: str) -> Callable[[MachineRule], MachineRule]:
    """Register a rule that looks at one StartAt with its States."""
    made = entry(code, severity, title)

    def register(rule: MachineRule) -> MachineRule:
        MACHINE_RULES.append((made, rule))
        return rule

    return register


def state_rule(code: str, severity: Severity, title: str, *types: str) -> Callable[[StateRule], StateRule]:
    """Register a rule for states of these types; for all states when none is named."""
    made = entry(code, severity, title)

    def register(rule: StateRule) -> StateRule:
        for name in types or ("",):
            STATE_RULES.setdefault(name, []).append((made, rule))
        return rule

    return register


# What reading the text and the structural check say.
for _code, _title in (
    ("SM001", "The definition is UTF-8"),
    ("SM002", "The definition is not empty"),
    ("SM003", "The definition is JSON"),
    ("SM004", "The definition is YAML"),
    ("SM005", "The definition is an object"),
    ("SM006", "An object names each key once"),
    ("SM007", "Numbers are such that they can be kept exactly"),
    ("SM008", "The definition has at most 10 MB"),
    ("SM009", "The definition is not nested deeper than any real one"),
    ("SM010", "The definition has no YAML anchors and aliases"),
    ("SM011", "The definition has no YAML merge keys"),
    ("SM012", "The definition has no YAML tags"),
    ("SM013", "The file holds one YAML document"),
    ("SM014", "Text is Unicode"),
    ("SM016", "A definition that a program gives is JSON"),
    ("SM101", "Every field is one of the language"),
    ("SM102", "Every required field is there"),
    ("SM103", "Every value is of its field's type"),
    ("SM104", "Every value is within its field's bounds"),
    ("SM105", "Fields that exclude each other do not stand together"),
    ("SM106", "One of the fields that can do it is there"),
    ("SM107", "Every field is one of the state's query language"),
    ("SM108", "Every state is an object"),
):
    entry(_code, "error", _title)
entry("SM015", "warning", "The definition is as small as AWS wants it")
