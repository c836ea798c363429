"""All pages of the dashboard."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sm_cli.server.pages import acting, batches, live, login, numbers, queues, schedules, statics, waiting
from sm_cli.server.pages.executions import bulk, data, listing, one
from sm_cli.server.pages.workflows import editing, showing, starting

#: One module for each page. What stands first is asked first.
_PAGES = (
    statics, login, live, listing, bulk, data, acting, one, waiting, batches, schedules, queues, starting, editing,
    showing, numbers,
)  # fmt: skip
#: Who cuts the end off the address of one thing comes to the list of all.
_LIST_OF = {"/executions": "/", "/map-runs": "/batches", "/messages": "/waiting"}


def pages_routes() -> list[BaseRoute]:
    """The routes for people."""
    routes = [route for page in _PAGES for route in page.router.routes]
    return [*routes, *(Route(address, _lead_to_list, methods=["GET"]) for address in _LIST_OF)]


async def _lead_to_list(request: Request) -> Response:
    place, query = _LIST_OF[request.url.path], request.url.query
    return RedirectResponse(f"{place}?{query}" if query else place, 307)
