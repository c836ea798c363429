"""`sm validate --aws`: what AWS would refuse, placed in the text like any other problem.

Code and message are AWS's own; the pointer of the diagnostic is AWS's location, and its hint says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sm_cli.asl.text.source import Document, Parsed
from sm_cli.asl.validation.aws import location, validate_as_aws
from sm_cli.diagnostics import Diagnostic, Position, Severity
from sm_cli.jsonpointer import child, tokens

if TYPE_CHECKING:
    from sm_cli.asl.validation.aws import AwsDiagnostic
    from sm_cli.jsonvalue import Json


def aws_problems(parsed_file: Parsed, content: str, file: str, *, express: bool) -> list[Diagnostic]:
    """The problems that AWS has with a text, in the order of the text."""
    document = parsed_file.document
    if document is None:
        ours = parsed_file.diagnostics
        return [_diagnostic(problems, mine.position, file)
                for mine, problems in zip(ours, validate_as_aws(content), strict=False)]  # fmt: skip
    problems = validate_as_aws(document, "EXPRESS" if express else "STANDARD")
    locations = {each.location for each in problems} - {None}
    pointers = _pointers(document.value, locations) if locations else {}
    diagnostics = [_diagnostic(each, _place(document, pointers.get(each.location or "")), file) for each in problems]
    return sorted(diagnostics, key=lambda d: d.position or Position(0, 0, 0, 0))


def _diagnostic(problem: AwsDiagnostic, place: Position | None, file: str) -> Diagnostic:
    severity: Severity = "error" if problem.severity == "ERROR" else "warning"
    hint = f"at {problem.location}" if problem.location else None
    return Diagnostic(problem.code, severity, problem.message, problem.location or "", place, hint, file)


def _place(document: Document, pointer: str | None) -> Position | None:
    """A state and its like by their names; without a place the States."""
    if pointer is None:
        return document.position("/States", key=True) or document.position("")
    return document.position(pointer, key=isinstance(_value(document.value, pointer), (dict, list)))


def _value(value: Json, pointer: str) -> Json:
    for token in tokens(pointer):
        value = value[int(token)] if isinstance(value, list) else value[token] if isinstance(value, dict) else None
    return value


def _pointers(value: Json, locations: set[str | None]) -> dict[str, str]:
    """AWS's locations to JSON pointers; what stands first in the text has a location that two places share."""
    pointers: dict[str, str] = {}
    for pointer in _all(value, ""):
        here = location(pointer, value)
        if here in locations:
            pointers.setdefault(here, pointer)
    return pointers


def _all(value: Json, pointer: str) -> Iterator[str]:
    waiting = [(pointer, value)]
    while waiting:
        at, inner = waiting.pop()
        yield at
        if isinstance(inner, dict):
            waiting += [(child(at, key), item) for key, item in reversed(inner.items())]
        elif isinstance(inner, list):
            waiting += [(f"{at}/{i}", item) for i, item in reversed(list(enumerate(inner)))]
