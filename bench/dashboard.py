"""The dashboard: an execution of 25,000 events in a browser, and the first page of 1,000,000 executions."""

from __future__ import annotations

import gc
import shutil
import statistics
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
#: Tabs in which the page of an execution is opened that nobody has looked at.
_TABS = 5
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
        gc.freeze()  # as `sm serve` does
        made = [here.engine.start(workflow(_MAP), {"items": [*range(ITEMS)]})[0] for _ in range(1 + _TABS)]
        with here.worker():
            while any(here.engine.find(execution.ref).closed is None for execution in made):
                time.sleep(0.05)
        execution, *others = made
        address = f"{here.address}/executions/{execution.ref}"
        events = f"{here.engine.find(execution.ref).events:,} events"
        yield Figure(f"the page of {events}, from the server", _span(address), "ms")
        yield Figure("its timeline, asked for the first time", _span(f"{address}/timeline", times=1), "ms")
        yield Figure("its timeline, again", _span(f"{address}/timeline"), "ms")
        yield Figure("its marks", _span(f"{address}/marks"), "ms")
        if shutil.which(PROGRAM):
            spans = _in_browser([f"{here.address}/executions/{other.ref}" for other in others] + [address])
            first, again = statistics.median(spans[:-1]), spans[-1]
            yield Figure("the page, until the browser shows its timeline, the first time", first, "ms", "<= 1000")
            yield Figure("the same, of one that was looked at before", again, "ms")
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


def _in_browser(addresses: list[str]) -> list[float]:
    """Milliseconds from each address to the first row of the timeline, each in a new tab."""
    from playwright.sync_api import sync_playwright

    spans = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(PROGRAM), args=["--no-sandbox"])
        for address in addresses:
            page = browser.new_page()
            begun = time.perf_counter()
            page.goto(address, wait_until="commit")
            page.locator("#timeline .t-row").first.wait_for()
            spans.append((time.perf_counter() - begun) * 1000)
            page.close()
        browser.close()
    return spans
