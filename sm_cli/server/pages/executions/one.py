"""One execution: what it waits for, the graph with the path that it took, its timeline, events, data and relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import NotFound, SmError
from sm_cli.server.answers import answer_json
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.deeds import Sentence, sentence_of
from sm_cli.server.pages.executions.timeline_rows import RowMaker
from sm_cli.server.pages.moments import clock_text
from sm_cli.server.pages.paging import number_place, page_of_rows, read_trail
from sm_cli.server.pages.pictures import graph_document, graph_of_execution, timelines_of
from sm_cli.server.pages.rendering import PageRoute, read_query, segment, show_page
from sm_cli.views.chaining.links import led_to, neighbour_links
from sm_cli.views.executions import (
    above_of,
    definition_of,
    execution_document,
    execution_failure,
    execution_now,
    nested_counts,
    nested_executions,
)
from sm_cli.views.failures import FailurePlace
from sm_cli.views.history import events_of
from sm_cli.views.listing import BEYOND
from sm_cli.views.map_runs import find_map_runs
from sm_cli.views.operating.workforce import known_handlers
from sm_cli.views.records import Execution
from sm_cli.views.timeline.details import below_visit, visit_details, visits_of_state
from sm_cli.views.timeline.lanes import rounds_of
from sm_cli.views.timeline.marks import PathMarks, state_pointer
from sm_cli.views.why import why

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json
    from sm_cli.views.timeline.lanes import LaneVisit, Timeline

router = APIRouter(route_class=PageRoute, include_in_schema=False)

VIEWS = (("overview", "Overview"), ("events", "Events"), ("data", "Data"), ("related", "Related"))
#: Events of a page, and visits that the picker of a state has.
_EVENTS, _VISITS = 100, 300
#: Rows of each list of relations.
_RELATED = 20


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above all views of an execution."""

    #: As it is now, without its data.
    execution: Execution
    #: Why it does not go on, or how it ended.
    sentences: list[Sentence]
    #: Where it failed; None unless it did.
    failure: FailurePlace | None
    #: Now, microseconds since 1970 UTC.
    now: int

    @property
    def is_stuck(self) -> bool:
        """Whether it goes on only when somebody does something."""
        return any(sentence.is_stuck for sentence in self.sentences)


def find_now(backend: Backend, ref: str) -> Execution:
    """The execution of this address, without its data. Raises NotFound, Conflict."""
    record = execution_now(backend.engine, backend.engine.find(ref).id)
    if record is None:
        raise NotFound(f"execution {ref!r} is gone")
    return record


def _head(backend: Backend, execution: Execution) -> Head:
    engine = backend.engine
    reasons = why(engine, execution, handlers=known_handlers(engine), time_text=clock_text)
    sentences = [sentence_of(reason) for reason in reasons]
    return Head(execution, sentences, execution_failure(engine, execution), engine.clock.now())


@router.get("/executions/{ref}")
async def execution_page(request: Request, backend: TheBackend, ref: str, view: str = "overview") -> Response:
    """The page of one execution, in one of its views. Raises NotFound for another view."""
    if view not in dict(VIEWS):
        raise NotFound(f"there is no view {view!r}")

    def ask() -> dict[str, Any]:
        execution = find_now(backend, ref)
        more = _VIEWS[view](request, backend, execution)
        return {"head": _head(backend, execution), "view": view, "views": VIEWS, **more}

    return show_page(request, "execution/page.html", **await backend.read(ask))


@router.get("/executions/{ref}/head")
async def head_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """Status, facts and reasons as they are now."""
    head = await backend.read(lambda: _head(backend, find_now(backend, ref)))
    return show_page(request, "execution/head.html", head=head)


# -- the views -------------------------------------------------------------------------------------


def _overview(request: Request, backend: Backend, execution: Execution) -> dict[str, Any]:
    # The page asks for its timeline as soon as it is there; a long history is read while the browser makes the page.
    backend.read_ahead(lambda: timelines_of(request).of(backend.engine, execution))
    try:
        drawing: Json = graph_document(graph_of_execution(backend.engine, execution))
        problem = ""
    except SmError as error:
        drawing, problem = None, error.message
    return {"drawing": drawing, "problem": problem}


def _events(request: Request, backend: Backend, execution: Execution) -> dict[str, Any]:
    after = number_place(read_trail(request.query_params)) or 0
    events = []
    for event in events_of(backend.engine, execution, after, large=False):
        events.append(event)
        if len(events) == _EVENTS:
            break
    last = events[-1].number if events else after
    return {"events": events, "after": after, "next": last if last < execution.events else None, "portion": _EVENTS}


def _data(_request: Request, backend: Backend, execution: Execution) -> dict[str, Any]:
    document, _, _ = execution_document(backend.engine, backend.engine.find(execution.ref))
    try:
        definition: Json = definition_of(backend.engine, execution)
    except SmError as error:
        definition = error.message
    return {"document": document, "definition": definition}


def _related(request: Request, backend: Backend, execution: Execution) -> dict[str, Any]:
    engine, query = backend.engine, read_query(request)
    trails = {name: read_trail(request.query_params, name) for name in ("children", "runs", "links")}
    places = {name: number_place(trail) or BEYOND for name, trail in trails.items()}
    found: dict[str, list[Any]] = {
        "children": nested_executions(engine, execution, _RELATED + 1, places["children"]),
        "runs": find_map_runs(engine, execution.ref, _RELATED + 1, places["runs"]),
        "links": led_to(engine.store, execution, _RELATED + 1, places["links"]),
    }
    address = f"/executions/{segment(execution.ref)}"
    pages = {
        name: page_of_rows(rows, _RELATED, _RELATED_PLACE[name], address, query, trails[name], name)
        for name, rows in found.items()
    }
    origin, _ = neighbour_links(engine.store, execution)
    return {**pages, "counts": nested_counts(engine, execution), "above": above_of(engine, execution), "origin": origin}


