"""What happened in an execution: states, events, and events as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from itertools import islice
from typing import Annotated

from fastapi import Header, Query
from starlette.responses import Response, StreamingResponse

from sm_cli.engine.aws_history import aws_events
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.parameters import query_moment
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.event_streams import EventStream
from sm_cli.server.streams import lines_of, named_event
from sm_cli.views.executions import execution_now, result_document
from sm_cli.views.history import VisitFilter, events_of, first_event_since, visit_document, visits_of
from sm_cli.views.listing import execution_facts
from sm_cli.views.records import Execution

router = rest_router("history")

_MOST_EVENTS = 25_000
#: More than any history has.
_MOST_VISITS = 1_000_000
#: Events that a stream reads at once of what was before it.
_PORTION = 500
#: Seconds between two signs of life of a stream in which nothing happens.
_ALIVE = 15.0
_Entered = Annotated[str | None, Query(description="Entered at or after: RFC 3339, or a span like 2h before now.")]


@router.get("/executions/{execution}/history", summary="What happened in an execution, state by state")
async def get_states(
    execution: str, backend: TheBackend,
    failed: Annotated[bool, Query(description="Only states that failed.")] = False,
    state: Annotated[str | None, Query(description="Only the state of this name.")] = None,
    since: _Entered = None,
    limit: Annotated[int | None, Query(ge=1, le=_MOST_VISITS, description="At most so many, the newest.")] = None,
    data: Annotated[bool, Query(description="With inputs and outputs.")] = True,
) -> Response:  # fmt: skip
    """The execution, and `states`: each visit with its status, times, retries, error, input and output."""
    filter = VisitFilter(failed, state, query_moment(since, "since"), limit)

    def ask() -> Json:
        record = backend.engine.find(execution)
        visits = visits_of(backend.engine, record, filter, data=data)
        head = execution_facts(record)
        return {
            **head,
            "input": record.input,
            "output": record.output,
            "states": [visit_document(each) for each in visits],
        }

    return answer_json(await backend.read(ask))


@router.get("/executions/{execution}/events", summary="What happened in an execution, event by event")
async def get_events(
    execution: str, backend: TheBackend,
    after: Annotated[int, Query(ge=0, description="Only events with a higher number.")] = 0,
    since: _Entered = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS, description="At most so many.")] = 1000,
) -> Response:  # fmt: skip
    """`events` as AWS's GetExecutionHistory gives them, and `next`: the `after` of the page after it, or null."""

    def ask() -> Json:
        record = backend.engine.find(execution)
        begin = after
        if (moment := query_moment(since, "since")) is not None:
            begin = max(begin, first_event_since(backend.engine, record, moment) - 1)
        events = [*islice(events_of(backend.engine, record, begin), limit)]
        is_last = not events or events[-1].number >= record.events
        return {"events": [*aws_events(events)], "next": None if is_last else events[-1].number}

    return answer_json(await backend.read(ask))


@router.get(
    "/executions/{execution}/events/stream", summary="Follow an execution",
    response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}},
)  # fmt: skip
async def get_event_stream(
    execution: str, backend: TheBackend,
    after: Annotated[int | None, Query(ge=0, description="Only events with a higher number.")] = None,
    last_event_id: Annotated[str | None, Header(description="Where a client goes on that lost the line.")] = None,
) -> Response:  # fmt: skip
    """Server-sent events: each `event: history` with its number as id and the event as AWS gives it; at the end one
    `event: end` with what became of the execution. A client that comes again says Last-Event-ID. 503 where too many
    follow. Raises UsageError."""
    if last_event_id and not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 16):
        raise UsageError("Last-Event-ID is none that this stream has given")
    begin = int(last_event_id) if last_event_id else after or 0
    record = await backend.read(lambda: backend.engine.find(execution))
    return EventStream(backend.places, stream_events(backend, record, begin))


def _page(backend: Backend, execution: Execution, after: int) -> tuple[bytes, int]:
    """(events behind this number as they stand in a stream, the number of the last; `after` when there are none)."""
    lines = lines_of([*islice(events_of(backend.engine, execution, after), _PORTION)])
    return b"".join(line.text for line in lines), lines[-1].number if lines else after


async def stream_events(backend: Backend, execution: Execution, after: int) -> AsyncGenerator[bytes]:
    """The stream of an execution's events behind this number, until it or the server ends. What a slow reader has not
    taken is not kept for it, but read again."""
    with backend.feed.following(execution) as queue:
        is_closed = False
        is_behind = True  # what was written before
        while not is_closed:
            if is_behind:
                current = await backend.read(lambda: execution_now(backend.engine, execution.id)) or execution
                is_closed = current.closed is not None
                while after < current.events:
                    text, last = await backend.read(partial(_page, backend, current, after))
                    if last == after:
                        break  # it was deleted
                    after = last
                    yield text
                is_behind = False
                continue
            try:
                async with asyncio.timeout(_ALIVE):
                    news = await queue.get()
            except TimeoutError:
                yield b": alive\n\n"
                continue
            if news is None:
                return  # the server ends, and the client comes again
            if news.lines and news.lines[0].number > after:
                text = news.text
            else:
                text = b"".join(line.text for line in news.lines if line.number > after)
            after = max(after, news.lines[-1].number) if news.lines else after
            is_behind, is_closed = news.has_gap, news.is_closed and not news.has_gap
            if text:
                yield text
    end = await backend.read(lambda: execution_now(backend.engine, execution.id))
    document: Json = {"status": "DELETED"} if end is None else result_document(end)
    yield named_event("end", document)
