"""Batches and map runs: how far they are, what failed, and holding them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.engine.batches import control
from sm_cli.engine.batches.options import concurrency_of, rate_of
from sm_cli.engine.workflows.map_runs import update_map_run
from sm_cli.errors import NotFound, UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.deeds import Acts, perform_act
from sm_cli.server.pages.paging import ListPage, number_place, page_of_rows, read_trail
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, read_query, segment, show_page
from sm_cli.views.batches.batch import batches_before, find_batch
from sm_cli.views.batches.documents import batch_document
from sm_cli.views.executions import execution_now
from sm_cli.views.listing import BEYOND, ExecutionFilter, ExecutionPage, Status, list_executions, page_after
from sm_cli.views.map_runs import find_map_runs, map_run_document, pending, refs_of, running

if TYPE_CHECKING:
    from sm_cli.views.batches.batch import Batch
    from sm_cli.views.records import Execution, MapRun

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Rows of a list, and failures that are named.
_ROWS, _FAILURES = 50, 20
#: Map runs that are read at once.
_LOOKED_AT = 200
#: What became of a child that did not succeed; those of a batch that was cancelled did not fail.
_NOT_WELL = (Status.FAILED, Status.TIMED_OUT)
_FIELDS = {"concurrency": "the concurrency", "tolerated": "how many may fail"}
#: Digits of a number that a form takes.
_DIGITS = 9


@router.get("/batches")
async def batches_page(request: Request, backend: TheBackend) -> Response:
    """Batches and map runs, newest first."""
    return show_page(request, "batches/page.html", **await backend.read(lambda: _lists(request, backend)))


@router.get("/batches/lists")
async def batch_lists(request: Request, backend: TheBackend) -> Response:
    """Both lists as they are now."""
    return show_page(request, "batches/lists.html", **await backend.read(lambda: _lists(request, backend)))


def _lists(request: Request, backend: Backend) -> dict[str, Any]:
    query = read_query(request)
    batches, runs = (read_trail(request.query_params, name) for name in ("batches", "runs"))
    found = batches_before(backend.engine, _ROWS + 1, number_place(batches))
    found_runs = _runs_of_maps(backend, number_place(runs))
    return {
        "batches": page_of_rows(found, _ROWS, lambda batch: batch.execution.id, "/batches", query, batches, "batches"),
        "runs": page_of_rows(found_runs, _ROWS, lambda run: run.id, "/batches", query, runs, "runs"),
        "refs": refs_of(backend.engine, found_runs), "query": query,
    }  # fmt: skip


def _runs_of_maps(backend: Backend, before: int | None) -> list[MapRun]:
    """A page of map runs and one more, newest first, without those of batches: each of them has a row already."""
    runs: list[MapRun] = []
    place = BEYOND if before is None else before
    while len(runs) <= _ROWS:
        some = find_map_runs(backend.engine, None, _LOOKED_AT, place)
        runs += [run for run in some if run.join.brake is None]
        if len(some) < _LOOKED_AT:
            break
        place = some[-1].id
    return runs[: _ROWS + 1]


@router.get("/batches/{ref}")
async def batch_page(request: Request, backend: TheBackend, ref: str) -> Response:
    """One batch."""
    return show_page(request, "batches/batch.html", **await backend.read(lambda: _batch(request, backend, ref)))


@router.get("/batches/{ref}/state")
async def batch_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """How far the batch is now."""
    return show_page(request, "batches/state.html", **await backend.read(lambda: _batch(request, backend, ref)))


def _batch(request: Request, backend: Backend, ref: str) -> dict[str, Any]:
    batch = find_batch(backend.engine, ref)
    address = f"/batches/{segment(batch.execution.ref)}"
    return {
        "batch": batch, "document": batch_document(batch), "query": read_query(request),
        "failures": _failures(request, backend, batch.run, address), "now": backend.engine.clock.now(),
    }  # fmt: skip


def _failures(request: Request, backend: Backend, run: MapRun | None, address: str) -> ListPage[Execution]:
    """A page of the children of a run that did not succeed, those that were started last first."""
    trail = read_trail(request.query_params)
    page = ExecutionPage(_FAILURES + 1)
    if trail:
        page = page_after(backend.store, trail[-1], limit=_FAILURES + 1)
    failures: list[Execution] = []
    if run is not None:
        failures = list_executions(backend.store, ExecutionFilter(run=run.id, statuses=_NOT_WELL), page)
    return page_of_rows(failures, _FAILURES, lambda each: each.ref, address, read_query(request), trail)


@router.post("/batches/{ref}/{act}")
async def act_on_batch(request: Request, backend: TheBackend, ref: str, act: str) -> Response:
    """Pause, resume, cancel, retry, or update its limits. Raises NotFound for anything else."""
    form = await form_of(request)
    batch: Batch = await backend.read(lambda: find_batch(backend.engine, ref))
    engine, execution = backend.engine, batch.execution
    acts: Acts = {
        "pause": (
            lambda: control.pause(engine, execution),
            "is paused: nothing more is started, and what runs goes on to its end",
        ),
        "resume": (lambda: control.resume(engine, execution), "goes on"),
        "cancel": (lambda: control.cancel(engine, execution), "is cancelled"),
        "retry": (lambda: control.try_again(engine, execution), "tries again what did not succeed"),
        "update": (lambda: control.update(engine, execution, _limits(form)), "has new limits"),
    }
    text = await perform_act(backend, acts, act, "a batch")
    return notice(request, f"Batch {batch.plan.prefix} {text}.", link=f"/batches/{segment(execution.ref)}")


def _limits(form: dict[str, str]) -> control.NewLimits:
    """Raises UsageError for what is no number, and when nothing is given."""
    concurrency, rate = _count(form, "concurrency"), form.get("rate", "").strip()
    if concurrency is None and not rate:
        raise UsageError("give a concurrency, or a failure rate")
    number = None if concurrency is None else concurrency_of(concurrency)
    return control.NewLimits(concurrency=number, rate_above=rate_of(rate or None, "the failure rate"))


@router.get("/map-runs/{ref}")
async def map_run_page(request: Request, backend: TheBackend, ref: str) -> Response:
    """One map run, with what failed in it."""
    return show_page(request, "batches/map_run.html", **await backend.read(lambda: _map_run(request, backend, ref)))


@router.get("/map-runs/{ref}/state")
async def map_run_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """How far the map run is now."""
    return show_page(
        request, "batches/map_run_state.html", **await backend.read(lambda: _map_run(request, backend, ref))
    )


def _map_run(request: Request, backend: Backend, ref: str) -> dict[str, Any]:
    run = _find_run(backend, ref)
    above = execution_now(backend.engine, run.execution)
    parent = "" if above is None else above.ref
    return {
        "run": run, "above": above, "document": map_run_document(run, parent), "query": read_query(request),
        "failures": _failures(request, backend, run, f"/map-runs/{segment(run.ref)}"), "running": running(run),
        "pending": pending(run), "now": backend.engine.clock.now(),
    }  # fmt: skip


def _find_run(backend: Backend, ref: str) -> MapRun:
    """The map run of this ref, or the newest one of an execution. Raises NotFound."""
    runs = find_map_runs(backend.engine, ref, 1)
    if not runs:
        raise NotFound(f"execution {ref!r} has no map run", topic="map run")
    return runs[0]


@router.post("/map-runs/{ref}/update")
async def change_run_limits(request: Request, backend: TheBackend, ref: str) -> Response:
    """Give a distributed Map's run that is under way other limits. Raises UsageError, Conflict."""
    form = await form_of(request)
    concurrency, tolerated = (_count(form, name) for name in ("concurrency", "tolerated"))
    if concurrency is None and tolerated is None:
        raise UsageError("give how many may run at once, or how many may fail")
    run = await backend.read(lambda: _find_run(backend, ref))
    await backend.change(lambda: update_map_run(backend.engine, run, concurrency, tolerated, None))
    return notice(request, f"The map run of {run.state} has new limits.", link=f"/map-runs/{segment(run.ref)}")


def _count(form: dict[str, str], name: str) -> int | None:
    """What a field says; None for an empty one. Raises UsageError for what is no number."""
    text = form.get(name, "").strip()
    if text and (not text.isdecimal() or len(text) > _DIGITS):
        raise UsageError(f"{_FIELDS[name]} is a number, not {text!r}")
    return int(text) if text else None
