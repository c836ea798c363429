"""All of `/api/v1`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sm_cli.server.api import batches, changing, executions, histories, messages, operating, schedules, workflows

#: In the order in which the docs have them.
_ROUTERS = (
    workflows.router, changing.router, executions.router, histories.router, messages.router, messages.tasks,
    batches.router, schedules.router, operating.router,
)  # fmt: skip


def api_routes() -> list[BaseRoute]:
    """The routes of REST."""
    return [route for router in _ROUTERS for route in router.routes]
