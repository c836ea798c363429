"""Executions and map runs as AWS's API asks for them: by ARN, in pages, and events by their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.engine.aws_history import aws_events
from sm_cli.errors import NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import Cursor, ExecutionFilter, ExecutionPage, cursor_of
from sm_cli.store.particulars import ResourceKind
from sm_cli.store.records import Execution, MapRun, Status

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

__all__ = ["Cursor", "Execution", "ExecutionFilter", "MapRun", "Status"]

#: So many executions are looked at for one page where not all of them belong to it.
_MOST_SEEN, _PORTION = 10_000, 500
#: More map runs than an execution has.
_ALL = 2**31


class PageOfExecutions(NamedTuple):
    """A page of executions."""

    #: Newest first, without input and output (both None).
    executions: list[Execution]
    #: Where the next page begins; None: there is none.
    next: Cursor | None


class RunOfExecution(NamedTuple):
    """A map run, and whose it is."""

    #: The run, with its counts as they are now.
    run: MapRun
    #: The execution that it belongs to.
    execution: Execution


def execution_of_arn(engine: Engine, kind: str, workflow: str, name: str) -> Execution | None:
    """The execution of an ARN: by its name or, of an express one, by its public id."""
    with engine.store.read() as questions:
        if kind == "execution":
            return questions.find_execution(workflow, name)
        return next((each for each in questions.find(name) if (each.workflow, each.ref) == (workflow, name)), None)


def list_page(
    engine: Engine, filter: ExecutionFilter, after: Cursor | None, limit: int,
    takes: Callable[[Execution], bool] | None = None,
) -> PageOfExecutions:  # fmt: skip
    """At most `limit` of those that are meant, newest first. after: where the page begins; None: at the newest. takes:
    a condition beyond the filter; a page may be short because of it and still have a next one."""
    executions: list[Execution] = []
    seen = 0
    with engine.store.read() as questions:
        while True:
            portion = limit + 1 if takes is None else _PORTION
            rows = questions.list_executions(filter, ExecutionPage(portion, after=after))
            for execution in rows:
                if takes is None or takes(execution):
                    if len(executions) == limit:
                        return PageOfExecutions(executions, after)
                    executions.append(execution)
                after = cursor_of(execution)
            seen += len(rows)
            if len(rows) < portion:
                return PageOfExecutions(executions, None)
            if seen >= _MOST_SEEN:
                return PageOfExecutions(executions, after)


def trace_header(engine: Engine, execution: Execution) -> str | None:
    """The trace header that it was started with; None without one."""
    with engine.store.read() as questions:
        own = questions.particulars(ResourceKind.EXECUTION, execution.ref)
    header = None if own is None else own.facts.get("traceHeader")
    return None if header is None else str(header)


def find_run(engine: Engine, workflow: str, ref: str) -> RunOfExecution:
    """The map run of an ARN. Raises NotFound."""
    with engine.store.read() as questions:
        for run in questions.find_map_run(ref):
            owner = questions.executions([run.execution]).get(run.execution)
            if (run.ref, run.workflow) == (ref, workflow) and owner is not None:
                return RunOfExecution(run, owner)
    raise NotFound(f"no map run is {ref!r}", topic="map run")


def runs_of(engine: Engine, execution: Execution) -> list[MapRun]:
    """The map runs of an execution, newest first."""
    with engine.store.read() as questions:
        return questions.map_runs(execution.id, _ALL)


def run_above(engine: Engine, execution: Execution) -> MapRun | None:
    """The map run that an execution is a child of; None when it is none."""
    parent = execution.parent
    if parent is None or parent.run is None or parent.is_listed:
        return None
    with engine.store.read() as questions:
        return questions.map_run(parent.frame, parent.activation)


def events_after(engine: Engine, execution: Execution, number: int, limit: int) -> list[dict[str, Json]]:
    """At most `limit` events that come after this one, as GetExecutionHistory gives them but for their timestamps,
    which are microseconds since 1970 UTC."""
    with engine.store.read() as questions:
        events = questions.history(execution.id, number, limit)
    return [{**event, "timestamp": row.at} for event, row in zip(aws_events(events), events, strict=True)]
