"""Why a schedule starts nothing now; what a doctor finds of schedules; how both are worded."""

from __future__ import annotations

from pathlib import Path

import pytest

from sm_cli.engine.schedules.zones import UTC_NAME
from sm_cli.store.open import open_store
from sm_cli.store.schedules import Overlap
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.actions import Action, Do
from sm_cli.views.doctor.checks import CHECKS, examine
from sm_cli.views.doctor.findings import Severity
from sm_cli.views.schedules.documents import (
    schedule_document,
    schedule_status,
    span_text,
    times_to_come,
    when_text,
    whole_document,
)
from sm_cli.views.schedules.reasons import schedule_reasons
from sm_cli.views.upkeep import database_problems
from tests.engine.schedules.fixtures import OPEN, Night, microseconds, night, schedule, time_text

NOW = "2026-05-01T09:30Z"


def reasons(n: Night, name: str = "nightly") -> list[tuple[str, Action | None]]:
    return [(r.text, r.action) for r in schedule_reasons(n.engine, n.now(name), time_text=time_text)]


def alive(n: Night) -> None:
    """A worker that this machine sees, and that has said so just now."""
    n.work(n.yard.worker({}, name="here", alive=True))


def test_what_fires_later_says_when_and_whether_somebody_is_there() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *")
        text = "It fires next at 2026-05-01T10:00Z; a worker has to be running then, and none is."
        assert reasons(n) == [(text, Action(Do.START_WORKER))]
        alive(n)
        assert reasons(n) == [("It fires next at 2026-05-01T10:00Z.", None)]


def test_what_is_due_says_since_when_and_that_nobody_is_there() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *")
        n.sleep_until("2026-05-01T10:00:01Z")
        text = "It has been due since 2026-05-01T10:00Z, and no worker is running."
        assert reasons(n) == [(text, Action(Do.START_WORKER))]


def test_what_is_due_while_workers_are_there_is_theirs_after_a_moment() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *")
        n.sleep_until("2026-05-01T09:59:30Z")
        alive(n)
        n.sleep_until("2026-05-01T10:00:01Z")
        assert reasons(n) == [("It fires next at 2026-05-01T10:00Z.", None)]
        n.sleep_until("2026-05-01T10:00:06Z")
        text = (
            "It has been due since 2026-05-01T10:00Z, and the workers that are running (here) are busy or are stopped."
        )
        assert reasons(n) == [(text, None)]


def test_what_is_paused_or_over_says_so() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *")
        n.engine.schedules.pause("nightly")
        text = "It is paused since 2026-05-01T09:30Z and fires nothing."
        assert reasons(n) == [(text, Action(Do.RESUME_SCHEDULE, ("nightly",)))]
        n.add("once", at=microseconds("2026-05-01T10:00Z"))
        n.until("2026-05-01T10:00Z")
        assert reasons(n, "once") == [("Nothing is left for it to do: none of its times is still to come.", None)]
        assert [schedule_status(n.now(name)) for name in ("nightly", "once")] == ["PAUSED", "ENDED"]


def test_what_waits_in_line_says_for_which_execution() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *", overlap=Overlap.QUEUE)
        n.until("2026-05-01T11:00Z")
        (execution,) = n.executions()
        one = ("One of its times waits until execution nightly-20260501T100000Z is closed.",
               Action(Do.SHOW_REASONS, (execution.ref,)))  # fmt: skip
        assert reasons(n)[1:] == [one]
        n.until("2026-05-01T12:00Z")
        assert reasons(n)[1][0].startswith("2 of its times wait until")
        n.end(execution)
        assert reasons(n)[1] == ("2 of its times wait for a worker.", None)


def test_a_time_that_started_nothing_says_why() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *")
        n.until("2026-05-01T11:00Z")
        text = "Its time 2026-05-01T11:00Z was skipped: execution nightly-20260501T100000Z still runs."
        assert reasons(n)[1] == (text, Action(Do.SHOW_SCHEDULE, ("nightly",)))


# -- the doctor ------------------------------------------------------------------------------------


def findings(n: Night, check: str, severity: Severity | None = None) -> list[str]:
    found = examine(n.engine, time_text=time_text)
    assert {each.check for each in found} == set(CHECKS)
    return [each.text for each in found if each.check == check and severity in (None, each.severity)]


