"""Messages and who waits for them, and the tasks that somebody outside ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.acting import Reply, perform
from sm_cli.server.api.bodies import FailureBody, HeartbeatBody, MessageBody, SuccessBody
from sm_cli.server.api.paging import Cursor, Limit, cursor_text, number_of_cursor, page_response, read_cursor
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import TheBackend
from sm_cli.views.listing import execution_facts
from sm_cli.views.messages import (
    find_message,
    list_messages,
    list_waits,
    message_document,
    sent_document,
    wait_document,
)
from sm_cli.views.records import Execution, MessageFilter, MessageStatus, WaitFilter, WaitPlace
from sm_cli.views.tasks import handed_over_tasks, task_document

router = rest_router("messages")
tasks = rest_router("tasks")

_Key = Annotated[str | None, Query(description="Only this correlation key.")]
_Value = Annotated[str | None, Query(description="With key: and this value.")]


@router.post("/messages", summary="Send a message")
async def post_new_message(body: MessageBody, request: Request, backend: TheBackend) -> Response:
    """What became of it: `outcome` is delivered (to `executions`), buffered (`until`), duplicate (of `first`), or
    not_delivered: nothing was kept. `near`: sentences about what it just missed."""

    def act() -> Reply:
        engine = backend.engine
        target = None if body.execution is None else engine.find(body.execution)
        sent = engine.publish(
            body.key, body.value, {} if body.data is None else body.data, message_id=body.message_id, ttl=body.ttl,
            to=body.to, strict_type=body.strict_type, require_match=body.require_match, execution=target,
        )  # fmt: skip
        return Reply(sent_document(engine, body.key, body.value, sent))

    return await perform(request, backend, act)


@router.get("/messages", summary="List messages")
async def get_messages(
    request: Request, backend: TheBackend, key: _Key = None, value: _Value = None,
    status: Annotated[MessageStatus | None, Query(description="Only these.")] = None, limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:  # fmt: skip
    """`items`, newest first, without their data, and `next`."""
    _check_value(key, value)
    before = number_of_cursor(cursor, "messages")

    def ask() -> tuple[list[Json], str | None]:
        found = list_messages(
            backend.engine, MessageFilter(backend.engine.clock.now(), key, value, status, before, limit)
        )
        items: list[Json] = []
        for message in found:
            document = message_document(backend.engine, message)
            del document["data"]  # a list comes without what may be large
            items.append(document)
        return items, cursor_text("messages", found[-1].id) if len(found) == limit else None

    return page_response(request, *await backend.read(ask))


@router.get("/messages/{message}", summary="Show a message")
async def get_message(message: str, backend: TheBackend) -> Response:
    """By its number, or its sender's id: its data, who received it, and what it came too late for."""
    return answer_json(
        await backend.read(lambda: message_document(backend.engine, find_message(backend.engine, message)))
    )


@router.delete("/messages/{message}", summary="Delete a message that nobody has received")
async def delete_kept_message(message: str, request: Request, backend: TheBackend) -> Response:
    """409 when it was received: it is kept so that a repeat is known."""

    def act() -> Reply:
        record = find_message(backend.engine, message)
        backend.engine.delete_message(record)
        return Reply({"deleted": [record.id]})

    return await perform(request, backend, act)


def _place_of(cursor: str | None) -> WaitPlace | None:
    """Where a page of waits begins: what comes before it depends on the filter. Raises UsageError."""
    place = read_cursor(cursor, "waits", int, int, str, int)
    if place is None:
        return None
    execution, frame, value, since = place
    return WaitPlace(int(execution), int(frame), str(value), int(since))


@router.get("/waits", summary="List what executions wait for")
async def get_waits(
    request: Request, backend: TheBackend, key: _Key = None, value: _Value = None,
    workflow: Annotated[str | None, Query(description="Only executions of this workflow.")] = None,
    limit: Limit = 50, cursor: Cursor = None,
) -> Response:  # fmt: skip
    """`items`, about oldest first: which execution waits in which state for which key and value; and `next`."""
    _check_value(key, value)
    filter = WaitFilter(key, value, workflow, limit=limit, place=_place_of(cursor))
    waits = await backend.read(lambda: list_waits(backend.store, filter))
    after = None
    if len(waits) == limit:
        last = waits[-1].subscription
        after = cursor_text("waits", last.execution, last.frame, last.value, last.since)
    return page_response(request, [wait_document(wait) for wait in waits], after)


def _check_value(key: str | None, value: str | None) -> None:
    if value is not None and key is None:
        raise UsageError("value belongs to key")


@tasks.get("/tasks", summary="List tasks that wait for a callback")
async def get_tasks(request: Request, backend: TheBackend, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """`items`, oldest first, with their tokens, and `next`."""
    after = number_of_cursor(cursor, "tasks") or 0
    found = await backend.read(lambda: handed_over_tasks(backend.engine, limit, after))
    following = cursor_text("tasks", found[-1].number) if len(found) == limit else None
    return page_response(request, [task_document(task) for task in found], following)


@tasks.post("/tasks/success", summary="A task is done")
async def post_success(body: SuccessBody, request: Request, backend: TheBackend) -> Response:
    """The execution that goes on. 400 for a token that is none of ours, 409 for one whose task has ended."""
    output = {} if body.output is None else body.output
    return await _call_back(request, backend, lambda: backend.engine.task_succeeded(body.token, output))


@tasks.post("/tasks/failure", summary="A task went wrong")
async def post_failure(body: FailureBody, request: Request, backend: TheBackend) -> Response:
    """The execution, whose Retry and Catch apply."""
    return await _call_back(request, backend, lambda: backend.engine.task_failed(body.token, body.error, body.cause))


@tasks.post("/tasks/heartbeat", summary="A task is still worked on")
async def post_heartbeat(body: HeartbeatBody, request: Request, backend: TheBackend) -> Response:
    """The execution; HeartbeatSeconds begin anew."""
    return await _call_back(request, backend, lambda: backend.engine.task_beat(body.token))


async def _call_back(request: Request, backend: TheBackend, call: Callable[[], Execution]) -> Response:
    return await perform(request, backend, lambda: Reply(execution_facts(call())))
