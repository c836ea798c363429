"""Schedules: when they fire next, what became of their last times; adding, pausing, resuming, firing, deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.acting import read_field
from sm_cli.server.pages.deeds import Acts, Sentence, deed_of, perform_act
from sm_cli.server.pages.moments import clock_text, moment_in_zone, seconds_of_text
from sm_cli.server.pages.paging import page_of_rows, read_trail
from sm_cli.server.pages.rendering import PageRoute, form_of, go_to, notice, read_query, segment, show_page
from sm_cli.views.actions import Do
from sm_cli.views.listing import workflow_names
from sm_cli.views.schedules.documents import (
    CatchUp,
    Firing,
    FiringOutcome,
    Overlap,
    Schedule,
    find_zone,
    firing_executions,
    last_executions,
    local_zone,
    schedule_status,
    times_to_come,
    when_text,
    whole_document,
)
from sm_cli.views.schedules.reasons import schedule_reasons

if TYPE_CHECKING:
    from sm_cli.views.records import Execution

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Choice = TypeVar("Choice", Overlap, CatchUp)

#: What holds unless somebody chooses: as for the command and for REST.
_DEFAULTS: dict[Any, Any] = {Overlap: Overlap.SKIP, CatchUp: CatchUp.LAST}
#: Rows of the list, and next times that the page of one tells.
_ROWS, _TIMES = 50, 10


class ScheduleRow(NamedTuple):
    """A schedule, as a list of all has it."""

    #: The schedule itself.
    schedule: Schedule
    #: ACTIVE, PAUSED or ENDED.
    status: str
    #: When it fires, in words.
    when: str
    #: Its next time, microseconds since 1970 UTC; None while it has none.
    next: int | None
    #: What became of its newest time; None before the first.
    last: Firing | None
    #: The execution that was started then; None when none was, or it is gone.
    execution: Execution | None


def _row(schedule: Schedule, executions: dict[str, Execution]) -> ScheduleRow:
    last = schedule.firings[-1] if schedule.firings else None
    execution = None if last is None else executions.get(last.execution or "")
    status, when = schedule_status(schedule), when_text(schedule)
    return ScheduleRow(schedule, status, when, next(iter(times_to_come(schedule, 1)), None), last, execution)


@router.get("/schedules")
async def schedules_page(request: Request, backend: TheBackend) -> Response:
    """All schedules, by name."""
    return show_page(request, "schedules/page.html", **await backend.read(lambda: _list(request, backend)))


@router.get("/schedules/list")
async def schedule_list(request: Request, backend: TheBackend) -> Response:
    """The list as it is now."""
    return show_page(request, "schedules/list.html", **await backend.read(lambda: _list(request, backend)))


def _list(request: Request, backend: Backend) -> dict[str, Any]:
    trail = read_trail(request.query_params)
    after = trail[-1] if trail else ""
    found = [schedule for schedule in backend.engine.schedules.list() if schedule.name > after][: _ROWS + 1]
    executions = last_executions(backend.engine, found)
    rows = [_row(schedule, executions) for schedule in found]
    page = page_of_rows(rows, _ROWS, lambda row: row.schedule.name, "/schedules", read_query(request), trail)
    return {"page": page, "query": read_query(request), "now": backend.engine.clock.now()}


@router.get("/new-schedule")
async def new_schedule_page(request: Request, backend: TheBackend, workflow: str = "") -> Response:
    """The form that adds a schedule."""
    names = await backend.read(lambda: workflow_names(backend.store))
    return show_page(request, "schedules/new.html", workflows=names, workflow=workflow, zone=local_zone())


@router.post("/new-schedule")
async def submit_schedule(request: Request, backend: TheBackend) -> Response:
    """Add a schedule, and lead to its page. Raises UsageError, NotFound, Conflict, InvalidDefinition."""
    form = await form_of(request)
    name, reference = form.get("name", "").strip(), form.get("workflow", "").strip()
    zone = form.get("zone", "").strip() or local_zone()
    cron, every, at = _times(form, zone)
    input = read_field(form.get("input", ""), "the input")
    overlap, catch_up = _choice(Overlap, form, "overlap"), _choice(CatchUp, form, "catch_up")
    jitter = form.get("jitter", "").strip()
    lateness = seconds_of_text(jitter, "the jitter") if jitter else 0
    engine, project = backend.engine, backend.project

    def act() -> str:
        queue = form.get("queue", "").strip() or project.queue_of(reference.partition(":")[0])
        schedule, _ = engine.schedules.add(
            name, reference if ":" in reference else engine.find_workflow(reference), input, cron=cron, zone=zone,
            every=every, at=at, overlap=overlap, catch_up=catch_up, jitter=lateness, queue=queue,
            limits=project.aws_limits,
        )  # fmt: skip
        return schedule.name

    return go_to(request, f"/schedules/{segment(await backend.change(act))}")


def _times(form: dict[str, str], zone: str) -> tuple[str | None, float | None, int | None]:
    """(the cron expression, the seconds between two times, the only time) of a form, one of them. Raises UsageError."""
    kind, text = form.get("kind", "cron"), form.get("times", "").strip()
    if kind == "every":
        return None, seconds_of_text(text, "the time between two firings"), None
    if kind == "at":
        return None, None, moment_in_zone(text, find_zone(zone), "the time")
    return text, None, None


def _choice(kind: type[Choice], form: dict[str, str], name: str) -> Choice:
    """What was chosen; the first one when nothing was. Raises UsageError."""
    text = form.get(name, "")
    try:
        return kind(text) if text else _DEFAULTS[kind]
    except ValueError:
        raise UsageError(f"{name} is {', '.join(kind)}, not {text!r}") from None


# -- one ---------------------------------------------------------------------------------------------


@router.get("/schedules/{name}")
async def schedule_page(request: Request, backend: TheBackend, name: str) -> Response:
    """One schedule."""
    return show_page(request, "schedules/schedule.html", **await backend.read(lambda: _one(backend, name)))


@router.get("/schedules/{name}/state")
async def schedule_part(request: Request, backend: TheBackend, name: str) -> Response:
    """The schedule as it is now."""
    return show_page(request, "schedules/state.html", **await backend.read(lambda: _one(backend, name)))


def _one(backend: Backend, name: str) -> dict[str, Any]:
    engine = backend.engine
    schedule = engine.schedules.find(name)
    executions = firing_executions(engine, schedule)
    reasons = schedule_reasons(engine, schedule, time_text=clock_text)
    here = Do.SHOW_SCHEDULE, Do.RESUME_SCHEDULE  # it is shown, and the button stands above
    offers = [None if each.action is None or each.action.do in here else deed_of(each.action) for each in reasons]
    return {
        "row": _row(schedule, executions), "executions": executions, "times": times_to_come(schedule, _TIMES),
        "reasons": [Sentence(reason, offer) for reason, offer in zip(reasons, offers, strict=True)],
        "document": whole_document(engine, schedule), "now": engine.clock.now(),
    }  # fmt: skip


@router.post("/schedules/{name}/{act}")
async def act_on_schedule(request: Request, backend: TheBackend, name: str, act: str) -> Response:
    """Pause, resume, run now or delete. Raises NotFound for anything else, Conflict."""
    await form_of(request)
    schedules, link = backend.engine.schedules, f"/schedules/{segment(name)}"
    if act == "run":
        firing = await backend.change(lambda: schedules.run_now(name))
        started = firing.outcome is FiringOutcome.STARTED
        text = f"{name} has started an execution." if started else f"{name} was {firing.outcome}: {firing.reason}."
        link = f"/executions/{segment(firing.execution)}" if firing.execution else link
        return notice(request, text, kind="good" if started else "warn", link=link)
    acts: Acts = {
        "pause": (lambda: schedules.pause(name), "is paused: it fires nothing until it is resumed"),
        "resume": (lambda: schedules.resume(name), "fires again, from its next time on"),
        "delete": (lambda: schedules.remove(name), "is deleted; what it has started goes on"),
    }
    text = await perform_act(backend, acts, act, "a schedule")
    if act == "delete":
        return go_to(request, "/schedules")
    return notice(request, f"{name} {text}.", link=link)
