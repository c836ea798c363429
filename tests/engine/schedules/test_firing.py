"""Schedules fire in the ticks of workers: once each, whichever worker is there, and whatever became of the last."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.schedules import firing, times
from sm_cli.engine.schedules.firing import MOST_WAITING
from sm_cli.engine.settings import Settings
from sm_cli.errors import Conflict, InvalidDefinition
from sm_cli.handlers.handler import Handler
from sm_cli.store.records import Status
from sm_cli.store.schedules import CatchUp, FiringOutcome, Overlap
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.worker import Worker
from tests.engine.schedules.fixtures import OPEN, PASS, microseconds, night, schedule
from tests.engine.workers import workflow
from tests.store.asking import asked
from tests.stores import KINDS, opened


def test_across_the_changes_of_the_clock_a_nightly_schedule_fires_once_a_night() -> None:
    with night("2026-03-27T12:00Z") as n:
        n.add(cron="30 2 * * *", zone="Europe/Berlin")
        n.until("2026-03-31T12:00Z", step=600)
        assert n.names() == [
            "nightly-20260328T013000Z", "nightly-20260329T010000Z", "nightly-20260330T003000Z",
            "nightly-20260331T003000Z",
        ]  # fmt: skip
        n.sleep_until("2026-10-24T00:00Z")  # the worker is away all summer
        n.work()
        n.until("2026-10-26T12:00Z", step=600)
        assert n.names()[4:] == [
            "nightly-20261023T003000Z", "nightly-20261024T003000Z", "nightly-20261025T003000Z",
            "nightly-20261026T013000Z",
        ]  # fmt: skip
        assert {execution.status for execution in n.executions()} == {Status.SUCCEEDED}


def test_an_hourly_schedule_goes_on_by_elapsed_time_over_both_changes() -> None:
    for begin, end in (("2026-03-28T23:30Z", "2026-03-29T03:30Z"), ("2026-10-24T23:30Z", "2026-10-25T03:30Z")):
        with night(begin) as n:
            n.add(cron="0 * * * *", zone="Europe/Berlin")
            n.until(end)
            starts = [execution.started for execution in n.executions()]
            first = microseconds(begin) + 1800 * MICROSECONDS
            assert starts == [first + hour * 3600 * MICROSECONDS for hour in range(4)]


def test_the_execution_gets_input_queue_and_limits() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(cron="0 * * * *", input={"day": 1}, queue="low", limits=True)
        n.until("2026-05-01T10:00Z")
        (execution,) = n.executions()
        stored = asked(n.store).execution(execution.id)
        assert stored is not None
        assert (stored.input, stored.queue, stored.limits) == ({"day": 1}, "low", True)


def test_the_first_tasks_are_taken_in_the_same_transaction() -> None:
    with night("2026-05-01T09:30Z") as n:
        gate = n.yard.gate()
        task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
        n.add(definition=task, cron="0 * * * *")
        worker = n.yard.worker(gate.handlers)
        n.work(worker)
        n.sleep_until("2026-05-01T10:00Z")
        before = n.store.commits
        worker.tick()
        assert (n.store.commits - before, len(worker.jobs)) == (1, 1)


def test_a_worker_waits_for_the_next_time_and_no_longer() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(every=90, overlap=Overlap.ALLOW)
        n.work()
        assert asked(n.store).next_due() == microseconds("2026-05-01T09:31:30Z")
        n.engine.schedules.pause("nightly")
        assert asked(n.store).next_due() is None


def test_of_two_workers_one_fires() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add()
        other = n.yard.worker({}, name="other")
        for _ in range(5):
            n.sleep_until(n.clock.now() + 3600 * MICROSECONDS)
            n.work(other)
            n.work()
        assert len(n.names()) == len(set(n.names())) == 5


def test_who_works_on_one_execution_fires_nothing() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add()
        one = n.engine.start(workflow(OPEN, "o"), None)[0]
        n.sleep_until("2026-05-01T10:30Z")
        n.work(n.yard.worker({}, tree=one.id))
        assert len(n.executions()) == 1
        n.work()
        assert len(n.executions()) == 2


def test_a_clock_that_is_set_back_fires_nothing_twice() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(cron="0 * * * *")
        n.until("2026-05-01T10:10Z")
        n.clock.jump(-3600 * MICROSECONDS)
        n.until("2026-05-01T11:10Z")
        assert n.names() == ["nightly-20260501T100000Z", "nightly-20260501T110000Z"]


def test_a_second_start_of_the_same_time_is_the_same_execution() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(cron="0 * * * *")
        made = n.engine.start(workflow(PASS, "w"), {"by": "hand"}, name="nightly-20260501T100000Z")[0]
        n.until("2026-05-01T10:00Z")
        assert n.names() == ["nightly-20260501T100000Z"]
        (one,) = n.now().firings
        assert (one.outcome, one.execution, one.reason) == ("started", made.ref, "it had been started before")


def test_a_single_time_ends_the_schedule() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(at=microseconds("2026-05-01T10:00Z"))
        n.until("2026-05-01T12:00Z")
        assert (n.names(), n.now().is_over, n.now().next) == (["nightly-20260501T100000Z"], True, None)
        with pytest.raises(Conflict, match="none of its times is still to come"):
            n.engine.schedules.pause("nightly")


# -- a machine that slept --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.NONE, [("2026-05-01T10:00Z", "skipped")]),
        (CatchUp.LAST, [("2026-05-01T10:00Z", "skipped"), ("2026-05-01T14:00Z", "started")]),
        (CatchUp.ALL, [(f"2026-05-01T{hour}:00Z", "started") for hour in (10, 11, 12, 13, 14)]),
    ],
)
def test_times_that_passed_while_the_machine_slept(catch_up: CatchUp, expected: list[tuple[str, str]]) -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(cron="0 * * * *", catch_up=catch_up, overlap=Overlap.ALLOW)
        n.work()
        n.clock.jump(5 * 3600 * MICROSECONDS)
        n.work()
        assert n.outcomes() == expected
        if catch_up is not CatchUp.ALL:
            assert str(n.now().firings[0].reason).startswith("no worker was there")
        n.until("2026-05-01T15:00Z")
        assert n.outcomes()[len(expected) :] == [("2026-05-01T15:00Z", "started")]


def test_hundreds_of_missed_times_are_all_caught_up_with_in_several_ticks() -> None:
    with night("2026-05-01T00:00Z") as n:
        n.add(every=60, catch_up=CatchUp.ALL, overlap=Overlap.ALLOW)
        n.sleep_until("2026-05-01T06:00Z")
        before = n.store.commits
        n.work()
        assert n.store.commits - before > 3
        assert len(set(n.names())) == len(n.names()) == 360


# -- overlap ---------------------------------------------------------------------------------------


def test_skip_leaves_a_time_out_while_another_runs_and_says_which() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(definition=OPEN, cron="0 * * * *")
        n.until("2026-05-01T11:30Z")
        assert n.outcomes() == [("2026-05-01T10:00Z", "started"), ("2026-05-01T11:00Z", "skipped")]
        assert n.now().firings[-1].reason == "execution nightly-20260501T100000Z still runs"
        n.end(n.executions()[0])
        n.until("2026-05-01T12:00Z")
        assert n.outcomes()[-1] == ("2026-05-01T12:00Z", "started")


def test_queue_starts_one_after_the_other_as_soon_as_the_one_before_is_closed() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(definition=OPEN, cron="0 * * * *", overlap=Overlap.QUEUE)
        n.until("2026-05-01T12:30Z")
        assert n.names() == ["nightly-20260501T100000Z"]
        assert len(n.now().waiting) == 2
        assert asked(n.store).next_due() == microseconds("2026-05-01T13:00Z")
        n.end(n.executions()[0])
        assert asked(n.store).next_due() == 0
        n.work()
        assert n.names()[1:] == ["nightly-20260501T110000Z"]
        n.engine.stop(n.executions()[1])
        n.work()
        assert n.names()[2:] == ["nightly-20260501T120000Z"]
        assert n.now().waiting == ()
        assert n.outcomes()[1:3] == [("2026-05-01T11:00Z", "queued"), ("2026-05-01T12:00Z", "queued")]


def test_a_queue_that_is_full_leaves_times_out() -> None:
    with night("2026-05-01T00:00Z") as n:
        n.add(definition=OPEN, every=60, overlap=Overlap.QUEUE, catch_up=CatchUp.ALL)
        n.sleep_until("2026-05-01T03:00Z")
        n.work()
        assert len(n.now().waiting) == MOST_WAITING
        assert n.now().firings[-1].reason == f"{MOST_WAITING} of its times wait for their turn already"


def test_allow_starts_beside_the_others() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(definition=OPEN, cron="0 * * * *", overlap=Overlap.ALLOW)
        n.until("2026-05-01T12:30Z")
        assert [execution.status for execution in n.executions()] == [Status.RUNNING] * 3
        assert n.now().running == ()


def test_an_execution_that_is_gone_holds_nothing_up() -> None:
    from sm_cli.engine.retention import prune

    with night("2026-05-01T09:30Z") as n:
        n.add(definition=OPEN, cron="0 * * * *")
        n.until("2026-05-01T10:30Z")
        n.engine.stop(n.executions()[0])
        prune(n.store, n.clock.now() + 1)
        n.until("2026-05-01T11:00Z")
        assert n.names() == ["nightly-20260501T110000Z"]


# -- a start that is refused -----------------------------------------------------------------------


def test_a_workflow_that_is_gone_is_told_and_the_schedule_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with night("2026-05-01T09:30Z") as n:
        library: dict[str, Any] = {"w": workflow(PASS, "w")}
        engine = Engine(n.store, clock=n.clock, library=library.get)
        engine.schedules.add("nightly", "w", every=3600)
        worker = Worker(engine, {})
        n.yard.loops.append(worker)

        def invalid(name: str) -> Any:
            raise InvalidDefinition([])

        engine.programs.library = invalid
        with caplog.at_level(logging.INFO, "sm.engine"):
            n.until("2026-05-01T10:30Z", worker=worker)
        assert n.outcomes() == [("2026-05-01T10:30Z", "refused")]
        assert n.now().firings[0].reason == "the definition is not valid"
        assert "schedule nightly, 2026-05-01T10:30:00.000Z: refused the definition is not valid" in caplog.text
        engine.programs.library = library.get
        n.until("2026-05-01T11:30Z", worker=worker)
        assert n.outcomes()[-1] == ("2026-05-01T11:30Z", "started")


def test_a_workflow_that_nobody_has_is_refused() -> None:
    with night("2026-05-01T09:30Z") as n:
        due = microseconds("2026-05-01T10:00Z")
        n.put(schedule(workflow="gone", next=due, due=due))
        n.until("2026-05-01T10:00Z")
        (one,) = n.now().firings
        assert (one.outcome, one.reason) == (FiringOutcome.REFUSED, "there is no workflow 'gone'")


def test_an_input_that_is_too_large_by_now_is_refused() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(input={"text": "x" * 5000})
        engine = Engine(n.store, clock=n.clock, settings=Settings(max_payload=1000))
        worker = Worker(engine, {})
        n.yard.loops.append(worker)
        n.until("2026-05-01T10:30Z", worker=worker)
        (one,) = n.now().firings
        assert (one.outcome, one.reason) == ("refused", "its input is larger than 1,000 bytes (max_payload)")


def test_a_zone_that_this_machine_does_not_know_is_told_and_looked_at_again() -> None:
    with night("2026-05-01T09:30Z") as n:
        due = microseconds("2026-05-01T10:00Z")
        n.put(schedule(zone="Mars/Base", next=due, due=due))
        n.add("other", cron="0 * * * *")
        n.until("2026-05-01T10:00:30Z", step=10)
        assert n.names() == ["other-20260501T100000Z"]
        assert n.outcomes() == [("2026-05-01T10:00Z", "refused")]
        assert n.now().firings[0].reason == "there is no time zone 'Mars/Base'; tried again in a minute"
        assert (n.now().next, n.now().due) == (due, due + 60 * MICROSECONDS)


def test_a_bug_met_in_one_schedule_reaches_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add("bad")
        n.add("good")
        found = times.find_due

        def find(schedule: Any, now: int) -> Any:
            if schedule.name == "bad":
                raise ZeroDivisionError("division by zero")
            return found(schedule, now)

        monkeypatch.setattr(firing, "find_due", find)
        n.until("2026-05-01T10:30Z")
        assert n.names() == ["good-20260501T103000Z"]
        assert n.now("bad").firings[-1].reason == "a bug in sm: division by zero"
        assert "schedule bad cannot fire by a bug in sm" in caplog.text


def test_who_has_no_handler_fires_and_others_do_the_work() -> None:
    with night("2026-05-01T09:30Z") as n:
        task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
        n.add(definition=task)
        n.until("2026-05-01T10:30Z")
        assert [execution.status for execution in n.executions()] == [Status.RUNNING]
        able = n.yard.worker({"work": Handler("work", lambda input: "done")})
        able.run(lambda: n.executions()[0].status is not Status.RUNNING)
        assert n.executions()[0].status is Status.SUCCEEDED


# -- versions and tags -----------------------------------------------------------------------------


def test_a_reference_is_kept_as_it_was_given_and_looked_up_at_each_time() -> None:
    with night("2026-05-01T09:30Z") as n:
        first, second = workflow(PASS, "w"), workflow(OPEN, "w")
        n.engine.start(first, None, name="one")
        n.engine.schedules.add("nightly", "w:1", cron="0 * * * *")
        n.engine.schedules.add("newest", "w", cron="0 * * * *")
        n.engine.start(second, None, name="two")
        n.until("2026-05-01T10:00Z")
        versions = {execution.name: (execution.workflow, execution.version) for execution in n.executions()}
        assert versions["nightly-20260501T100000Z"] == ("w", 1)
        assert versions["newest-20260501T100000Z"] == ("w", 2)
        assert n.engine.schedules.run_now("nightly").outcome is FiringOutcome.STARTED


def test_its_executions_are_tagged_with_its_name() -> None:
    with night("2026-05-01T09:30Z") as n:
        n.add(cron="0 * * * *")
        n.until("2026-05-01T10:00Z")
        assert [execution.tags for execution in n.executions()] == [{"schedule": "nightly"}]


# -- every kind of database ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_schedules_live_in_every_kind_of_database(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as store, night("2026-05-01T09:30Z", store) as n:
        n.add(definition=OPEN, cron="0 * * * *", input={"text": "x" * 50_000}, overlap=Overlap.QUEUE)
        n.add("once", OPEN, at=microseconds("2026-05-01T10:10Z"), jitter=60)
        n.add("gone", OPEN, every=60)
        n.engine.schedules.remove("gone")
        n.until("2026-05-01T12:30Z")
        assert n.names() == ["nightly-20260501T100000Z", "once-20260501T101000Z"]
        assert [s.name for s in n.engine.schedules.list()] == ["nightly", "once"]
        n.end(n.executions()[0])
        assert asked(n.store).next_due() == 0
        n.work()
        assert n.names()[2:] == ["nightly-20260501T110000Z"]
        assert (len(n.now().waiting), n.now("once").is_over) == (1, True)
        stored = asked(n.store).execution(n.executions()[2].id)
        assert stored is not None and stored.input == {"text": "x" * 50_000}
        n.engine.schedules.pause("nightly")
        assert asked(n.store).next_due() is None
        n.engine.schedules.resume("nightly")
        assert asked(n.store).next_due() == microseconds("2026-05-01T13:00Z")
