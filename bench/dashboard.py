"""The dashboard: an execution of 25,000 events in a browser, and the first page of 1,000,000 executions."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench.million import build
from bench.report import Figure
from tests.engine.workers import workflow
from tests.server.serving import served

#: Items of a Map with two states each: 6 events an item.
ITEMS, COUNT, PROGRAM = 4166, 1_000_000, "chromium"
_PASS = {"Type": "Pass"}
_MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "A", "States": {"A": {**_PASS, "Next": "B"}, "B": {**_PASS, "End": True}}},
            "End": True,
        }
    },
}


def run(folder: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        url = f"sqlite:{folder / 'events.db'}?sync=normal"
        here = stack.enter_context(served(url, folder))
        execution = here.engine.start(workflow(_MAP), {"items": [*range(ITEMS)]})[0]
        with here.worker():
            while here.engine.find(execution.ref).closed is None:
                time.sleep(0.05)
        address = f"{here.address}/executions/{execution.ref}"
        events = f"{here.engine.find(execution.ref).events:,} events"
        yield Figure(f"the page of {events}, from the server", _span(address), "ms")
        yield Figure("its timeline, asked for the first time", _span(f"{address}/timeline", times=1), "ms")
        yield Figure("its timeline, again", _span(f"{address}/timeline"), "ms")
        yield Figure("its marks", _span(f"{address}/marks"), "ms")
        if shutil.which(PROGRAM):
            yield Figure("the page, until the browser shows its timeline", _in_browser(address), "ms", "<= 1000")
    path = folder / "million.db"
    build(path, COUNT)
    with served(f"sqlite:{path}", folder) as here:
        yield Figure(f"the first page of {COUNT:,} executions", _span(f"{here.address}/"), "ms", "<= 100")
        yield Figure("its rows, with what they wait for", _span(f"{here.address}/executions/rows"), "ms")
        yield Figure("its counts by status", _span(f"{here.address}/executions/counts"), "ms")


def _span(address: str, times: int = 5) -> float:
    """Milliseconds of the quickest answer."""
    spans = []
    with httpx.Client(timeout=120, trust_env=False) as http:
        for _ in range(times):
            begun = time.perf_counter()
            http.get(address).raise_for_status()
            spans.append(time.perf_counter() - begun)
    return min(spans) * 1000


def _in_browser(address: str) -> float:
    """Milliseconds from the address to the first row of the timeline; the quickest of three, each in a new tab."""
    from playwright.sync_api import sync_playwright

    spans = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(PROGRAM), args=["--no-sandbox"])
        for _ in range(3):
            page = browser.new_page()
            begun = time.perf_counter()
            page.goto(address, wait_until="commit")
            page.locator("#timeline .t-row").first.wait_for()
            spans.append(time.perf_counter() - begun)
            page.close()
        browser.close()
    return min(spans) * 1000
