"""Attempts at a state's work that a tick has ended: what an observer receives beside the history.

Noted while the frame is stepped, whether or not its execution has a history; nothing in the engine reads them.
"""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.interpreter.commands import StartTimer, TimerKind
from sm_cli.interpreter.events import DeadlinePassed, Event, HeartbeatMissed, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.step import Step
from sm_cli.interpreter.traceback import Traceback

_FAILURES = (TaskFailed, DeadlinePassed, HeartbeatMissed)


class Attempt(NamedTuple):
    """An attempt at a task that has ended: by its handler, a callback, an execution that it waited for, or its time."""

    #: The frame as it was when it ended: execution, state, seq, retries before.
    frame: Frame
    #: The error's name; None when it succeeded.
    error: str | None = None
    #: Text for people; None when there is none.
    cause: str | None = None
    #: Where the handler failed; None when none raised.
    traceback: Traceback | None = None
    #: When it is tried again, microseconds since 1970 UTC; None when it is not.
    again: int | None = None
    #: Whether a catcher took the error.
    is_caught: bool = False

    @property
    def number(self) -> int:
        """1 for the first attempt of this visit of the state."""
        return sum(self.frame.retries) + 1


def attempt_of(frame: Frame, event: Event, step: Step) -> Attempt | None:
    """The attempt that this event ended, `step` being what it made of the frame; None for events of other kinds."""
    if isinstance(event, TaskSucceeded):
        first = step.records[0] if step.records else None
        if first is None or not first.type.endswith("Failed"):
            return Attempt(frame)
        # Its result is refused.
        error, cause, traceback = str(first.detail.get("error")), first.detail.get("cause"), None
        cause = None if cause is None else str(cause)
    elif isinstance(event, TaskFailed):
        error, cause, traceback = event.error, event.cause, event.traceback
    elif isinstance(event, _FAILURES) and not frame.opens & Opens.SUBSCRIPTION:
        error, cause, traceback = "States.Timeout", None, None
    else:
        return None
    backoff = (c.due for c in step.commands if isinstance(c, StartTimer) and c.kind is TimerKind.BACKOFF)
    again = next(backoff, None)
    return Attempt(frame, error, cause, traceback, again, again is None and step.frame.status is not FrameStatus.FAILED)
