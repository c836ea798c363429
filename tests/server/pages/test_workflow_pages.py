"""Workflows in a browser: how they do, versions side by side, starting one, and the editor."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from sm_cli.views.listing import ExecutionFilter, list_executions
from sm_cli.views.workflows.versions import list_workflows, versions_of
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import LOOP, ORDER, Hands
from tests.server.pages.tabs import Tab
from tests.server.pages.test_executions_page import FAIL
from tests.server.serving import PASS, Served


def test_the_list_has_the_true_success_rate_and_percentile(tab: Tab, world: Served) -> None:
    made = [world.start(each, called="mixed") for each in (PASS, PASS, PASS, FAIL)]
    with world.worker():
        soon(lambda: all(world.engine.find(each.ref).closed for each in made))
    tab.open("/workflows")
    row = tab.page.get_by_role("row", name="mixed")
    expect(row).to_contain_text("75.0 %")
    assert row.get_by_title("3 of 4 that ended").count() == 1
    spans = sorted(
        found.closed - found.started for found in (world.engine.find(each.ref) for each in made) if found.closed
    )
    assert f"{spans[-1] // 1000} ms" in row.inner_text()


def test_a_file_of_the_project_is_listed_and_started(tab: Tab, world: Served) -> None:
    world.write("fresh.json", json.dumps(PASS))
    tab.open("/workflows")
    tab.page.get_by_role("link", name="Start fresh").click()
    tab.button("Start", exact=True).click()
    tab.page.wait_for_url("**/executions/*")
    assert len(list_executions(world.store, ExecutionFilter(workflow="fresh"))) == 1


def test_a_file_that_nobody_started_yet_has_its_page(tab: Tab, world: Served) -> None:
    world.write("unborn.json", json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Gone"}}}))
    tab.open("/workflows")
    tab.page.get_by_role("link", name="unborn", exact=True).click()
    expect(tab.page.locator('.g-node[aria-label^="A,"]')).to_be_visible()
    expect(tab.page.get_by_label("Problems").first).to_contain_text("'Gone'")
    expect(tab.page.get_by_text("unborn.json")).to_be_visible()
    tab.open("/workflows/unborn/versions")
    expect(tab.page.locator("main")).to_contain_text("was not started yet")
    tab.open("/workflows/unborn/edit")
    expect(tab.page.locator("#verdict")).to_have_text("1 error")
    world.write("unborn.json", '{"StartAt": ')
    tab.open("/workflows/unborn")
    expect(tab.page.get_by_label("Problems").first).to_contain_text("ends before")
    assert world.ask("GET", "/workflows/unborn?version=1", 404).text


def test_a_version_beside_a_file_of_the_project_is_not_said_to_be_what_runs(tab: Tab, world: Served) -> None:
    """A start by the name runs the file's text, whatever version was saved, or made the current one."""
    world.write("filed.json", json.dumps(PASS))
    world.post("/api/v1/executions", {"workflow": "filed"}, 201)
    tab.open("/workflows/filed/edit")
    expect(tab.page.locator("main")).to_contain_text("filed.json is a file of the project")
    tab.page.locator("#editor .cm-content").click()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    expect(tab.page.locator("#verdict")).to_have_text("valid")
    tab.button("Save as new version").click()
    expect(tab.notice()).to_contain_text("filed:2 is saved.")
    expect(tab.notice()).to_contain_text("filed.json goes before it, though")
    tab.open("/workflows/filed")
    expect(tab.page.locator("main")).to_contain_text("filed.json has another text than this version")
    assert world.post("/api/v1/executions", {"workflow": "filed"}, 201)["version"] == 1
    tab.open("/workflows/filed")
    expect(tab.page.locator("main")).not_to_contain_text("another text")
    tab.open("/workflows/filed/versions")
    tab.button("Make it current").click()
    expect(tab.notice()).to_contain_text("filed.json goes before it, though")


def test_the_form_has_the_last_input_as_its_example_and_checks_json(tab: Tab, world: Served) -> None:
    world.start(PASS, {"sku": "pen", "n": 3}, called="formed")
    tab.open("/workflows/formed/start")
    area = tab.page.get_by_label("Input, as JSON")
    assert json.loads(area.input_value()) == {"sku": "pen", "n": 3}
    area.fill("{broken")
    expect(tab.page.locator("[data-problem]")).to_contain_text("This is not JSON")
    tab.button("Start", exact=True).click()
    assert len(list_executions(world.store, ExecutionFilter(workflow="formed"))) == 1
    area.fill('{"sku": "ink"}')
    tab.page.get_by_label("Name, unless one is made").fill("by-hand")
    tab.page.get_by_label("Tags").fill("team=blue, by=me")
    tab.button("Start", exact=True).click()
    tab.page.wait_for_url("**/executions/*")
    found = world.engine.find("by-hand")
    assert (found.input, found.tags) == ({"sku": "ink"}, {"team": "blue", "by": "me"})


