"""The catalogue of rules: every code that a diagnostic can bear, with its severity and what it asks.

A code is never given a second meaning; docs and editors name problems by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.diagnostics import Severity

if TYPE_CHECKING:
    from sm_cli.asl.validation.rules.pages import Page


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem under a JSON pointer; `key` points at the key rather than at the value. `start` and `end` are the
    characters of a text value that are meant, where it is not all of it."""

    #: The JSON pointer of what is wrong.
    pointer: str
    #: One sentence without its full stop.
    message: str
    #: What would put it right; None: nothing is proposed.
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

    #: Such as SM203.
    code: str
    #: Of every problem with this code.
    severity: Severity
    title: str
    aws_code: str | None = None
    #: Whether the workflow runs here all the same: a comment may have such an error passed over for good.
    harmless: bool = False

    @property
    def explanation(self) -> str:
        """What is wrong and why, from the rule's page."""
        return _page(self.code).explanation

    @property
    def bad(self) -> str:
        """A definition that breaks the rule, from the rule's page."""
        return _page(self.code).bad

    @property
    def good(self) -> str:
        """The same definition without the problem, from the rule's page."""
        return _page(self.code).good


def _page(code: str) -> Page:
    from sm_cli.asl.validation.rules.pages import page  # only who explains a code reads them

    return page(code)


#: What AWS calls most problems: the definition does not fit its schema.
SCHEMA = "SCHEMA_VALIDATION_FAILED"

CATALOGUE: dict[str, Rule] = {}
DEFINITION_RULES: list[tuple[Rule, DefinitionRule]] = []
#: Functions that look at all machines once for the sake of several codes.
ANALYSES: list[Analysis] = []
MACHINE_RULES: list[tuple[Rule, MachineRule]] = []
#: By state type; a rule for all of them stands under each.
STATE_RULES: dict[str, list[tuple[Rule, StateRule]]] = {}


class Entry(NamedTuple):
    """A code of an analysis, as `entry` takes it."""

    #: Such as SM203.
    code: str
    #: Of the diagnostics with this code.
    severity: Severity
    #: One sentence that is true of a definition without this problem.
    title: str
    #: AWS's code for the same; None: AWS does not report it.
    aws: str | None = None
    #: Whether a workflow runs in spite of it.
    harmless: bool = False


def entry(code: str, severity: Severity, title: str, *, aws: str | None = None, harmless: bool = False) -> Rule:
    """Register a code. aws: what AWS calls the problem, where it says anything. harmless: an error that does not keep
    the workflow from running here."""
    if code in CATALOGUE:
        raise AssertionError(f"{code} is in the catalogue twice")
    CATALOGUE[code] = rule = Rule(code, severity, title, aws, harmless)
    return rule


def aws_code(code: str) -> str | None:
    """What AWS calls the problem of this code of ours; None where it says nothing."""
    rule = CATALOGUE.get(code)
    return None if rule is None else rule.aws_code


def definition_rule(
    code: str, severity: Severity, title: str, *, aws: str | None = None, harmless: bool = False
) -> Callable[[DefinitionRule], DefinitionRule]:  # fmt: skip
    """Register a rule that looks at all machines together."""
    new_rule = entry(code, severity, title, aws=aws, harmless=harmless)

    def register(rule: DefinitionRule) -> DefinitionRule:
        DEFINITION_RULES.append((new_rule, rule))
        return rule

    return register


def analysis(*entries: Entry) -> Callable[[Analysis], Analysis]:
    """Register a function that looks at all machines together and finds problems of several codes."""
    for each in entries:
        entry(each.code, each.severity, each.title, aws=each.aws, harmless=each.harmless)

    def register(rule: Analysis) -> Analysis:
        ANALYSES.append(rule)
        return rule

    return register


def machine_rule(
    code: str, severity: Severity, title: str, *, aws: str | None = None, harmless: bool = False
) -> Callable[[MachineRule], MachineRule]:  # fmt: skip
    """Register a rule that looks at one StartAt with its States."""
    new_rule = entry(code, severity, title, aws=aws, harmless=harmless)

    def register(rule: MachineRule) -> MachineRule:
        MACHINE_RULES.append((new_rule, rule))
        return rule

    return register


def state_rule(
    code: str, severity: Severity, title: str, *types: str, aws: str | None = None, harmless: bool = False
) -> Callable[[StateRule], StateRule]:  # fmt: skip
    """Register a rule for states of these types; for all states when none is named."""
    new_rule = entry(code, severity, title, aws=aws, harmless=harmless)

    def register(rule: StateRule) -> StateRule:
        for name in types or ("",):
            STATE_RULES.setdefault(name, []).append((new_rule, rule))
        return rule

    return register


# What reading the text and the structural check say.
entry("SM001", "error", "The definition is UTF-8", aws="INVALID_JSON_DESCRIPTION")
entry("SM002", "error", "The definition is not empty", aws=SCHEMA)
entry("SM003", "error", "The definition is JSON", aws="INVALID_JSON_DESCRIPTION")
entry("SM004", "error", "The definition is YAML", aws="INVALID_JSON_DESCRIPTION")
entry("SM005", "error", "The definition is an object", aws=SCHEMA)
entry("SM006", "error", "An object names each key once", aws="INVALID_JSON_DESCRIPTION")
entry("SM007", "error", "Numbers are such that they can be kept exactly", aws="INVALID_JSON_DESCRIPTION")
entry("SM008", "error", "The definition has at most 10 MB")
entry("SM009", "error", "The definition is not nested deeper than any real one", aws="TOO_DEEPLY_NESTED")
entry("SM010", "error", "The definition has no YAML anchors and aliases")
entry("SM011", "error", "The definition has no YAML merge keys")
entry("SM012", "error", "The definition has no YAML tags")
entry("SM013", "error", "The file holds one YAML document")
entry("SM014", "error", "Text is Unicode", aws="INVALID_JSON_DESCRIPTION")
entry("SM016", "error", "A definition that a program gives is JSON", aws=SCHEMA)
entry("SM017", "info", "The definition of a machine in a template is known")
entry("SM101", "error", "Every field is one of the language", aws=SCHEMA, harmless=True)
entry("SM102", "error", "Every required field is there", aws=SCHEMA)
entry("SM103", "error", "Every value is of its field's type", aws=SCHEMA)
entry("SM104", "error", "Every value is within its field's bounds", aws=SCHEMA)
entry("SM105", "error", "Fields that exclude each other do not stand together", aws=SCHEMA)
entry("SM106", "error", "One of the fields that can do it is there", aws=SCHEMA)
entry("SM107", "error", "Every field is one of the state's query language", aws=SCHEMA)
entry("SM108", "error", "Every state is an object", aws=SCHEMA)
entry("SM015", "warning", "The definition is as small as AWS wants it")
