"""A tab of a real browser, and what must not happen in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Request, Response, expect

#: Milliseconds that something may take to be there; what a test waits for is a condition, never a time.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


@dataclass
class Tab:
    """One tab."""

    page: Page
    address: str
    #: What went wrong in it, a line each.
    wrongs: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def opened(
        cls, browser: Browser, address: str, width: int = 1440, scheme: Literal["light", "dark"] = "light",
        *, has_scripts: bool = True,
    ) -> Iterator[Tab]:  # fmt: skip
        """A tab in a session of its own, so wide."""
        context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce",
            java_script_enabled=has_scripts, base_url=address,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        tab = cls(context.new_page(), address)
        tab._watch()
        try:
            yield tab
        finally:
            context.close()

    def _watch(self) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.wrongs.append(f"console {message.type}: {message.text}")

        def failure(error: Error) -> None:
            self.wrongs.append(f"script: {error}")

        def request(asked: Request) -> None:
            if not asked.url.startswith((self.address, "data:", "blob:")):
                self.wrongs.append(f"asked elsewhere: {asked.url}")

        def response(answer: Response) -> None:
            if answer.status >= 400:
                self.wrongs.append(f"{answer.status}: {answer.url}")

        self.page.on("console", console)
        self.page.on("pageerror", failure)
        self.page.on("request", request)
        self.page.on("response", response)

    def check(self) -> None:
        """Nothing went wrong so far."""
        assert self.wrongs == []

    def open(self, path: str) -> None:
        """Open a page, until its parts are there."""
        self.page.goto(path)
        self.settle()

    def settle(self) -> None:
        """Until nothing is asked for any more, and nothing is put into the page."""
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)

    def text(self, name: str) -> Locator:
        """What has this text."""
        return self.page.get_by_text(name)

    def button(self, name: str, exact: bool = False) -> Locator:
        """A button, a link that looks like one, or what opens a form."""
        return self.page.get_by_role("button", name=name, exact=exact)

    def notice(self) -> Locator:
        """The newest notice."""
        return self.page.locator("#notices [data-notice]").last
