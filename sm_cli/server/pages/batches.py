"""Batches and map runs: how far they are, what failed, and holding them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.engine.batches import control
from sm_cli.engine.batches.options import concurrency_of, rate_of
from sm_cli.errors import NotFound, UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, segment, show_page
from sm_cli.views.batches.batch import find_batch, first_failures, list_batches
from sm_cli.views.batches.documents import batch_document
from sm_cli.views.executions import execution_now
from sm_cli.views.listing import ExecutionFilter, ExecutionPage, Status, list_executions
from sm_cli.views.map_runs import find_map_runs, map_run_document, pending, refs_of, running

if TYPE_CHECKING:
    from sm_cli.views.batches.batch import Batch

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Rows of a list, and failures that are named.
_ROWS, _FAILURES = 50, 20
_ACTS = {
    "pause": "is paused: nothing more is started, and what runs goes on to its end",
    "resume": "goes on",
    "cancel": "is cancelled",
    "retry": "tries again what did not succeed",
    "update": "has new limits",
}


@router.get("/batches")
async def batches_page(request: Request, backend: TheBackend) -> Response:
    """Batches and map runs, newest first."""
    return show_page(request, "batches/page.html", **await backend.read(lambda: _lists(backend)))


@router.get("/batches/lists")
async def batch_lists(request: Request, backend: TheBackend) -> Response:
    """Both lists as they are now."""
    return show_page(request, "batches/lists.html", **await backend.read(lambda: _lists(backend)))


def _lists(backend: Backend) -> dict[str, Any]:
    runs = find_map_runs(backend.engine, None, _ROWS)
    batches = list_batches(backend.engine, _ROWS)
    own = {batch.run.id for batch in batches if batch.run is not None}
    return {
        "batches": batches, "runs": [run for run in runs if run.id not in own], "refs": refs_of(backend.engine, runs),
        "running": running, "pending": pending, "rows": _ROWS,
    }  # fmt: skip


@router.get("/batches/{ref}")
async def batch_page(request: Request, backend: TheBackend, ref: str) -> Response:
    """One batch."""
    return show_page(request, "batches/batch.html", **await backend.read(lambda: _batch(backend, ref)))


@router.get("/batches/{ref}/state")
async def batch_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """How far the batch is now."""
    return show_page(request, "batches/state.html", **await backend.read(lambda: _batch(backend, ref)))


def _batch(backend: Backend, ref: str) -> dict[str, Any]:
    batch = find_batch(backend.engine, ref)
    failures = first_failures(backend.engine, batch, _FAILURES)
    return {"batch": batch, "document": batch_document(batch), "failures": failures, "now": backend.engine.clock.now()}


@router.post("/batches/{ref}/{act}")
async def act_on_batch(request: Request, backend: TheBackend, ref: str, act: str) -> Response:
    """Pause, resume, cancel, retry, or update its limits. Raises NotFound for anything else."""
    form = await form_of(request)
    if act not in _ACTS:
        raise NotFound(f"nothing called {act!r} can be done to a batch")
    batch: Batch = await backend.read(lambda: find_batch(backend.engine, ref))
    engine, execution = backend.engine, batch.execution
    if act == "pause":
        await backend.change(lambda: control.pause(engine, execution))
    elif act == "resume":
        await backend.change(lambda: control.resume(engine, execution))
    elif act == "cancel":
        await backend.change(lambda: control.cancel(engine, execution))
    elif act == "retry":
        await backend.change(lambda: control.try_again(engine, execution))
    else:
        limits = _limits(form)
        await backend.change(lambda: control.update(engine, execution, limits))
    return notice(request, f"Batch {batch.plan.prefix} {_ACTS[act]}.", link=f"/batches/{segment(execution.ref)}")


def _limits(form: dict[str, str]) -> control.NewLimits:
    """Raises UsageError for what is no number, and when nothing is given."""
    concurrency, rate = form.get("concurrency", "").strip(), form.get("rate", "").strip()
    if not concurrency and not rate:
        raise UsageError("give a concurrency, or a failure rate")
    if concurrency and not concurrency.isdecimal():
        raise UsageError(f"the concurrency is a number, not {concurrency!r}")
    number = concurrency_of(int(concurrency)) if concurrency else None
    return control.NewLimits(concurrency=number, rate_above=rate_of(rate or None, "the failure rate"))


@router.get("/map-runs/{ref}")
async def map_run_page(request: Request, backend: TheBackend, ref: str) -> Response:
    """One map run, with what failed in it."""
    return show_page(request, "batches/map_run.html", **await backend.read(lambda: _map_run(backend, ref)))


@router.get("/map-runs/{ref}/state")
async def map_run_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """How far the map run is now."""
    return show_page(request, "batches/map_run_state.html", **await backend.read(lambda: _map_run(backend, ref)))


def _map_run(backend: Backend, ref: str) -> dict[str, Any]:
    run = find_map_runs(backend.engine, ref, 1)[0]
    above = execution_now(backend.engine, run.execution)
    filter = ExecutionFilter(run=run.id, statuses=(Status.FAILED, Status.TIMED_OUT, Status.ABORTED))
    failures = list_executions(backend.store, filter, ExecutionPage(limit=_FAILURES))
    parent = "" if above is None else above.ref
    return {"run": run, "above": above, "document": map_run_document(run, parent), "failures": failures,
            "running": running(run), "pending": pending(run), "now": backend.engine.clock.now()}  # fmt: skip