_RELATED_PLACE: dict[str, Callable[[Any], int]] = {
    "children": lambda child: child.id,
    "runs": lambda run: run.id,
    "links": lambda ends: ends.link.target,
}
_VIEWS: dict[str, Callable[[Request, Backend, Execution], dict[str, Any]]] = {
    "overview": _overview,
    "events": _events,
    "data": _data,
    "related": _related,
}


# -- parts of the overview -------------------------------------------------------------------------


@router.get("/executions/{ref}/marks")
async def marks(request: Request, backend: TheBackend, ref: str, round: int = 0) -> Response:
    """What the execution did, for the script that draws; round: only this round of the top level's loop, from 1 on; 0:
    all of it. The newest state that is under way, or failed, is the one to look at."""

    def ask() -> dict[str, Json]:
        execution = find_now(backend, ref)
        timeline = timelines_of(request).of(backend.engine, execution)
        path = PathMarks(graph_of_execution(backend.engine, execution))
        top = [lane for lane in timeline.roots if not lane.label]
        rounds = rounds_of(top[0].visits) if top else []
        for lane in top:
            path.add(rounds[round - 1] if 0 < round <= len(rounds) else lane.visits)
        last = state_pointer("", top[0].visits[-1].visit.name) if top else None
        return {**path.document(), "rounds": len(rounds), "status": execution.status.value, "last": last}

    return answer_json(await backend.read(ask))


@router.get("/executions/{ref}/timeline")
async def timeline_part(request: Request, backend: TheBackend, ref: str) -> Response:
    """The rows of the timeline. `open`: keys of what is open; `more`: `KEY:ROWS` of groups with more rows."""
    parameters = request.query_params
    opened = set(parameters.getlist("open")) if "folds" in parameters else None
    portions = dict(filter(None, map(_portion, parameters.getlist("more"))))

    def ask() -> dict[str, Any]:
        execution = find_now(backend, ref)
        timeline = timelines_of(request).of(backend.engine, execution)
        now = max(backend.engine.clock.now(), execution.started + 1)
        begin, end = _window(timeline, execution, now)
        rows = RowMaker(opened, portions, now).make(timeline)
        return {"rows": rows, "begin": begin, "end": end, "now": now, "execution": execution, "timeline": timeline}

    return show_page(request, "execution/timeline.html", **await backend.read(ask))


def _portion(text: str) -> tuple[str, int] | None:
    key, _, count = text.rpartition(":")
    return (key, min(int(count), 20_000)) if count.isdecimal() and len(count) < 8 else None


def _window(timeline: Timeline, execution: Execution, now: int) -> tuple[int, int]:
    begin = execution.started
    if timeline.first_event > 1 and timeline.roots:
        begin = timeline.roots[0].start
    return begin, max(execution.closed or now, begin + 1)


@router.get("/executions/{ref}/state")
async def state_part(
    request: Request, backend: TheBackend, ref: str, pointer: str = "", visit: int = 0, round: int = 0
) -> Response:
    """What is known of a state: by its pointer in the definition, or by one of its visits."""

    def ask() -> dict[str, Any]:
        execution = find_now(backend, ref)
        engine = backend.engine
        timeline = timelines_of(request).of(engine, execution)
        node = timeline.visits.get(visit)
        visits: list[LaneVisit] = []
        if node is None and pointer:
            visits = visits_of_state(graph_of_execution(engine, execution), timeline.roots, pointer)
            in_round = _of_round(visits, round) if round else visits
            node = next(iter(_by_urgency(in_round or visits)), None)
        elif node is not None:
            visits = _siblings(timeline, node)
        details = None if node is None else visit_details(engine, execution, node)
        below = None if node is None else below_visit(engine, execution, node)
        name = node.visit.name if node is not None else pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        return {
            "execution": execution, "node": node, "name": name, "pointer": pointer, "visits": visits[-_VISITS:],
            "count": len(visits), "details": details, "below": below, "now": engine.clock.now(),
        }  # fmt: skip

    return show_page(request, "execution/state.html", **await backend.read(ask))


def _by_urgency(visits: list[LaneVisit]) -> list[LaneVisit]:
    """Under way first, then failed, then the newest."""
    order = {"RUNNING": 0, "FAILED": 1, "TIMED_OUT": 1}
    return sorted(visits, key=lambda node: (order.get(node.visit.status, 2), -node.first))


def _of_round(visits: list[LaneVisit], round: int) -> list[LaneVisit]:
    """Those that belong to this round of the top level, from 1 on."""
    # By lane, for in a long loop each visit is in a round, and there are as many rounds as visits.
    spans: dict[int, tuple[int, int]] = {}
    found: list[LaneVisit] = []
    for each in visits:
        node = each
        while node.lane.parent is not None:
            node = node.lane.parent
        if node.lane.frame not in spans:
            rounds = rounds_of(node.lane.visits)
            nodes = rounds[round - 1] if 0 < round <= len(rounds) else []
            spans[node.lane.frame] = (nodes[0].first, nodes[-1].first) if nodes else (0, -1)
        first, last = spans[node.lane.frame]
        if first <= node.first <= last:
            found.append(each)
    return found


def _siblings(timeline: Timeline, node: LaneVisit) -> list[LaneVisit]:
    """All visits of the same state of the same machine, in the order of their events."""
    where = [step.rpartition("[")[0] for step in node.visit.where]
    return [
        each
        for each in timeline.visits.values()
        if each.visit.name == node.visit.name and [step.rpartition("[")[0] for step in each.visit.where] == where
    ]
