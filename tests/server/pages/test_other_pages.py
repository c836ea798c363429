"""Waiting, batches, map runs, queues and statistics in a browser: what they show, and each of their acts."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from sm_cli.engine.batches.options import BatchOptions
from sm_cli.jsonvalue import Json
from sm_cli.views.batches.batch import batch_now
from sm_cli.views.messages import list_messages, list_waits
from sm_cli.views.records import Execution, MessageFilter, WaitFilter
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import ASK, MANY, Hands
from tests.server.pages.tabs import Tab
from tests.server.serving import MESSAGE, TASK, Served


def wait(world: Served, value: str) -> Execution:
    """An execution that waits for the message order=VALUE."""
    execution = world.start(MESSAGE, {"id": value}, called="message")
    with world.worker():
        soon(lambda: list_waits(world.store, WaitFilter("order", value)))
    return execution


def messages(world: Served, value: str) -> list[str]:
    return [
        m.status.value for m in list_messages(world.engine, MessageFilter(world.engine.clock.now(), "order", value))
    ]


def test_a_wait_is_shown_with_the_message_that_nearly_fits(tab: Tab, world: Served) -> None:
    execution = wait(world, "N-1")
    world.engine.publish("order", "n-1", {"x": 1})
    tab.open("/waiting?key=order")
    row = tab.page.locator("#lists tr", has_text=execution.name).first
    expect(row).to_contain_text("order=N-1")
    expect(row).to_contain_text("is kept for order=n-1, which differs in")


def test_a_wait_is_answered_from_its_row(tab: Tab, world: Served) -> None:
    execution = wait(world, "R-1")
    tab.open("/waiting?key=order&value=R-1")
    tab.page.locator("#lists summary", has_text="Send…").click()
    tab.page.locator("#lists").get_by_label("Data, as JSON").fill('{"ok": 1}')
    tab.page.locator("#lists").get_by_role("button", name="Send", exact=True).click()
    expect(tab.notice()).to_contain_text("was delivered to 1 execution")
    expect(tab.page.locator("#lists")).to_contain_text("Nothing waits for a message")
    assert messages(world, "R-1") == ["consumed"]
    with world.worker():
        soon(lambda: world.engine.find(execution.ref).closed)


def test_a_message_that_nobody_waits_for_tells_of_near_misses_and_is_deleted(tab: Tab, world: Served) -> None:
    wait(world, "S-1")
    tab.open("/waiting")
    tab.page.locator(".send-card summary").click()
    form = tab.page.locator('.send-card form[action="/messages"]')
    form.get_by_label("Key").fill("order")
    form.get_by_label("Value", exact=True).fill("s-1")
    form.get_by_role("button", name="Send").click()
    expect(tab.notice()).to_contain_text("Nobody waits for order=s-1; the message is kept until")
    expect(tab.notice()).to_contain_text("S-1")
    assert messages(world, "s-1") == ["buffered"]
    tab.open("/waiting?key=order&value=s-1")
    tab.page.once("dialog", lambda dialog: dialog.accept())
    tab.button("Delete").click()
    expect(tab.notice()).to_contain_text("is deleted")
    assert messages(world, "s-1") == []


def test_what_cannot_be_sent_is_said_in_one_sentence(tab: Tab, world: Served) -> None:
    answer = world.ask("POST", "/messages", 400, data={"key": "k", "value": "v", "data": "{"})
    assert "the data" in answer.text
    assert (
        "a message is kept for" in world.ask("POST", "/messages", 400, data={"key": "k", "value": "v", "ttl": "x"}).text
    )
    assert "this takes a form" in world.ask("POST", "/messages", 400, json={"key": "k"}).text
    tab.open("/waiting")


def test_a_message_has_a_page_with_its_data(tab: Tab, world: Served) -> None:
    sent = world.engine.publish("order", "P-1", {"<b>": "&"})
    tab.open(f"/messages/{sent.message}")
    expect(tab.page.locator("figure").first).to_contain_text('"<b>": "&"')


def test_a_task_is_answered_from_the_list(tab: Tab, world: Served) -> None:
    execution = world.start(ASK, {}, called="ask")
    with world.worker():
        soon(lambda: world.engine.poll_activity("boss"))
        tab.open("/waiting")
        tab.page.locator("#tasks summary", has_text="Answer…").click()
        tab.page.locator("#tasks").get_by_label("Output, as JSON").fill("[1]")
        tab.page.locator("#tasks").get_by_role("button", name="Approve").click()
        expect(tab.notice()).to_contain_text("The task has succeeded")
        soon(lambda: world.engine.find(execution.ref).closed)
    assert world.engine.find(execution.ref).output == [1]


def test_a_batch_is_paused_changed_resumed_and_tried_again(tab: Tab, world: Served) -> None:
    item = workflow(TASK, "item")
    inputs: list[Json] = [{"n": n, "fails": n == 2} for n in range(5)]
    batch = world.engine.batch(item, inputs, name_prefix="night", options=BatchOptions(concurrency=2))
    with world.worker():
        soon(lambda: batch_now(world.engine, batch.id).join.running == 2)
        tab.open("/batches")
        tab.page.get_by_role("link", name="night", exact=True).click()
        tab.button("Pause").click()
        expect(tab.page.locator("#state .pill").first).to_have_text("PAUSED")
        assert batch_now(world.engine, batch.id).status == "PAUSED"
        tab.page.get_by_text("Change its limits").click()
        tab.page.get_by_label("At once").fill("3")
        tab.button("Change", exact=True).click()
        expect(tab.notice()).to_contain_text("has new limits")
        assert batch_now(world.engine, batch.id).join.limit == 3
        tab.button("Resume").click()
        expect(tab.page.locator("#state .pill").first).to_have_text("RUNNING")
    with world.worker(Hands().handlers):
        soon(lambda: batch_now(world.engine, batch.id).execution.closed)
    expect(tab.page.locator("#state")).to_contain_text("this item is broken")
    tab.button("Try again what failed").click()
    expect(tab.page.locator("#state .pill").first).to_have_text("RUNNING")
    assert batch_now(world.engine, batch.id).execution.redrives == 1


def test_a_batch_is_cancelled_after_a_question(tab: Tab, world: Served) -> None:
    batch = world.engine.batch(workflow(TASK, "item"), [None], name_prefix="gone")
    with world.worker():
        soon(lambda: batch_now(world.engine, batch.id).join.running == 1)
    tab.open(f"/batches/{batch.ref}")
    tab.page.once("dialog", lambda dialog: dialog.accept())
    tab.button("Cancel").click()
    expect(tab.page.locator("#state .pill").first).to_have_text("ABORTED")
    assert world.engine.find(batch.ref).status == "ABORTED"


def test_a_batch_refuses_in_one_sentence(world: Served) -> None:
    batch = world.engine.batch(workflow(TASK, "item"), [{}], name_prefix="refusing")
    with world.worker():
        soon(lambda: batch_now(world.engine, batch.id).join.running == 1)
    assert "is not paused" in world.ask("POST", f"/batches/{batch.ref}/resume", 409).text
    assert "give a concurrency" in world.ask("POST", f"/batches/{batch.ref}/update", 400).text
    assert "is a number" in world.ask("POST", f"/batches/{batch.ref}/update", 400, data={"concurrency": "x"}).text
    assert "can be done" in world.ask("POST", f"/batches/{batch.ref}/explode", 404).text


def test_a_map_run_shows_its_progress_and_failures(tab: Tab, world: Served) -> None:
    execution = world.start(MANY, {"items": [{"fails": n == 3} for n in range(8)]}, called="many")
    with world.worker(Hands().handlers):
        soon(lambda: world.engine.find(execution.ref).closed)
    tab.open(f"/executions/{execution.ref}?view=related")
    tab.page.get_by_role("link", name="Each", exact=True).click()
    state = tab.page.locator("#state")
    expect(state).to_contain_text(re.compile(r"7\s*succeeded"))
    expect(state).to_contain_text("this item is broken")
    state.get_by_role("link", name="Its executions").click()
    expect(tab.page.locator("#rows tbody tr")).to_have_count(8)


def test_queues_say_what_waits_and_workers_who_is_there(tab: Tab, world: Served) -> None:
    world.start(TASK, called="queued", queue="night-shift")
    with world.worker(Hands().handlers):
        soon(lambda: "night-shift" in world.ask("GET", "/queues", 200).text)
        tab.open("/queues")
        expect(tab.page.locator("#lists tr", has_text="night-shift")).to_be_visible()
        expect(tab.page.locator("#lists tr", has_text="worker").last).to_contain_text("running")
    expect(tab.page.locator("#lists")).to_contain_text("No worker is there")


def test_statistics_draw_throughput_and_durations(tab: Tab, world: Served) -> None:
    tab.open("/statistics?since=7d")
    expect(tab.page.locator("#throughput canvas")).to_be_visible()
    expect(tab.page.locator("#durations canvas")).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Failures by error")).to_be_visible()
    expect(tab.page.locator("table", has_text="ValueError").first).to_be_visible()
    tab.page.get_by_label("Workflow", exact=True).fill("item")
    tab.button("Show").click()
    tab.page.wait_for_url("**workflow=item*")
    assert "since is a span" in world.ask("GET", "/statistics?since=x", 400).text
