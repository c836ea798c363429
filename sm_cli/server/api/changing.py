"""Executions that run or ran: stopped, redriven, deleted, one or many."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from sm_cli.engine.retention import Pruned, delete_execution
from sm_cli.errors import SmError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.api.acting import Reply, perform
from sm_cli.server.api.bodies import RedriveBody, SeveralBody, StopBody
from sm_cli.server.api.definitions import workflow_from
from sm_cli.server.api.links import path_to
from sm_cli.server.api.parameters import Chosen
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.problems import problem_of
from sm_cli.views.executions import again_documents, execution_now, redrive_document
from sm_cli.views.listing import Execution, ExecutionFilter, Status, execution_facts, matching_executions

router = rest_router("executions")

_REDRIVABLE = (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


@router.post("/executions/stop", summary="Stop all executions that the query chooses")
async def post_stops(body: SeveralBody, chosen: Chosen, request: Request, backend: TheBackend) -> Response:
    """`count` and `items`, each the execution with its `status` or its `problem`; one that cannot be stopped holds up
    none of the others. `workflow`, `status` or `since` has to choose them."""

    def act(execution: Execution) -> dict[str, Json]:
        if body.dry_run:
            return {"status": execution.status.value}
        return {"status": backend.engine.stop(execution, error=body.error, cause=body.cause).status.value}

    return await _for_each(request, backend, chosen, (Status.RUNNING,), act)


@router.post("/executions/redrive", summary="Go on with all executions that the query chooses")
async def post_redrives(body: SeveralBody, chosen: Chosen, request: Request, backend: TheBackend) -> Response:
    """`count` and `items`, each the execution with what runs `again` or its `problem`. Raises UsageError."""
    if body.error is not None or body.cause is not None:
        raise UsageError("error and cause belong to a stop; a query chooses executions by their error")

    def act(execution: Execution) -> dict[str, Json]:
        return {"again": again_documents(backend.engine.redrive(execution, dry_run=body.dry_run))}

    return await _for_each(request, backend, chosen, _REDRIVABLE, act)


async def _for_each(
    request: Request, backend: Backend, chosen: ExecutionFilter, statuses: tuple[Status, ...],
    act: Callable[[Execution], dict[str, Json]],
) -> Response:  # fmt: skip
    if chosen == ExecutionFilter():
        raise UsageError("nothing says which executions are meant: give workflow, status, since or another filter")
    if any(status not in statuses for status in chosen.statuses):
        raise UsageError(f"status takes {', '.join(statuses)} here")
    filter = chosen if chosen.statuses else chosen._replace(statuses=statuses)
    ids = await backend.read(lambda: matching_executions(backend.store, filter))

    def carry_out() -> Reply:
        items: list[Json] = []
        for id in ids:
            execution = execution_now(backend.engine, id)
            if execution is not None:
                items.append({**execution_facts(execution), **_outcome(execution, act)})
        return Reply({"count": len(items), "items": items})

    return await perform(request, backend, carry_out)


def _outcome(execution: Execution, act: Callable[[Execution], dict[str, Json]]) -> dict[str, Json]:
    try:
        return act(execution)
    except SmError as e:
        return {"problem": problem_of(e)}


@router.post("/executions/{execution}/stop", summary="Stop an execution")
async def post_stop(execution: str, body: StopBody, request: Request, backend: TheBackend) -> Response:
    """It is ABORTED, with all that it has started. 409 when it is closed."""

    def act() -> Reply:
        engine = backend.engine
        return Reply(execution_facts(engine.stop(engine.find(execution), error=body.error, cause=body.cause)))

    return await perform(request, backend, act)


@router.post("/executions/{execution}/redrive", summary="Go on with an execution that failed")
async def post_redrive(execution: str, body: RedriveBody, request: Request, backend: TheBackend) -> Response:
    """`again`: the states that run again. 409 when it runs or succeeded, or the other text lacks what was passed.
    Raises UsageError."""
    if body.input is not None and body.state is None:
        raise UsageError("an input belongs to a state: without one every state keeps the input that it had")
    if body.version is not None and body.definition is not None:
        raise UsageError("go on with a version, or with a definition: not both")

    def act() -> Reply:
        engine = backend.engine
        record = engine.find(execution)
        text = None if body.definition is None else workflow_from(body.definition, record.workflow)
        again = engine.redrive(
            record, state=body.state, input=body.input, dry_run=body.dry_run, version=body.version, definition=text
        )
        current = execution_now(engine, record.id)
        version = body.version if body.dry_run or current is None else current.version
        document = redrive_document(record, again, version=version, dry_run=body.dry_run)
        return Reply(document, headers={"Location": path_to("executions", record.ref)})

    return await perform(request, backend, act)


@router.delete("/executions/{execution}", summary="Delete a closed execution")
async def delete_one(execution: str, request: Request, backend: TheBackend) -> Response:
    """It goes with its history. 409 when it is open, or an open execution needs it."""

    def act() -> Reply:
        record = backend.engine.find(execution)
        total = Pruned().plus(*delete_execution(backend.store, record))
        return Reply({"deleted": [record.ref], "map_run_children": total.children, "event_count": total.events})

    return await perform(request, backend, act)
