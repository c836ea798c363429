"""The list of executions: live, with every filter in the address, and what is done to many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import SmError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.deeds import Sentence, sentence_of
from sm_cli.server.pages.executions.filters import ListAddress, read_list_address
from sm_cli.server.pages.moments import clock_text
from sm_cli.server.pages.paging import ListPage, page_of_rows
from sm_cli.server.pages.rendering import PageRoute, show_page
from sm_cli.server.problems import status_of
from sm_cli.views.listing import ExecutionPage, Status, count_executions, list_executions, page_after, workflow_names
from sm_cli.views.operating.workforce import known_handlers
from sm_cli.views.why import why

if TYPE_CHECKING:
    from sm_cli.views.records import Execution

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: What a row says that an execution waits for is looked at for so many of those that run.
_REASONS = 50


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """One execution of the list."""

    #: As it is now, without its data.
    execution: Execution
    #: What it waits for first; None when it is closed, and before anybody looked.
    why: Sentence | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether it goes on only when somebody does something."""
        return self.why is not None and self.why.is_stuck


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list."""

    #: What was asked for.
    address: ListAddress
    #: In the order that was asked for.
    page: ListPage[ExecutionRow]
    #: Now, microseconds since 1970 UTC.
    now: int


@router.get("/")
async def executions_page(request: Request, backend: TheBackend) -> Response:
    """The list; what those that run wait for is filled in when the page is open."""
    names = await backend.read(lambda: workflow_names(backend.store))
    listing: Listing | None = None
    problem, status = None, 200
    query: dict[str, Any] = {}
    try:
        listing = await backend.read(lambda: _listing(request, backend, has_reasons=False))
        query = listing.address.query
    except SmError as error:
        problem, status = error.message, status_of(error)
        for name in request.query_params:
            is_list = name in ("status", "tag", "after")
            query[name] = request.query_params.getlist(name) if is_list else request.query_params[name]
    return show_page(request, "executions/list.html", status, listing=listing, query=query, workflows=names,
                     error=problem, statuses=[*Status])  # fmt: skip


@router.get("/executions/rows")
async def rows_part(request: Request, backend: TheBackend) -> Response:
    """The rows of the list as they are now, with what those that run wait for."""
    listing = await backend.read(lambda: _listing(request, backend, has_reasons=True))
    return show_page(request, "executions/rows.html", listing=listing, query=listing.address.query)


@router.get("/executions/counts")
async def counts_part(request: Request, backend: TheBackend) -> Response:
    """How many executions the filter finds of each status."""

    def ask() -> tuple[ListAddress, dict[str, int]]:
        address = read_list_address(request.query_params, backend.store)
        counts = {
            status.value: count_executions(backend.store, address.filter._replace(statuses=(status,)))
            for status in Status
        }
        # Only an item of a batch, or of a map run, is ever pending: where there is none nobody asks for it.
        if not counts[Status.PENDING.value] and Status.PENDING not in address.filter.statuses:
            del counts[Status.PENDING.value]
        return address, counts

    address, counts = await backend.read(ask)
    return show_page(request, "executions/counts.html", counts=counts, query=address.filter_query)


def _listing(request: Request, backend: Backend, *, has_reasons: bool) -> Listing:
    store = backend.store
    address = read_list_address(request.query_params, store)
    limit = address.limit + 1
    part = ExecutionPage(limit, address.order)
    if address.trail:
        part = page_after(store, address.trail[-1], address.order, limit)
    rows = [ExecutionRow(execution) for execution in list_executions(store, address.filter, part)]
    if has_reasons:
        handlers = known_handlers(backend.engine)
        rows = [_with_reason(backend, row, number, handlers) for number, row in enumerate(rows)]
    page = page_of_rows(rows, address.limit, lambda row: row.execution.ref, "/", address.query, address.trail)
    return Listing(address, page, backend.engine.clock.now())


def _with_reason(backend: Backend, row: ExecutionRow, number: int, handlers: frozenset[str] | None) -> ExecutionRow:
    if row.execution.closed is not None or number >= _REASONS:
        return row
    reasons = why(backend.engine, row.execution, handlers=handlers, time_text=clock_text)
    return ExecutionRow(row.execution, sentence_of(reasons[0]) if reasons else None)
