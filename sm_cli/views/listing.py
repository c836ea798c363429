"""Lists of executions.

Imports the store and nothing of the engine: who only lists does not wait for the import of an interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import BEYOND, NEWEST_FIRST, Cursor, ExecutionFilter, ExecutionPage, Order, SortKey, cursor_of
from sm_cli.store.records import Execution, MapRun, Status
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.sql.questions import Questions

__all__ = [
    "BEYOND",
    "Cursor",
    "Execution",
    "ExecutionFilter",
    "ExecutionPage",
    "Order",
    "SortKey",
    "Status",
    "count_by_workflow",
    "count_executions",
    "cursor_of",
    "execution_facts",
    "find_by_ref",
    "has_name",
    "list_executions",
    "map_run_id",
    "short_refs",
    "workflow_names",
]

_FIRST = ExecutionPage()


def list_executions(store: Store, filter: ExecutionFilter, page: ExecutionPage = _FIRST) -> list[Execution]:
    """A page of those that are meant, without input and output (both None)."""
    with store.read() as questions:
        return questions.list_executions(filter, page)


def count_executions(store: Store, filter: ExecutionFilter) -> int:
    """How many are meant."""
    with store.read() as questions:
        return questions.count_matching(filter)


def count_by_workflow(store: Store) -> dict[tuple[str, str], int]:
    """How many executions there are by (workflow, status), without children of map runs; each of them is looked at."""
    with store.read() as questions:
        return questions.count_by_workflow()


def page_after(store: Store, ref: str, order: Order = NEWEST_FIRST, limit: int = 50) -> ExecutionPage:
    """The page that follows the execution of this ref, name or beginning of a ref. Raises NotFound, Conflict."""
    with store.read() as questions:
        executions = questions.find(ref)
    if not executions:
        raise NotFound(f"no execution is {ref!r}")
    if len(executions) > 1:
        raise Conflict(f"{ref!r} may be any of {', '.join(each.ref for each in executions)}")
    return ExecutionPage(limit, order, cursor_of(executions[0], order))


def matching_executions(store: Store, filter: ExecutionFilter) -> list[int]:
    """The ids of all that are meant, oldest first."""
    with store.read() as questions:
        return questions.matching_executions(filter)


def short_execution(store: Store, id: int) -> Execution | None:
    """As it is now, without input and output (both None); None when it is gone."""
    with store.read() as questions:
        return questions.short_execution(id)


def has_name(store: Store, workflow: str, name: str) -> bool:
    """Whether an execution of this workflow has this name already."""
    with store.read() as questions:
        return questions.find_execution(workflow, name) is not None


def execution_facts(execution: Execution) -> dict[str, Json]:
    """What a list knows of an execution. Times are RFC 3339, UTC."""
    return {
        "id": execution.ref,
        "name": execution.name,
        "workflow": execution.workflow,
        "version": execution.version,
        "alias": execution.alias,
        "status": execution.status.value,
        "started": rfc3339(execution.started),
        "ended": None if execution.closed is None else rfc3339(execution.closed),
        "error": execution.error,
        "cause": execution.cause,
        "tags": dict(execution.tags),
    }


#: The beginning of an id that tells its millisecond; a shorter one might name a later execution too.
_MILLISECOND = 10


def short_refs(store: Store, refs: list[str], *, map_runs: bool = False) -> dict[str, str]:
    """Of each public id (of executions, or of map runs) the beginning that names it alone, now and later."""
    with store.read() as questions:
        beside = questions.refs_beside(refs, map_runs=map_runs)
    lengths = {ref: max(_common_length(ref, other or "") for other in both) for ref, both in beside.items()}
    return {ref: ref[: max(_MILLISECOND, length + 1)] for ref, length in lengths.items()}


def _common_length(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def workflow_names(store: Store) -> list[str]:
    """Of all workflows that the database knows."""
    with store.read() as questions:
        return [definition.name for definition, _ in questions.workflows()]


def map_run_id(store: Store, ref: str) -> int:
    """The id of the one map run of this ref, or whose ref begins with it. Raises NotFound, Conflict."""
    with store.read() as questions:
        runs = find_by_ref(questions, ref)
    if len(runs) > 1:
        raise Conflict(f"{ref!r} may be any of {', '.join(run.ref for run in runs)}", topic="map run")
    if not runs:
        raise NotFound(f"no map run is {ref!r}", topic="map run")
    return runs[0].id


def find_by_ref(questions: Questions, text: str) -> list[MapRun]:
    """The map run with this ref, also in small letters or at the end of an ARN, else those whose ref begins so."""
    ref = text.rpartition(":")[2] if text.startswith("arn:") else text
    return questions.find_map_run(ref) or questions.find_map_run(ref.upper())
