"""Tasks that wait for a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine


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
