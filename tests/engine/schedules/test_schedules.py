"""What is done with schedules: add, pause, resume, run now, remove; and what is refused."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator
from typing import Any

import pytest

from sm_cli.engine.schedules.zones import find_zone, local_zone
from sm_cli.errors import Conflict, InvalidDefinition, NotFound, UsageError
from sm_cli.store.schedules import FiringOutcome, Overlap
from tests.engine.schedules.fixtures import OPEN, PASS, Night, microseconds, night
from tests.engine.workers import workflow
from tests.store.asking import asked

NOW = "2026-05-01T09:30Z"


def test_a_schedule_is_added_once_and_the_same_again_is_the_same() -> None:
    with night(NOW) as n:
        said: dict[str, Any] = {"every": 3600, "overlap": Overlap.QUEUE, "jitter": 60}
        first, is_new = n.engine.schedules.add("nightly", workflow(PASS, "w"), {"a": 1}, **said)
        assert (is_new, first.next) == (True, microseconds("2026-05-01T10:30Z"))
        n.sleep_until("2026-05-01T09:40Z")
        assert n.engine.schedules.add("nightly", "w", {"a": 1}, **said) == (first, False)
        for change in ({"every": 120}, {"every": 3600, "overlap": Overlap.SKIP}, {"every": 3600, "queue": "low"}):
            with pytest.raises(Conflict, match="there is another schedule 'nightly' already"):
                n.engine.schedules.add("nightly", "w", {"a": 1}, **{**said, **change})
        with pytest.raises(Conflict):
            n.engine.schedules.add("nightly", "w", {"a": 2}, **said)


def test_the_name_of_one_that_is_over_is_free() -> None:
    with night(NOW) as n:
        n.add(at=microseconds("2026-05-01T10:00Z"))
        n.until("2026-05-01T10:00Z")
        again = n.add(every=60)
        assert [s.id for s in n.engine.schedules.list()] == [again.id]


def test_they_are_listed_by_name_however_many_there_are() -> None:
    with night(NOW) as n:
        for number in range(1201):
            n.engine.schedules.add(f"s{number}", workflow(PASS, "w"), every=3600)
        names = [s.name for s in n.engine.schedules.list()]
        assert (len(names), names) == (1201, sorted(names))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "has one of a cron expression, an interval and a single time"),
        ({"every": 60, "cron": "* * * * *"}, "has one of"),
        ({"every": 0.5}, "the interval of a schedule is a number of whole seconds from 1"),
        ({"every": 1.5}, "whole seconds"),
        ({"every": 0}, "whole seconds"),
        ({"every": float("nan")}, "whole seconds"),
        ({"every": 10**10}, "whole seconds from 1 to 316,224,000"),
        ({"every": 60, "jitter": -1}, "the jitter of a schedule is a number of whole seconds from 0"),
        ({"every": 60, "jitter": 60}, "a jitter of 60 s is too long: of its times, two are only 60 s apart"),
        ({"cron": "0 9,10 * * *", "jitter": 3600}, "a jitter of 3600 s is too long"),
        ({"at": microseconds("2026-05-01T09:29Z")}, "the time 2026-05-01T09:29:00.000Z lies in the past"),
        ({"at": microseconds("2026-05-01T09:30Z")}, "lies in the past; it is 2026-05-01T09:30:00.000Z now"),
        ({"at": microseconds("2026-05-01T10:30Z") + 1}, "fires at whole seconds"),
        ({"cron": "0 0 30 2 *"}, "never fires"),
        ({"cron": "every day"}, "no cron expression"),
        ({"cron": "0 2 * * *", "zone": "Europe/Berln"}, "there is no time zone 'Europe/Berln'"),
        ({"every": 60, "input": float("inf")}, "the input is not JSON"),
        ({"every": 60, "input": "x" * (1 << 28)}, "the input is larger than"),
        ({"every": 60, "limits": True, "input": "x" * 300_000}, "AWS takes at most 262,144"),
        ({"every": 60, "name": ""}, "a name has 1 to 80 characters"),
        ({"every": 60, "name": "a b"}, "which a name may not"),
        ({"every": 60, "name": "@last"}, "begins with @"),
        ({"every": 60, "name": "n" * 51}, "the name of a schedule has 1 to 50 characters"),
        ({"every": 60, "name": "n" * 81}, "1 to 50 characters, for its executions are called by it"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence_and_nothing_is_kept(
    said: dict[str, Any], sentence: str
) -> None:
    with night(NOW) as n:
        facts: dict[str, Any] = {"name": "nightly", "workflow": workflow(PASS, "w"), **said}
        with pytest.raises(UsageError, match=sentence):
            n.engine.schedules.add(facts.pop("name"), facts.pop("workflow"), facts.pop("input", None), **facts)
        assert n.engine.schedules.list() == []


def test_a_workflow_that_is_not_there_or_not_valid_is_refused() -> None:
    with night(NOW) as n:
        with pytest.raises(NotFound, match="there is no workflow 'nothing'"):
            n.engine.schedules.add("nightly", "nothing", every=60)

        def library(name: str) -> Any:
            raise InvalidDefinition([])

        n.engine.programs.library = library
        with pytest.raises(InvalidDefinition):
            n.engine.schedules.add("nightly", "w", every=60)
        assert n.engine.schedules.list() == []


@pytest.mark.parametrize("act", ["find", "pause", "resume", "remove", "run_now"])
def test_a_schedule_that_is_not_there(act: str) -> None:
    with night(NOW) as n, pytest.raises(NotFound, match="there is no schedule 'weekly'"):
        getattr(n.engine.schedules, act)("weekly")


# -- pause and resume ------------------------------------------------------------------------------


def test_what_is_paused_fires_nothing_and_goes_on_with_its_next_time() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *")
        assert n.engine.schedules.pause("nightly")[1] is True
        assert n.engine.schedules.pause("nightly")[1] is False
        n.until("2026-05-01T12:30Z")
        assert n.engine.schedules.resume("nightly")[1] is True
        assert n.engine.schedules.resume("nightly")[1] is False
        n.until("2026-05-01T13:00Z")
        assert n.outcomes() == [("2026-05-01T13:00Z", "started")]


def test_times_that_wait_do_so_while_it_is_paused() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *", overlap=Overlap.QUEUE)
        n.until("2026-05-01T11:00Z")
        n.engine.schedules.pause("nightly")
        n.end(n.executions()[0])
        n.until("2026-05-01T11:30Z")
        assert len(n.executions()) == 1
        n.engine.schedules.resume("nightly")
        n.work()
        assert n.names()[1:] == ["nightly-20260501T110000Z"]


def test_a_single_time_that_passed_while_it_was_paused_cannot_be_resumed() -> None:
    with night(NOW) as n:
        n.add(at=microseconds("2026-05-01T10:00Z"))
        n.engine.schedules.pause("nightly")
        n.until("2026-05-01T11:00Z")
        with pytest.raises(Conflict, match=r"nightly, 2026-05-01T10:00:00.000Z, passed while it was paused"):
            n.engine.schedules.resume("nightly")
        assert n.now().paused_at is not None
        assert n.engine.schedules.run_now("nightly").outcome is FiringOutcome.STARTED


# -- run now, remove -------------------------------------------------------------------------------


def test_run_now_starts_one_beside_its_times() -> None:
    with night(NOW) as n:
        n.add(cron="0 * * * *", overlap=Overlap.ALLOW)
        n.engine.schedules.run_now("nightly")
        n.engine.schedules.run_now("nightly")
        n.sleep_until("2026-05-01T10:00Z")
        n.engine.schedules.run_now("nightly")
        n.work()
        assert n.names() == [
            "nightly-20260501T093000.001Z", "nightly-20260501T093000.002Z", "nightly-20260501T100000.001Z",
            "nightly-20260501T100000Z",
        ]  # fmt: skip


def test_run_now_starts_nothing_beside_what_may_not_be_overlapped() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *")
        n.until("2026-05-01T10:10Z")
        before = n.now()
        with pytest.raises(Conflict, match="starts nothing now: execution nightly-20260501T100000Z still runs"):
            n.engine.schedules.run_now("nightly")
        assert n.now() == before


def test_run_now_waits_for_its_turn_in_a_queue() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *", overlap=Overlap.QUEUE)
        n.until("2026-05-01T10:10Z")
        assert n.engine.schedules.run_now("nightly").outcome is FiringOutcome.QUEUED
        assert n.engine.schedules.run_now("nightly").outcome is FiringOutcome.QUEUED
        n.end(n.executions()[0])
        n.work()
        assert n.names()[1:] == ["nightly-20260501T101000.001Z"]


def test_run_now_of_what_cannot_be_started_changes_nothing() -> None:
    with night(NOW) as n:
        n.add()

        def library(name: str) -> Any:
            raise InvalidDefinition([])

        n.engine.programs.library = library
        before = n.now()
        with pytest.raises(Conflict, match="cannot start its workflow: the definition is not valid"):
            n.engine.schedules.run_now("nightly")
        assert n.now() == before


def test_what_is_removed_is_gone_with_its_large_input_and_its_executions_go_on() -> None:
    with night(NOW) as n:
        n.add(definition=OPEN, cron="0 * * * *", input={"text": "x" * 100_000})
        n.until("2026-05-01T10:00Z")
        before = uses(n)
        n.engine.schedules.remove("nightly")
        assert uses(n) == before - 1
        n.until("2026-05-01T11:30Z")
        (execution,) = n.executions()
        stored = asked(n.store).execution(execution.id)
        assert stored is not None and stored.input == {"text": "x" * 100_000}


def uses(n: Night) -> int:
    with n.store.read() as questions:
        return int(questions.session.connection.execute("SELECT sum(uses) FROM blob_uses").fetchone()[0])


# -- zones -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "Did you mean 'Europe/Berlin'?"),
        ("Berlin", "Did you mean 'Europe/Berlin'?"),
        ("new york", "Did you mean 'America/New_York'?"),
        ("Mars/Base", "A zone is named as in Europe/Berlin."),
        ("../../etc/passwd", "A zone is named as in Europe/Berlin."),
        ("Europe", "A zone is named as in Europe/Berlin."),
        ("", "A zone is named as in Europe/Berlin."),
        ("\ud800", "A zone is named as in Europe/Berlin."),
        ("Europe/Berlin\0", "Did you mean 'Europe/Berlin'?"),
    ],
)
def test_a_zone_that_does_not_exist_is_told_with_one_that_it_may_be(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="there is no time zone") as caught:
        find_zone(name)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("variable", "name"),
    [("Europe/Berlin", "Europe/Berlin"), (":Asia/Tokyo", "Asia/Tokyo"), ("Etc/UTC", "UTC"), ("XYZ-3", "UTC")],
)
def test_the_machine_s_own_zone_has_the_name_that_its_variable_says(
    variable: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", variable)
    assert local_zone() == name


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without data of time zones, and without the package that has them."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    path = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(path)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_data")
def test_a_machine_without_data_of_zones_says_so_and_knows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    with night(NOW) as n:
        with pytest.raises(UsageError, match="this machine has no data of time zones") as caught:
            n.add(cron="0 2 * * *", zone="Europe/Berlin")
        assert "tzdata" in str(caught.value.hint)
        assert n.add(cron="0 2 * * *").zone == "UTC"
        monkeypatch.setenv("TZ", "Europe/Berlin")
        assert local_zone() == "UTC"
