"""One visit of a state, with its data: input, output, attempts, events, and where its handler failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sm_cli.store.filters import BEYOND
from sm_cli.views.history import events_of
from sm_cli.views.timeline.marks import machines_inside, state_pointer

if TYPE_CHECKING:
    from sm_cli.asl.graph.graph import Graph
    from sm_cli.engine.engine import Engine
    from sm_cli.interpreter.traceback import Traceback
    from sm_cli.jsonvalue import Json
    from sm_cli.store.records import Execution, HistoryEvent, MapRun
    from sm_cli.views.timeline.lanes import Lane, LaneVisit

#: Events that are looked through for those of a visit, and of them those that are kept.
_LOOKED_AT, _KEPT = 3000, 200
#: Executions and map runs below a visit that are told.
_BELOW = 20
#: What begins an attempt: a task of any kind (Task, Activity, LambdaFunction) begins it in the queue.
_QUEUED = "Scheduled"
_BEGINS = (_QUEUED, "MapStateStarted", "ParallelStateStarted", "MessageSubscribed")
_TAKEN = ("Started", "Submitted")
_FAILED = ("Failed", "TimedOut")
#: Not about the state, but about the item or the execution that it is in.
_OF_THE_FRAME = ("MapIteration", "Execution")


@dataclass(slots=True)
class VisitAttempt:
    """One attempt of a visit. Times are microseconds since 1970 UTC."""

    #: From 1 on.
    number: int
    #: When it was put into the queue, or began.
    begin: int
    #: Whether it began in the queue: a worker has to take it.
    is_queued: bool = False
    #: When a worker took it; None: nobody has, or nobody has to.
    start: int | None = None
    #: None while it is under way.
    end: int | None = None
    #: The error name; None unless it failed.
    error: str | None = None
    #: Text for people; None when there is none.
    cause: str | None = None

    def queue_time(self, end: int) -> int | None:
        """Microseconds in the queue, of an attempt that ended or is looked at then; None: it was in none."""
        return (end if self.start is None else self.start) - self.begin if self.is_queued else None

    def work_time(self, end: int) -> int | None:
        """Microseconds that it was worked at; None: nobody has taken it."""
        if self.is_queued and self.start is None:
            return None
        return end - (self.begin if self.start is None else self.start)


@dataclass(slots=True)
class VisitDetails:
    """What the history says of one visit."""

    #: The state's raw input.
    input: Json = None
    #: What it was left with; None while it is under way, and when it failed.
    output: Json = None
    #: Whether there is an output.
    has_output: bool = False
    #: In order.
    attempts: list[VisitAttempt] = field(default_factory=list)
    #: Of its frame, in order; the first of many.
    events: list[HistoryEvent] = field(default_factory=list)
    #: Whether there are more events than these.
    has_more: bool = False
    #: Where the handler failed, at the newest attempt; None when none here raised.
    traceback: Traceback | None = None


def visits_of_state(graph: Graph, roots: list[Lane], pointer: str) -> list[LaneVisit]:
    """All visits of the state with this JSON pointer, in the order in which it was entered."""
    inside = machines_inside(graph)
    visits: list[LaneVisit] = []
    waiting = [(lane, "") for lane in roots]
    while waiting:
        lane, machine = waiting.pop()
        for node in lane.visits:
            at = state_pointer(machine, node.visit.name)
            if at == pointer:
                visits.append(node)
            machines = inside.get(at, [])
            if machines and pointer.startswith(f"{at}/"):
                waiting += [(below, machines[min(below.index, len(machines) - 1)]) for below in node.lanes]
    return sorted(visits, key=lambda node: node.first)


@dataclass(frozen=True, slots=True)
class BelowVisit:
    """What a visit of a state has started, some of it where it is much."""

    #: Executions that it waits for, or has waited for, without input and output.
    executions: list[Execution]
    #: Of a distributed Map, one for each attempt.
    runs: list[MapRun]


def below_visit(engine: Engine, execution: Execution, node: LaneVisit) -> BelowVisit:
    """What the visit has started. A frame is in one state at a time, so that frame and time say which visit it was."""
    visit, frame = node.visit, node.lane.frame
    end = BEYOND if visit.end is None else max(visit.start, visit.end - 1)
    with engine.store.read() as questions:
        executions = questions.nested_of_frame(frame, visit.start, end, _BELOW) if visit.type == "Task" else []
        runs = questions.map_runs(execution.id) if visit.type == "Map" else []
    mine = [run for run in runs if run.frame == frame and run.state == visit.name and visit.start <= run.started <= end]
    return BelowVisit(executions, mine[:_BELOW])


def visit_details(engine: Engine, execution: Execution, node: LaneVisit) -> VisitDetails:
    """What the history says of a visit, as far as `_LOOKED_AT` events show it."""
    details = VisitDetails()
    for number, event in enumerate(events_of(engine, execution, node.first - 1)):
        if event.number > node.last:
            break
        if number >= _LOOKED_AT:
            details.has_more = True
            break
        if event.frame == node.lane.frame:
            _take(details, event)
    with engine.store.read() as questions:
        if details.has_more:
            for event in questions.history(execution.id, node.last - 1, 1):
                _take(details, event)
        attempt = questions.failed_attempt(execution.id, node.lane.frame, node.visit.name)
    if attempt is not None and attempt.number == node.visit.failure:
        details.traceback = attempt.traceback
    return details


def _take(details: VisitDetails, event: HistoryEvent) -> None:
    if len(details.events) < _KEPT:
        details.events.append(event)
    else:
        details.has_more = True
    last = details.attempts[-1] if details.attempts else None
    if event.type.endswith("StateEntered"):
        details.input = event.detail.get("input")
    elif event.type.endswith("StateExited"):
        details.output, details.has_output = event.detail.get("output"), True
        if last is not None and last.end is None:
            last.end = event.at
    elif event.type.endswith(_BEGINS):
        details.attempts.append(VisitAttempt(len(details.attempts) + 1, event.at, event.type.endswith(_QUEUED)))
    elif event.type.endswith(_TAKEN) and last is not None and last.is_queued:
        last.start = event.at if last.start is None else last.start
    elif event.type.startswith(_OF_THE_FRAME) or last is None:
        return
    elif event.type.endswith(_FAILED):
        cause = event.detail.get("cause")
        last.end, last.error = event.at, str(event.detail.get("error", ""))
        last.cause = None if cause is None else str(cause)
    elif event.type.endswith("Succeeded"):
        last.end = event.at
