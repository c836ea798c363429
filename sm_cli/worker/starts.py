"""Executions that handlers start: in the handler's thread, by an engine of its own over the worker's store.

The worker's engine steps for the worker's thread alone; a store lets one thread write at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy

from sm_cli.engine.engine import Engine
from sm_cli.engine.payload_warnings import refuse_beyond_aws
from sm_cli.engine.settings import JobTaker
from sm_cli.errors import Conflict, UsageError
from sm_cli.handlers.starts import StartRequest
from sm_cli.jsonvalue import Json, as_json
from sm_cli.store.records import Execution, Job


def start_by_handler(
    engine: Engine, request: StartRequest, job: Job, execution: Execution, taker: JobTaker | None = None
) -> tuple[str, list[Job]]:
    """(the public id of what a handler of this job starts, the jobs that `taker` took). It stands in the same queue and
    under the same limits. A run of an attempt that is repeated finds what the one before has started. Raises errors of
    `sm_cli.errors`."""
    workflow = engine.find_workflow(request.workflow)

    def namesake() -> Execution | None:
        with engine.store.read() as questions:
            return None if request.is_named else questions.find_execution(workflow.name, request.name)

    if (before := namesake()) is not None:
        return before.ref, []
    source = None
    if request.source is not None:
        from sm_cli.engine.chaining.transform import jsonata_transform

        source = engine.find_source(
            request.source, transform=None if request.transform is None else jsonata_transform(request.transform),
            allow_failed=request.allow_failed, unique=request.unique,
        )  # fmt: skip
    elif request.transform is not None or request.allow_failed or request.unique:
        raise UsageError("transform, allow_failed and unique say something about a source, and there is none")
    data = request.input if source is not None else _input(request.input)
    if execution.limits:
        refuse_beyond_aws(data)
    try:
        child, _, jobs = engine.start(
            workflow, data, name=request.name, queue=job.queue, limits=execution.limits, source=source, taker=taker
        )
    except Conflict:
        if (other := namesake()) is not None:  # another run of the attempt was quicker
            return other.ref, []
        raise
    return child.ref, jobs


def _input(value: object) -> Json:
    data, problem = as_json({} if value is None else value)
    if problem is not None:
        raise UsageError(f"the input is not JSON: {problem}")
    return data


class HandlerStarts:
    """Starts executions for the handlers of one worker, whichever threads these run in.

    engine: the worker's. wake: called after each start, so that the worker looks for what it has begun."""

    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._worker_engine = engine
        self._wake = wake
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def start(self, request: StartRequest, job: Job, execution: Execution) -> str:
        """As `start_by_handler`; returns the public id."""
        with self._lock:
            if self._engine is None:
                self._engine = self._another_engine()
            ref, _ = start_by_handler(self._engine, request, job, execution)
        self._wake()
        return ref

    def _another_engine(self) -> Engine:
        engine = self._worker_engine
        return Engine(
            engine.store, clock=engine.clock, settings=copy(engine.settings), library=engine.programs.library,
            buckets=engine.buckets,
        )  # fmt: skip
