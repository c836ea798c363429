"""`POST /`: one operation of AWS Step Functions for each request, named by X-Amz-Target."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from uuid import uuid4

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from sm_cli.errors import Conflict, DatabaseBusy, DatabaseError, UsageError
from sm_cli.project.definitions import files_by_name
from sm_cli.server.aws.answering import (
    CONTENT_TYPE,
    HttpAnswer,
    Prepared,
    answer_to,
    of_members,
    prepare_call,
    refusal,
    take,
)
from sm_cli.server.aws.executions import execution_to_start, start_refusal, started_members
from sm_cli.server.aws.refusals import CallRefused
from sm_cli.server.aws.request import ApiCall, Door, Pending
from sm_cli.server.aws.ways import Way
from sm_cli.server.backend import Backend, TheBackend

#: The region of a request that names none.
REGION = "us-east-1"
#: What clients send a call as.
_TYPES = (CONTENT_TYPE, "application/x-amz-json-1.1", "application/json")
#: The scope of a signature: `Credential=KEY/20260131/eu-west-1/states/aws4_request`.
_SCOPE = re.compile(r"Credential=[^,\s]*/\d{8}/(?P<region>[a-z0-9-]{1,32})/[a-z0-9-]+/aws4_request")
#: Seconds between two looks for a task, while much is written.
_LOOK = 0.05
#: What is waited for when nothing more comes: the server ends.
_OVER = object()


def aws_route() -> APIRoute:
    """The one route of AWS's protocol."""
    return APIRoute("/", answer_operation, methods=["POST"], include_in_schema=False)


async def answer_operation(request: Request, backend: TheBackend) -> Response:
    """The operation's answer, or AWS's exception."""
    door = door_of(backend, request.app.state.settings.account)
    body = await request.body()
    answer = check_type(request.headers) or prepare_call(
        door, request.headers.get("x-amz-target"), body, backend.project.region or region_of(request.headers),
        request.headers.get("x-amzn-trace-id"),
    )  # fmt: skip
    if isinstance(answer, Prepared):
        result = await _carry_out(backend, door, answer)
        answer = await _wait(request, backend, result) if isinstance(result, Pending) else result
    return Response(answer.body, answer.status, {**answer.headers, "x-amzn-RequestId": str(uuid4())})


def door_of(backend: Backend, account: str) -> Door:
    """What the operations of a server work on."""
    project = backend.project
    return Door(
        backend.engine, backend.handlers, account, project.aws_limits,
        lambda: files_by_name(backend.library.folder), project.queue_of, backend.change_from_thread,
    )  # fmt: skip


def check_type(headers: Mapping[str, str]) -> HttpAnswer | None:
    """A refusal of what is not JSON by its own word; None for what is."""
    type = headers.get("content-type", CONTENT_TYPE).partition(";")[0].strip().lower()
    if type in _TYPES:
        return None
    return refusal(CallRefused("SerializationException", f"the content type is {type[:80]!r}, and not {CONTENT_TYPE}"))


def region_of(headers: Mapping[str, str]) -> str:
    """The region that a request was signed for; the signature itself is nobody's concern."""
    match = _SCOPE.search(headers.get("authorization", ""))
    return REGION if match is None else match["region"]


async def _carry_out(backend: Backend, door: Door, call: Prepared) -> HttpAnswer | Pending:
    if call.way is Way.READ:
        return await backend.read(call.work)
    if call.way is Way.CHANGE:
        try:
            return await backend.change(call.work)
        except DatabaseBusy as e:
            return answer_to(e)
    if call.way is Way.START:
        return await _start(backend, call.call)
    try:
        return await backend.run(call.work)
    except asyncio.CancelledError:  # the server ends, and has waited as long as it may
        door.stop.set()
        raise


async def _start(backend: Backend, call: ApiCall) -> HttpAnswer:
    try:
        execution, _ = await backend.start(lambda: execution_to_start(call))
    except (Conflict, UsageError) as e:
        return answer_to(start_refusal(call, e))
    except Exception as e:
        return answer_to(e)
    return of_members(started_members(call, execution))


async def _wait(request: Request, backend: Backend, pending: Pending) -> HttpAnswer:
    """The answer when there is one. The caller's connection waits, and no thread. The time is up only between two
    looks: what was taken is answered."""
    end = asyncio.get_running_loop().time() + pending.seconds
    try:
        async with aclosing(backend.feed.changes(every=_LOOK)) as changes:
            while not await request.is_disconnected():
                if await backend.read(pending.is_ready):
                    answer = await backend.change(lambda: take(pending))
                    if answer is not None:
                        return answer
                async with asyncio.timeout_at(end):
                    if await anext(changes, _OVER) is _OVER:
                        break
    except TimeoutError:
        pass
    except DatabaseError as e:
        return answer_to(e)
    return of_members(pending.late)
