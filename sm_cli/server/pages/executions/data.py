"""An execution's data as files: what is copied whole, and opened in a tab of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from sm_cli.errors import NotFound
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.executions.one import find_now
from sm_cli.server.pages.rendering import PageRoute
from sm_cli.timestamps import rfc3339
from sm_cli.views.executions import definition_of, execution_document
from sm_cli.views.history import events_of

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import Execution, HistoryEvent

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/executions/{ref}/data/{what}.json")
async def data_file(backend: TheBackend, ref: str, what: str) -> Response:
    """`input`, `output`, `definition` or `execution`, as indented JSON; `history` as one event a line."""
    if what == "history":
        execution = await backend.read(lambda: find_now(backend, ref))
        lines = (orjson.dumps(event_document(event)) + b"\n" for event in events_of(backend.engine, execution))
        return StreamingResponse(lines, media_type="application/x-ndjson")
    value = await backend.read(lambda: _value(backend, ref, what))
    return Response(orjson.dumps(value, option=orjson.OPT_INDENT_2), media_type="application/json")


def _value(backend: Backend, ref: str, what: str) -> Json:
    execution: Execution = backend.engine.find(ref)
    if what == "definition":
        return definition_of(backend.engine, execution)
    document, _, _ = execution_document(backend.engine, execution)
    if what == "execution":
        return document
    if what in ("input", "output"):
        return document[what]
    raise NotFound(f"an execution has no {what!r}")


def event_document(event: HistoryEvent) -> dict[str, Json]:
    """An event as JSON; its time is RFC 3339, UTC."""
    return {"id": event.number, "previous": event.previous, "at": rfc3339(event.at), "type": event.type,
            "frame": event.frame, **event.detail}  # fmt: skip
