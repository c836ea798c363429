"""Executions that wait for messages, on an engine whose clock stands still until it is told to move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping import tasks
from sm_cli.engine.stepping.tick import Tick
from sm_cli.interpreter.events import Event, TaskSucceeded
from sm_cli.jsonvalue import Json
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Job
from tests.store.asking import asked

WAIT: dict[str, Any] = {
    "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId", "TimeoutSeconds": 60,
    "TimeoutPath": "Late", "Next": "Paid",
}  # fmt: skip


def machine(start: str = "Wait", **states: dict[str, Any]) -> Workflow:
    document = from_value({"StartAt": start, "States": states}).document
    assert document is not None
    return prepare(document, "order")


def order(**change: Any) -> Workflow:
    """Wait for orderId; a task on either path."""
    return machine(
        Wait={**WAIT, **change},
        Paid={"Type": "Task", "Resource": "paid", "ResultPath": "$.by", "End": True},
        Late={"Type": "Task", "Resource": "late", "ResultPath": "$.by", "End": True},
    )


def start(engine: Engine, workflow: Workflow, input: Json) -> Execution:
    return engine.start(workflow, input)[0]


def now(store: Store, execution: Execution) -> Execution:
    found = asked(store).execution(execution.id)
    assert found is not None
    return found


def ticked(engine: Engine) -> Tick:
    """One tick for whatever is due."""
    return engine.transact(Tick.due)[1]


def work(engine: Engine, runs: list[str] | None = None, worker: str = "w") -> int:
    """Take every free job, and those that this worker had when it died; each handler returns its own name.
    Tells how many there were."""

    def claim(tick: Tick) -> None:
        tasks.lease_jobs(tick, [*tick.tx.leased_to(worker), *tick.tx.claimable(tick.now, 10_000)])

    def deliver(job: Job) -> Callable[[Tick], None]:
        event: Event = TaskSucceeded(job.seq, job.resource)
        return lambda tick: tick.deliver(job.frame, event)

    done = 0
    while True:
        jobs = engine.transact(claim, JobTaker(worker, 10_000))[1].taken_jobs()
        if not jobs:
            return done
        for job in jobs:
            done += 1
            if runs is not None:
                runs.append(f"{job.execution}-{job.frame}-{job.seq} {job.resource}")
            engine.transact(deliver(job))


def rest(store: Store, execution: Execution) -> list[Any]:
    """What is left of an execution besides its history."""
    id = execution.id
    return [
        *asked(store).jobs_of(id),
        *asked(store).timers_of(id),
        *asked(store).subscriptions_of(id),
        *asked(store).open_frames(id),
    ]