def test_what_cannot_be_started_is_said_in_one_sentence(world: Served) -> None:
    world.start(PASS, {"a": 1}, called="refusing")
    assert "not JSON" in world.ask("POST", "/workflows/refusing/start", 400, data={"input": "{"}).text
    assert "a tag is NAME=VALUE" in world.ask("POST", "/workflows/refusing/start", 400, data={"tags": "x"}).text
    assert "nowhere" in world.ask("GET", "/workflows/nowhere/start", 404).text
    assert "nowhere" in world.ask("GET", "/workflows/nowhere", 404).text


def test_a_definition_is_shown_with_its_problems_and_drawing(tab: Tab, world: Served) -> None:
    world.engine.workflows.register(workflow(ORDER, "drawn"))
    tab.open("/workflows/drawn")
    expect(tab.page.locator('.g-node[aria-label^="Charge,"]')).to_be_visible()
    expect(tab.page.locator(".g-lane")).to_have_count(3)
    tab.page.locator('.g-node[aria-label^="Sorry,"]').click()
    expect(tab.page.locator("figure mark").first).to_have_text("Sorry")


def test_versions_stand_side_by_side_and_one_is_made_current(tab: Tab, world: Served) -> None:
    world.engine.workflows.register(workflow(PASS, "two"))
    world.engine.workflows.register(workflow(PASS | {"Comment": "the second one"}, "two"))
    tab.open("/workflows/two/versions")
    changed = tab.page.locator(".d-added .d-new, .d-changed .d-new")
    expect(changed.filter(has_text="the second one")).to_have_text('"Comment": "the second one"')
    tab.button("Make it current").click()
    expect(tab.notice()).to_contain_text("two means version 1 now")
    assert [row.version.number for row in versions_of(world.store, "two") if row.is_current] == [1]


def test_the_editor_tells_problems_as_one_types_draws_and_saves(tab: Tab, world: Served) -> None:
    world.engine.workflows.register(workflow(LOOP, "edited"))
    tab.open("/workflows/edited/edit")
    editor = tab.page.locator("#editor .cm-content")
    verdict = tab.page.locator("#verdict")
    expect(verdict).to_have_text("valid")
    expect(tab.page.locator('.g-node[aria-label^="Count,"]')).to_be_visible()
    editor.click()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}')
    expect(verdict).to_have_text("1 error")
    expect(tab.page.locator("#problems li").first).to_contain_text("'B'")
    expect(tab.page.locator("#editor .cm-lint-marker-error")).to_be_visible()
    expect(tab.page.locator(".g-node.missing")).to_be_visible()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    expect(verdict).to_have_text("valid")
    tab.button("Save as new version").click()
    expect(tab.notice()).to_contain_text("edited:2 is saved")
    assert [row.version.number for row in versions_of(world.store, "edited")] == [2, 1]


def test_an_invalid_definition_is_not_saved(world: Served) -> None:
    text = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    answer = world.ask("POST", "/save-workflow", 400, data={"name": "broken", "text": text})
    assert "SM" in answer.text
    assert "broken" not in [row.name for row in list_workflows(world.store)]
    answer = world.ask("POST", "/save-workflow", 400, data={"name": "a:b", "text": json.dumps(PASS)})
    assert "could not be asked for" in answer.text


def test_a_new_workflow_is_written_in_yaml_and_runs(tab: Tab, world: Served) -> None:
    tab.open("/new-workflow")
    tab.page.locator("#editor .cm-content").click()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text("StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n")
    expect(tab.page.locator("#verdict")).to_have_text("valid")
    tab.page.get_by_label("Name").fill("in-yaml")
    tab.button("Save as new version").click()
    expect(tab.notice()).to_contain_text("in-yaml:1 is saved")
    execution = world.engine.start(world.engine.find_workflow("in-yaml"), {})[0]
    with world.worker(Hands().handlers):
        soon(lambda: world.engine.find(execution.ref).closed)
