"""Questions about schedules, and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.jsonvalue import Json
from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.rows import Decode, Encode, Row, decode, encode

if TYPE_CHECKING:
    from sm_cli.store.schedules import Schedule


class ScheduleQuestions(Asking):
    """Questions about schedules."""

    def schedules(self, limit: int = 1000, after: str = "") -> list[Schedule]:
        """In the order of their names; `after` is where the page before ended."""
        return [schedule(row, self.value) for row in self.session.all("schedules", {"after": after, "limit": limit})]

    def schedule(self, name: str) -> Schedule | None:
        """The one of this name; None when there is none."""
        row = self.session.one("schedule", (name,))
        return None if row is None else schedule(row, self.value)

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        """Those that a worker has something to do for at `now`, in the order in which they were added: at most `limit`
        whose time has come, and as many with a time that waited for executions which are closed."""
        parameters = {"now": now, "limit": limit}
        found_rows = [
            *self.session.all("due_schedules", parameters),
            *self.session.all("schedules_to_go_on", parameters),
        ]
        by_id = {row[0]: row for row in found_rows}
        return [schedule(by_id[id], self.value) for id in sorted(by_id)]

    def has_schedules(self) -> bool:
        """Whether there is any."""
        return self.session.one("has_schedules") is not None


def schedule(row: Row, value: Decode) -> Schedule:
    """A row of `schedules`; `value` reads its input."""
    # Here: who lists executions has these questions too, and does not wait for records that it never has.
    from sm_cli.store.schedules import CatchUp, Firing, FiringOutcome, Overlap, Schedule

    id, name, workflow, cron, zone, every, anchor, jitter, overlap, catch_up, queue, limits, *rest = row
    created, next, due, paused_at, running, waiting, firings, input = rest
    return Schedule(
        id, name, workflow, cron, zone, every, anchor, jitter, Overlap(overlap), CatchUp(catch_up), queue, bool(limits),
        created, next, due, paused_at, tuple(decode(running) or ()), tuple(decode(waiting) or ()),
        tuple(Firing(time, at, FiringOutcome(outcome), *more) for time, at, outcome, *more in decode(firings) or ()),
        value(input),
    )  # fmt: skip


def schedule_row(s: Schedule, text: Encode) -> Row:
    """A schedule to a row of `schedules`. text: writes a value, a large one as its reference."""
    return (
        s.id, s.name, s.workflow, s.cron, s.zone, s.every, s.anchor, s.jitter, s.overlap.value, s.catch_up.value,
        s.queue, int(s.limits), s.created, s.next, s.due, s.paused_at, *_lists(s), text(s.input),
    )  # fmt: skip


def schedule_changes(s: Schedule) -> Row:
    """What of a schedule may change, and its id."""
    return s.next, s.due, s.paused_at, *_lists(s), s.id


def _lists(s: Schedule) -> Row:
    firings: list[Json] = [[f.time, f.at, f.outcome.value, f.execution, f.reason] for f in s.firings]
    return encode(list(s.running) or None), encode(list(s.waiting) or None), encode(firings or None)
