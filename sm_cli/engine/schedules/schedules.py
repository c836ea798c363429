"""What a person, or a program, does with schedules: add, pause, resume, run now, remove, look.

Each call is one transaction, or a read. They fire in the ticks of workers, whichever is there.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.engine.execution_names import check_chosen_name
from sm_cli.engine.payload_warnings import refuse_beyond_aws
from sm_cli.engine.schedules.firing import execution_name, find_workflow, offer
from sm_cli.engine.schedules.times import check_cron, due_of, next_time, smallest_gap
from sm_cli.engine.schedules.zones import UTC_NAME
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.versions.references import parse_reference
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.jsonvalue import Json, as_json, canonical
from sm_cli.store.schedules import CatchUp, Firing, FiringOutcome, Overlap, Schedule
from sm_cli.timestamps import MICROSECONDS, rfc3339

if TYPE_CHECKING:
    from sm_cli.engine.programs import Workflow
    from sm_cli.engine.transactions import Transactions
    from sm_cli.store.sql.questions import Questions

#: An execution's name, of 80 characters at most, is that of its schedule and a time.
LONGEST_NAME = 50
#: Ten years, in seconds.
_LONGEST_SPAN = 3660 * 86_400
#: So many schedules are read at once.
_PAGE = 500


class Schedules:
    """The schedules of an engine's database."""

    def __init__(self, engine: Transactions) -> None:
        self._engine = engine

    def add(
        self,
        name: str,
        workflow: str | Workflow,
        input: Json = None,
        *,
        cron: str | None = None,
        zone: str = UTC_NAME,
        every: float | None = None,
        at: int | None = None,
        overlap: Overlap = Overlap.SKIP,
        catch_up: CatchUp = CatchUp.LAST,
        jitter: float = 0,
        queue: str = "default",
        limits: bool = False,
    ) -> tuple[Schedule, bool]:
        """Add a schedule: (it, whether it is new). The same once more is the same schedule, untouched.

        workflow: a reference by name, which is looked up each time, or a workflow, which is stored under its name.
        One of cron (read in `zone`), every (seconds) and at (microseconds since 1970 UTC) says when. jitter: seconds.
        queue: of the jobs of its executions. limits: AWS's hold for them. Raises UsageError for what makes no sense or
        lies in the past, NotFound and InvalidDefinition for a workflow that cannot run, Conflict when the name is
        taken by another schedule.
        """
        now = self._engine.clock.now()
        reference = workflow if isinstance(workflow, str) else workflow.name
        schedule = Schedule(
            0, _check_name(name), reference, cron, zone, None if every is None else _span(every, "interval"),
            now // MICROSECONDS * MICROSECONDS if at is None else at, _span(jitter, "jitter", least=0), overlap,
            catch_up, queue, limits, now, None, None, None, (), (), (), self._check_input(input, limits),
        )  # fmt: skip
        _check_times(schedule, at, now)

        def add(tick: Tick) -> tuple[Schedule, bool]:
            if not isinstance(workflow, str):
                tick.programs.define(workflow, tick.tx, tick.changes, tick.now)
            else:
                find_workflow(tick, workflow, "")
            before = tick.tx.schedule(schedule.name)
            if before is not None and _is_same(before, schedule):
                return before, False
            if before is not None and not before.is_over:
                raise Conflict(f"there is another schedule {schedule.name!r} already", topic="schedule exists")
            if before is not None:
                tick.changes.schedules_gone.append(before.id)
            schedule.id = tick.tx.reserve("schedules", 1)
            _plan(schedule, tick.now)
            tick.changes.new_schedules.append(schedule)
            return schedule, True

        return self._engine.answer(add)[0]

    def find(self, name: str) -> Schedule:
        """The schedule of this name. Raises NotFound."""
        with self._engine.store.read() as questions:
            schedule = questions.schedule(name)
            if schedule is None:
                raise _not_found(questions, name)
            return schedule

    def page(self, limit: int, after: str = "") -> list[Schedule]:
        """At most `limit`, in the order of their names. after: the last one of the page before."""
        with self._engine.store.read() as questions:
            return questions.schedules(limit, after)

    def list(self) -> list[Schedule]:
        """All of them, in the order of their names."""
        schedules: list[Schedule] = []
        with self._engine.store.read() as questions:
            while page := questions.schedules(_PAGE, schedules[-1].name if schedules else ""):
                schedules += page
        return schedules

    def pause(self, name: str) -> tuple[Schedule, bool]:
        """Let it fire no more until `resume`; executions that run go on: (it, whether it was not paused before). Raises
        NotFound, and Conflict when it is over."""

        def pause(tick: Tick) -> tuple[Schedule, bool]:
            schedule = _changed(tick, name)
            if schedule.is_over:
                raise Conflict(f"schedule {name} is over: none of its times is still to come")
            if schedule.paused_at is not None:
                return schedule, False
            schedule.paused_at, schedule.next, schedule.due = tick.now, None, None
            return schedule, True

        return self._engine.answer(pause)[0]

    def resume(self, name: str) -> tuple[Schedule, bool]:
        """Let it fire again, from its next time on; those meanwhile are left out: (it, whether it was paused). Raises
        NotFound, and Conflict when its only time has passed."""

        def resume(tick: Tick) -> tuple[Schedule, bool]:
            schedule = _changed(tick, name)
            if schedule.paused_at is None:
                return schedule, False
            _plan(schedule, tick.now)
            if schedule.next is None and not schedule.waiting:
                when = rfc3339(schedule.anchor)
                raise Conflict(
                    f"the time of schedule {name}, {when}, passed while it was paused", topic="schedule over"
                )
            schedule.paused_at = None
            return schedule, True

        return self._engine.answer(resume)[0]

    def remove(self, name: str) -> Schedule:
        """Forget it; executions that run go on. Raises NotFound."""

        def remove(tick: Tick) -> Schedule:
            schedule = tick.tx.schedule(name)
            if schedule is None:
                raise _not_found(tick.tx, name)
            tick.changes.schedules_gone.append(schedule.id)
            return schedule

        return self._engine.answer(remove)[0]

    def run_now(self, name: str) -> Firing:
        """Start an execution of it now, beside its times, also while it is paused: what became of it, STARTED or
        QUEUED. Raises NotFound, and Conflict when another one runs that this one may not overlap or when it cannot be
        started."""

        def run(tick: Tick) -> Firing:
            schedule = _changed(tick, name)
            firing = offer(tick, schedule, _moment(schedule, tick))
            if firing.outcome is FiringOutcome.SKIPPED:
                raise _NotNow(f"schedule {name} starts nothing now: {firing.reason}")
            if firing.outcome is FiringOutcome.REFUSED:
                raise _NotNow(f"schedule {name} cannot start its workflow: {firing.reason}")
            return firing

        try:
            return self._engine.answer(run)[0]
        except _NotNow as e:
            raise Conflict(str(e)) from None

    def _check_input(self, input: Json, limits: bool) -> Json:
        value, problem = as_json(input)
        if problem is not None:
            raise UsageError(f"the input is not JSON: {problem}")
        self._engine.refuse_unbounded(value, "the input")
        if limits:
            refuse_beyond_aws(value)
        return value


