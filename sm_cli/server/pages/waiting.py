"""What waits for somebody: open waits for messages, tasks that were handed over, and the messages that there are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, show_page
from sm_cli.views.messages import find_message, list_messages, list_waits, message_document, near_messages
from sm_cli.views.records import MessageFilter, MessageStatus, WaitFilter
from sm_cli.views.tasks import handed_over_tasks

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Rows of each of the three lists.
_ROWS = 100


def _everything(request: Request, backend: Backend) -> dict[str, Any]:
    parameters, engine = request.query_params, backend.engine
    query = {
        name: text for name in ("key", "value", "workflow", "status") if (text := parameters.get(name, "").strip())
    }
    if "value" in query and "key" not in query:
        raise UsageError("a value is looked for together with its key")
    key, value = query.get("key"), query.get("value")
    waits = list_waits(backend.store, WaitFilter(key, value, query.get("workflow"), limit=_ROWS))
    status = _status(query.get("status"))
    messages = list_messages(engine, MessageFilter(engine.clock.now(), key, value, status, limit=_ROWS))
    return {
        "waits": waits, "near": near_messages(engine, waits), "tasks": handed_over_tasks(engine, _ROWS),
        "messages": messages, "now": engine.clock.now(), "query": query, "rows": _ROWS, "statuses": [*MessageStatus],
    }  # fmt: skip


def _status(text: str | None) -> MessageStatus | None:
    try:
        return None if text is None else MessageStatus(text)
    except ValueError:
        raise UsageError(f"a message is {', '.join(MessageStatus)}, not {text!r}") from None


@router.get("/waiting")
async def waiting_page(request: Request, backend: TheBackend) -> Response:
    """All that waits."""
    return show_page(request, "waiting/page.html", **await backend.read(lambda: _everything(request, backend)))


@router.get("/waiting/lists")
async def waiting_lists(request: Request, backend: TheBackend) -> Response:
    """The three lists as they are now."""
    return show_page(request, "waiting/lists.html", **await backend.read(lambda: _everything(request, backend)))


@router.get("/messages/{number}")
async def message_page(request: Request, backend: TheBackend, number: str) -> Response:
    """One message, with its data and what became of it."""

    def ask() -> dict[str, Any]:
        message = find_message(backend.engine, number)
        return {"message": message, "document": message_document(backend.engine, message)}

    return show_page(request, "waiting/message.html", **await backend.read(ask))


@router.post("/messages/{number}/delete")
async def forget_message(request: Request, backend: TheBackend, number: str) -> Response:
    """Forget a message that nobody received."""
    await form_of(request)
    message = await backend.read(lambda: find_message(backend.engine, number))
    await backend.change(lambda: backend.engine.delete_message(message))
    return notice(request, f"Message {message.id} ({message.key}={message.value}) is deleted.", link="/waiting")
