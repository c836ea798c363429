"""The dashboard over Postgres: an execution followed live to its end, an act on many, what is related, every list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sm_cli.views.listing import ExecutionFilter, Status, count_executions
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import ORDER, STARTS, Hands
from tests.server.pages.tabs import Tab
from tests.server.serving import PASS, TASK, Served, served
from tests.stores import database


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Served]:
    with database("postgres", tmp_path) as url, served(url, tmp_path) as made:
        yield made


def test_an_execution_is_followed_live_and_many_are_stopped(chromium: Browser, on_postgres: Served) -> None:
    world, hands = on_postgres, Hands()
    hands.gate.clear()
    execution = world.start(ORDER, {"items": [1, 2, 3]}, called="order")
    many = [world.start({**TASK, "Comment": "nobody"}, called="many", queue="other") for _ in range(60)]
    world.engine.workflows.register(workflow(PASS, "child"))
    parent = world.start(STARTS, {"items": [{}, {}, {}]}, called="parent")
    with Tab.opened(chromium, world.address) as tab:
        tab.open(f"/executions/{execution.ref}")
        charge = tab.page.locator('.g-node[aria-label^="Charge,"]')
        with world.worker({name: hand for name, hand in hands.handlers.items() if name != "work"}):
            expect(charge).to_have_attribute("aria-label", "Charge, Task, RUNNING")
            hands.gate.set()
            expect(tab.page.locator("#head .pill").first).to_have_text("SUCCEEDED")
            soon(lambda: world.engine.find(parent.ref).closed)
        expect(tab.page.locator("#timeline")).to_contain_text("Done")
        tab.open(f"/executions/{parent.ref}?view=related")
        expect(tab.page.get_by_text("3 SUCCEEDED")).to_be_visible()
        pointer = "/States/Each/ItemProcessor/States/Run"
        state = world.ask("GET", f"/executions/{parent.ref}/state?pointer={pointer}", 200).text
        assert state.count('<a href="/executions/') == 1
        tab.open("/?workflow=many")
        expect(tab.page.locator("#rows tbody tr")).to_have_count(50)
        tab.page.get_by_role("link", name="Older").click()
        expect(tab.page.locator("#rows tbody tr")).to_have_count(10)
        tab.button("Stop…").click()
        tab.button("Stop 60 executions").click()
        expect(tab.page.locator("#bulk")).to_contain_text("60 of 60 stopped")
        for page in ("/waiting", "/batches", "/schedules", "/queues", "/statistics?since=7d", "/workflows"):
            tab.open(page)
        tab.check()
    stopped = ExecutionFilter(workflow="many", statuses=(Status.ABORTED,))
    assert count_executions(world.store, stopped) == len(many)
