"""What a handler is told beside its input: the same by a worker as in a simulated execution."""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.handlers.handler import Context
from sm_cli.handlers.starts import StartRequest
from sm_cli.interpreter.tokens import make_token
from sm_cli.store.records import Execution, Job
from sm_cli.worker.outlasting import outlast


def context_of(
    job: Job, execution: Execution, token_key: bytes, beat: Callable[[], None], starter: Callable[[StartRequest], str]
) -> Context:
    """The context of a job's handler. token_key: the database's key, with which task tokens are signed. beat: called
    for each heartbeat that the handler gives. starter: starts an execution for it, and returns the public id."""
    context = Context(
        execution_id=execution.ref,
        execution_name=execution.name,
        workflow=execution.workflow,
        state=job.state,
        attempt=job.attempt,
        idempotency_key=f"{execution.ref}-{job.frame}-{job.seq}",
        task_token=make_token(token_key, job.frame, job.seq),
        resource=job.resource,
        beat=beat,
    )
    context.starter = lambda request: outlast(lambda: starter(request), context.cancelled)
    return context
