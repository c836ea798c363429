"""All of `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from sm_cli.server.api import batches, changing, executions, histories, messages, operating, schedules, workflows
from sm_cli.server.api.links import API


def api_router() -> APIRouter:
    """The routes of REST, in the order in which the docs have them."""
    router = APIRouter(prefix=API)
    for each in (
        workflows.router, changing.router, executions.router, histories.router, messages.router, messages.tasks,
        batches.router, schedules.router, operating.router,
    ):  # fmt: skip
        router.include_router(each)
    return router
