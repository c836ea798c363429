"""The database itself: where it is, whether it can be written, what its place and settings put at risk, its clock."""

from __future__ import annotations

from sm_cli.engine.clock import ServerClock
from sm_cli.errors import ConfigurationError, DatabaseBusy, DatabaseError
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.doctor.findings import Examination, Found, Severity
from sm_cli.views.upkeep import database_facts, database_state, try_to_write

#: Microseconds by which clocks may differ.
_APART = MICROSECONDS


def check_address(examination: Examination) -> Found:
    """Where it lies, and that its schema is this program's: an older one was migrated when it was opened."""
    try:
        facts = database_facts(examination.engine.store)
    except ConfigurationError:
        yield Severity.FINE, "it can be read, and its schema is this program's", None
        return
    yield Severity.FINE, f"{facts.place}, schema {facts.schema}", None


def check_writing(examination: Examination) -> Found:
    """Whether something can be written: it is tried, and undone."""
    try:
        try_to_write(examination.engine.store)
    except DatabaseBusy as e:
        yield Severity.WARNING, f"{e.message}; it was tried for a second", None
    except DatabaseError as e:
        yield Severity.BROKEN, ". ".join(part.removesuffix(".") for part in (e.message, e.hint) if part), None
    else:
        yield Severity.FINE, "it can be written", None


def check_place(examination: Examination) -> Found:
    """What the place and the settings of the database put at risk."""
    state = database_state(examination.engine.store)
    if state is None:
        yield Severity.FINE, "it is in memory, and ends with its process", None
        return
    yield Severity.FINE, state.text, None
    for hazard in state.hazards:
        yield Severity.BROKEN if hazard.is_broken else Severity.WARNING, hazard.text, None


def check_clock(examination: Examination) -> Found:
    """Whether this machine and those of the workers have the same time."""
    clock = examination.engine.clock
    bad = False
    if isinstance(clock, ServerClock):
        clock.measure()
        bad = abs(clock.ahead) > _APART
        apart = f"{abs(clock.ahead) / MICROSECONDS:.3f} s"
        if bad:
            side = "behind" if clock.ahead > 0 else "ahead of"
            yield (
                Severity.WARNING,
                f"the clock of this machine is {apart} {side} the server's; workers go by the server's, "
                "and what else runs here does not: let NTP set it",
                None,
            )
        else:
            yield Severity.FINE, f"the clock of this machine and the server's are {apart} apart", None
    now = clock.now()
    for worker in examination.workers:
        if worker.seen > now + _APART:
            bad = True
            seen = examination.time_text(worker.seen)
            text = f"worker {worker.name} was seen at {seen}, which is yet to come: the clock of {worker.host} is wrong"
            yield Severity.WARNING, f"{text}, or the one here; let NTP set it", None
    if not bad and not isinstance(clock, ServerClock):
        yield Severity.FINE, "nothing has a time that is yet to come", None
