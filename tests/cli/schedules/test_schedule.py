"""`sm schedule`, `sm why` of a schedule and `sm doctor`, as a person uses them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from sm_cli.cli.schedules.listing import short_times
from tests.cli.conftest import Project
from tests.engine.schedules.fixtures import microseconds

QUICK = """
    StartAt: A
    States:
      A: {Type: Pass, End: true}
"""
TASK = """
    StartAt: A
    States:
      A: {Type: Task, Resource: work, End: true}
"""


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    project.workflow(QUICK)
    project.database()
    return project


def soon(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


def test_a_worker_in_a_process_of_its_own_fires_each_second_once(shop: Project) -> None:
    added = shop.sm("schedule", "add", "order", "--every", "1s", "--name", "often", "--overlap", "allow")
    assert (added.code, added.out) == (0, "often\n")
    workers = [shop.start("worker", "--name", name) for name in ("one", "two")]
    ended = soon(
        lambda: (found := shop.sm("list", "--tag", "schedule=often", "--json").json) and len(found) >= 4 and found
    )
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    names = [execution["name"] for execution in ended]
    assert len(set(names)) == len(names)
    shown = shop.sm("schedule", "show", "often", "--json").json
    assert {firing["outcome"] for firing in shown["firings"]} == {"started"}


def test_the_machine_s_zone_is_stored_by_name(shop: Project) -> None:
    assert shop.sm("schedule", "add", "order", "--cron", "0 2 * * *").code == 0
    assert shop.sm("schedule", "list", "--json").json[0]["zone"] == "Europe/Berlin"


def test_a_file_that_stands_elsewhere_is_stored_under_its_name(shop: Project) -> None:
    shop.write("elsewhere/nightly.yaml", QUICK)
    assert shop.sm("schedule", "add", "elsewhere/nightly.yaml", "--every", "1h").out == "nightly\n"
    (shop.path / "elsewhere/nightly.yaml").unlink()
    ref = shop.sm("schedule", "run-now", "nightly").out.strip()
    assert shop.sm("show", ref, "--json").json["workflow"] == "nightly"


def test_a_file_beside_another_of_its_name_is_refused(shop: Project) -> None:
    shop.write("elsewhere/order.yaml", QUICK)
    result = shop.sm("schedule", "add", "elsewhere/order.yaml", "--every", "1h")
    assert result.code == 2
    assert "the project has another workflow 'order'" in result.err
    assert shop.sm("schedule", "add", "workflows/order.yaml", "--every", "1h").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("order",), 2, "a schedule needs --cron, --every or --at"),
        (("order", "--every", "5m", "--at", "2999-01-01"), 2, "--every and --at exclude each other"),
        (("order", "--every", "5m", "--tz", "UTC"), 2, "--tz says nothing with --every"),
        (("order", "--every", "soon"), 2, "--every takes seconds or a span"),
        (("order", "--cron", "0 0 30 2 *"), 2, "never fires"),
        (("order", "--cron", "every day"), 2, "is no cron expression: wrong number of fields"),
        (("order", "--cron", "0 2 * * *", "--tz", "Mars/Base"), 2, "there is no time zone 'Mars/Base'"),
        (("order", "--at", "2020-01-01T00:00"), 2, "lies in the past"),
        (("order", "--at", "tomorrow"), 2, "--at takes a time like"),
        (("order", "--at", "0001-01-01T00:00"), 2, "--at takes a time like"),
        (("order", "--at", "2999-03-31T02:30"), 2, "the clock in Europe/Berlin leaves this time out; it goes on at 03"),
        (("order", "--every", "5m", "--jitter", "5m"), 2, "a jitter of 300 s is too long"),
        (("order", "--every", "5m", "--overlap", "maybe"), 2, "--overlap takes skip, queue or allow"),
        (("order", "--every", "5m", "--catch-up", "some"), 2, "--catch-up takes none, last or all"),
        (("order", "--every", "5m", "--name", "n" * 81), 2, "the name of a schedule has 1 to 50 characters"),
        (("order", "--every", "5m", "--name", "a/b"), 2, "which a name may not"),
        (("order", "--every", "5m", "--input", "{"), 2, "--input is not JSON"),
        (("ordr", "--every", "5m"), 3, "did you mean 'order'?"),
        (("order:7", "--every", "5m", "--name", "x"), 3, "there is no workflow 'order'"),
        (("nothing.yaml", "--every", "5m"), 3, "there is no file nothing.yaml"),
        (("workflows", "--every", "5m"), 2, "is a folder"),
        (("-", "--every", "5m"), 2, "stdin is not"),
    ],
)
def test_bad_input_has_a_sentence_and_an_exit_code_and_keeps_nothing(
    shop: Project, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    result = shop.sm("schedule", "add", *arguments)
    assert (result.code, result.out) == (code, "")
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert shop.sm("schedule", "list", "--json").json == []


def test_a_refused_start_is_told_by_list_why_doctor_and_the_worker(shop: Project) -> None:
    shop.sm("schedule", "add", "order", "--every", "1s")
    shop.workflow("StartAt: Nowhere\nStates: {}\n")
    worker = shop.start("worker", "--name", "w")
    soon(lambda: shop.sm("schedule", "list", "--json").json[0]["last_firing"])
    worker.send_signal(signal.SIGTERM)
    log = worker.communicate(timeout=60)[1]
    assert "schedule order, 20" in log and "refused workflows/order.yaml" in log
    listed = shop.sm("schedule", "list").out
    assert "refused" in listed and "workflows/order.yaml" in listed
    assert "was refused: workflows/order.yaml" in shop.sm("why", "order").out
    examined = shop.sm("doctor", "--json")
    assert examined.code == 7
    assert examined.json["ok"] is False
    (told,) = [f for f in examined.json["findings"] if "could not start its workflow" in f["text"]]
    assert (told["severity"], told["command"]) == ("broken", "sm schedule show order")


def test_doctor_says_when_a_schedule_is_due_and_no_worker_is_there(shop: Project) -> None:
    assert shop.sm("doctor").code == 0
    shop.sm("schedule", "add", "order", "--every", "1s")
    result = soon(lambda: (found := shop.sm("doctor")).code == 7 and found)
    assert "BROKEN   workers    no worker is running, and there is work to do" in result.out
    assert "schedule order has been due since" in result.out
    assert "no worker is running" in shop.sm("why", "order").out
    assert "order is due, and no worker is running" in shop.sm("schedule", "list").err


def test_doctor_says_which_tasks_nobody_does(shop: Project) -> None:
    shop.workflow(TASK)
    shop.handlers("@handler('other')\ndef other(x): return x\n")
    shop.sm("run", "order", "--detach", "--stub")
    result = shop.sm("doctor")
    assert result.code == 7
    assert "1 task for 'work' waits since" in result.out
    assert "and there is no handler of that name" in result.out


def test_doctor_says_that_there_is_no_database(project: Project) -> None:
    result = project.sm("doctor", "--json")
    assert result.code == 7
    findings = {finding["check"]: finding["severity"] for finding in result.json["findings"]}
    assert [check for check, severity in findings.items() if severity == "broken"] == ["database"]
    project.write("sm.toml", "")
    assert project.sm("doctor").code == 0


def test_an_execution_goes_before_a_schedule_of_its_name(shop: Project) -> None:
    shop.sm("schedule", "add", "order", "--every", "1h", "--name", "same")
    assert shop.sm("why", "same").out.startswith("Schedule same starts order: every 1h.")
    shop.sm("run", "order", "--name", "same")
    assert shop.sm("why", "same").out.startswith("Execution same")


@pytest.mark.parametrize(
    ("times", "now", "text"),
    [
        ([], None, ""),
        (["2026-11-30T01:00Z", "2026-12-01T01:00Z"], None, "2026-11-30 02:00, 12-01 02:00"),
        (["2026-11-30T01:00Z", "2026-12-01T01:00Z"], "2026-01-01T00:00Z", "11-30 02:00, 12-01 02:00"),
        (["2026-12-31T11:00Z", "2026-12-31T23:00Z"], "2026-01-01T00:00Z", "12-31 12:00, 2027-01-01 00:00"),
        (["2026-11-30T01:00:05Z", "2026-11-30T01:00:10Z"], "2026-01-01T00:00Z", "11-30 02:00:05, 02:00:10"),
    ],
)
def test_times_say_only_what_the_one_before_has_not(
    times: list[str], now: str | None, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert short_times([*map(microseconds, times)], None if now is None else microseconds(now)) == text
    finally:
        monkeypatch.undo()
        time.tzset()


def test_one_pass_takes_what_a_schedule_starts_in_it_to_its_end(shop: Project) -> None:
    shop.sm("schedule", "add", "order", "--at", "2999-01-01T00:00")
    assert shop.sm("worker", "--once", "-q").code == 0
    assert shop.sm("list", "--json").json == []
    shop.workflow(TASK, "task.yaml")
    shop.handlers("@handler('work')\ndef work(x): return x\n")
    shop.sm("schedule", "add", "task", "--every", "1s")
    soon(lambda: "is due" in shop.sm("schedule", "list").err)
    assert shop.sm("worker", "--once", "-q").code == 0
    assert [execution["status"] for execution in shop.sm("list", "--json").json] == ["SUCCEEDED"]
