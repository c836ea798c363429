"""The catalogue of rules: every code that a diagnostic can bear, with its severity and what it asks.

Rule: a code is never given a second meaning; docs and editors name problems by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.diagnostics import Severity

if TYPE_CHECKING:
    from sm_cli.asl.validation.rules.pages import Page


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem under a JSON pointer; `key` points at the key rather than at the value. `start` and `end` are the
    characters of a text value that are meant, where it is not all of it."""

    pointer: str
    message: str
    hint: str | None = None
    key: bool = False
    start: int | None = None
    end: int | None = None
    #: What it is about: the field that is missing, the state that is not there, the character of a problem.
    about: str = ""


DefinitionRule: TypeAlias = Callable[[list[MachineAt]], Iterator[Finding]]
Analysis: TypeAlias = Callable[[list[MachineAt]], Iterator[tuple[str, Finding]]]
MachineRule: TypeAlias = Callable[[MachineAt], Iterator[Finding]]
StateRule: TypeAlias = Callable[[StateAt], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the catalogue.

    `title` says in one sentence (without its full stop) what holds where nothing is wrong; `aws_code` is what
    AWS's ValidateStateMachineDefinition calls the problem, None where AWS says nothing. `explanation` is a
    paragraph; `bad` is the text of a small definition in which this is wrong and nothing else, `good` the same
    put right. They are "" for what no text can show, such as a file that is not UTF-8.
    """

    code: str
    severity: Severity
    title: str
    aws_code: str | None = None

    @property
    def explanation(self) -> str:
        return _page(self.code).explanation

    @property
    def bad(self) -> str:
        return _page(self.code).bad

    @property
    def good(self) -> str:
        return _page(self.code).good


def _page(code: str) -> Page:
    from sm_cli.asl.validation.rules.pages import page  # only who explains a code reads them

    return page(code)


#: What AWS calls the problems that it refuses, or warns of, by our codes.
AWS_CODES: dict[str, str] = {
    **dict.fromkeys(("SM001", "SM003", "SM004", "SM006", "SM007", "SM014"), "INVALID_JSON_DESCRIPTION"),
    **dict.fromkeys(("SM002", "SM005", "SM016"), "SCHEMA_VALIDATION_FAILED"),
    **dict.fromkeys((f"SM10{n}" for n in range(1, 9)), "SCHEMA_VALIDATION_FAILED"),
    "SM009": "TOO_DEEPLY_NESTED",
    "SM201": "DUPLICATE_STATE_NAME",
    "SM202": "INVALID_STATE_NAME",
    "SM203": "MISSING_TRANSITION_TARGET",
    "SM205": "MISSING_END_STATE",
    "SM206": "MISSING_TRANSITION_TARGET",
    "SM308": "NO_DOLLAR",
    "SM309": "PASS_RESULT_IS_STATIC",
    "SM312": "NO_PATH",
    "SM713": "INVALID_LABEL_NAME",
    "SM714": "DUPLICATE_LABEL_NAME",
    "SM804": "INVALID_JSONATA_EXPRESSION",
    "SM810": "INVALID_JSONATA_EXPRESSION",
    "SM811": "INVALID_JSONATA_EXPRESSION",
    "SM814": "UNSUPPORTED_JSONATA_EXPRESSION",
    "SM816": "UNSUPPORTED_JSONATA_EXPRESSION",
    **dict.fromkeys(
        (
            *(
                "SM204",
                "SM301",
                "SM302",
                "SM303",
                "SM304",
                "SM305",
                "SM307",
                "SM401",
                "SM402",
                "SM403",
                "SM501",
                "SM502",
            ),
            *(
                "SM601",
                "SM602",
                "SM603",
                "SM604",
                "SM607",
                "SM712",
                "SM715",
                "SM716",
                "SM717",
                "SM801",
                "SM802",
                "SM803",
            ),
        ),
        "SCHEMA_VALIDATION_FAILED",
    ),
}

#: Errors that do not keep a workflow from running here: a comment may have them passed over for good.
HARMLESS = frozenset(
    ("SM101", "SM202", "SM205", "SM311", "SM501", "SM502", "SM601", "SM603", "SM604", "SM607", "SM712", "SM713")
) | frozenset(("SM714", "SM715", "SM716", "SM717", "SM803", "SM813", "SM814", "SM816", "SM820"))

CATALOGUE: dict[str, Rule] = {}
DEFINITION_RULES: list[tuple[Rule, DefinitionRule]] = []
#: Functions that look at all machines once for the sake of several codes.
ANALYSES: list[Analysis] = []
MACHINE_RULES: list[tuple[Rule, MachineRule]] = []
#: By state type; a rule for all of them stands under each.
STATE_RULES: dict[str, list[tuple[Rule, StateRule]]] = {}


def entry(code: str, severity: Severity, title: str) -> Rule:
    """Register a code."""
    if code in CATALOGUE:
        raise AssertionError(f"{code} is in the catalogue twice")
    CATALOGUE[code] = made = Rule(code, severity, title, AWS_CODES.get(code))
    return made


def definition_rule(code: str, severity: Severity, title: str) -> Callable[[DefinitionRule], DefinitionRule]:
    """Register a rule that looks at all machines together."""
    made = entry(code, severity, title)

    def register(rule: DefinitionRule) -> DefinitionRule:
        DEFINITION_RULES.append((made, rule))
        return rule

    return register


def analysis(*entries: tuple[str, Severity, str]) -> Callable[[Analysis], Analysis]:
    """Register a function that looks at all machines together and finds problems of several codes."""
    for code, severity, title in entries:
        entry(code, severity, title)

    def register(rule: Analysis) -> Analysis:
        ANALYSES.append(rule)
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
