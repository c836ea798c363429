"""How the pages look: every one of them at three widths, in light and dark, checked by axe-core and photographed.

People look at them too: the pictures are in SM_SCREENSHOTS, else in pytest's own folder, which the first test names
in its report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from sm_cli.views.map_runs import find_map_runs
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import ASK, EVIL, LOOP, MANY, NOBODY, ORDER, Hands
from tests.server.pages.tabs import Tab
from tests.server.serving import MESSAGE, PASS, TASK, Served

#: Pixels, and the colours that each is photographed in; narrower each time, as when somebody makes a window smaller.
WIDTHS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1440, "light"), (820, "light"), (390, "dark"))
#: Name of the picture to the address; `{name}` is the public id of the execution of that name.
PAGES = {
    "executions": "/",
    "none": "/?workflow=nothing",
    "filters": "/?status=FAILED&until=2100-01-01",
    "bulk": "/executions/bulk?verb=stop",
    "succeeded": "/executions/{order}",
    "failed": "/executions/{evil}",
    "waiting-execution": "/executions/{message}",
    "loop": "/executions/{loop}",
    "events": "/executions/{order}?view=events",
    "data": "/executions/{order}?view=data",
    "related": "/executions/{many}?view=related",
    "workflows": "/workflows",
    "workflow": "/workflows/order",
    "versions": "/workflows/two/versions",
    "start": "/workflows/order/start",
    "edit": "/workflows/order/edit",
    "new": "/new-workflow",
    "waiting": "/waiting",
    "message": "/messages/1",
    "batches": "/batches",
    "batch": "/batches/{batch}",
    "map-run": "/map-runs/{many}",
    "map-run-open": "/map-runs/{open}",
    "schedules": "/schedules",
    "schedule": "/schedules/nightly",
    "new-schedule": "/new-schedule",
    "queues": "/queues",
    "statistics": "/statistics",
    "rest": "/docs",
    "nowhere": "/nowhere",
}
#: Pixels: the menu stands at the side, and leaves the least room.
_BESIDE_THE_MENU = 1100
_CUT_TABLES = """[...document.querySelectorAll(".table-card:not(:has(.diff))")]
  .filter((card) => card.scrollWidth > card.clientWidth + 1).map((card) => card.innerText.slice(0, 40))"""
#: Pages that say what is wrong, with a status that the browser writes into its console.
REFUSED = ("nowhere",)
#: All of axe-core's rules for light; for dark those about colours, the rest is the same.
_RULES: dict[str, Any] = {"resultTypes": ["violations"]}
_CONTRAST: dict[str, Any] = {"runOnly": ["color-contrast"], **_RULES}
_SCHEMES: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (("light", _RULES), ("dark", _CONTRAST))


@pytest.fixture(scope="module")
def refs(world: Served) -> dict[str, str]:
    """A bit of everything: the public ids of what the addresses name."""
    given = {
        "order": (ORDER, {"items": [1, 2, 3], "again": "looks"}), "evil": (EVIL, {}), "loop": (LOOP, {"n": 0}),
        "message": (MESSAGE, {"id": "L-1"}), "many": (MANY, {"items": [{"fails": n == 1} for n in range(4)]}),
    }  # fmt: skip
    made = {name: world.start(definition, input, called=name).ref for name, (definition, input) in given.items()}
    ask = world.start(ASK, {}, called="ask")
    world.engine.workflows.register(workflow(PASS, "two"))
    world.engine.workflows.register(workflow(PASS | {"Comment": "second"}, "two"))
    world.engine.publish("order", "l-1", {"amount": 3})
    made["open"] = world.start(NOBODY, {"items": [1, 2]}, called="open").ref
    world.engine.schedules.add("nightly", workflow(PASS, "two"), {}, cron="0 2 * * 1-5", zone="Europe/Berlin")
    made["batch"] = world.engine.batch(workflow(TASK, "item"), [{"fails": n == 2} for n in range(4)]).ref
    with world.worker(Hands().handlers):
        soon(lambda: world.engine.poll_activity("boss"))
        ended = [made[name] for name in ("order", "evil", "loop", "many", "batch")]
        soon(lambda: all(world.engine.find(ref).closed for ref in ended))
        soon(lambda: world.engine.find(made["message"]).events >= 3)
        soon(lambda: find_map_runs(world.engine, made["open"]))
    world.start(TASK, called="task")
    assert world.engine.find(ask.ref).closed is None
    return made


@dataclass
class Survey:
    """What was seen on all pages."""

    #: (page, width of the window, width of the content), pixels.
    widths: list[tuple[str, int, int]] = field(default_factory=list)
    #: Tables of which a part cannot be seen, with the width of the window; two texts side by side may be wider.
    cut: list[tuple[str, int, str]] = field(default_factory=list)
    #: What axe-core found, a line each.
    violations: list[str] = field(default_factory=list)
    #: Messages in consoles, errors of scripts, requests elsewhere.
    wrongs: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def survey(chromium: Browser, world: Served, refs: dict[str, str], screenshots: Path) -> Survey:
    """Every page, opened once, looked at in three widths and in light and dark."""
    seen, axe = Survey(), Axe()
    with Tab.opened(chromium, world.address) as tab:
        for name, address in PAGES.items():
            tab.page.set_viewport_size({"width": 1440, "height": 900})
            tab.page.emulate_media(color_scheme="light", reduced_motion="reduce")
            tab.open(address.format(**refs))
            for scheme, options in _SCHEMES:
                tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                for problem in axe.run(tab.page, options=options).response["violations"]:
                    places = [f"{node['target']} {node.get('failureSummary', '')}" for node in problem["nodes"][:2]]
                    seen.violations.append(f"{name}, {scheme}: {problem['id']}: {places}")
            # What is dark at one width is dark at all.
            for width, scheme in WIDTHS:
                tab.page.set_viewport_size({"width": width, "height": 900})
                tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                tab.page.screenshot(path=screenshots / f"{name}-{width}.png", full_page=True)
                seen.widths.append((name, width, tab.page.evaluate("document.documentElement.scrollWidth")))
            for width in (*(width for width, _ in WIDTHS), _BESIDE_THE_MENU):
                tab.page.set_viewport_size({"width": width, "height": 900})
                seen.cut += [(name, width, table) for table in tab.page.evaluate(_CUT_TABLES)]
            seen.wrongs += [f"{name}: {line}" for line in tab.wrongs if name not in REFUSED]
            tab.wrongs.clear()
    return seen


def test_no_page_has_to_be_scrolled_sideways(
    survey: Survey, screenshots: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("screenshots", str(screenshots))
    assert [each for each in survey.widths if each[2] > each[1]] == []
    assert len(survey.widths) == len(PAGES) * len(WIDTHS)


def test_no_table_has_to_be_scrolled_sideways(survey: Survey) -> None:
    assert survey.cut == []


def test_contrast_roles_and_names_are_right_on_every_page(survey: Survey) -> None:
    assert survey.violations == []


def test_no_page_complains_or_asks_another_host(survey: Survey) -> None:
    assert survey.wrongs == []


def test_a_page_can_be_read_and_used_without_scripts(chromium: Browser, world: Served, refs: dict[str, str]) -> None:
    with Tab.opened(chromium, world.address, has_scripts=False) as tab:
        tab.page.goto("/?workflow=task")
        tab.page.locator("#rows tbody a.strong").first.click()
        tab.page.locator("summary", has_text="Stop…").click()
        tab.page.get_by_role("button", name="Stop this execution").click()
        assert "is stopped" in tab.page.locator("main").inner_text()
        tab.check()


def test_a_first_page_is_small(chromium: Browser, world: Served) -> None:
    sizes: list[int] = []
    with Tab.opened(chromium, world.address) as tab:
        tab.page.on("response", lambda answer: sizes.append(len(answer.body())) if "/live" not in answer.url else None)
        tab.open("/")
        tab.page.wait_for_load_state("load")
    assert 0 < sum(sizes) < 300_000
