"""All pages of the dashboard."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sm_cli.server.pages import acting, batches, live, login, numbers, queues, schedules, statics, waiting
from sm_cli.server.pages.executions import bulk, data, listing, one
from sm_cli.server.pages.workflows import editing, showing, starting

#: One module for each page. What stands first is asked first.
_PAGES = (
    statics, login, live, listing, bulk, data, acting, one, waiting, batches, schedules, queues, starting, editing,
    showing, numbers,
)  # fmt: skip


def pages_routes() -> list[BaseRoute]:
    """The routes for people."""
    return [route for page in _PAGES for route in page.router.routes]
