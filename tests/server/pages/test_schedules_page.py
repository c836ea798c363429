"""Schedules in a browser: the list, one with its times, adding one, and each of its acts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from sm_cli.errors import NotFound
from sm_cli.views.listing import ExecutionFilter, list_executions
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import HOSTILE
from tests.server.pages.tabs import Tab
from tests.server.serving import PASS, Served


@pytest.fixture(scope="module", autouse=True)
def target(world: Served) -> None:
    """What schedules start."""
    world.engine.workflows.register(workflow(PASS, "target"))


def test_a_schedule_is_added_paused_resumed_run_and_deleted(tab: Tab, world: Served) -> None:
    tab.open("/schedules")
    expect(tab.page.get_by_text("No schedule yet.")).to_be_visible()
    tab.page.get_by_role("link", name="New schedule").click()
    for label, text in (("Name", "nightly"), ("Workflow", "target"), ("When", "0 2 * * 1-5")):
        tab.page.get_by_label(label, exact=True).fill(text)
    tab.page.get_by_label("Time zone").fill("Europe/Berlin")
    tab.page.get_by_label("Input, as JSON").fill('{"n": 1}')
    tab.button("Add the schedule").click()
    tab.page.wait_for_url("**/schedules/nightly")
    schedule = world.engine.schedules.find("nightly")
    assert (schedule.cron, schedule.zone, schedule.input) == ("0 2 * * 1-5", "Europe/Berlin", {"n": 1})
    assert len(tab.page.get_by_role("region", name="Next times").get_by_role("listitem").all()) == 10
    state = tab.page.locator("#state")
    tab.button("Pause").click()
    expect(state.locator(".pill").first).to_have_text("PAUSED")
    assert world.engine.schedules.find("nightly").paused_at is not None
    expect(state).to_contain_text("fires nothing")
    tab.button("Resume").click()
    expect(state.locator(".pill").first).to_have_text("ACTIVE")
    tab.button("Run now").click()
    expect(tab.notice()).to_contain_text("nightly has started an execution")
    (execution,) = list_executions(world.store, ExecutionFilter(workflow="target"))
    expect(tab.page.get_by_role("region", name="Last times")).to_contain_text(execution.name)
    tab.open("/schedules")
    row = tab.page.get_by_role("row", name="nightly")
    expect(row).to_contain_text("0 2 * * 1-5 Europe/Berlin")
    expect(row).to_contain_text("started")
    tab.open("/schedules/nightly")
    tab.page.once("dialog", lambda dialog: dialog.accept())
    tab.button("Delete").click()
    tab.page.wait_for_url("**/schedules")
    with pytest.raises(NotFound):
        world.engine.schedules.find("nightly")


def test_each_kind_of_times_is_taken_from_the_form(world: Served) -> None:
    def add(name: str, status: int = 303, **fields: str) -> str:
        data = {"name": name, "workflow": "target", **fields}
        return world.ask("POST", "/new-schedule", status, data=data).text

    add("often", kind="every", times="1h30m", overlap="queue", catch_up="all", jitter="10s", queue="slow")
    add("eve", kind="at", times="2999-12-24 18:00", zone="America/New_York")
    often, eve = (world.engine.schedules.find(name) for name in ("often", "eve"))
    assert (often.every, often.overlap, often.catch_up, often.jitter, often.queue) == (
        5_400_000_000, "queue", "all", 10_000_000, "slow",
    )  # fmt: skip
    assert eve.anchor == datetime(2999, 12, 24, 23, tzinfo=UTC).timestamp() * 1_000_000
    for fields, sentence in (
        ({"kind": "every", "times": "soon"}, "is a span like 15m"), ({"kind": "at", "times": "x"}, "is a time like"),
        ({"times": "not cron"}, "cron"), ({"times": "0 2 * * *", "overlap": "x"}, "overlap is skip, queue, allow"),
        ({"times": "0 2 * * *", "input": "{"}, "the input"),
        ({"times": "0 2 * * *", "zone": "Nowhere/No"}, "Nowhere/No"),
    ):  # fmt: skip
        assert sentence in add("bad", 400, **fields)
    assert "nobody" in world.ask(
        "POST", "/new-schedule", 404, data={"name": "x", "workflow": "nobody", "times": "0 2 * * *"}
    ).text  # fmt: skip


def test_what_cannot_be_done_to_a_schedule_is_said_in_one_sentence(world: Served) -> None:
    world.engine.schedules.add("here", workflow(PASS, "target"), {"x": HOSTILE}, every=3600)
    assert "can be done" in world.ask("POST", "/schedules/here/explode", 404).text
    assert "no schedule" in world.ask("GET", "/schedules/nobody", 404).text
    assert "no schedule" in world.ask("POST", "/schedules/nobody/pause", 404).text
    assert HOSTILE not in world.ask("GET", "/schedules/here", 200).text


def test_what_a_schedule_started_is_told_live(tab: Tab, world: Served) -> None:
    world.engine.schedules.add("fast", workflow(PASS, "target"), {}, every=1)
    tab.open("/schedules/fast")
    with world.worker():
        expect(tab.page.get_by_role("region", name="Last times")).to_contain_text("started")
        world.engine.schedules.pause("fast")
    soon(lambda: world.engine.schedules.find("fast").paused_at)


def test_many_schedules_are_paged_by_name(world: Served) -> None:
    for number in range(52):
        world.engine.schedules.add(f"z-{number:02}", workflow(PASS, "target"), {}, every=3600)
    first = world.ask("GET", "/schedules", 200).text
    assert 'href="/schedules/z-00"' in first
    assert 'href="/schedules/z-51"' not in first
    second = world.ask("GET", "/schedules?after=z-48", 200).text
    assert 'href="/schedules/z-51"' in second
    assert 'href="/schedules/z-48"' not in second
