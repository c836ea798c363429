"""An execution in words and as JSON: its facts, what it waits for, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import tables
from sm_cli.engine.near_misses import send_command
from sm_cli.interpreter.frame import Opens
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.protocol import HANDED_OVER, TimerKind
from sm_cli.timestamps import rfc3339
from sm_cli.views.why import doing, wanted
from sm_cli.worker.membership import name_of

if TYPE_CHECKING:
    from sm_cli.store.protocol import Execution, Store
    from sm_cli.views.state_visits import StateVisit

_TIMERS = {
    TimerKind.DELAY: "waits until",
    TimerKind.DEADLINE: "times out at",
    TimerKind.BACKOFF: "tries again at",
    TimerKind.HEARTBEAT: "has to send a heartbeat before",
}


def facts(execution: Execution) -> dict[str, Json]:
    """What `sm list` knows of an execution. Times are RFC 3339, UTC."""
    return {
        "id": execution.ref,
        "name": execution.name,
        "workflow": execution.workflow,
        "status": execution.status.value,
        "started": rfc3339(execution.started),
        "closed": None if execution.closed is None else rfc3339(execution.closed),
        "error": execution.error,
        "cause": execution.cause,
    }


def described(store: Store, execution: Execution) -> dict[str, Json]:
    """The facts, the data, and (while it runs) what it waits for: one sentence each, with the command that moves it."""
    found = facts(execution)
    found["definition"] = execution.digest
    found["type"] = execution.type
    found["part_of"] = None if execution.tree == execution.id else store.refs([execution.tree]).get(execution.tree)
    found["deadline"] = None if execution.deadline is None else rfc3339(execution.deadline)
    found["input"] = execution.input
    found["output"] = execution.output
    found["waits_for"] = [] if execution.closed is not None else list(waits(store, execution))
    return found


def waits(store: Store, execution: Execution) -> Iterator[Json]:
    states = {frame.id: frame.state for frame in store.frames_of(execution.id)}
    for subscription in store.subscriptions_of(execution.id):
        state = states.get(subscription.frame, "?")
        until = "" if subscription.deadline is None else f" until {tables.local_time(subscription.deadline)}"
        yield (
            f"{state} waits for the message {subscription.key}={subscription.value}{until}: "
            f"{send_command(subscription.key, subscription.value)}"
        )
    for job in store.jobs_of(execution.id):
        if job.leased_until == HANDED_OVER:
            yield f"{job.state} has handed its work over and waits for the callback: sm task list"
        elif job.worker is None:
            yield f"{job.state} waits for a worker {wanted(job.resource)}: sm worker"
        else:
            yield f"{job.state} is at work: {name_of(job.worker)} {doing(job.resource)}, attempt {job.attempt}"
    for frame in store.frames_of(execution.id):
        if frame.opens & Opens.EXECUTIONS and frame.join is not None:
            done = f"{frame.join.settled} of {frame.join.total} items are done"
            yield f"{frame.state}: {done}: sm map-runs {execution.ref}-{frame.id}-{frame.join.activation}"
        elif frame.opens & Opens.EXECUTIONS:
            for child in store.open_executions(frame.id):
                yield f"{frame.state} waits for the execution {child.name} of {child.workflow}: sm show {child.ref}"
    for timer in store.timers_of(execution.id):
        yield f"{states.get(timer.frame, '?')} {_TIMERS[timer.kind]} {tables.local_time(timer.due)}"


_SHOWN = (
    *("id", "name", "workflow", "part_of", "status", "started", "closed", "deadline", "error", "cause", "definition"),
)


def lines(found: dict[str, Json]) -> Iterator[str]:
    """What `described` found, for people."""
    names = (
        "id",
        "name",
        "workflow",
        "part_of",
        "status",
        "started",
        "closed",
        "deadline",
        "error",
        "cause",
        "definition",
    )
    for name in names:
        value = found[name]
        if value is not None and (name != "name" or value != found["id"]):
            yield f"{name.replace('_', ' '):<11} {tables.clean(str(value))}"
    yield f"{'input':<11} {dumps(found['input'])}"
    if found["status"] == "SUCCEEDED":
        yield f"{'output':<11} {dumps(found['output'])}"
    sentences = found["waits_for"]
    for sentence in sentences if isinstance(sentences, list) else []:
        yield f"{'now':<11} {tables.clean(str(sentence))}"


def ending(store: Store, execution: Execution) -> Iterator[str]:
    """How an execution ended, for stderr: one line, and for a failed one its state, error and cause."""
    assert execution.closed is not None
    took = tables.duration(execution.closed - execution.started)
    yield f"execution {execution.ref} {execution.status} in {took}"
    if execution.status == "SUCCEEDED":
        return
    state = failed_state(store, execution) if execution.status == "FAILED" else None
    for name, value in (("state", state), ("error", execution.error), ("cause", execution.cause)):
        if value:
            yield f"  {name}: {tables.clean(value)}"


def failed_state(store: Store, execution: Execution) -> str | None:
    """The state in which it failed, the innermost one: `Charge`, or `Charge in Orders[3]`."""
    from sm_cli.views.state_visits import state_visits

    failed: list[StateVisit] = [v for v in state_visits(store.history(execution.id)) if v.status == "FAILED"]
    if not failed:
        return None
    deepest = max(failed, key=lambda visit: (len(visit.where), visit.started))
    return f"{deepest.name} in {' '.join(deepest.where)}" if deepest.where else deepest.name
