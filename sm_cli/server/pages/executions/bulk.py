"""Stopping or redriving many executions: counted, confirmed, then done in portions that show how far they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.executions.filters import read_list_address
from sm_cli.server.pages.rendering import PageRoute, form_of, read_query, show_page, with_query
from sm_cli.views.listing import ExecutionFilter, Status, matching_executions, short_execution

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from sm_cli.views.records import Execution

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Seconds that one request works; then the page shows how far it is and goes on.
_PORTION = 0.5
#: So many are named before it is done, and so many refusals after it.
_NAMED = 10
_VERBS = {"stop": (Status.RUNNING,), "redrive": (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)}
PAST = {"stop": "stopped", "redrive": "redriven"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be done to which executions."""

    #: `stop` or `redrive`.
    verb: str
    #: Ids, oldest first.
    ids: list[int]
    #: How many of those that were chosen one by one are in no state for it.
    unfit: int


def _select(backend: Backend, parameters: QueryParams) -> Selection:
    """What the address means. Raises UsageError, NotFound, Conflict."""
    verb = parameters.get("verb", "")
    if verb not in _VERBS:
        raise UsageError("many executions can be stopped or redriven, nothing else")
    statuses = _VERBS[verb]
    refs = [ref for ref in parameters.getlist("id") if ref]
    if refs:
        executions = [backend.engine.find(ref) for ref in dict.fromkeys(refs)]
        fit = sorted(each.id for each in executions if each.status in statuses)
        return Selection(verb, fit, len(executions) - len(fit))
    filter: ExecutionFilter = read_list_address(parameters, backend.store).filter
    wanted = tuple(status for status in statuses if not filter.statuses or status in filter.statuses)
    ids = matching_executions(backend.store, filter._replace(statuses=wanted)) if wanted else []
    return Selection(verb, ids, 0)


@router.get("/executions/bulk")
async def confirm(request: Request, backend: TheBackend) -> Response:
    """Ask before it is done: how many, and the first of them."""

    def ask() -> dict[str, Any]:
        selection = _select(backend, request.query_params)
        some = [short_execution(backend.store, id) for id in selection.ids[:_NAMED]]
        return {
            "selection": selection, "some": [each for each in some if each is not None], "past": PAST[selection.verb],
            "newest": max(selection.ids, default=0), "address": f"/executions/bulk?{request.url.query}",
            "back": _way_back(request),
        }  # fmt: skip

    return show_page(request, "executions/bulk.html", **await backend.read(ask))


@router.post("/executions/bulk")
async def act_on_many(request: Request, backend: TheBackend) -> Response:
    """Do a portion of it, and say how far it is. Only what the person was shown is done: nothing newer."""
    form = await form_of(request)
    newest, after, total, done = (_number(form, name) for name in ("newest", "after", "total", "done"))
    refusals = [line for line in form.get("refusals", "").split("\n") if line]
    selection = await backend.read(lambda: _select(backend, request.query_params))
    ids = [id for id in selection.ids if after < id <= newest]
    end = time.monotonic() + _PORTION
    while ids and time.monotonic() < end:
        after = ids.pop(0)
        execution = await backend.read(partial(short_execution, backend.store, after))
        refusal = await _act(backend, selection.verb, execution)
        if refusal is None:
            done += 1
        else:
            refusals.append(refusal)
    return show_page(
        request, "executions/bulk_progress.html", verb=selection.verb, past=PAST[selection.verb], left=len(ids),
        total=total, done=done, after=after, newest=newest, refusals=refusals,
        address=f"/executions/bulk?{request.url.query}", back=_way_back(request),
    )  # fmt: skip


def _way_back(request: Request) -> str:
    """The list that the executions were chosen from, with its filters."""
    return with_query("/", {**read_query(request), "verb": None, "id": None})


async def _act(backend: Backend, verb: str, execution: Execution | None) -> str | None:
    """Do it to one; what was in the way, or None."""
    if execution is None:
        return "one is not there any more"
    try:
        if verb == "stop":
            await backend.change(lambda: backend.engine.stop(execution))
        else:
            await backend.change(lambda: backend.engine.redrive(execution))
    except (Conflict, NotFound) as error:
        return error.message
    return None


def _number(form: dict[str, str], name: str) -> int:
    text = form.get(name, "0")
    if not text.isdecimal() or len(text) > 18:
        raise UsageError(f"{name} is a number, not {text!r}")
    return int(text)
