"""The system as a whole: numbers, queues, workers, links, the database, what is wrong."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.links import action_document
from sm_cli.server.api.paging import Cursor, Limit, cursor_text, number_of_cursor, page_response
from sm_cli.server.api.parameters import Chosen, query_moment
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import TheBackend
from sm_cli.timestamps import rfc3339
from sm_cli.views.chaining.links import LinkFilter, link_document, list_links
from sm_cli.views.doctor.checks import examine
from sm_cli.views.doctor.findings import Severity
from sm_cli.views.numbers.statistics import By, statistics, statistics_document
from sm_cli.views.operating.workforce import queue_document, queue_report, worker_document, worker_rows
from sm_cli.views.upkeep import database_document

router = rest_router("operating")


@router.get("/statistics", summary="Count executions, and say how long they take")
async def get_statistics(
    chosen: Chosen, backend: TheBackend,
    by: Annotated[By, Query(description="What makes a group.")] = By.STATUS,
) -> Response:  # fmt: skip
    """`groups` and `total`: counts, rates an hour, failures, durations in seconds; from one snapshot."""

    def ask() -> Json:
        return statistics_document(statistics(backend.store, chosen, by, backend.engine.clock.now()))

    return answer_json(await backend.read(ask))


@router.get("/queues", summary="Count the tasks of each queue")
async def get_queues(backend: TheBackend) -> Response:
    """`items`: what waits, runs, is tried again, and ended in the last hour."""

    def ask() -> Json:
        report = queue_report(backend.engine)
        return {"items": [queue_document(report, queue) for queue in report.queues], "next": None}

    return answer_json(await backend.read(ask))


@router.get("/workers", summary="List the workers")
async def get_workers(backend: TheBackend) -> Response:
    """`items`: who is alive, since when, what each serves."""
    rows = await backend.read(lambda: worker_rows(backend.engine))
    return answer_json({"items": [worker_document(row) for row in rows], "next": None})


@router.get("/links", summary="List what was started with whose data")
async def get_links(
    request: Request, backend: TheBackend, limit: Limit = 50, cursor: Cursor = None,
    execution: Annotated[str | None, Query(description="Only from and to this one.")] = None,
    source_workflow: Annotated[str | None, Query(description="Only from executions of this workflow.")] = None,
    target_workflow: Annotated[str | None, Query(description="Only to executions of this workflow.")] = None,
    state: Annotated[str | None, Query(description="Only with the output of this state.")] = None,
    since: Annotated[str | None, Query(description="Made at or after: RFC 3339, or a span like 2h.")] = None,
) -> Response:  # fmt: skip
    """`items`, newest first, and `next`."""
    before = number_of_cursor(cursor, "links")
    filter = LinkFilter(None, source_workflow, target_workflow, state, query_moment(since, "since"), limit, before)
    links = await backend.read(lambda: list_links(backend.store, filter, execution))
    following = cursor_text("links", links[-1].link.target) if len(links) == limit else None
    return page_response(request, [link_document(each) for each in links], following)


@router.get("/doctor", summary="Look for what is wrong")
async def get_findings(backend: TheBackend) -> Response:
    """`ok`, and `findings`: the database, workers, tasks that nobody does, schedules that do not fire."""

    def ask() -> Json:
        findings = examine(backend.engine, time_text=rfc3339)
        rows: list[Json] = [
            {
                "check": each.check,
                "severity": each.severity.value,
                "text": each.text,
                "action": action_document(each.action),
            }
            for each in findings
        ]
        return {"ok": all(each.severity is not Severity.BROKEN for each in findings), "findings": rows}

    return answer_json(await backend.read(ask))


@router.get("/database", summary="The database as a whole")
async def get_database(backend: TheBackend) -> Response:
    """Where it lies, how large it is, and what is in it."""
    return answer_json(await backend.read(lambda: database_document(backend.store)))
