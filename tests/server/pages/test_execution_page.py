"""The page of one execution in a browser: the graph, the chosen state, the timeline, why, and its acts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from sm_cli.views.executions import execution_now
from sm_cli.views.records import Execution
from tests.engine.workers import soon
from tests.server.pages.flows import ASK, EVIL, HOSTILE, LOOP, MANY, ORDER, Hands
from tests.server.pages.tabs import Tab
from tests.server.serving import MESSAGE, TASK, Served


def run(world: Served, definition: dict[str, Any], input: Any, hands: Hands | None = None) -> Execution:
    """An execution that has ended."""
    execution = world.start(definition, input)
    with world.worker((hands or Hands()).handlers):
        soon(lambda: world.engine.find(execution.ref).closed)
    return world.engine.find(execution.ref)


def node(tab: Tab, name: str) -> Locator:
    return tab.page.locator(f'.g-node[aria-label^="{name},"]')


def timeline(tab: Tab) -> Locator:
    return tab.page.locator("#timeline")


def test_an_execution_is_followed_live_from_start_to_end(tab: Tab, world: Served) -> None:
    hands = Hands()
    hands.gate.clear()
    execution = world.start(ORDER, {"items": [1, 2, 3], "again": "live"})
    tab.open(f"/executions/{execution.ref}")
    expect(tab.page.locator("#head")).to_contain_text("Check waits for a worker with the handler 'check'")
    expect(tab.page.locator("#head")).to_contain_text("sm worker")
    with world.worker(hands.handlers):
        expect(node(tab, "Charge")).to_have_attribute("aria-label", "Charge, Task, RUNNING")
        expect(node(tab, "Check")).to_have_attribute("aria-label", "Check, Task, SUCCEEDED")
        expect(tab.page.locator("#head")).to_contain_text("Charge is at work")
        hands.gate.set()
        expect(tab.page.locator("#head .pill").first).to_have_text("SUCCEEDED")
    expect(node(tab, "Done")).to_have_attribute("aria-label", "Done, Succeed, SUCCEEDED")
    expect(node(tab, "Label")).to_have_attribute("aria-label", "Label, Pass, SUCCEEDED, 3 visits")
    expect(node(tab, "Sorry")).to_have_attribute("aria-label", "Sorry, Fail")
    expect(timeline(tab)).to_contain_text("Done")
    assert world.engine.find(execution.ref).status == "SUCCEEDED"


def test_the_path_that_was_taken_is_drawn(tab: Tab, world: Served) -> None:
    execution = run(world, ORDER, {"items": [1], "declined": True})
    tab.open(f"/executions/{execution.ref}")
    expect(node(tab, "Sorry")).to_have_attribute("aria-label", "Sorry, Fail, FAILED")
    expect(tab.page.locator(".g-edge.catch.taken")).to_have_count(1)
    expect(node(tab, "Each")).to_have_attribute("aria-label", "Each, Map")


def test_a_state_opens_its_input_output_attempts_error_and_events(tab: Tab, world: Served) -> None:
    execution = run(world, ORDER, {"items": [1], "again": "attempts"})
    tab.open(f"/executions/{execution.ref}")
    inspector = tab.page.locator("#inspector")
    node(tab, "Check").click()
    expect(inspector.get_by_role("heading", level=2)).to_have_text("Check")
    expect(inspector.locator("figure").first).to_contain_text('"again": "attempts"')
    expect(inspector.get_by_text("Output", exact=True)).to_be_visible()
    expect(inspector.locator("tbody tr")).to_have_count(2)
    expect(inspector.locator("tbody tr").first).to_contain_text("Again: not yet")
    inspector.get_by_text("events", exact=False).last.click()
    expect(inspector.locator(".events li").first).to_contain_text("TaskStateEntered")


def test_the_run_of_a_distributed_map_is_one_attempt(tab: Tab, world: Served) -> None:
    execution = run(world, MANY, {"items": [{}, {}]})
    tab.open(f"/executions/{execution.ref}")
    node(tab, "Each").focus()  # what is inside of it takes the click
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#inspector").get_by_role("heading", name="Attempt", exact=True)).to_be_visible()
    expect(tab.page.locator("#inspector tbody tr")).to_have_count(1)


def test_a_state_is_chosen_by_keyboard(tab: Tab, world: Served) -> None:
    execution = run(world, ORDER, {"items": [1]})
    tab.open(f"/executions/{execution.ref}")
    node(tab, "Pack").focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#inspector").get_by_role("heading", level=2)).to_have_text("Pack")


def test_a_page_is_walked_through_by_keyboard_in_its_order_and_one_sees_where(tab: Tab, world: Served) -> None:
    execution = run(world, ORDER, {"items": [1]})
    for address in ("/", f"/executions/{execution.ref}"):
        tab.open(address)
        tab.page.keyboard.press("Tab")
        expect(tab.page.get_by_text("Skip to the content")).to_be_focused()
        expect(tab.page.get_by_text("Skip to the content")).to_be_in_viewport()
        order = []
        for _ in range(24):
            tab.page.keyboard.press("Tab")
            order.append(tab.page.evaluate(_FOCUS))
        places = [place for place, _, _ in order]
        assert places == sorted(places), "the order of the keyboard is that of the page"
        assert [what for _, what, is_seen in order if not is_seen] == []
    tab.open("/")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("main")).to_be_focused()


#: Of what has the focus: its place in the page, what it is, whether that can be seen.
_FOCUS = """() => {
  const here = document.activeElement, box = here.querySelector(":scope > rect") ?? here, style = getComputedStyle(box);
  const place = [...document.querySelectorAll("*")].indexOf(here);
  return [place, here.outerHTML.slice(0, 90), style.outlineStyle !== "none" || parseFloat(style.strokeWidth) > 3];
}"""


def test_a_loop_is_folded_into_rounds_with_a_picker(tab: Tab, world: Served) -> None:
    execution = run(world, LOOP, {"n": 0})
    tab.open(f"/executions/{execution.ref}")
    expect(node(tab, "Count")).to_have_attribute("aria-label", "Count, Pass, SUCCEEDED, 4 visits")
    expect(timeline(tab).locator(".t-row").first).to_contain_text("Round 4")
    tab.page.locator("[data-round]").select_option("2")
    expect(node(tab, "Count")).to_have_attribute("aria-label", "Count, Pass, SUCCEEDED")
    expect(node(tab, "End")).to_have_attribute("aria-label", "End, Succeed")
    node(tab, "Count").click()
    expect(tab.page.locator("#inspector figure").first).to_contain_text('"n": 1')
    rows = timeline(tab).locator(".t-row")
    before = rows.count()
    timeline(tab).get_by_label("What is in Round 1").click()
    expect(rows).to_have_count(before + 2)
    timeline(tab).get_by_label("What is in Round 1").click()
    expect(rows).to_have_count(before)


def test_a_visit_that_was_chosen_in_the_timeline_is_followed_and_what_is_searched_for_stays(
    tab: Tab, world: Served
) -> None:
    execution = world.start(MESSAGE, {"id": "T-1", "note": "find me"})
    tab.open(f"/executions/{execution.ref}")
    timeline(tab).get_by_role("button", name="M", exact=True).click()
    inspector = tab.page.locator("#inspector")
    expect(inspector.locator(".pill").first).to_have_text("RUNNING")
    expect(inspector.get_by_role("columnheader", name="In the queue")).to_have_count(0)
    inspector.locator("[data-json-search]").first.fill("find")
    expect(inspector.locator("mark")).to_have_text("find")
    world.engine.publish("order", "T-1", {"paid": True})
    expect(inspector.locator(".pill").first).to_have_text("SUCCEEDED")
    expect(inspector.locator("figure").first.locator("mark")).to_have_text("find")
    expect(inspector.get_by_text("Output", exact=True)).to_be_visible()


def test_html_in_names_inputs_and_errors_is_text_on_every_view(tab: Tab, world: Served) -> None:
    execution = run(world, EVIL, {"x": HOSTILE})
    for view in ("", "?view=events", "?view=data", "?view=related"):
        tab.open(f"/executions/{execution.ref}{view}")
        expect(tab.page.locator("#head")).to_contain_text(HOSTILE)
        assert tab.page.locator("main img").count() == 0
        assert "owned" not in tab.page.title()
    tab.open(f"/executions/{execution.ref}")
    expect(tab.page.locator("#inspector h2")).to_be_visible()
    expect(timeline(tab).locator(".t-row")).to_have_count(2)
    assert tab.page.locator("main img").count() == 0


def test_the_message_that_is_waited_for_is_sent_from_the_page(tab: Tab, world: Served) -> None:
    execution = world.start(MESSAGE, {"id": "B-7"})
    with world.worker():
        tab.open(f"/executions/{execution.ref}")
        tab.page.locator("#head summary", has_text="Send the message").click()
        data = tab.page.get_by_label("Data, as JSON")
        data.fill('{"paid": ')
        expect(tab.page.locator("#head [data-problem]")).to_contain_text("This is not JSON")
        data.fill('{"paid": true}')
        tab.button("Send", exact=True).click()
        expect(tab.notice()).to_contain_text("was delivered to 1 execution")
        expect(tab.page.locator("#head .pill").first).to_have_text("SUCCEEDED")
    assert world.engine.find(execution.ref).output == {"id": "B-7", "paid": True}


@pytest.mark.parametrize(("button", "status"), [("Approve", "SUCCEEDED"), ("Reject", "FAILED")])
def test_a_task_that_was_handed_over_is_answered_from_the_page(
    tab: Tab, world: Served, button: str, status: str
) -> None:
    execution = world.start(ASK, {"amount": 7})
    with world.worker():
        soon(lambda: world.engine.poll_activity("boss"))
        tab.open(f"/executions/{execution.ref}")
        tab.page.locator("#head summary", has_text="Answer the task").click()
        tab.page.get_by_label("Output, as JSON").fill('"yes"')
        tab.page.get_by_label("Cause").last.fill("too much")
        tab.button(button, exact=True).click()
        expect(tab.page.locator("#head .pill").first).to_have_text(status)
    found = world.engine.find(execution.ref)
    assert (found.output, found.error, found.cause) == (
        ("yes", None, None) if status == "SUCCEEDED" else (None, "Rejected", "too much")
    )


def test_an_execution_is_stopped_with_error_and_cause(tab: Tab, world: Served) -> None:
    execution = world.start(TASK)
    tab.open(f"/executions/{execution.ref}")
    tab.page.locator("#head summary", has_text="Stop…").click()
    tab.page.get_by_label("Error").fill("NotNeeded")
    tab.button("Stop this execution").click()
    expect(tab.page.locator("#head .pill").first).to_have_text("ABORTED")
    found = execution_now(world.engine, execution.id)
    assert found is not None
    assert (found.status, found.error) == ("ABORTED", "NotNeeded")


def test_a_failed_execution_is_redriven_and_goes_on_live(tab: Tab, world: Served) -> None:
    hands = Hands()
    execution = run(
        world, {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "evil", "End": True}}}, {}, hands
    )
    tab.open(f"/executions/{execution.ref}")
    expect(tab.page.locator("#head")).to_contain_text("It failed in T at")
    tab.button("Redrive").click()
    expect(tab.notice()).to_contain_text("goes on from T")
    expect(tab.page.locator("#head .pill").first).to_have_text("RUNNING")
    expect(tab.page.locator("#inspector .pill").first).to_have_text("RUNNING")
    assert world.engine.find(execution.ref).redrives == 1


def test_json_is_searched_and_copied_whole(tab: Tab, world: Served) -> None:
    execution = run(world, LOOP, {"n": 0, "words": ["alpha", "beta", "alphabet"]})
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.open(f"/executions/{execution.ref}?view=data")
    figure = tab.page.locator("figure", has_text="Input").first
    figure.get_by_label("Search in Input").fill("ALPHA")
    expect(figure.locator("mark")).to_have_count(2)
    expect(figure.locator("[data-json-hits]")).to_have_text("2 places")
    figure.get_by_label("Copy Input").click()
    expect(figure.get_by_title("Copied")).to_be_visible()
    expect(tab.page.locator("#heard")).to_have_text("Copied")
    assert '"alphabet"' in tab.page.evaluate("navigator.clipboard.readText()")


def test_events_are_paged(tab: Tab, world: Served) -> None:
    execution = run(world, LOOP | {"Comment": "long"}, {"n": -30})
    tab.open(f"/executions/{execution.ref}?view=events")
    expect(tab.page.locator("#events-table tbody tr")).to_have_count(100)
    tab.page.get_by_role("link", name="Next").click()
    first = tab.page.locator("#events-table tbody tr").first
    expect(first).to_contain_text("101")
    first.get_by_text("JSON").click()
    first.get_by_label("Search in Event 101").fill("name")
    expect(first.locator("mark").first).to_be_visible()


def test_an_execution_that_is_not_there_is_one_sentence(world: Served) -> None:
    answer = world.ask("GET", "/executions/nobody", 404)
    assert "no execution" in answer.text
    assert world.ask("GET", "/executions/@last?view=nothing", 404).text.count("there is no view")
