"""A real Chromium over a real server. Where there is no browser these tests say so and skip; CI has one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.server.pages.tabs import Tab
from tests.server.serving import Served, served
from tests.stores import database

#: Programs that are one, in the order in which they are looked for.
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, without a window. It goes with these tests: as long as it is there, its driver has
    an event loop running in the main thread, and nobody else may begin one."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        text = f"no Chromium is installed ({', '.join(_PROGRAMS)} were looked for)"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root, which CI is; the pages are ours.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a file, over an empty database."""
    folder = tmp_path_factory.mktemp("world")
    with database("sqlite", folder) as url, served(url, folder) as made:
        yield made


@pytest.fixture(scope="module")
def shared_tab(chromium: Browser, world: Served) -> Iterator[Tab]:
    """One tab for all tests of a file: making one takes as long as opening three pages."""
    with Tab.opened(chromium, world.address) as made:
        yield made


@pytest.fixture
def tab(shared_tab: Tab) -> Iterator[Tab]:
    """A tab of that server's dashboard, empty. Whatever goes wrong in it fails the test: a message in the console, an
    error of a script, an answer that is none, a request to another host."""
    shared_tab.page.goto("about:blank")
    shared_tab.wrongs.clear()
    yield shared_tab
    shared_tab.check()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: SM_SCREENSHOTS, or a folder of pytest's."""
    named = os.environ.get("SM_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
