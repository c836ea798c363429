"""Map runs: which there are, how far they are, and one as AWS's DescribeMapRun counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.engine.finding import SHORTCUTS
from sm_cli.errors import NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import BEYOND
from sm_cli.store.records import Execution, MapRun
from sm_cli.timestamps import rfc3339
from sm_cli.views.failures import FailurePlace, failure_place
from sm_cli.views.listing import find_by_ref

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

#: So many map runs of an execution are looked at for failures.
_RUNS = 9


def find_map_runs(engine: Engine, which: str | None, limit: int = 50, before: int = BEYOND) -> list[MapRun]:
    """Those of an execution, or one by its ref; all for None; newest first. before: the id that the page before ended
    with.

    Raises NotFound for what is neither a map run nor an execution.
    """
    with engine.store.read() as questions:
        if which is None:
            return questions.map_runs(limit=limit, before=before)
        runs = [] if which in SHORTCUTS else sorted(find_by_ref(questions, which), key=lambda run: -run.id)
    runs = [run for run in runs if run.id < before]
    if len(runs) == 1 and ("-" in which or which.startswith("arn:")):
        return runs
    try:
        execution = engine.find(which).id
    except NotFound:
        if runs:
            return runs
        raise NotFound(f"no map run and no execution is named {which!r}", topic="map run") from None
    with engine.store.read() as questions:
        return questions.map_runs(execution, limit, before)


def refs_of(engine: Engine, runs: list[MapRun]) -> dict[int, str]:
    """The public ids of the executions that these runs belong to."""
    with engine.store.read() as questions:
        return questions.refs({run.execution for run in runs})


def running(run: MapRun) -> int:
    """Children under way."""
    return 0 if run.closed is not None else run.join.running


def pending(run: MapRun) -> int:
    """Children that wait for their turn."""
    return 0 if run.closed is not None else run.join.made_children - run.join.started


class ChildFailure(NamedTuple):
    """What failed in a map run."""

    #: The run, with its counts as they are now.
    run: MapRun
    #: The child that failed first, without input and output; None when those that failed were late or stopped.
    child: Execution | None
    #: Where that one failed; None when there is none.
    place: FailurePlace | None


def child_failures(engine: Engine, execution: Execution) -> list[ChildFailure]:
    """Of the newest map runs of an execution those with items that failed, oldest first."""
    failures: list[ChildFailure] = []
    with engine.store.read() as questions:
        for run in reversed(questions.map_runs(execution.id, _RUNS)):
            if run.join.failed_items:
                child = questions.first_failed_execution(run.frame, run.activation)
                place = None if child is None else failure_place(questions, child)
                failures.append(ChildFailure(run, child, place))
    return failures


def map_run_document(run: MapRun, execution: str) -> dict[str, Json]:
    """As AWS's DescribeMapRun counts: items, and the executions that work on them. `execution` is a public id."""
    join = run.join
    return {
        "id": run.ref,
        "execution_id": execution,
        "state": run.state,
        "workflow": run.workflow,
        "type": run.type,
        "status": run.status.value,
        "started": rfc3339(run.started),
        "ended": None if run.closed is None else rfc3339(run.closed),
        "concurrency": join.limit,
        "tolerated_failures": join.tolerated,
        "redrive_count": run.redrives,
        "item_counts": {
            "total": join.item_count,
            "succeeded": join.settled_items - join.failed_items,
            "failed": join.failed_items,
            "pending": None if join.item_count is None else join.total - join.settled_items,
        },
        "execution_counts": {
            "total": join.made_children,
            "running": running(run),
            "pending": pending(run),
            "succeeded": join.succeeded,
            "failed": join.failed,
        },
    }
