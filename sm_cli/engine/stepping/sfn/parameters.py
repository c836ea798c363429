"""What a call of Step Functions' API is given, read as AWS reads it, and what its answers have in common."""

from __future__ import annotations

from typing import NoReturn, TypeAlias

from sm_cli.asl.resources import workflow_reference
from sm_cli.engine.programs import WorkflowVersion
from sm_cli.engine.stepping.nested_executions import StartRefused, nested_version
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import InvalidDefinition, InvalidJson, NotFound
from sm_cli.interpreter.env import Facts
from sm_cli.jsonvalue import Json, dumps, loads_exact
from sm_cli.store.records import Execution, MapRun
from sm_cli.timestamps import rfc3339

#: AWS's most results of one call, and how many it gives unless it is asked for a number.
_MOST, _USUAL = 1_000, 100
#: A token is a number: of an event, or the id of a row.
_DIGITS = 18

Parameters: TypeAlias = dict[str, Json]


def the_execution(unit: UnitOfWork, parameters: Parameters) -> Execution:
    """The execution of an ARN, as it is now. Raises Refused."""
    arn = str(parameters["ExecutionArn"])
    parts = arn.split(":")
    if len(parts) < 8 or parts[5] not in ("execution", "express"):
        raise StartRefused("InvalidArn", f"Invalid Arn: '{arn}'")
    workflow, name = parts[6], parts[7]
    for new in reversed(unit.changes.new_executions):
        if (new.workflow, new.name) == (workflow, name):
            return new
    row = unit.tx.find_execution(workflow, name)
    execution = None if row is None else unit.execution_if_there(row.id)
    if execution is None:
        raise StartRefused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return execution


def the_version(unit: UnitOfWork, arn: str) -> WorkflowVersion:
    """What the ARN of a workflow, a version or an alias means now. Raises Refused when there is no such thing."""
    reference = WorkflowReference(*workflow_reference(arn))
    try:
        return nested_version(unit, reference, "")
    except InvalidDefinition as e:
        raise StartRefused("InvalidDefinition", f"The workflow {reference.workflow} cannot run: {e}") from None
    except NotFound:
        raise StartRefused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'") from None


def the_workflow(unit: UnitOfWork, arn: str) -> str:
    """The name of the workflow of an ARN, which may be a version's or an alias's. Raises Refused when there is none."""
    return the_version(unit, arn).name


def the_run(unit: UnitOfWork, parameters: Parameters) -> MapRun:
    """The map run of an ARN, with its newest counts. Raises Refused."""
    arn = str(parameters["MapRunArn"])
    parts = arn.split(":")
    if len(parts) != 8 or parts[5] != "mapRun" or "/" not in parts[6]:
        raise StartRefused("InvalidArn", f"Invalid Arn: '{arn}'")
    stored_runs = [run for run in unit.tx.find_map_run(parts[7]) if run.ref == parts[7]]
    runs = [run for run in unit.changes.new_map_runs if run.ref == parts[7]] or stored_runs
    # One whose execution was deleted goes after it.
    if not runs or runs[0].workflow != parts[6] or unit.execution_if_there(runs[0].execution) is None:
        raise StartRefused("ResourceNotFound", f"Resource not found: '{arn}'")
    return newest_run(unit, runs[0])


def newest_run(unit: UnitOfWork, run: MapRun) -> MapRun:
    """The run as this transaction has it; while it runs, its frame has the counts."""
    run = unit.runs.runs_by_fork.get((run.frame, run.activation), run)
    unit.load([run.frame])
    join = unit.frames[run.frame].join
    if run.closed is None and join is not None and join.activation == run.activation:
        run.join = join
    return run


def facts_of(unit: UnitOfWork, workflow: str) -> Facts:
    """The facts from which the ARNs of a workflow are made."""
    return Facts("", "", workflow, "STANDARD", None, 0, unit.settings.region, unit.settings.account)


def run_arn(unit: UnitOfWork, run: MapRun) -> str:
    """The ARN of a map run."""
    workflow, _, label = run.workflow.partition("/")
    return facts_of(unit, workflow).map_run_arn(label, run.ref)


def json_of(value: Json, error: str, what: str) -> Json:
    """What a parameter of JSON text holds; an object given in its place is what its text would hold. Raises Refused
    for text that is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return loads_exact(value)
    except InvalidJson as e:
        raise StartRefused(error, f"{what}: '{e.message}'") from None


def text_of(value: Json) -> str | None:
    """A string as it is, another value as its JSON text."""
    return value if value is None or isinstance(value, str) else dumps(value)


def number_of(parameters: Parameters, name: str, most: float = 2**31 - 1) -> float | None:
    """A number from 0 to `most`; None when it is not given. Raises Refused."""
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        wrong(name, value, "a number in its range")
    return value


def wrong(name: str, value: Json, constraint: str) -> NoReturn:
    """Raises Refused for a value that AWS's own check of parameters refuses."""
    where = name[:1].lower() + name[1:]
    raise StartRefused(
        "Validation",
        f"1 validation error detected: Value '{text_of(value)}' at '{where}' failed to satisfy constraint: "
        f"Member must be {constraint}",
    )


def page_bounds(parameters: Parameters) -> tuple[int, int]:
    """(where the page begins, how many results it has at most). Raises Refused for a token or a number that is none."""
    most, token = parameters.get("MaxResults"), parameters.get("NextToken", "0")
    # A longer number is none of ours: no column holds it.
    if not isinstance(token, str) or not token.isascii() or not token.isdigit() or len(token) > _DIGITS:
        raise StartRefused("InvalidToken", f"Invalid Token: '{token}'")
    count = int(most) if isinstance(most, (int, float)) and not isinstance(most, bool) and most > 0 else _USUAL
    return int(token), min(count, _MOST)


def answer_page(parameters: Parameters, name: str, results: list[Json]) -> Parameters:
    """The page that is asked for, under this name, and where the next one begins."""
    first, most = page_bounds(parameters)
    answer: Parameters = {name: results[first : first + most]}
    return answer | ({"NextToken": str(first + most)} if len(results) > first + most else {})


def date_member(name: str, at: int | None) -> Parameters:
    """A date as the SDK integrations write it, where there is one. at: microseconds since 1970 UTC."""
    return {} if at is None else {name: rfc3339(at)}


def pascal(value: Json) -> Json:
    """An answer of the API with its members' names as the SDK integrations write them."""
    if isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: inner if name == "assignedVariables" else pascal(inner)
            for name, inner in value.items()
        }
    return [pascal(inner) for inner in value] if isinstance(value, list) else value
