"""Statistics: throughput, failures by error, durations by percentile over time, by workflow and by state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.moments import moment_of_text
from sm_cli.server.pages.rendering import PageRoute, show_page
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.listing import ExecutionFilter, workflow_names
from sm_cli.views.numbers.statistics import By, statistics

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json
    from sm_cli.views.numbers.statistics import Group

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: What can be chosen: text of the address, text for people.
SPANS = (("1h", "last hour"), ("24h", "last day"), ("7d", "last 7 days"), ("30d", "last 30 days"), ("all", "all"))
_ERRORS, _STATES = 20, 50


@router.get("/statistics")
async def statistics_page(request: Request, backend: TheBackend, since: str = "24h", workflow: str = "") -> Response:
    """Executions in numbers."""
    return show_page(
        request, "statistics/page.html", **await backend.read(lambda: _everything(backend, since, workflow))
    )


def _everything(backend: Backend, since: str, workflow: str) -> dict[str, Any]:
    store, now = backend.store, backend.engine.clock.now()
    begin = None if since == "all" else moment_of_text(since, "since")
    filter = ExecutionFilter(workflow=workflow.strip() or None, since=begin)
    hours = statistics(store, filter, By.HOUR, now)
    errors = [group for group in statistics(store, filter, By.ERROR, now).groups if group.key[0] is not None]
    states = statistics(store, filter, By.STATE, now).groups
    states.sort(key=lambda group: -(group.durations.p95 * group.count if group.durations else 0))
    return {
        "hours": hours, "series": _series(hours.groups), "errors": errors[:_ERRORS], "states": states[:_STATES],
        "workflows": statistics(store, filter, By.WORKFLOW, now).groups, "names": workflow_names(store),
        "since": since, "workflow": workflow, "spans": SPANS,
    }  # fmt: skip


def _series(groups: list[Group]) -> dict[str, Json]:
    """Columns for the script that draws: hours as seconds since 1970 UTC, counts, durations in seconds."""

    def durations(name: str) -> list[Json]:
        return [None if g.durations is None else getattr(g.durations, name) / MICROSECONDS for g in groups]

    return {
        "hours": [int(group.key[0] or 0) * 3600 for group in groups],
        "started": [group.count for group in groups],
        "failed": [group.failures for group in groups],
        "p50": durations("p50"),
        "p95": durations("p95"),
        "p99": durations("p99"),
    }
