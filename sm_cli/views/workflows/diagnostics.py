"""What is wrong with a definition, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.jsonvalue import Json


def diagnostic_document(problem: Diagnostic) -> dict[str, Json]:
    """A diagnostic as JSON; lines and columns are 1-based, and null of a definition that was given as an object."""
    place = problem.position
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "pointer": problem.pointer,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
    }
