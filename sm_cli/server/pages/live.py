"""What an open page follows: a word each time that something was written. What it was the page asks itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from starlette.responses import Response

from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.event_streams import EventStream
from sm_cli.server.pages.rendering import PageRoute
from sm_cli.views.records import Execution

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Seconds between two words, at least: of everything, of one execution.
_EVERYTHING, _ONE = 1.0, 0.25
_WORD = b"event: commit\ndata: 1\n\n"
_BEGINNING = b"retry: 1000\n\n"


@router.get("/live")
async def follow_live(backend: TheBackend, execution: str | None = None) -> Response:
    """Server-sent events: `commit` for anything that was written, or for one execution and its end."""
    if execution is None:
        return EventStream(backend.places, _all(backend))
    record = await backend.read(lambda: backend.engine.find(execution))
    return EventStream(backend.places, _of(backend, record))


async def _all(backend: Backend) -> AsyncGenerator[bytes]:
    yield _BEGINNING
    async for _ in backend.feed.changes(_EVERYTHING):
        yield _WORD


async def _of(backend: Backend, execution: Execution) -> AsyncGenerator[bytes]:
    yield _BEGINNING
    with backend.feed.following(execution, events=False) as queue:
        while (news := await queue.get()) is not None:
            while not queue.empty() and news is not None:
                news = queue.get_nowait()
            yield _WORD
            if news is None:
                return
            await asyncio.sleep(_ONE)
