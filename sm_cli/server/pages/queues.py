"""Queues and workers: what stands where, how old it is, and who is there for it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.rendering import PageRoute, show_page
from sm_cli.views.operating.workforce import queue_report, worker_document, worker_rows

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/queues")
async def queues_page(request: Request, backend: TheBackend) -> Response:
    """Queues and workers."""
    return show_page(request, "queues/page.html", **await backend.read(lambda: _everything(backend)))


@router.get("/queues/lists")
async def queue_lists(request: Request, backend: TheBackend) -> Response:
    """Both lists as they are now."""
    return show_page(request, "queues/lists.html", **await backend.read(lambda: _everything(backend)))


def _everything(backend: Backend) -> dict[str, Any]:
    workers = worker_rows(backend.engine)
    return {"report": queue_report(backend.engine), "workers": [(row, worker_document(row)) for row in workers]}
