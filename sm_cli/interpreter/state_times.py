"""How long executions are in their states and what came of it, for statistics: read off each step.

Whoever keeps the step writes it in the same transaction, so that it counts exactly once.

A visit counts when it ends: when the state is left, or when it fails or is aborted with its frame. A state that is
redriven counts again, from the redrive on. A task is at work from the moment in which a worker takes it to its result,
or until its handler has handed the work over; all else of a visit is waiting.
"""

from __future__ import annotations

from typing import TypeAlias

from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.step import Step

#: (id of the execution, name of the state) to [visits, failures, retries, duration, longest, working].
Times: TypeAlias = dict[tuple[int, str], list[int]]

_ENTERED, _EXITED, _FAILED, _SUBMITTED, _OTHER = range(5)
#: The kind of an event, by its type: looking at its end each time would cost a tenth of a microsecond.
_KINDS: dict[str, int] = {}


def note_times(times: Times, execution: int, redriven: int | None, before: Frame | None, step: Step, now: int) -> None:
    """Note what the step says of states. execution: its id. redriven: when it was last; None: never. before: the frame
    as it was; it gives the new one no `work_since` that is over. Times are microseconds since 1970 UTC."""
    # Every step pays for this: no call that is not needed.
    frame = step.frame
    work_since = None if before is None else before.work_since
    if work_since is None and frame.work_since is not None:
        return  # a worker has taken its task
    is_entered = has_failed = False
    for _, _, _, _, _, type, detail in step.records:
        kind = _KINDS.get(type)
        if kind is None:
            kind = _KINDS[type] = _kind(type)
        if kind == _ENTERED:
            is_entered, has_failed = True, False
        elif kind == _EXITED:
            since = now if is_entered or before is None else _since(before, redriven)
            counts = _end(times, (execution, detail["name"]), now - since, has_failed)  # type: ignore[arg-type]
            if work_since is not None and not is_entered:
                counts[5] += max(0, now - work_since)
                work_since = frame.work_since = None
            has_failed = False
        elif kind == _FAILED:
            has_failed = True
        elif kind == _SUBMITTED and work_since is not None and before is not None:
            _of(times, (execution, before.state))[5] += max(0, now - work_since)
            work_since = frame.work_since = None
    if work_since is not None and before is not None and before.seq != frame.seq:
        _of(times, (execution, before.state))[5] += max(0, now - work_since)
        frame.work_since = None
    status = frame.status
    if status is FrameStatus.BLOCKED:
        if has_failed and frame.retries:
            counts_before = () if before is None or is_entered else before.retries
            if frame.retries != counts_before:
                _of(times, (execution, frame.state))[2] += 1
    elif status is FrameStatus.FAILED or (status is FrameStatus.ABORTED and _is_inside(before)):
        _end(times, (execution, frame.state), now - _since(frame, redriven), status is FrameStatus.FAILED)


def _since(frame: Frame, redriven: int | None) -> int:
    """When the visit began; one that goes on after a redrive, with that."""
    return frame.entered_at if redriven is None or redriven < frame.entered_at else redriven


def _kind(type: str) -> int:
    if type.endswith("StateEntered"):
        return _ENTERED
    if type.endswith("StateExited"):
        return _EXITED
    if type.endswith("Submitted"):
        return _SUBMITTED
    return _FAILED if type.endswith(("Failed", "TimedOut")) else _OTHER


def _of(times: Times, key: tuple[int, str]) -> list[int]:
    counts = times.get(key)
    if counts is None:
        counts = times[key] = [0, 0, 0, 0, 0, 0]
    return counts


def _end(times: Times, key: tuple[int, str], duration: int, failed: bool) -> list[int]:
    duration = max(0, duration)  # a clock may have been set back
    counts = times.get(key)
    if counts is None:
        counts = times[key] = [1, int(failed), 0, duration, duration, 0]
        return counts
    counts[0] += 1
    counts[1] += failed
    counts[3] += duration
    counts[4] = max(counts[4], duration)
    return counts


def _is_inside(frame: Frame | None) -> bool:
    """Whether the frame is in its state, and does not only stand before it."""
    return frame is not None and (
        frame.status is FrameStatus.BLOCKED or (frame.status is FrameStatus.READY and frame.wake is not None)
    )
