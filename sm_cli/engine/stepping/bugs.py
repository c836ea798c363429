"""A bug of ours, met while one execution is stepped: that execution fails, and everything else goes on.

Only what the database cannot do ends a unit. Whatever else is raised while an execution is stepped (also
because its stored definition no longer compiles) is logged once with its traceback and closes this execution as FAILED
with States.Runtime, which no Retry and no Catch takes. It can be redriven with a version of sm that knows better.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sm_cli.engine.programs import DamagedDefinition
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import DatabaseError
from sm_cli.store.records import Execution, Status

log = logging.getLogger("sm.engine")

#: So much of an exception's text stands in the cause; all of it is in the log.
_LONGEST_TEXT = 500


def contain(unit: UnitOfWork, execution: Execution, error: Exception) -> None:
    """Fail the execution because of `error`; leave it as it is when only its stored definition is damaged. Raises
    `error` when it is the database's, or when the engine's settings say that bugs are raised."""
    if isinstance(error, DamagedDefinition) and (unit.taker is not None or execution.status is not Status.RUNNING):
        unit.programs.tell_damaged(error)  # a worker has others to work on
        return
    if isinstance(error, DatabaseError) or not unit.settings.contain:
        raise error
    log.error("execution %s fails by a bug in sm", execution.ref, exc_info=error)
    if execution.status is Status.RUNNING:
        end(unit, execution, Status.FAILED, "States.Runtime", cause_of(error))


@contextmanager
def containing_bugs(unit: UnitOfWork, execution: Execution) -> Iterator[None]:
    """What is raised in this block is the execution's, and only its."""
    try:
        yield
    except Exception as error:
        contain(unit, execution, error)


def cause_of(error: Exception) -> str:
    """The cause of an execution that a bug of ours ends, with the beginning of the exception's text."""
    text = str(error)
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"This is a bug in sm, not in the workflow: {what}. Redrive the execution after an upgrade."
