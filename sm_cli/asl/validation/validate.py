"""A Document against the language: every problem as a Diagnostic, in the order of the text.

Nothing here knows a rule; the structural check and the functions of `rules` find, this places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from sm_cli.asl.outline import MachineAt, outline
from sm_cli.asl.text.source import Document, from_value, parse
from sm_cli.asl.text.substitutions import substitute
from sm_cli.asl.validation.rules import (
    choices,
    context,
    expressions,
    failures,
    flow,
    input_shapes,
    jsonata,
    maps,
    running,
    standstill,
    tasks,
    variable_flow,
    variables,
)
from sm_cli.asl.validation.rules.catalogue import (
    ANALYSES,
    CATALOGUE,
    DEFINITION_RULES,
    MACHINE_RULES,
    STATE_RULES,
    Finding,
)
from sm_cli.asl.validation.structure import check_machine
from sm_cli.diagnostics import Diagnostic, Position, Severity
from sm_cli.jsonpointer import tokens
from sm_cli.jsonvalue import Json

__all__ = ["CATALOGUE", "RULE_MODULES", "check", "express_problems", "find_unsupported", "findings", "validate"]

#: Imported so that their rules are registered.
RULE_MODULES = (
    *(
        flow,
        standstill,
        expressions,
        choices,
        failures,
        tasks,
        maps,
        variables,
        jsonata,
        variable_flow,
        context,
        input_shapes,
        running,
    ),
)

Found = tuple[str, Severity, Finding]
_NOWHERE = Position(0, 0, 0, 0)


def check(
    source: str | bytes | Json,
    *,
    file: str | None = None,
    handlers: Collection[str] | None = None,
    express: bool = False,
    substitutions: Mapping[str, Json] | None = None,
) -> tuple[Document | None, list[Diagnostic]]:
    """Parse and validate: the text of a definition, or its value. No document when the text cannot be read."""
    parse_result = parse(source, file=file) if isinstance(source, (str, bytes)) else from_value(source)
    if parse_result.document is None:
        return None, parse_result.diagnostics
    document = substitute(parse_result.document, substitutions or {})
    return document, parse_result.diagnostics + validate(document, handlers=handlers, express=express)


def validate(
    document: Document,
    *,
    handlers: Collection[str] | None = None,
    express: bool = False,
    substitutions: Mapping[str, Json] | None = None,
) -> list[Diagnostic]:
    """Every problem of a definition, in the order of the text.

    `handlers` are the names that handlers are registered under: a Task whose Resource has none gets a
    warning. With None nothing is asked about them. `express` asks for what an EXPRESS workflow may have.
    `substitutions` are put in place of `${Name}` first; positions stay those of the text. What a comment
    `# sm: ignore[CODE]` names on its line is left out.
    """
    document = substitute(document, substitutions or {})
    machines = outline(_definition(document))
    all_findings = list(findings(machines))
    if handlers is not None:
        all_findings += [("SM606", "warning", finding) for finding in running.without_handler(machines, handlers)]
    if express:
        all_findings += _not_express(machines)
    return [problem for problem in _with_positions(document, all_findings) if not _is_ignored(document, problem)]


def _is_ignored(document: Document, problem: Diagnostic) -> bool:
    return problem.position is not None and problem.code in document.codes_to_ignore.get(problem.position.line, ())


def find_unsupported(document: Document) -> list[Diagnostic]:
    """Why a definition that may be valid cannot run, as errors: SM901 for a `${Name}` that nothing has replaced where
    its value is needed; and the
    errors that a comment has passed over although nothing can run with them."""
    machines = outline(_definition(document))
    problems: list[Found] = [("SM901", "error", finding) for finding in running.find_placeholders(machines)]
    if document.codes_to_ignore:
        fatal = [each for each in findings(machines) if each[1] == "error" and not CATALOGUE[each[0]].harmless]
        problems += [
            each for each in fatal if any(map(partial(_is_ignored, document), _with_positions(document, [each])))
        ]
    return _with_positions(document, problems)


def express_problems(document: Document) -> list[Diagnostic]:
    """Why a definition cannot run as EXPRESS, as errors: SM607, whatever a comment passes over."""
    return _with_positions(document, _not_express(outline(_definition(document))))


def _not_express(machines: list[MachineAt]) -> list[Found]:
    problems = [*running.not_express(machines), *running.awaits_messages(machines)]
    return [("SM607", "error", finding) for finding in problems]


def _definition(document: Document) -> dict[str, Json]:
    return document.value if isinstance(document.value, dict) else {}


def findings(machines: list[MachineAt]) -> Iterator[Found]:
    """(code, severity, finding) of everything that the structural check and the rules find. A value that the structural
    check refuses is not complained of again."""
    places: set[str] = set()
    for machine in machines:
        for code, finding in check_machine(machine):
            if finding.pointer not in places:
                yield code, CATALOGUE[code].severity, finding
            if code in ("SM103", "SM104"):
                places.add(finding.pointer)
    all_findings = _rule_findings(machines)
    yield from (each for each in all_findings if each[2].pointer not in places) if places else all_findings


def _rule_findings(machines: list[MachineAt]) -> Iterator[Found]:
    """What the rules find."""
    for rule, look in DEFINITION_RULES:
        for finding in look(machines):
            yield rule.code, rule.severity, finding
    for analyse in ANALYSES:
        for code, finding in analyse(machines):
            yield code, CATALOGUE[code].severity, finding
    for machine in machines:
        for rule, look_at in MACHINE_RULES:
            for finding in look_at(machine):
                yield rule.code, rule.severity, finding
        for state in machine.states.values():
            for rule, ask in (*STATE_RULES[""], *STATE_RULES.get(state.type, ())):
                for finding in ask(state):
                    yield rule.code, rule.severity, finding


def _with_positions(document: Document, findings_to_place: list[Found]) -> list[Diagnostic]:
    """Findings with their positions, in the order of the text: that of the value when there is no text."""
    diagnostics = [
        Diagnostic(
            code,
            severity,
            finding.message,
            finding.pointer,
            _place(document, finding),
            finding.hint,
            document.file,
        )
        for code, severity, finding in findings_to_place
    ]
    if document.text is not None:
        return sorted(diagnostics, key=lambda d: (d.position or _NOWHERE, d.code))
    order = _Order(document.value)
    return sorted(diagnostics, key=lambda d: (order.of(d.pointer), d.code))


def _place(document: Document, finding: Finding) -> Position | None:
    """Where a finding stands; one inside a value that was filled in stands where its name is written."""
    place, pointer = _written_place(document, finding), finding.pointer
    while place is None and document.text is not None and pointer:
        pointer = pointer.rpartition("/")[0]
        place = document.position(pointer)
    return place


def _written_place(document: Document, finding: Finding) -> Position | None:
    if finding.start is not None and finding.end is not None:
        return document.position_in(finding.pointer, finding.start, finding.end)
    return document.position(finding.pointer, key=finding.key)


class _Order:
    """Where pointers stand in the order of a value: the index of each of their steps."""

    def __init__(self, value: Json) -> None:
        self._value = value
        self._indexes: dict[int, dict[str, int]] = {}

    def of(self, pointer: str) -> tuple[int, ...]:
        order: list[int] = []
        value = self._value
        for token in tokens(pointer):
            if isinstance(value, dict) and token in value:
                if id(value) not in self._indexes:
                    self._indexes[id(value)] = {key: i for i, key in enumerate(value)}
                order.append(self._indexes[id(value)][token])
                value = value[token]
            elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
                order.append(int(token))
                value = value[int(token)]
        return tuple(order)
