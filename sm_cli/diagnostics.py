"""A Diagnostic: one problem of a definition, with the place where it stands.

A diagnostic is a value. Whoever finds a problem returns it; nobody raises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A span of the text, 1-based; `end_column` is the column after the last character."""

    #: Of the first character.
    line: int
    #: Of the first character.
    column: int
    #: Of the last character.
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem.

    `code` is ours and stable (docs name it), `message` one plain sentence, `pointer` the JSON pointer of
    the very thing, `position` where that is in the text (None for a definition given as a dict), `hint`
    what the writer probably meant, `file` the name the text came under.
    """

    code: str
    #: A workflow with an error is invalid.
    severity: Severity
    message: str
    pointer: str
    position: Position | None = None
    hint: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        place = self.file or "definition"
        if self.position:
            place += f":{self.position.line}:{self.position.column}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.severity} {self.code}: {self.message}{hint}"
