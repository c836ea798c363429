"""Whether the server lives, and whether it can do its work: for who looks after it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from sm_cli.server.answers import answer_json
from sm_cli.server.backend import TheBackend
from sm_cli.server.metrics.exporting import MEDIA_TYPE

router = APIRouter(tags=["health"], generate_unique_id_function=lambda route: route.name)


@router.get("/healthz", summary="Whether the process answers")
async def answer_life() -> object:
    """Always `{"status": "ok"}`: the process runs, whatever the database does."""
    return answer_json({"status": "ok"})


@router.get("/readyz", summary="Whether the database answers")
async def answer_readiness(backend: TheBackend) -> object:
    """`{"status": "ok"}`, or a problem with status 503 while the database cannot be read."""

    def ask() -> None:
        with backend.store.read() as questions:
            questions.latest()

    await backend.read(ask)
    return answer_json({"status": "ok"})


@router.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
async def answer_numbers(backend: TheBackend) -> Response:
    """Prometheus's text format: what this process has done, and what the database holds."""
    return Response(await backend.read(backend.metrics.text), media_type=MEDIA_TYPE)
