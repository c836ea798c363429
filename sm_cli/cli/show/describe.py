"""An execution in words and as JSON: its facts, what it waits for, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.actions import command_of
from sm_cli.jsonvalue import Json, dumps
from sm_cli.views.executions import PendingWait, execution_document, failed_state
from sm_cli.views.records import HANDED_OVER, Execution, Frame, Job, Subscription, Timer, TimerKind
from sm_cli.views.why import doing, need_of
from sm_cli.worker.membership import name_of

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

_TIMERS = {
    TimerKind.DELAY: "waits until",
    TimerKind.DEADLINE: "times out at",
    TimerKind.BACKOFF: "tries again at",
    TimerKind.HEARTBEAT: "has to send a heartbeat before",
}


def describe_execution(engine: Engine, execution: Execution) -> dict[str, Json]:
    """The facts, the data, and (while it runs) what it waits for: one sentence each, with the command that moves it."""
    found, waits = execution_document(engine, execution)
    found["waits_for"] = [wait_text(wait) for wait in waits]
    return found


def wait_text(wait: PendingWait) -> str:
    """What is waited for in words, and the command that moves it."""
    said = _waited_for(wait)
    return said if wait.action is None else f"{said}: {command_of(wait.action)}"


def _waited_for(wait: PendingWait) -> str:
    match wait.what:
        case Subscription(key=key, value=value, deadline=deadline):
            until = "" if deadline is None else f" until {tables.local_time(deadline)}"
            return f"{wait.state} waits for the message {key}={value}{until}"
        case Job() as job if job.leased_until == HANDED_OVER:
            return f"{wait.state} has handed its work over and waits for the callback"
        case Job(worker=None) as job:
            return f"{wait.state} waits for a worker {need_of(job.resource)}"
        case Job() as job:
            return f"{wait.state} is at work: {name_of(job.worker or '')} {doing(job.resource)}, attempt {job.attempt}"
        case Timer(kind=kind, due=due):
            return f"{wait.state} {_TIMERS[kind]} {tables.local_time(due)}"
        case Frame(join=join) if join is not None:
            return f"{wait.state}: {join.settled} of {join.total} items are done"
        case Execution(name=name, workflow=workflow):
            return f"{wait.state} waits for the execution {name} of {workflow}"
    raise AssertionError(f"nothing waits for {wait.what!r}")


def description_lines(found: dict[str, Json], *, full: bool = False) -> Iterator[str]:
    """What `described` found, for people: of each value a screen at most, unless it is to be `full`."""
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
            yield f"{name.replace('_', ' '):<11} {tables.screenful(tables.clean(str(value)), full=full)}"
    yield f"{'input':<11} {tables.screenful(dumps(found['input']), full=full)}"
    if found["status"] == "SUCCEEDED":
        yield f"{'output':<11} {tables.screenful(dumps(found['output']), full=full)}"
    sentences = found["waits_for"]
    for sentence in sentences if isinstance(sentences, list) else []:
        yield f"{'now':<11} {tables.screenful(tables.clean(str(sentence)), full=full)}"


def ending(engine: Engine, execution: Execution) -> Iterator[str]:
    """How an execution ended, for stderr: one line, and for a failed one its state, error and cause."""
    assert execution.closed is not None
    took = tables.duration(execution.closed - execution.started)
    yield f"execution {execution.ref} {execution.status} in {took}"
    if execution.status == "SUCCEEDED":
        return
    state = failed_state(engine, execution) if execution.status == "FAILED" else None
    for name, value in (("state", state), ("error", execution.error), ("cause", execution.cause)):
        if value:
            yield f"  {name}: {tables.cut(tables.clean(value))}"
