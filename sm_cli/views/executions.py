"""Executions as they are: those of a list, one whole, what it waits for, where it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.engine.programs import DamagedDefinition, document_of, find_damage
from sm_cli.errors import NotFound, SmError
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import BEYOND
from sm_cli.store.messages import Subscription
from sm_cli.store.records import HANDED_OVER, Company, Execution, HistoryEvent, Job, MapRun, Status, Timer
from sm_cli.store.sql.questions import Questions
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.views.actions import Action, Do
from sm_cli.views.chaining.links import links_of, origin_document, target_document
from sm_cli.views.failures import FailurePlace, failure_place
from sm_cli.views.listing import execution_facts
from sm_cli.views.tasks import doing, need_of, polled_activity
from sm_cli.worker.membership import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.redrive import Again


def execution_now(engine: Engine, id: int) -> Execution | None:
    """The execution as it is at this moment, without its input (None); None when it is gone."""
    with engine.store.read() as questions:
        return questions.execution_without_input(id)


def executions_now(engine: Engine, ids: Iterable[int]) -> list[Execution]:
    """As `execution_now`, several from one snapshot, in this order; those that are gone are left out."""
    with engine.store.read() as questions:
        executions = map(questions.execution_without_input, ids)
        return [execution for execution in executions if execution is not None]


@dataclass(frozen=True, slots=True)
class Above:
    """What an execution is part of; each is None where there is none, or it was deleted."""

    #: The one whose state waits for it.
    parent: Execution | None
    #: The map run that it is a child of, also a batch's.
    run: MapRun | None
    #: The one whose state started it, and does not wait for it.
    starter: Execution | None
    #: The one at the top, which all began with, when that is another one than these.
    top: Execution | None


def above_of(engine: Engine, execution: Execution) -> Above:
    """What the execution is part of, all without input and output."""
    with engine.store.read() as questions:
        place, parent, run = execution.parent, None, None
        if place is not None:
            frame = questions.frames([place.frame]).get(place.frame)
            parent = None if frame is None else questions.short_execution(frame.execution)
            run = None if place.run is None else questions.map_run(place.frame, place.activation)
        starter = None if execution.starter is None else questions.short_execution(execution.starter)
        lower = {execution.id, *(each.id for each in (parent, starter) if each is not None)}
        top = None if execution.tree in lower else questions.short_execution(execution.tree)
        return Above(parent, run, starter, top)


def nested_executions(engine: Engine, execution: Execution, limit: int, before: int = BEYOND) -> list[Execution]:
    """The executions that its states started, whether they waited for them or not, also those that are closed, without
    input and output; newest first. before: the id of the one that the page before ended with."""
    with engine.store.read() as questions:
        return questions.nested_executions(execution.id, limit, before)


def nested_counts(engine: Engine, execution: Execution) -> dict[Status, int]:
    """How many of `nested_executions` there are of each status."""
    with engine.store.read() as questions:
        return questions.nested_counts(execution.id)


def history_of(engine: Engine, execution: Execution) -> list[HistoryEvent]:
    """Its events, in order."""
    with engine.store.read() as questions:
        return questions.history(execution.id)


def definition_of(engine: Engine, execution: Execution) -> Json:
    """The definition that it runs, which may be older than its file. Raises NotFound when the database does not have
    it, DatabaseError when it is damaged."""
    with engine.store.read() as questions:
        definition = questions.definition(execution.digest)
    if definition is None:
        raise NotFound(f"the definition of {execution.name} is not in the database")
    return document_of(definition).value


def has_free_jobs(engine: Engine, execution: Execution) -> bool:
    """Whether a job of it waits that nobody has taken."""
    with engine.store.read() as questions:
        return any(job.leased_until is None for job in questions.jobs_of(execution.id))


_TIMERS = {
    TimerKind.DELAY: "waits until",
    TimerKind.DEADLINE: "times out at",
    TimerKind.BACKOFF: "tries again at",
    TimerKind.HEARTBEAT: "has to send a heartbeat before",
}


@dataclass(frozen=True, slots=True)
class PendingWait:
    """One thing that an open execution waits for."""

    #: The state that waits; `?` when it is not known.
    state: str
    #: A message, a job that is handed over, free or at work, a map run, another execution, a timer; or the repair of
    #: its damaged definition, and then nothing else counts.
    what: Subscription | Job | Frame | Execution | Timer | DamagedDefinition
    #: What would move it; None when only time or a worker does.
    action: Action | None = None


def execution_document(
    engine: Engine, execution: Execution
) -> tuple[dict[str, Json], list[PendingWait], FailurePlace | None]:
    """(the facts and the data, what it waits for while it runs, where it failed), from one snapshot."""
    with engine.store.read() as questions:
        failure = failure_place(questions, execution)
        return _document(questions, execution, failure), _waits(engine, questions, execution), failure


def result_document(execution: Execution) -> dict[str, Json]:
    """What became of an execution that somebody ran or waited for. Times are RFC 3339, UTC; `duration` is in seconds.

    While it runs, `ended` and `duration` are None. `execution` has its output."""
    end = execution.closed
    return {
        "id": execution.ref,
        "name": execution.name,
        "workflow": execution.workflow,
        "version": execution.version,
        "alias": execution.alias,
        "status": execution.status.value,
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "started": rfc3339(execution.started),
        "ended": None if end is None else rfc3339(end),
        "duration": None if end is None else round((end - execution.started) / MICROSECONDS, 3),
    }


def _document(questions: Questions, execution: Execution, failure: FailurePlace | None) -> dict[str, Json]:
    document = execution_facts(execution)
    document["digest"] = execution.digest
    document["type"] = execution.type
    top = None if execution.tree == execution.id else questions.refs([execution.tree]).get(execution.tree)
    document["part_of"] = top
    document["deadline"] = None if execution.deadline is None else rfc3339(execution.deadline)
    document["input"] = execution.input
    document["output"] = execution.output
    document["failure"] = failure_document(failure)
    origin, targets = links_of(questions, execution)
    document["started_from"] = origin_document(origin)
    document["led_to"] = [target_document(ends) for ends in targets]
    return document


def _waits(engine: Engine, questions: Questions, execution: Execution) -> list[PendingWait]:
    if execution.closed is not None:
        return []
    damage = find_damage(execution.digest, questions)
    if damage is not None:
        return [PendingWait("?", damage)]
    frames = questions.open_frames(execution.id)
    states = {frame.id: frame.state for frame in frames}
    waits = [
        PendingWait(states.get(s.frame, "?"), s, Action(Do.SEND_MESSAGE, (s.key, s.value)))
        for s in questions.subscriptions_of(execution.id)
    ]
    waits += [_wait_for(engine, questions, job) for job in questions.jobs_of(execution.id)]
    for frame in frames:
        if frame.opens & Opens.EXECUTIONS and frame.join is not None:
            run = f"{execution.ref}-{frame.id}-{frame.join.activation}"
            waits.append(PendingWait(frame.state, frame, Action(Do.SHOW_MAP_RUNS, (run,))))
        elif frame.opens & Opens.EXECUTIONS:
            for child in questions.open_executions(frame.id):
                waits.append(PendingWait(frame.state, child, Action(Do.SHOW_EXECUTION, (child.ref,))))
    return waits + [PendingWait(states.get(timer.frame, "?"), timer) for timer in questions.timers_of(execution.id)]


def _wait_for(engine: Engine, questions: Questions, job: Job) -> PendingWait:
    if job.leased_until == HANDED_OVER:
        return PendingWait(job.state, job, Action(Do.LIST_TASKS))
    if job.worker is not None:
        return PendingWait(job.state, job)
    activity = polled_activity(engine, questions, job)
    if activity is not None:
        return PendingWait(job.state, job, Action(Do.POLL_ACTIVITY, (activity,)))
    return PendingWait(job.state, job, Action(Do.START_WORKER))


def wait_sentence(wait: PendingWait, time_text: Callable[[int], str]) -> str:
    """What is waited for in words, without what would move it. time_text: makes text of a time in microseconds."""
    match wait.what:
        case Subscription(key=key, value=value, deadline=deadline):
            until = "" if deadline is None else f" until {time_text(deadline)}"
            return f"{wait.state} waits for the message {key}={value}{until}"
        case Job() as job if job.leased_until == HANDED_OVER:
            return f"{wait.state} has handed its work over and waits for the callback"
        case Job(worker=None) as job if wait.action is not None and wait.action.do is Do.POLL_ACTIVITY:
            return f"{wait.state} waits until somebody polls the activity {job.resource!r} (GetActivityTask)"
        case Job(worker=None) as job:
            return f"{wait.state} waits for a worker {need_of(job.resource)}"
        case Job(company=Company.IN_THE_WAY) as job:
            return f"{wait.state} waits until {name_of(job.worker or '')} has nothing else"
        case Job() as job:
            return f"{wait.state} is at work: {name_of(job.worker or '')} {doing(job.resource)}, attempt {job.attempt}"
        case Timer(kind=kind, due=due):
            return f"{wait.state} {_TIMERS[kind]} {time_text(due)}"
        case Frame(join=join) if join is not None:
            total = "?" if join.item_count is None else join.item_count
            return f"{wait.state}: {join.settled_items} of {total} items are done"
        case Execution(name=name, workflow=workflow):
            return f"{wait.state} waits for the execution {name} of {workflow}"
        case SmError(message=message):
            return f"nothing goes on with it: {message}"
    raise AssertionError(f"nothing waits for {wait.what!r}")


def execution_failure(engine: Engine, execution: Execution) -> FailurePlace | None:
    """Where it failed; None unless it is FAILED."""
    with engine.store.read() as questions:
        return failure_place(questions, execution)


def redrive_document(
    execution: Execution, again: Sequence[Again], *, version: int | None, dry_run: bool
) -> dict[str, Json]:
    """What runs again of a redriven execution, as JSON. version: of its workflow, with which it goes on."""
    return {
        "execution_id": execution.ref,
        "dry_run": dry_run,
        "version": version,
        "again": again_documents(again),
    }


def again_documents(again: Sequence[Again]) -> list[Json]:
    """The states that run again, as JSON."""
    return [{"state": a.state, "type": a.type, "where": list(a.where)} for a in again]


def failure_document(failure: FailurePlace | None) -> Json:
    """What JSON has of a failure: state, places, traceback; and the execution below that failed first."""
    if failure is None:
        return None
    child = failure.child
    below: Json = None
    if child is not None:
        below = {"id": child.ref, "name": child.name, "workflow": child.workflow, "error": child.error,
                 "cause": child.cause, "failure": failure_document(failure.below)}  # fmt: skip
    return {
        "state": failure.state,
        "places": list(failure.places),
        "traceback": None if failure.traceback is None else failure.traceback.text,
        "failed_execution": below,
    }
