"""A definition as AWS would judge it: only what AWS refuses, with AWS's codes, messages and locations.

The problems are those that our rules find; here they are said in AWS's words, as ValidateStateMachineDefinition
and CreateStateMachine have been seen to say them. Where AWS's words are not known, ours stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sm_cli.asl.outline import MachineAt, StateAt, outline
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.text.source import Document, from_value, parse
from sm_cli.asl.validation.aws_words import TYPES, aws_sentence, code_of, express_words, parent, required
from sm_cli.asl.validation.rules import running
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, aws_code
from sm_cli.asl.validation.rules.flow import ENDING, all_targets, has_unknown_targets, is_terminal
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.asl.validation.validate import findings
from sm_cli.diagnostics import Diagnostic
from sm_cli.jsonpointer import tokens
from sm_cli.jsonvalue import Json

#: AWS reports at most so many.
MOST = 100
#: A word as Jackson reads one.
_TOKEN = re.compile(r"\s*([A-Za-z_$][\w$]*)")
_LISTS = ("/Branches", "/Choices", "/Catch", "/Retry", "/And", "/Or")
_BY_GRAPH = ("SM203", "SM205", "SM206")
_WARNINGS = ("SM308", "SM309", "SM312")


@dataclass(frozen=True, slots=True)
class AwsDiagnostic:
    """One line of ValidateStateMachineDefinition's answer. `location` is like `/States/A/Choices[0]/Next`, "/" for the
    whole definition; None where AWS names no place."""

    #: ERROR or WARNING.
    severity: Literal["ERROR", "WARNING"]
    #: AWS's code, such as MISSING_TRANSITION_TARGET.
    code: str
    #: One sentence, in AWS's words where they are known.
    message: str
    location: str | None


def validate_as_aws(
    source: Document | str | bytes | dict[str, Json], type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
) -> list[AwsDiagnostic]:
    """What AWS would refuse in a definition for a workflow of this type; empty for one that it takes.

    A text is read as `parse` reads it, YAML included. Raises nothing.
    """
    if not isinstance(source, Document):
        parse_result = parse(source) if isinstance(source, (str, bytes)) else from_value(source)
        if parse_result.document is None:
            token = (
                _unrecognized_token(source)
                if [problem.code for problem in parse_result.diagnostics] == ["SM005"]
                else None
            )
            return (
                [token] if token is not None else [_unreadable(problem) for problem in parse_result.diagnostics[:MOST]]
            )
        source = parse_result.document
    machines = outline(source.value if isinstance(source.value, dict) else {})
    problems = [*_schema(machines, type), *_transitions(machines), *_ends(machines)]
    return list(dict.fromkeys(problems))[:MOST]


def invalid_definition(diagnostics: Iterable[AwsDiagnostic]) -> tuple[str, str]:
    """(error, message) with which CreateStateMachine refuses a definition that has these problems."""
    problems = ", ".join(f"{each.code}: {each.message} at {each.location or 'null'}" for each in diagnostics)
    return "InvalidDefinition", f"Invalid State Machine Definition: '{problems}'"


def _unrecognized_token(source: object) -> AwsDiagnostic | None:
    """What Jackson, which reads definitions at AWS, says of plain words: they are YAML, but no JSON."""
    text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
    match = _TOKEN.match(text) if isinstance(text, str) else None
    if match is None or match[1] in ("true", "false", "null"):
        return None
    before = match.string[: match.end()]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    alternatives = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    place = f"[Source: UNKNOWN; line: {line}, column: {column}]"
    message = f"Unrecognized token '{match[1]}': was expecting {alternatives}\n at {place}"
    return AwsDiagnostic("ERROR", (aws_code("SM003") or SCHEMA), message, None)


def _unreadable(problem: Diagnostic) -> AwsDiagnostic:
    code = aws_code(problem.code) or SCHEMA
    if problem.code in ("SM002", "SM005", "SM016"):
        return AwsDiagnostic("ERROR", code, "Definition must be a valid JSON object", None)
    place = problem.position
    where = f" at [Source: UNKNOWN; line: {place.line}, column: {place.column}]" if place else ""
    return AwsDiagnostic("ERROR", code, f"{problem.message}{where}", None)


def location(pointer: str, definition: Json = None) -> str:
    """A JSON pointer as AWS writes places: indexes in brackets, names as they are. definition: in it lists are lists,
    those of templates too; without it those of the language are."""
    path, value = "", definition
    for token in tokens(pointer):
        is_index = token.isdecimal() and (isinstance(value, list) or path.endswith(_LISTS))
        path += f"[{token}]" if is_index else f"/{token}"
        if isinstance(value, list):
            value = value[int(token)] if token.isdecimal() and int(token) < len(value) else None
        else:
            value = value.get(token) if isinstance(value, dict) else None
    return path or "/"


# -- what the schema and the rules find --------------------------------------------------------------------------------


def _schema(machines: list[MachineAt], type: str) -> Iterator[AwsDiagnostic]:
    states = {state.pointer: state for machine in machines for state in machine.states.values()}
    all_findings = list(findings(machines))
    parents = {parent(finding.pointer) for code, _, finding in all_findings if code == "SM801"}
    missing: dict[str, list[str]] = {}
    schema_findings: list[tuple[str, Finding]] = []
    for code, _, finding in all_findings:
        if code == "SM102" and finding.about != "Type":
            missing.setdefault(finding.pointer, []).append(finding.about)
        elif code == "SM107" and parent(finding.pointer) in parents:
            continue  # AWS says only that the state cannot go back
        elif aws_code(code) is not None and code not in _BY_GRAPH and code not in _WARNINGS:
            schema_findings.append((code, finding))
    for pointer, names in missing.items():
        yield AwsDiagnostic("ERROR", SCHEMA, required(names), location(pointer, machines[0].value))
    for code, finding in schema_findings:
        message, pointer = aws_sentence(code, finding)
        yield AwsDiagnostic("ERROR", code_of(code, finding), message, location(pointer, machines[0].value))
    yield from _beyond(states.values())
    if type == "EXPRESS":
        for finding in running.not_express(machines):
            state = states.get(parent(finding.pointer))
            message, pointer = express_words(finding, (state.text("Resource") if state is not None else None) or "")
            yield AwsDiagnostic("ERROR", SCHEMA, message, location(pointer, machines[0].value))


def _beyond(states: Iterable[StateAt]) -> Iterator[AwsDiagnostic]:
    """What is valid here and not on AWS."""
    for state in states:
        resource = state.text("Resource") if state.type == "Task" else None
        if state.type == "Message":
            message = f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]"
            yield AwsDiagnostic("ERROR", SCHEMA, message, location(state.at("Type")))
        elif resource is not None and not is_unknown(resource) and not resource.startswith("arn:"):
            yield AwsDiagnostic("ERROR", SCHEMA, "Value is not a valid resource ARN", location(state.at("Resource")))
        elif resource is not None and "Credentials" in state.value and parse_resource(resource).kind == "activity":
            message = "The field 'Credentials' is not supported for activities"
            yield AwsDiagnostic("ERROR", SCHEMA, message, location(state.at("Credentials")))


# -- the graph ---------------------------------------------------------------------------------------------------------


def _transitions(machines: list[MachineAt]) -> Iterator[AwsDiagnostic]:
    for machine in machines:
        for pointer, target in all_targets(machine):
            if target not in machine.names and not is_unknown(target) and machine.names:
                message = f"Missing 'Next' target: {target}"
                yield AwsDiagnostic("ERROR", (aws_code("SM203") or SCHEMA), message, location(pointer))


def _ends(machines: list[MachineAt]) -> Iterator[AwsDiagnostic]:
    """AWS asks for an end only of the outermost machine, and calls unreachable what nothing names."""
    for machine in machines:
        states = machine.states.values()
        whole = len(machine.states) == len(machine.names) and all(state.type in TYPES for state in states)
        if not whole or not machine.states or not isinstance(machine.value.get("StartAt"), str):
            continue
        if is_unknown(machine.value["StartAt"]) or any(has_unknown_targets(state) for state in states):
            continue
        if machine.owner is None and not any(_may_end(state) for state in states):
            yield AwsDiagnostic("ERROR", (aws_code("SM205") or SCHEMA), "Workflow has no terminal state", None)
            continue
        targets = {target for _, target in all_targets(machine)}
        for name, state in machine.states.items():
            if name not in targets:
                message = f'State "{name}" is not reachable.'
                yield AwsDiagnostic("ERROR", (aws_code("SM206") or SCHEMA), message, location(state.pointer))


def _may_end(state: StateAt) -> bool:
    return is_terminal(state) or state.type in ENDING or is_unknown(state.value.get("End"))
