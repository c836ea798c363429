"""What waits for somebody: open waits for messages, tasks that were handed over, and the messages that there are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.paging import number_place, page_of_rows, read_trail
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, show_page
from sm_cli.views.messages import find_message, list_messages, list_waits, message_document, near_messages
from sm_cli.views.records import MessageFilter, MessageStatus, OpenWait, WaitFilter, WaitPlace
from sm_cli.views.tasks import handed_over_tasks

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Rows of each of the three lists.
_ROWS = 50
_ADDRESS = "/waiting"
#: Digits of the largest number of a place.
_DIGITS = 18


def _everything(request: Request, backend: Backend) -> dict[str, Any]:
    parameters, engine = request.query_params, backend.engine
    query: dict[str, Any] = {
        name: text for name in ("key", "value", "workflow", "status") if (text := parameters.get(name, "").strip())
    }
    if "value" in query and "key" not in query:
        raise UsageError("a value is looked for together with its key")
    places = {name: read_trail(parameters, name) for name in ("waits", "tasks", "messages")}
    whole = query | {name: list(trail) for name, trail in places.items() if trail}
    key, value, now = query.get("key"), query.get("value"), engine.clock.now()
    after = {name: number_place(places[name]) for name in ("tasks", "messages")}
    place = _wait_place(places["waits"])
    waits = list_waits(backend.store, WaitFilter(key, value, query.get("workflow"), limit=_ROWS + 1, place=place))
    wanted = MessageFilter(now, key, value, _status(query.get("status")), after["messages"], _ROWS + 1)
    tasks = handed_over_tasks(engine, _ROWS + 1, after["tasks"] or 0)
    return {
        "waits": page_of_rows(waits, _ROWS, _place_text, _ADDRESS, whole, places["waits"], "waits"),
        "near": near_messages(engine, waits[:_ROWS]),
        "tasks": page_of_rows(tasks, _ROWS, lambda task: task.number, _ADDRESS, whole, places["tasks"], "tasks"),
        "messages": page_of_rows(list_messages(engine, wanted), _ROWS, lambda message: message.id, _ADDRESS, whole,
                              places["messages"], "messages"),
        "now": now, "query": query, "whole": whole, "statuses": [*MessageStatus],
    }  # fmt: skip


def _place_text(wait: OpenWait) -> str:
    """Where a wait stands, as an address has it: what comes before and after it depends on the filter."""
    s = wait.subscription
    return f"{s.execution}.{s.frame}.{s.since}.{s.value}"


def _wait_place(trail: tuple[str, ...]) -> WaitPlace | None:
    """The place that a page of waits begins after; None: at the beginning. Raises UsageError."""
    if not trail:
        return None
    *numbers, value = trail[-1].split(".", 3)
    if len(numbers) != 3 or not all(number.isdecimal() and len(number) <= _DIGITS for number in numbers):
        raise UsageError(f"no wait stands at {trail[-1]!r}")
    execution, frame, since = map(int, numbers)
    return WaitPlace(execution, frame, value, since)


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
