"""Executions: started, listed, counted, shown, waited for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from sm_cli.engine.engine import NewExecution
from sm_cli.engine.payload_warnings import refuse_beyond_aws
from sm_cli.errors import Conflict, StillRunning
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.acting import KEY_HEADER, Reply, perform
from sm_cli.server.api.bodies import StartBody
from sm_cli.server.api.definitions import requested_workflow, transform_of
from sm_cli.server.api.links import action_document, path_to
from sm_cli.server.api.paging import Cursor, Limit, page_response
from sm_cli.server.api.parameters import Chosen, cursor_after, read_page, span_of
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.feed import wait_for_end
from sm_cli.timestamps import rfc3339
from sm_cli.views.executions import (
    execution_document,
    execution_failure,
    failure_document,
    result_document,
    wait_sentence,
)
from sm_cli.views.listing import (
    Execution,
    ExecutionFilter,
    count_executions,
    execution_facts,
    list_executions,
    map_run_id,
)
from sm_cli.views.why import why

router = rest_router("executions")

#: Seconds that a request may wait for an end.
_LONGEST_WAIT = 300.0
_Wait = Annotated[str | None, Query(description="Wait so long for its end: 30s; at most 300s.")]
_MapRun = Annotated[str | None, Query(description="The children of this map run.")]


@router.post("/executions", status_code=201, summary="Start an execution")
async def post_execution(body: StartBody, request: Request, backend: TheBackend, wait: _Wait = None) -> Response:
    """201 and where it is, or 200 when the same execution runs already. With `wait` 200 and what became of it, or 202
    when it has not ended in that time; whether or not the client waits, it goes on."""
    seconds = _seconds(wait)
    if KEY_HEADER in request.headers:
        response = await perform(request, backend, lambda: _start_answer(*start(backend, body)))
        if seconds is None or response.status_code >= 400:
            return response
        ref = response.headers["location"].rpartition("/")[2]
        execution = await backend.read(lambda: backend.engine.find(ref))
    else:
        execution, new = await backend.start(lambda: new_execution(backend, body))
        if seconds is None:
            return _start_answer(execution, new).response()
    return await _end_response(backend, execution, seconds)


def start(backend: Backend, body: StartBody) -> tuple[Execution, bool]:
    """Start what a body asks for, alone: (the execution, whether it is new). Raises as `Engine.start` does."""
    return backend.start_alone(new_execution(backend, body))


def new_execution(backend: Backend, body: StartBody) -> NewExecution:
    """What a body asks for. Raises as `Engine.new_execution` does, and NotFound."""
    engine, project = backend.engine, backend.project
    target = requested_workflow(backend, body.workflow, body.definition, body.workflow_name)
    data = {} if body.input is None and body.source is None else body.input
    if project.aws_limits:
        refuse_beyond_aws(data)
    origin = None if body.source is None else engine.find_source(
        body.source, transform=transform_of(body.transform), allow_failed=body.allow_failed, unique=body.unique
    )  # fmt: skip
    return engine.new_execution(
        target, data, name=body.name, timeout=body.timeout, queue=body.queue or project.queue_of(target.name),
        limits=project.aws_limits, tags=body.tags, source=origin,
    )  # fmt: skip


def _start_answer(execution: Execution, new: bool) -> Reply:
    return Reply(execution_facts(execution), 201 if new else 200, {"Location": path_to("executions", execution.ref)})


async def _end_response(backend: Backend, execution: Execution, seconds: float) -> Response:
    location = {"Location": path_to("executions", execution.ref)}
    if execution.closed is None:
        await wait_for_end(backend.feed, execution, seconds)
    current = await backend.read(lambda: backend.engine.find(execution.ref))
    return answer_json(result_document(current), 202 if current.closed is None else 200, location)


def _seconds(wait: str | None) -> float | None:
    return None if wait is None else min(span_of(wait, "wait"), _LONGEST_WAIT)


@router.get("/executions", summary="List executions")
async def get_executions(
    request: Request, chosen: Chosen, backend: TheBackend, map_run: _MapRun = None, limit: Limit = 50,
    sort: Annotated[str, Query(description="started, ended, duration or name; - before it: reversed.")] = "-started",
    cursor: Cursor = None,
) -> Response:  # fmt: skip
    """`items`, and `next`: the cursor of the page after it, null on the last page."""
    page = read_page(limit, sort, cursor)

    executions = await backend.read(
        lambda: list_executions(backend.store, _in_run(backend, chosen, map_run), page)
    )  # fmt: skip
    return page_response(request, [execution_facts(each) for each in executions], cursor_after(executions, page, sort))


def _in_run(backend: Backend, chosen: ExecutionFilter, map_run: str | None) -> ExecutionFilter:
    return chosen if map_run is None else chosen._replace(run=map_run_id(backend.store, map_run))


@router.get("/executions/count", summary="Count executions")
async def get_execution_count(chosen: Chosen, backend: TheBackend, map_run: _MapRun = None) -> Response:
    """`count`: how many the filters choose."""
    count = await backend.read(lambda: count_executions(backend.store, _in_run(backend, chosen, map_run)))
    return answer_json({"count": count})


@router.get("/executions/{execution}", summary="Show an execution")
async def get_execution(execution: str, backend: TheBackend) -> Response:
    """Its facts and data, where it failed, what it is linked with; while it runs, `waits_for`: each a sentence and what
    can be done about it."""

    def ask() -> Json:
        document, waits, _ = execution_document(backend.engine, backend.engine.find(execution))
        document["waits_for"] = [
            {"state": wait.state, "text": wait_sentence(wait, rfc3339), "action": action_document(wait.action)}
            for wait in waits
        ]
        return document

    return answer_json(await backend.read(ask))


@router.get("/executions/{execution}/wait", summary="Wait until an execution is closed")
async def get_execution_end(execution: str, backend: TheBackend, timeout: _Wait = "30s") -> Response:
    """200 and what became of it, or 202 when it has not ended in that time."""
    seconds = _seconds(timeout)
    record = await backend.read(lambda: backend.engine.find(execution))
    return await _end_response(backend, record, 0 if seconds is None else seconds)


@router.get("/executions/{execution}/output", summary="The output of an execution")
async def get_output(execution: str, backend: TheBackend) -> Response:
    """The output, and nothing else. 409 of one that runs, or did not succeed. Raises StillRunning, Conflict."""

    def ask() -> Json:
        record = backend.engine.find(execution)
        if record.closed is None:
            raise StillRunning(f"execution {record.name} is {record.status}: it has no output yet")
        if record.status.value != "SUCCEEDED":
            raise Conflict(f"execution {record.name} is {record.status}: it has no output")
        return record.output

    return answer_json(await backend.read(ask))


@router.get("/executions/{execution}/why", summary="Why an execution does not go on")
async def get_reasons(execution: str, backend: TheBackend) -> Response:
    """`reasons`: each a kind, a sentence, and what would move it; `failure`: where it failed."""

    def ask() -> Json:
        record = backend.engine.find(execution)
        reasons = why(backend.engine, record, time_text=rfc3339)
        return {
            "execution_id": record.ref,
            "status": record.status.value,
            "failure": failure_document(execution_failure(backend.engine, record)),
            "reasons": [
                {
                    "kind": reason.kind,
                    "text": reason.text,
                    "state": reason.state,
                    "action": action_document(reason.action),
                    "until": None if reason.until is None else rfc3339(reason.until),
                    "traceback": None if reason.traceback is None else reason.traceback.text,
                }
                for reason in reasons
            ],
        }

    return answer_json(await backend.read(ask))
