"""What a worker's commits have ended: executions, and attempts at tasks. For logs, live, as it happens.

Only what is committed is told, once, by the process that committed it. Nothing is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.engine.attempts import Attempt
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import DatabaseError
from sm_cli.interpreter.frame import Frame
from sm_cli.store.records import Execution, Status

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store

log = logging.getLogger("sm.engine")

#: So many attempts under way are remembered for their durations; a handed-over task may wait for months.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """An attempt at a task has ended."""

    #: Whose task it is.
    execution: Execution
    #: What ended, and how; `frame.state` is the state.
    attempt: Attempt
    #: The Map iterations and Parallel branches that it is in, as "Name[3]", outermost first; known of failures only.
    where: tuple[str, ...]
    #: Microseconds since it was begun here; None when another process began it.
    took: int | None
    #: When it ended, microseconds since 1970 UTC.
    at: int


@dataclass(frozen=True, slots=True)
class ExecutionEnd:
    """An execution has ended."""

    #: As it is now.
    execution: Execution
    #: The state that its root was in, unless it succeeded or never began; None otherwise.
    state: str | None


class Endings:
    """Observes an engine: `observe` is one of its observers. Each commit's attempts come before its executions.

    on_attempt: called for each attempt. on_end: called for each execution."""

    def __init__(
        self, store: Store, on_attempt: Callable[[AttemptEnd], None], on_end: Callable[[ExecutionEnd], None]
    ) -> None:
        self.store = store
        self.on_attempt = on_attempt
        self.on_end = on_end
        self._starts: dict[tuple[int, int], int] = {}  # (frame, seq) -> microseconds since 1970 UTC

    def observe(self, tick: UnitOfWork) -> None:
        """Tell what this commit has ended."""
        if tick.attempts:
            above = self._known_above([attempt.frame for attempt in tick.attempts if attempt.error is not None])
            for attempt in tick.attempts:
                frame = attempt.frame
                start = self._starts.pop((frame.id, frame.seq), None)
                took = None if start is None else max(0, tick.now - start)
                where = _place(frame, above)
                self.on_attempt(AttemptEnd(tick.executions[frame.execution], attempt, where, took, tick.now))
        states = _states(tick)
        for execution in tick.closed_executions:
            if execution.closed is not None:  # else it was begun anew in the same commit
                self.on_end(ExecutionEnd(execution, states.get(execution.id) or None))
        for job in tick.taken_jobs():
            self._starts[job.frame, job.seq] = tick.now
        while len(self._starts) > _REMEMBERED:
            del self._starts[next(iter(self._starts))]

    def _above(self, frames: Iterable[Frame]) -> dict[int, Frame]:
        """All frames above these."""
        frames_by_id: dict[int, Frame] = {}
        missing = {frame.parent for frame in frames if frame.parent is not None}
        while missing:
            with self.store.read() as questions:
                parents = questions.frames(sorted(missing))
            frames_by_id.update(parents)
            missing = {frame.parent for frame in parents.values() if frame.parent is not None} - frames_by_id.keys()
        return frames_by_id

    def _known_above(self, frames: Iterable[Frame]) -> dict[int, Frame]:
        """The same; none where the database has gone since the commit: it is told without the place."""
        try:
            return self._above(frames)
        except DatabaseError as e:
            log.debug("attempts are told without the branches that they are in: %s", e.message)
            return {}


def _place(frame: Frame, above: dict[int, Frame]) -> tuple[str, ...]:
    place: list[str] = []
    while frame.parent is not None and (parent := above.get(frame.parent)) is not None:
        place.append(f"{parent.state}[{frame.index}]")
        frame = parent
    return tuple(reversed(place))


def _states(tick: UnitOfWork) -> dict[int, str]:
    """The states of the roots of those that did not succeed."""
    failures = {execution.id for execution in tick.closed_executions if execution.status is not Status.SUCCEEDED}
    if not failures:
        return {}
    frames = tick.frames.values()
    return {frame.execution: frame.state for frame in frames if frame.parent is None and frame.execution in failures}
