"""A bug of ours, met while one execution is stepped: that execution fails, and everything else goes on.

Rule: only what the database cannot do ends a tick. Whatever else is raised while an execution is stepped (also
because its stored definition no longer compiles) is logged once with its traceback and closes this execution as FAILED
with States.Runtime, which no Retry and no Catch takes. It can be redriven with a version of sm that knows better.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sm_cli.engine.endings import end
from sm_cli.errors import DatabaseError
from sm_cli.interpreter.advance import Step, aborted
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.store.base import Execution, Status

if TYPE_CHECKING:
    from sm_cli.engine.tick import Tick

log = logging.getLogger("sm.engine")

#: So much of an exception's text stands in the cause; all of it is in the log.
_LONGEST_TEXT = 500


def contain(tick: Tick, execution: Execution, error: Exception) -> None:
    """Fail the execution because of `error`. Raises `error` when it is the database's, or when the engine's settings
    say that bugs are to be seen."""
    if isinstance(error, DatabaseError) or not tick.settings.contain:
        raise error
    log.error("execution %s fails by a bug in sm", execution.ref, exc_info=error)
    if execution.status is Status.RUNNING:
        end(tick, execution, Status.FAILED, "States.Runtime", cause_of(error))


@contextmanager
def contained(tick: Tick, execution: Execution) -> Iterator[None]:
    """What is raised in this block is the execution's, and only its."""
    try:
        yield
    except Exception as error:
        contain(tick, execution, error)


def cause_of(error: Exception) -> str:
    text = str(error)
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"This is a bug in sm, not in the workflow: {what}. Redrive the execution after an upgrade."


def closed(tick: Tick, execution: Execution, frame: Frame) -> Step:
    """The step that aborts a frame. Where its program cannot say how, it is closed without a line in the history: what
    is broken must still come to an end."""
    env = tick.env(execution)
    try:
        return aborted(tick.program_of(execution.digest), frame, env)
    except Exception as error:
        if isinstance(error, DatabaseError) or not tick.settings.contain:
            raise
        log.debug("frame %d is closed without a record: %s", frame.id, error)
    frame = replace(frame.copy(), seq=frame.seq + 1, status=FrameStatus.ABORTED, opens=Opens.NOTHING, wake=None)
    return Step(frame, env.events)
