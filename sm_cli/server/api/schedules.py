"""Schedules: executions by the clock."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.api.acting import Reply, perform
from sm_cli.server.api.bodies import ScheduleBody
from sm_cli.server.api.definitions import requested_workflow
from sm_cli.server.api.links import action_document, path_to
from sm_cli.server.api.paging import Cursor, Limit, cursor_text, name_of_cursor, page_response
from sm_cli.server.api.parameters import query_moment
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.timestamps import rfc3339
from sm_cli.views.schedules.documents import (
    CatchUp,
    Overlap,
    Schedule,
    firing_document,
    last_executions,
    schedule_document,
    whole_document,
)
from sm_cli.views.schedules.reasons import schedule_reasons

router = rest_router("schedules")


@router.get("/schedules", summary="List schedules")
async def get_schedules(request: Request, backend: TheBackend, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """`items`, by name, with their next times and what became of the last one, and `next`."""
    after = name_of_cursor(cursor, "schedules") or ""

    def ask() -> tuple[list[Json], str | None]:
        schedules = backend.engine.schedules.page(limit, after)
        executions = last_executions(backend.engine, schedules)
        following = cursor_text("schedules", schedules[-1].name) if len(schedules) == limit else None
        return [schedule_document(each, executions) for each in schedules], following

    return page_response(request, *await backend.read(ask))


@router.post("/schedules", status_code=201, summary="Add a schedule")
async def post_schedule(body: ScheduleBody, request: Request, backend: TheBackend) -> Response:
    """201, or 200 when the same schedule is there already; 409 when the name is another one's."""

    def act() -> Reply:
        engine, project = backend.engine, backend.project
        name = body.workflow.partition(":")[0]
        workflow = body.workflow if ":" in body.workflow else requested_workflow(backend, body.workflow, None)
        schedule, new = engine.schedules.add(
            body.name, workflow, {} if body.input is None else body.input, cron=body.cron, zone=body.zone,
            every=body.every, at=query_moment(body.at, "at"), overlap=Overlap(body.overlap),
            catch_up=CatchUp(body.catch_up), jitter=body.jitter, queue=body.queue or project.queue_of(name),
            limits=project.aws_limits,
        )  # fmt: skip
        headers = {"Location": path_to("schedules", schedule.name)}
        return Reply(whole_document(engine, schedule), 201 if new else 200, headers)

    return await perform(request, backend, act)


@router.get("/schedules/{schedule}", summary="Show a schedule")
async def get_schedule(schedule: str, backend: TheBackend) -> Response:
    """What it says, its next times, and what became of the newest ones."""

    def ask() -> Json:
        return whole_document(backend.engine, backend.engine.schedules.find(schedule))

    return answer_json(await backend.read(ask))


@router.get("/schedules/{schedule}/why", summary="Why a schedule does not fire")
async def get_schedule_reasons(schedule: str, backend: TheBackend) -> Response:
    """`reasons`: each a sentence, and what would move it."""

    def ask() -> Json:
        record = backend.engine.schedules.find(schedule)
        reasons = schedule_reasons(backend.engine, record, time_text=rfc3339)
        rows: list[Json] = [{"text": each.text, "action": action_document(each.action)} for each in reasons]
        return {"schedule": record.name, "reasons": rows}

    return answer_json(await backend.read(ask))


@router.delete("/schedules/{schedule}", summary="Forget a schedule")
async def delete_schedule(schedule: str, request: Request, backend: TheBackend) -> Response:
    """What it has started goes on."""

    def act() -> Reply:
        return Reply({"deleted": [backend.engine.schedules.remove(schedule).name]})

    return await perform(request, backend, act)


@router.post("/schedules/{schedule}/pause", summary="Let a schedule fire no more")
async def post_schedule_pause(schedule: str, request: Request, backend: TheBackend) -> Response:
    """Until it is resumed; what runs goes on."""
    return await _change(request, backend, lambda: backend.engine.schedules.pause(schedule)[0])


@router.post("/schedules/{schedule}/resume", summary="Let a schedule fire again")
async def post_schedule_resumption(schedule: str, request: Request, backend: TheBackend) -> Response:
    """From its next time on."""
    return await _change(request, backend, lambda: backend.engine.schedules.resume(schedule)[0])


async def _change(request: Request, backend: Backend, change: Callable[[], Schedule]) -> Response:
    return await perform(request, backend, lambda: Reply(whole_document(backend.engine, change())))


@router.post("/schedules/{schedule}/run", summary="Start an execution of a schedule now")
async def post_schedule_run(schedule: str, request: Request, backend: TheBackend) -> Response:
    """What became of it. 409 when one of it runs that it does not start beside."""

    def act() -> Reply:
        return Reply(firing_document(backend.engine.schedules.run_now(schedule), {}))

    return await perform(request, backend, act)
