"""Map runs by Step Functions' API: described, listed, and given other limits while they run."""

from __future__ import annotations

from sm_cli.engine.stepping import map_runs
from sm_cli.engine.stepping.nested_executions import StartRefused
from sm_cli.engine.stepping.sfn.parameters import (
    Parameters,
    answer_page,
    date_member,
    newest_run,
    number_of,
    run_arn,
    the_execution,
    the_run,
)
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.join import to_start
from sm_cli.interpreter.states.distributed_map import IN_FLIGHT
from sm_cli.interpreter.states.map import tolerated_failures
from sm_cli.jsonvalue import Json
from sm_cli.store.records import MapRun
from sm_cli.timestamps import rfc3339

#: More map runs than an execution has.
_ALL = 2**31


def describe_run(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeMapRun. What did not succeed counts as failed; the two thresholds are one count here."""
    run = the_run(unit, parameters)
    join = run.join
    children = join.running
    items = min(join.read_items - join.settled_items, children * -(-join.read_items // max(join.made_children, 1)))
    answer: Parameters = {
        "ExecutionArn": unit.env(unit.execution(run.execution)).facts.execution_arn,
        "ExecutionCounts": counts(run, join.made_children, join.succeeded, join.failed, children),
        "ItemCounts": counts(run, join.total, join.settled_items - join.failed_items, join.failed_items, items),
        "MapRunArn": run_arn(unit, run),
        "MaxConcurrency": join.limit,
        "RedriveCount": run.redrives,
        "StartDate": rfc3339(run.started),
        "Status": run.status.value,
        **date_member("StopDate", run.closed),
        "ToleratedFailureCount": join.tolerated,
        "ToleratedFailurePercentage": 0.0,
    }
    return answer


def counts(run: MapRun, total: int, succeeded: int, failed: int, running: int) -> Json:
    """Items or executions by how they stand. What a closed run has left was aborted."""
    rest = total - succeeded - failed
    running, pending, aborted = (running, rest - running, 0) if run.closed is None else (0, 0, rest)
    return {
        "Aborted": aborted,
        "Failed": failed,
        "Pending": pending,
        "Running": running,
        "Succeeded": succeeded,
        "TimedOut": 0,
        "Total": total,
    }


def list_runs(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListMapRuns, a page of it: the newest first."""
    execution = the_execution(unit, parameters)
    new = [run for run in reversed(unit.changes.new_map_runs) if run.execution == execution.id]
    stored_runs = [newest_run(unit, run) for run in unit.tx.map_runs(execution.id, _ALL)]
    return answer_page(parameters, "MapRuns", [listed_run(unit, run) for run in (*new, *stored_runs)])


def listed_run(unit: UnitOfWork, run: MapRun) -> Json:
    """A map run as ListMapRuns has it."""
    facts = unit.env(unit.execution(run.execution)).facts
    return {
        "ExecutionArn": facts.execution_arn,
        "MapRunArn": run_arn(unit, run),
        "StartDate": rfc3339(run.started),
        "StateMachineArn": facts.machine_arn,
        **date_member("StopDate", run.closed),
    }


def update_run(unit: UnitOfWork, parameters: Parameters) -> Json:
    """UpdateMapRun. A threshold that is given replaces both, for they are one count here. Raises Refused."""
    limit, count = number_of(parameters, "MaxConcurrency"), number_of(parameters, "ToleratedFailureCount")
    percentage = number_of(parameters, "ToleratedFailurePercentage", 100)
    run = the_run(unit, parameters)
    if run.closed is not None:
        raise StartRefused("Validation", f"Map Run is not running: '{parameters['MapRunArn']}'")
    frame = unit.touch(unit.frames[run.frame])
    join = frame.join
    assert join is not None, "an open map run's frame has its counts"
    if limit is not None:
        join = join._replace(limit=min(int(limit) or IN_FLIGHT, IN_FLIGHT))
    if count is not None or percentage is not None:
        thresholds = None if count is None else int(count), percentage
        join = join._replace(tolerated=tolerated_failures(thresholds, join.total))
    frame.join = join
    map_runs.start_pending_children(unit, frame, to_start(join))
    map_runs.want_items(unit, frame)
    return {}
