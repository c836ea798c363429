"""All of `/api/v1`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sm_cli.server.api import batches, changing, executions, histories, messages, operating, schedules, workflows

#: In the order in which the docs have them, and in which they are tried: what is asked for most comes first.
_ROUTERS = (
    executions.router, histories.router, messages.router, messages.tasks, workflows.router, changing.router,
    batches.router, schedules.router, operating.router,
)  # fmt: skip


def api_routes() -> list[BaseRoute]:
    """The routes of REST."""
    return [route for router in _ROUTERS for route in router.routes]
