"""The door in a browser: a wrong token, the right one, and out again."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from sm_cli.server.settings import ServerSettings
from tests.server.pages.tabs import Tab
from tests.server.serving import served
from tests.stores import database

TOKEN = "a-token-that-nobody-guesses"


def test_whoever_has_the_token_comes_in_and_goes_out_again(
    chromium: Browser, tmp_path: Path, screenshots: Path
) -> None:
    settings = ServerSettings(port=0, token=TOKEN)
    with (
        database("sqlite", tmp_path) as url,
        served(url, tmp_path, settings) as here,
        Tab.opened(chromium, here.address) as tab,
    ):
        tab.page.goto("/waiting")
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("sm")
        assert Axe().run(tab.page).response["violations"] == []
        tab.page.screenshot(path=screenshots / "login-1440.png")
        tab.check()
        token = tab.page.get_by_label("Token of this server")
        token.fill("a-token-that-is-not-right")
        tab.button("Log in").click()
        expect(tab.page.get_by_role("alert")).to_have_text("This is not the token.")
        token.fill(TOKEN)
        tab.button("Log in").click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Waiting")
        tab.button("Log out").click()
        expect(token).to_be_visible()
        tab.page.goto("/")
        expect(token).to_be_visible()
