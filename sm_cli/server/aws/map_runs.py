"""Map runs: described, listed, and given other limits while they run."""

from __future__ import annotations

from sm_cli.engine.workflows.map_runs import update_map_run
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.arns import map_run_ref
from sm_cli.server.aws.executions import execution_of_call
from sm_cli.server.aws.pages import first_place, page_size, token
from sm_cli.server.aws.refusals import no_resource, not_valid
from sm_cli.server.aws.request import ApiCall, epoch_seconds
from sm_cli.views.aws.executions import MapRun, RunOfExecution, find_run, runs_of
from sm_cli.views.map_runs import pending, running


def answer_describe_map_run(call: ApiCall) -> dict[str, Json]:
    """DescribeMapRun. What did not succeed counts as failed; the two thresholds are one count here.

    Raises CallRefused."""
    run, owner = run_of_call(call)
    join = run.join
    items = min(join.read_items - join.settled_items, running(run) * -(-join.read_items // max(join.made_children, 1)))
    return {
        "mapRunArn": call.arns.map_run(run),
        "executionArn": call.arns.execution(owner),
        "status": run.status.value,
        "startDate": epoch_seconds(run.started),
        **({} if run.closed is None else {"stopDate": epoch_seconds(run.closed)}),
        "maxConcurrency": join.limit,
        "toleratedFailurePercentage": 0.0,
        "toleratedFailureCount": join.tolerated,
        "itemCounts": _counts(
            run, join.item_count or 0, join.settled_items - join.failed_items, join.failed_items, items
        ),
        "executionCounts": _counts(run, join.made_children, join.succeeded, join.failed, running(run), pending(run)),
        "redriveCount": run.redrives,
    }


def _counts(
    run: MapRun, total: int, succeeded: int, failed: int, running: int, pending: int | None = None
) -> dict[str, Json]:
    """Items or executions by how they stand. What a closed run has left was aborted. pending: None: all the others."""
    rest = max(0, total - succeeded - failed)
    if run.closed is not None:
        running, pending, aborted = 0, 0, rest
    else:
        running = max(0, min(running, rest))
        pending, aborted = rest - running if pending is None else pending, 0
    return {
        "pending": pending, "running": running, "succeeded": succeeded, "failed": failed, "timedOut": 0,
        "aborted": aborted, "total": total, "resultsWritten": succeeded if run.closed is not None else 0,
    }  # fmt: skip


def answer_list_map_runs(call: ApiCall) -> dict[str, Json]:
    """ListMapRuns, a page of it, newest first. Raises CallRefused."""
    execution = execution_of_call(call)
    most, before = page_size(call), first_place(call)
    left = [run for run in runs_of(call.engine, execution) if before is None or run.id < before]
    rows: list[Json] = [
        {
            "executionArn": call.arns.execution(execution),
            "mapRunArn": call.arns.map_run(run),
            "stateMachineArn": call.arns.machine(execution.workflow),
            "startDate": epoch_seconds(run.started),
            **({} if run.closed is None else {"stopDate": epoch_seconds(run.closed)}),
        }
        for run in left[:most]
    ]
    return {"mapRuns": rows, **token(call, left[most - 1].id if len(left) > most else None)}


def answer_update_map_run(call: ApiCall) -> dict[str, Json]:
    """UpdateMapRun. Raises CallRefused."""
    run, _ = run_of_call(call)
    limits = {
        name: call.get(name) for name in ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")
    }
    try:
        update_map_run(call.engine, run, *limits.values())
    except Conflict as e:
        not_valid(e.message, "CANNOT_UPDATE_COMPLETED_MAP_RUN")
    return {}


def run_of_call(call: ApiCall) -> RunOfExecution:
    """The map run of a call's ARN. Raises CallRefused when there is none."""
    arn = call.text("mapRunArn")
    try:
        return find_run(call.engine, *map_run_ref(arn))
    except NotFound:
        raise no_resource(arn) from None
