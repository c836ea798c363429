"""What `sm validate` found, for programs: JSON, SARIF 2.1.0, GitHub's workflow commands, JUnit's XML.

Each of them says the same as the text does: the same problems, places and files, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sm_cli._version import __version__
from sm_cli.cli.escaping import escape
from sm_cli.cli.terminal import output as out
from sm_cli.project.reading import display_name
from sm_cli.views.workflows.diagnostics import diagnostic_document

if TYPE_CHECKING:
    from sm_cli.asl.validation.rules.catalogue import Rule
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file and its `problems`; `name` as it was given (`-` is stdin), `text` as far as it is Unicode.

    `fails` are the severities because of which the file is not valid.
    """

    name: str
    text: str
    problems: Sequence[Diagnostic]
    fails: frozenset[str] = field(default=frozenset({"error"}))
    #: What a template calls the definition; None: the file is the definition.
    machine: str | None = None
    #: The template that holds the definition or names its file; None: there is none.
    template: str | None = None

    #: Whether there is a definition, or a text that should be one; False: a template names one that is not here.
    is_known: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether the text is the definition, and nothing else."""
        return self.template != self.name

    @property
    def display_name(self) -> str:
        """The name that people read: `template.yaml#Order` of a definition in a template."""
        if self.machine is None or self.template is None:
            return self.file
        reference = f"{display_name(self.template)}#{self.machine}"
        return reference if self.template == self.name else f"{reference} ({self.file})"

    @property
    def file(self) -> str:
        """The file's name as people read it."""
        return display_name(self.name)

    @property
    def is_valid(self) -> bool:
        """Whether nothing was found that fails the command."""
        return not any(problem.severity in self.fails for problem in self.problems)


def report_document(files: Sequence[CheckedFile]) -> Json:
    """The document of `--json`: one object a file."""
    return [
        {
            "file": "-" if each.name == "-" else each.file,
            **({} if each.machine is None else {"machine": each.machine}),
            "valid": each.is_valid,
            "diagnostics": [diagnostic_document(problem) for problem in each.problems],
        }
        for each in files
    ]


def _sentence(problem: Diagnostic) -> str:
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


# SARIF: https://docs.oasis-open.org/sarif/sarif/v2.1.0/

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def as_sarif(files: Sequence[CheckedFile]) -> Json:
    """A SARIF 2.1.0 log."""
    from sm_cli.asl.validation.validate import CATALOGUE

    foreign = sorted({problem.code for each in files for problem in each.problems} - CATALOGUE.keys())
    rules: list[dict[str, Any]] = [_sarif_rule(rule) for _, rule in sorted(CATALOGUE.items())]
    rules += [{"id": code} for code in foreign]
    index = {rule["id"]: i for i, rule in enumerate(rules)}
    driver = {"name": "sm", "semanticVersion": __version__, "rules": rules}
    results = [_sarif_result(each, problem, index) for each in files for problem in each.problems]
    run: dict[str, Any] = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": rule.code,
        "shortDescription": {"text": f"{rule.title}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "help": {"text": f"sm explain {rule.code}"},
    }
    if rule.explanation:
        document["fullDescription"] = {"text": rule.explanation}
    return document


def _sarif_result(file: CheckedFile, problem: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file.file)}}
    if problem.position:
        at = problem.position
        place["region"] = {"startLine": at.line, "startColumn": at.column,
                           "endLine": at.end_line, "endColumn": at.end_column}  # fmt: skip
    location: dict[str, Any] = {"physicalLocation": place}
    if problem.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.pointer}]
    return {
        "ruleId": problem.code,
        "ruleIndex": index[problem.code],
        "level": _LEVELS[problem.severity],
        "message": {"text": _sentence(problem)},
        "locations": [location],
    }


def _uri(name: str) -> str:
    """A relative URI for a path below the current directory, as GitHub wants it."""
    return Path(name).as_uri() if name.startswith("/") else quote(Path(name).as_posix())


# GitHub: one workflow command for each problem

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(files: Sequence[CheckedFile]) -> str:
    """One workflow command of GitHub Actions a problem."""
    return "\n".join(_command(each, problem) for each in files for problem in each.problems)


def _command(file: CheckedFile, problem: Diagnostic) -> str:
    properties = [("file", file.file)]
    if problem.position:
        at = problem.position
        properties += [("line", str(at.line)), ("endLine", str(at.end_line))]
        if at.line == at.end_line:  # columns of several lines mean nothing there
            properties += [("col", str(at.column)), ("endColumn", str(at.end_column))]
    properties.append(("title", problem.code))
    parameters = ",".join(f"{name}={_escape(value, (':', ','))}" for name, value in properties)
    return f"::{_COMMANDS[problem.severity]} {parameters}::{_escape(_sentence(problem))}"


def _escape(text: str, also: tuple[str, ...] = ()) -> str:
    text = escape(text)
    for character in ("%", "\r", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


# JUnit: a suite for each file, in it a case for each problem; a file without one is a case that passes

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(files: Sequence[CheckedFile]) -> str:
    """A JUnit report: one suite a file."""
    suites = [_suite(each) for each in files]
    totals = _totals(suites)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="sm validate" {totals}>']
    for each, cases in zip(files, suites, strict=True):
        lines.append(f'  <testsuite name="{xml_text(each.display_name)}" {_totals([cases])}>')
        lines += [f"    {case}" for case in cases]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _totals(suites: Sequence[Sequence[str]]) -> str:
    cases = [case for suite in suites for case in suite]
    return f'tests="{len(cases)}" failures="{sum("<failure " in case for case in cases)}" errors="0"'


def _suite(file: CheckedFile) -> list[str]:
    name = f'classname="{xml_text(file.display_name)}"'
    cases = [f'<testcase {name} name="{_case(problem)}">{_outcome(file, problem)}</testcase>'
             for problem in file.problems]  # fmt: skip
    return cases or [f'<testcase {name} name="valid"/>']


def _case(problem: Diagnostic) -> str:
    return xml_text(
        f"{problem.code} {problem.position.line}:{problem.position.column}" if problem.position else problem.code
    )


def _outcome(file: CheckedFile, problem: Diagnostic) -> str:
    if problem.severity not in file.fails:
        return f"<system-out>{xml_text(str(problem))}</system-out>"
    return f'<failure type="{problem.code}" message="{xml_text(_sentence(problem))}">{xml_text(str(problem))}</failure>'


def xml_text(text: str) -> str:
    """A text inside of XML, also inside of an attribute; what XML cannot hold becomes U+FFFD."""
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return _NOT_XML.sub("\ufffd", text).replace("\n", "&#10;").replace("\r", "&#13;")


#: Format to the function that makes its data, or its text; `text` is made in `frames`.
DATA: dict[str, Callable[[Sequence[CheckedFile]], Json]] = {"json": report_document, "sarif": as_sarif}
TEXTS: dict[str, Callable[[Sequence[CheckedFile]], str]] = {"github": as_github, "junit": as_junit}


def write_report(files: Sequence[CheckedFile], format: str) -> None:
    """Print a report in one of the formats of DATA and TEXTS."""
    if format in DATA:
        out.value(DATA[format](files))
    elif text := TEXTS[format](files):
        out.lines(text)
