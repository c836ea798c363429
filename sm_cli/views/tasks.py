"""Tasks: what each needs of who does it, and those that wait for a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.asl.model import Task
from sm_cli.errors import SmError
from sm_cli.interpreter.states.distributed_map import READ, WRITE
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, Job

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.sql.questions import Questions

_OURS = {READ: ("to read its items", "reads its items"), WRITE: ("to write its results", "writes its results")}


def need_of(resource: str) -> str:
    """What a worker that waits for this job has to have, or to do."""
    return _OURS[resource][0] if resource in _OURS else f"with the handler {resource!r}"


def doing(resource: str) -> str:
    """What a worker does with this job."""
    return _OURS[resource][1] if resource in _OURS else f"runs the handler {resource!r}"


def polled_activity(engine: Engine, questions: Questions, job: Job) -> str | None:
    """The ARN of the activity that a job is a task of; None for a job of handlers, and where that cannot be known."""
    execution, frame = questions.short_execution(job.execution), questions.frames([job.frame]).get(job.frame)
    if execution is None or frame is None:
        return None
    try:
        machine = engine.programs.of(execution.digest, questions).machines[frame.machine]
    except SmError:  # a damaged definition; who works on the execution says so
        return None
    state = machine.states[job.state]
    if not isinstance(state, Task) or state.resource.kind != "activity":
        return None
    settings = engine.settings
    return f"arn:aws:states:{settings.region}:{settings.account}:activity:{job.resource}"


class HandedOver(NamedTuple):
    """A task whose work somebody else does, and ends with the token."""

    #: The execution that waits for it.
    execution: Execution
    #: The state's name.
    state: str
    #: What the work was handed to: the handler's name.
    resource: str
    #: What a callback has to carry.
    token: str
    #: Its number; tasks that are handed over later have higher ones.
    number: int


def handed_over_tasks(engine: Engine, limit: int, after: int = 0) -> list[HandedOver]:
    """Oldest first, at most `limit`. after: the number of the last one of the page before."""
    key = engine.store.token_key()
    with engine.store.read() as questions:
        jobs = questions.handed_over(limit, after)
        executions = questions.executions(sorted({job.execution for job in jobs}))
    return [
        HandedOver(executions[job.execution], job.state, job.resource, make_token(key, job.frame, job.seq), job.id)
        for job in jobs
    ]


def task_document(task: HandedOver) -> dict[str, Json]:
    """A task that waits for a callback as JSON."""
    execution, state, resource, token, _ = task
    return {
        "execution_id": execution.ref,
        "execution_name": execution.name,
        "workflow": execution.workflow,
        "state": state,
        "resource": resource,
        "token": token,
    }
