"""Why a schedule starts nothing now, and what would change that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sm_cli.store.schedules import FiringOutcome, Schedule
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.actions import Action, Do
from sm_cli.views.why import Reason, working

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

#: A worker that is there fires what is due at once; who finds something due for longer than this has found none.
PATIENCE = 5 * MICROSECONDS


def schedule_reasons(engine: Engine, schedule: Schedule, *, time_text: Callable[[int], str]) -> list[Reason]:
    """What the schedule waits for, and what became of its last time where that was no start. time_text: makes text of a
    time in microseconds since 1970 UTC."""
    return list(_reasons(engine, schedule, time_text))


def _reasons(engine: Engine, schedule: Schedule, time_text: Callable[[int], str]) -> Iterator[Reason]:
    now = engine.clock.now()
    workers = [worker.name for worker in working(engine)]
    start = None if workers else Action(Do.START_WORKER)
    if schedule.paused_at is not None:
        text = f"It is paused since {time_text(schedule.paused_at)} and fires nothing."
        yield Reason("schedule", text, Action(Do.RESUME_SCHEDULE, (schedule.name,)))
    elif schedule.is_over:
        yield Reason("schedule", "Nothing is left for it to do: none of its times is still to come.")
    elif schedule.due is not None and schedule.due <= now - (PATIENCE if workers else 0):
        text = f"It has been due since {time_text(schedule.due)}"
        if workers:
            text += f", and the workers that are running ({', '.join(workers[:3])}) are busy or are stopped."
        else:
            text += ", and no worker is running."
        yield Reason("schedule", text, start, until=schedule.due)
    elif schedule.due is not None:
        text = f"It fires next at {time_text(schedule.due)}"
        text += "." if workers else "; a worker has to be running then, and none is."
        yield Reason("schedule", text, start, until=schedule.due)
    if schedule.waiting:
        yield _waiting(engine, schedule)
    last = schedule.firings[-1] if schedule.firings else None
    if last is not None and last.outcome in (FiringOutcome.REFUSED, FiringOutcome.SKIPPED):
        text = f"Its time {time_text(last.time)} was {last.outcome}: {last.reason}."
        yield Reason("schedule", text, Action(Do.SHOW_SCHEDULE, (schedule.name,)))


def _waiting(engine: Engine, schedule: Schedule) -> Reason:
    """Times whose executions wait for others."""
    count = len(schedule.waiting)
    times = f"{count} of its times wait" if count > 1 else "One of its times waits"
    with engine.store.read() as questions:
        executions = questions.executions(list(schedule.running))
    for execution in executions.values():
        if execution.closed is None:
            text = f"{times} until execution {execution.name} is closed."
            return Reason("schedule", text, Action(Do.SHOW_REASONS, (execution.ref,)))
    return Reason("schedule", f"{times} for a worker.", None if working(engine) else Action(Do.START_WORKER))