def test_a_doctor_finds_schedules_that_are_late_refused_or_in_no_zone() -> None:
    with night(NOW) as n:
        assert findings(n, "schedules") == ["there are no schedules"]
        n.add(cron="0 * * * *")
        assert findings(n, "schedules", Severity.FINE) == ["1 schedule, none of them late or refused"]
        due = microseconds("2026-05-01T10:00Z")
        n.put(schedule(name="gone", workflow="gone", zone=UTC_NAME, next=due, due=due))
        n.put(schedule(name="mars", zone="Mars/Base", next=due * 2, due=due * 2))
        n.sleep_until("2026-05-01T10:00:01Z")
        late = "schedule {} has been due since 2026-05-01T10:00Z, and no worker is running"
        mars = "schedule mars cannot fire here: there is no time zone 'Mars/Base'"
        assert findings(n, "schedules", Severity.BROKEN) == [late.format("gone"), mars, late.format("nightly")]
        assert findings(n, "workers", Severity.BROKEN) == ["no worker is running, and there is work to do"]
        alive(n)
        refused = "schedule gone could not start its workflow at 2026-05-01T10:00Z: there is no workflow 'gone'"
        assert findings(n, "schedules", Severity.BROKEN) == [refused, mars]
        assert findings(n, "workers", Severity.FINE) == ["1 worker running: here"]


def test_a_doctor_says_when_somebody_has_to_be_there() -> None:
    with night(NOW) as n:
        assert findings(n, "workers", Severity.FINE) == ["no worker is running, and there is nothing to do"]
        n.add(cron="0 * * * *")
        text = "no worker is running, and there is work to do at 2026-05-01T10:00Z"
        assert findings(n, "workers", Severity.WARNING) == [text]


# -- documents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (1, "1s"), (90, "1m30s"), (900, "15m"), (5400, "1h30m"), (172_800, "2d")]
)
def test_a_span_is_told_as_it_is_written(seconds: int, text: str) -> None:
    assert span_text(seconds * MICROSECONDS) == text


def test_when_is_told_in_the_schedule_s_own_words() -> None:
    at = microseconds("2026-12-24T17:00Z")
    assert when_text(schedule()) == "30 2 * * * Europe/Berlin"
    assert when_text(schedule(cron=None, every=900 * MICROSECONDS)) == "every 15m"
    assert when_text(schedule(cron=None, anchor=at)) == "once 2026-12-24 18:00 Europe/Berlin"
    assert when_text(schedule(cron=None, anchor=at, zone="Mars/Base")) == "once 2026-12-24T17:00:00Z"


def test_a_zone_that_is_not_known_here_tells_the_one_time_that_is() -> None:
    due = microseconds("2026-05-01T10:00Z")
    unknown = schedule(zone="Mars/Base", next=due, due=due)
    assert times_to_come(unknown) == [due]
    assert schedule_document(unknown, {})["next_times"] == ["2026-05-01T10:00:00Z"]


def test_a_document_has_what_became_of_the_newest_times() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *", input={"a": 1})
        n.until("2026-05-01T11:00Z")
        document = whole_document(n.engine, n.now())
        (execution,) = n.executions()
        assert document["input"] == {"a": 1}
        assert document["firings"] == [
            {"time": "2026-05-01T11:00:00.000Z", "at": "2026-05-01T11:00:00.000Z", "outcome": "skipped",
             "execution_id": None, "execution_status": None,
             "reason": "execution nightly-20260501T100000Z still runs"},
            {"time": "2026-05-01T10:00:00.000Z", "at": "2026-05-01T10:00:00.000Z", "outcome": "started",
             "execution_id": execution.ref, "execution_status": "RUNNING", "reason": None},
        ]  # fmt: skip


def test_a_database_with_large_inputs_of_schedules_is_sound(tmp_path: Path) -> None:
    with night(NOW, open_store(str(tmp_path / "sm.db"))) as n:
        n.add(definition=OPEN, cron="0 * * * *", input={"text": "x" * 100_000})
        n.until("2026-05-01T10:00Z")
        assert database_problems(n.store) == []
        n.engine.schedules.remove("nightly")
        assert database_problems(n.store) == []
