"""What a check finds, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from sm_cli.views.actions import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

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


#: Yields (severity, sentence, action) of each finding of a check, at least one.
Found: TypeAlias = "Iterator[tuple[Severity, str, Action | None]]"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there without a database."""

    #: The file that holds the settings, as people are shown it; None where there is none.
    configuration: str | None = None
    #: What it sets.
    settings: Sequence[str] = ()
    #: Why it cannot be used; None when it can.
    configuration_error: str | None = None
    #: A sentence for each value in it that no worker would start with.
    setting_problems: Sequence[str] = ()
    #: The folder of the handlers, as people are shown it; None where there is none.
    handlers_place: str | None = None
    #: The names of the handlers in it; None where that is not known.
    handlers: Collection[str] | None = None
    #: Why it is not known.
    handlers_unknown: str | None = None
    #: Whether the files were executed, not only read.
    is_executed: bool = False
    #: A sentence for each file that cannot be imported, or read.
    handler_problems: Sequence[str] = ()


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
