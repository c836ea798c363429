"""The list of executions in a browser: filters in the address, counts, who is stuck, and acts on many."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sm_cli.engine.batches import control
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.views.batches.batch import batch_now
from sm_cli.views.listing import ExecutionFilter, Status, count_executions
from sm_cli.views.messages import list_waits
from sm_cli.views.records import WaitFilter
from tests.engine.workers import soon, workflow
from tests.server.pages.tabs import Tab
from tests.server.serving import MESSAGE, PASS, TASK, Served

FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "it <i>broke</i>"}}}


@pytest.fixture(scope="module", autouse=True)
def executions(world: Served) -> None:
    """Some that succeeded, failed and wait."""
    for number in range(3):
        world.start(PASS, called="good", tags={"team": f"t{number}"})
        world.start(FAIL, called="bad")
    world.start(MESSAGE, {"id": "A-1"}, called="message")
    with world.worker():
        soon(lambda: count_executions(world.store, ExecutionFilter(statuses=(Status.RUNNING,))) == 1)
        soon(lambda: list_waits(world.store, WaitFilter()))
    world.start(TASK, called="task")


def rows(tab: Tab) -> int:
    return tab.page.locator("#rows tbody tr").count()


def test_the_list_has_all_with_their_counts(tab: Tab) -> None:
    tab.open("/")
    assert rows(tab) == 8
    counts = tab.page.locator("#counts")
    expect(counts).to_contain_text(re.compile(r"2\s*RUNNING"))
    expect(counts).to_contain_text(re.compile(r"3\s*SUCCEEDED"))
    expect(counts).to_contain_text(re.compile(r"3\s*FAILED"))


def test_who_is_stuck_is_marked_and_says_why(tab: Tab) -> None:
    tab.open("/")
    stuck = tab.page.locator("tr.stuck")
    expect(stuck).to_have_count(2)
    expect(stuck.filter(has_text="message")).to_contain_text("for the message order=A-1")
    expect(stuck.filter(has_text="task")).to_contain_text("no worker is running")


def test_a_filter_stands_in_the_address_and_can_be_given_to_somebody(tab: Tab) -> None:
    tab.open("/")
    tab.page.get_by_label("Workflow", exact=True).fill("bad")
    tab.page.get_by_label("Status").select_option("FAILED")
    tab.button("Filter").click()
    tab.page.wait_for_url("**/?workflow=bad&status=FAILED*")
    assert rows(tab) == 3
    address = tab.page.url
    tab.open("/waiting")
    tab.page.goto(address)
    assert rows(tab) == 3
    expect(tab.page.get_by_label("Status")).to_have_value("FAILED")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("workflow=good", 3), ("status=RUNNING&status=FAILED", 5), ("error=Broken", 3), ("tag=team%3Dt1", 1),
        ("since=1h", 8), ("until=2001-01-01", 0), ("name=nobody", 0), ("state=M", 1), ("sort=name&limit=2", 2),
    ],
)  # fmt: skip
def test_every_filter_of_the_list_is_one_of_the_address(world: Served, query: str, count: int) -> None:
    text = world.ask("GET", f"/?{query}", 200).text
    assert text.count('<tr id="x-') == count


def test_pages_follow_each_other_without_a_gap(tab: Tab) -> None:
    tab.open("/?limit=3")
    refs = set()
    while True:
        refs |= set(tab.page.locator("#rows tbody input[name=id]").evaluate_all("all => all.map(each => each.value)"))
        following = tab.page.get_by_role("link", name="Older")
        if not following.count():
            break
        before = tab.page.url
        following.click()
        expect(tab.page).not_to_have_url(before)
    assert len(refs) == 8
    tab.page.get_by_role("link", name="Newer").click()
    expect(tab.page.get_by_role("link", name="Older")).to_be_visible()
    tab.page.get_by_role("link", name="Newer").click()
    expect(tab.page).to_have_url(f"{tab.address}/?limit=3")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=GONE", "status is one of"), ("since=yesterday", "since is a span"), ("tag=x", "tag is NAME=VALUE"),
        ("sort=age", "sort is started"), ("limit=0", "limit is a number"), ("since=1h&until=2h", "is not after since"),
        ("after=01ZZZZZZZZZZZZZZZZZZZZZZZZ", "no execution is"), ("map_run=nothing", "no map run is"),
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_one_sentence(world: Served, query: str, sentence: str) -> None:
    answer = world.http.get(f"/?{query}")
    assert answer.status_code in (400, 404)
    assert sentence in answer.text
    assert "Traceback" not in answer.text


def test_a_new_execution_appears_by_itself(tab: Tab, world: Served) -> None:
    tab.open("/?workflow=late")
    assert rows(tab) == 0
    execution = world.start(TASK, called="late")
    expect(tab.page.locator("#rows tbody tr")).to_contain_text(execution.ref)


def test_what_is_chosen_stays_chosen_while_the_list_goes_on(tab: Tab, world: Served) -> None:
    tab.open("/?workflow=live")
    first = world.start(TASK, called="live")
    box = tab.page.get_by_role("checkbox", name=f"Choose {first.name}")
    box.check()
    second = world.start(TASK, called="live")
    expect(tab.page.locator("#rows")).to_contain_text(second.ref)
    expect(box).to_be_checked()


def test_those_that_are_chosen_are_stopped_after_a_question(tab: Tab, world: Served) -> None:
    made = [world.start(TASK, called="chosen") for _ in range(3)]
    tab.open("/?workflow=chosen")
    for execution in made[:2]:
        tab.page.get_by_role("checkbox", name=f"Choose {execution.name}").check()
    tab.button("Stop…").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Stop 2 executions?")
    assert [world.engine.find(each.ref).status for each in made] == ["RUNNING"] * 3
    tab.button("Stop 2 executions").click()
    expect(tab.page.locator("#bulk")).to_contain_text("2 of 2 stopped")
    assert [world.engine.find(each.ref).status for each in made] == ["ABORTED", "ABORTED", "RUNNING"]


def test_all_that_a_filter_finds_are_redriven_after_a_question(tab: Tab, world: Served) -> None:
    made = [world.start(FAIL, called="again") for _ in range(3)]
    with world.worker():
        soon(lambda: all(world.engine.find(each.ref).closed for each in made))
    tab.open("/?workflow=again")
    tab.button("Redrive…").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Redrive 3 executions?")
    tab.button("Redrive 3 executions").click()
    expect(tab.page.locator("#bulk")).to_contain_text("3 of 3 redriven")
    assert [world.engine.find(each.ref).redrives for each in made] == [1, 1, 1]


def test_what_was_started_after_the_question_is_left_alone(tab: Tab, world: Served) -> None:
    asked = world.start(TASK, called="asked")
    tab.open("/?workflow=asked")
    tab.button("Stop…").click()
    later = world.start(TASK, called="asked")
    tab.button("Stop 1 execution").click()
    expect(tab.page.locator("#bulk")).to_contain_text("1 of 1 stopped")
    assert [world.engine.find(each.ref).status for each in (asked, later)] == ["ABORTED", "RUNNING"]


def test_html_in_an_error_is_text(tab: Tab) -> None:
    tab.open("/?error=Broken")
    expect(tab.page.locator("#rows tbody tr").first).to_contain_text("it <i>broke</i>")
    assert tab.page.locator("#rows i").count() == 0


def test_items_of_a_batch_that_wait_for_their_turn_are_counted_and_say_so(tab: Tab, world: Served) -> None:
    batch = world.engine.batch(workflow(TASK, "queued"), [1, 2, 3], options=BatchOptions(concurrency=1))
    pending = ExecutionFilter(workflow="queued", statuses=(Status.PENDING,))
    with world.worker():
        soon(lambda: count_executions(world.store, pending) == 2)
    tab.open("/?workflow=queued")
    expect(tab.page.locator("#counts")).to_contain_text(re.compile(r"2\s*PENDING"))
    waiting = tab.page.locator("#rows tr", has_text="PENDING")
    expect(waiting.first).to_contain_text("as many executions of its batch are under way as may be at once")
    control.pause(world.engine, world.engine.find(batch.ref))
    tab.open("/?workflow=queued")
    expect(waiting.first).to_contain_text("The batch was paused by a person")
    waiting.first.locator("a.strong").click()
    tab.button("Resume the batch").click()
    expect(tab.notice()).to_contain_text("goes on")
    assert not batch_now(world.engine, batch.id).brake.paused_since
