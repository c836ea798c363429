"""Batches: a workflow once for each item; and the map runs of distributed Maps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from sm_cli.engine.batches import control
from sm_cli.engine.batches.executions import OfExecutions
from sm_cli.engine.batches.options import BatchOptions, concurrency_of, rate_of
from sm_cli.engine.batches.results import ItemResult, ItemStatus, item_results
from sm_cli.engine.batches.starting import Inputs, ObjectKey
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.acting import Reply, perform
from sm_cli.server.api.bodies import BatchBody, LimitsBody, SourcesBody
from sm_cli.server.api.definitions import requested_workflow, transform_of
from sm_cli.server.api.links import path_to
from sm_cli.server.api.paging import Cursor, Limit, cursor_text, number_of_cursor, page_response, read_cursor
from sm_cli.server.api.parameters import filter_of
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.views.batches.batch import Batch, batch_now, find_batch, list_batches
from sm_cli.views.batches.documents import batch_document, result_row
from sm_cli.views.listing import BEYOND, Status, cursor_of
from sm_cli.views.map_runs import find_map_runs, map_run_document, refs_of
from sm_cli.views.records import MapRun

router = rest_router("batches")


@router.post("/batches", status_code=201, summary="Start a batch")
async def post_batch(body: BatchBody, request: Request, backend: TheBackend) -> Response:
    """One execution of the workflow for each of `items`, of the items of an `object`, or of the outputs of
    `executions`; workers do the rest."""

    def act() -> Reply:
        target = requested_workflow(backend, body.workflow, None)
        options = BatchOptions(
            body.concurrency, body.stop_on_error, body.max_failure_rate, body.min_samples, body.micro_batch,
            body.pause_at, body.fail_at,
        )  # fmt: skip
        queue = body.queue or backend.project.queue_of(target.name)
        parent = backend.engine.batch(
            target, _inputs(body), name_prefix=body.name_prefix, options=options, queue=queue
        )  # fmt: skip
        return Reply({"id": parent.ref, "name": parent.name}, 201, {"Location": path_to("batches", parent.ref)})

    return await perform(request, backend, act)


def _inputs(body: BatchBody) -> Inputs:
    given = [each for each in (body.items, body.object, body.executions) if each is not None]
    if len(given) != 1:
        raise UsageError("one of items, object and executions says what the batch works through")
    if body.items is not None:
        if not body.items:
            raise UsageError("items is empty: a batch works through one item at least")
        return iter(body.items)
    if body.object is not None:
        return ObjectKey(body.object.bucket, body.object.key)
    assert body.executions is not None
    return _sources(body.executions)


def _sources(body: SourcesBody) -> OfExecutions:
    filter = filter_of([Status(each) for each in body.status], body.workflow, body.since, body.until, body.name,
                       body.reached)  # fmt: skip
    return OfExecutions(
        filter, body.limit, body.state, transform_of(body.transform), body.allow_failed, body.unique
    )  # fmt: skip


@router.get("/batches", summary="List batches")
async def get_batches(request: Request, backend: TheBackend, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """`items`, newest first, and `next`."""
    place = read_cursor(cursor, "batches", int, int)
    after = None if place is None else (place[0], place[1])
    batches = await backend.read(lambda: list_batches(backend.engine, limit, after))
    following = cursor_text("batches", *cursor_of(batches[-1].execution)) if len(batches) == limit else None
    return page_response(request, [batch_document(each) for each in batches], following)


@router.get("/batches/{batch}", summary="Show a batch")
async def get_batch(batch: str, backend: TheBackend) -> Response:
    """How far it is, and what holds it back; by its id, a beginning of that, or its prefix of names."""
    return answer_json(await backend.read(lambda: batch_document(find_batch(backend.engine, batch))))


@router.patch("/batches/{batch}", summary="Give a batch other limits")
async def patch_batch(batch: str, body: LimitsBody, request: Request, backend: TheBackend) -> Response:
    """They hold from now on, for what runs too. 409 when it is over. Raises UsageError."""
    if body == LimitsBody():
        raise UsageError("nothing is to be changed: give concurrency, tolerated_failures or max_failure_rate")
    limits = control.NewLimits(
        None if body.concurrency is None else concurrency_of(body.concurrency), body.tolerated_failures,
        rate_of(body.max_failure_rate, "max_failure_rate"),
    )  # fmt: skip

    return await _control(request, backend, batch, lambda it: control.update(backend.engine, it.execution, limits))


@router.post("/batches/{batch}/pause", summary="Start nothing more of a batch")
async def post_pause(batch: str, request: Request, backend: TheBackend) -> Response:
    """What runs goes on to its end. 409 when it is paused already, or over."""
    return await _control(request, backend, batch, lambda it: control.pause(backend.engine, it.execution))


@router.post("/batches/{batch}/resume", summary="Go on with a paused batch")
async def post_resumption(batch: str, request: Request, backend: TheBackend) -> Response:
    """409 when it is not paused, or over."""
    return await _control(request, backend, batch, lambda it: control.resume(backend.engine, it.execution))


@router.post("/batches/{batch}/cancel", summary="End a batch")
async def post_cancellation(batch: str, request: Request, backend: TheBackend) -> Response:
    """What runs is stopped, the rest is not started. 409 when it is over."""
    return await _control(request, backend, batch, lambda it: control.cancel(backend.engine, it.execution))


@router.post("/batches/{batch}/retry", summary="Go on with what failed in a batch that is over")
async def post_retry(batch: str, request: Request, backend: TheBackend) -> Response:
    """What failed, was stopped or was not started runs again. 409 when it is not over, or all succeeded."""
    return await _control(request, backend, batch, lambda it: control.try_again(backend.engine, it.execution))


async def _control(request: Request, backend: Backend, name: str, change: Callable[[Batch], object]) -> Response:
    def act() -> Reply:
        found = find_batch(backend.engine, name)
        change(found)
        return Reply(batch_document(batch_now(backend.engine, found.execution.id)))

    return await perform(request, backend, act)


@router.get("/batches/{batch}/results", summary="What became of the items of a batch")
async def get_results(
    batch: str, request: Request, backend: TheBackend,
    status: Annotated[ItemStatus | None, Query(description="Only these.")] = None,
    limit: Limit = 1000, cursor: Cursor = None,
) -> Response:  # fmt: skip
    """`items`, in their order, and `next`."""
    last = number_of_cursor(cursor, "results")

    def ask() -> list[ItemResult]:
        found = find_batch(backend.engine, batch)
        results = item_results(backend.store, backend.engine.buckets, found.execution, 0 if last is None else last + 1)
        return [*islice((each for each in results if status is None or each.status == status), limit)]

    rows = await backend.read(ask)
    following = cursor_text("results", rows[-1].number) if len(rows) == limit else None
    return page_response(request, [result_row(each) for each in rows], following)


@router.get("/map-runs", summary="List map runs", tags=["map runs"])
async def get_map_runs(
    request: Request, backend: TheBackend, limit: Limit = 50, cursor: Cursor = None,
    execution: Annotated[str | None, Query(description="Only those of this execution.")] = None,
) -> Response:  # fmt: skip
    """`items`, newest first, with their counts, and `next`."""
    before = number_of_cursor(cursor, "map runs")
    runs, documents = await backend.read(lambda: _map_runs(backend, execution, limit, before))
    following = cursor_text("map runs", runs[-1].id) if len(runs) == limit else None
    return page_response(request, documents, following)


@router.get("/map-runs/{map_run}", summary="Show a map run", tags=["map runs"])
async def get_map_run(map_run: str, backend: TheBackend) -> Response:
    """Its counts. Its children are `/executions?map_run=`. Raises NotFound, Conflict."""

    def ask() -> Json:
        _, runs = _map_runs(backend, map_run, 2)
        if not runs:
            raise NotFound(f"no map run is {map_run!r}", topic="map run")
        if len(runs) > 1:
            raise Conflict(f"{map_run!r} may be any of several map runs", topic="map run")
        return runs[0]

    return answer_json(await backend.read(ask))


def _map_runs(
    backend: Backend, which: str | None, limit: int, before: int | None = None
) -> tuple[list[MapRun], list[Json]]:  # fmt: skip
    runs = find_map_runs(backend.engine, which, limit, BEYOND if before is None else before)
    refs = refs_of(backend.engine, runs)
    return runs, [map_run_document(run, refs[run.execution]) for run in runs]