class _NotNow(Exception):
    """Why a schedule cannot start an execution now; the transaction is undone."""


def _check_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the name of a schedule has 1 to {LONGEST_NAME} characters, for its executions are called by it and their "
            f"time; this one has {len(name)}"
        )
    return check_chosen_name(name)


def _span(seconds: float, what: str, *, least: int = 1) -> int:
    """Microseconds. Raises UsageError."""
    if not (math.isfinite(seconds) and seconds == int(seconds) and least <= seconds <= _LONGEST_SPAN):
        raise UsageError(f"the {what} of a schedule is a number of whole seconds from {least} to {_LONGEST_SPAN:,}")
    return int(seconds) * MICROSECONDS


def _check_times(schedule: Schedule, at: int | None, now: int) -> None:
    """Raises UsageError for a schedule that says nothing, too much, or something that never comes."""
    if [schedule.cron is None, schedule.every is None, at is None].count(False) != 1:
        raise UsageError("a schedule has one of a cron expression, an interval and a single time")
    if at is not None and at % MICROSECONDS:
        raise UsageError("a schedule fires at whole seconds")
    if at is not None and at <= now:
        raise UsageError(f"the time {rfc3339(at)} lies in the past; it is {rfc3339(now)} now")
    if schedule.cron is not None:
        check_cron(schedule.cron, schedule.zone, now)
    gap = smallest_gap(schedule, now)
    if gap is not None and schedule.jitter >= gap:
        late, apart = schedule.jitter // MICROSECONDS, gap // MICROSECONDS
        raise UsageError(f"a jitter of {late} s is too long: of its times, two are only {apart} s apart")
    if next_time(schedule, now) is None:
        raise UsageError("a schedule fires before the year 9999")


def _plan(schedule: Schedule, now: int) -> None:
    """Let it fire at the next of its times."""
    schedule.next = next_time(schedule, now)
    schedule.due = None if schedule.next is None else due_of(schedule, schedule.next)


def _is_same(before: Schedule, schedule: Schedule) -> bool:
    """Whether both say the same."""

    def facts(s: Schedule) -> tuple[object, ...]:
        anchor = s.anchor if s.cron is None and s.every is None else None
        return s.workflow, s.cron, s.zone, s.every, anchor, s.jitter, s.overlap, s.catch_up, s.queue, s.limits

    return facts(before) == facts(schedule) and canonical(before.input) == canonical(schedule.input)


def _not_found(questions: Questions, name: str) -> NotFound:
    hint = did_you_mean(name, [each.name for each in questions.schedules()])
    return NotFound(f"there is no schedule {name!r}", hint=hint, topic="schedule")


def _changed(tick: Tick, name: str) -> Schedule:
    """The schedule of this name, as one that this tick changes. Raises NotFound."""
    before = tick.tx.schedule(name)
    if before is None:
        raise _not_found(tick.tx, name)
    schedule = tick.changes.schedules[before.id] = replace(before)
    return schedule


def _moment(schedule: Schedule, tick: Tick) -> int:
    """Now, to the millisecond, as a time that none of its executions is called by."""
    time, workflow = tick.now // 1000 * 1000, parse_reference(schedule.workflow).workflow
    while (
        time % MICROSECONDS == 0
        or time in schedule.waiting
        or tick.tx.find_execution(workflow, execution_name(schedule, time)) is not None
    ):
        time += 1000
    return time
