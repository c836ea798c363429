"""What a check finds, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sm_cli.views.actions import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sm_cli.engine.engine import Engine
    from sm_cli.store.records import WorkerRecord


class Severity(StrEnum):
    """How bad a finding is."""

    #: As it should be.
    FINE = "fine"
    #: Nothing is broken, and somebody may want to know.
    WARNING = "warning"
    #: Something that should happen does not.
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One sentence of a check."""

    #: The check's name.
    check: str
    #: How bad it is.
    severity: Severity
    #: The sentence, without the action.
    text: str
    #: What can be done about it; None where nothing has to be, or where the sentence says it.
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What the checks look at."""

    #: Whose database is looked at.
    engine: Engine
    #: Microseconds since 1970 UTC.
    now: int
    #: Makes text of a time in microseconds since 1970 UTC.
    time_text: Callable[[int], str]
    #: The names of the handlers that this project has; None where that is not known.
    handlers: Collection[str] | None = None
    #: The workers whose processes live, as far as this machine knows.
    workers: list[WorkerRecord] = field(default_factory=list)
