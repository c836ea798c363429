"""State machines by Step Functions' API: described, listed and validated. They are made by files, not by calls."""

from __future__ import annotations

from sm_cli.engine.stepping.sfn.parameters import (
    Parameters,
    answer_page,
    facts_of,
    run_arn,
    the_execution,
    the_workflow,
    wrong,
)
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.records import MapRun
from sm_cli.timestamps import rfc3339

#: AWS's most problems in one answer of ValidateStateMachineDefinition.
_MOST_PROBLEMS = 100


def describe_machine(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeStateMachine, of the newest definition of the name."""
    name = the_workflow(unit, str(parameters["StateMachineArn"]))
    new = (each for each in reversed(unit.changes.new_definitions) if each.name == name)
    definition = next(new, None) or unit.tx.newest(name)
    assert definition is not None, "the workflow was found"
    return {
        **machine_row(name, definition.created),
        "Definition": definition.text,
        "Status": "ACTIVE",
        "RoleArn": facts_of(name).role,
    }


def describe_for_execution(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeStateMachineForExecution: the definition that the execution runs, which may be an older one."""
    execution = the_execution(unit, parameters)
    new = (each for each in unit.changes.new_definitions if each.digest == execution.digest)
    definition = next(new, None) or unit.tx.definition(execution.digest)
    assert definition is not None, "an execution's definition is kept"
    workflow, _, label = execution.workflow.partition("/")
    facts = facts_of(workflow)
    description: Parameters = {
        "Definition": definition.text,
        "Name": workflow,
        "RoleArn": facts.role,
        "StateMachineArn": facts.machine_arn,
        "UpdateDate": rfc3339(definition.created),
    }
    run = run_of_child(unit, execution.parent.frame, execution.parent.activation) if execution.parent else None
    return description | ({} if run is None else {"Label": label, "MapRunArn": run_arn(run)})


def run_of_child(unit: UnitOfWork, frame: int, activation: int) -> MapRun | None:
    """The map run that a fork is, None for a fork that is none."""
    return unit.runs.runs_by_fork.get((frame, activation)) or unit.tx.map_run(frame, activation)


def list_machines(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachines, a page of it."""
    rows: list[Json] = [machine_row(each.name, each.created) for each in unit.tx.workflows()]
    return answer_page(parameters, "StateMachines", rows)


def machine_row(name: str, created: int) -> Parameters:
    """A workflow as ListStateMachines has it. created: microseconds since 1970 UTC."""
    facts = facts_of(name)
    return {"StateMachineArn": facts.machine_arn, "Name": name, "Type": "STANDARD", "CreationDate": rfc3339(created)}


def list_versions(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachineVersions: none is ever published."""
    the_workflow(unit, str(parameters["StateMachineArn"]))
    return {"StateMachineVersions": []}


def list_aliases(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachineAliases: nobody can make one."""
    the_workflow(unit, str(parameters["StateMachineArn"]))
    return {"StateMachineAliases": []}


def validate(unit: UnitOfWork, parameters: Parameters) -> Json:  # noqa: ARG001 - as all actions
    """ValidateStateMachineDefinition: AWS's diagnostics of a definition."""
    from sm_cli.asl.validation.aws import validate_as_aws  # who validates nothing does not wait for the rules' import

    definition, type = parameters["Definition"], parameters.get("Type", "STANDARD")
    severity = parameters.get("Severity", "ERROR")
    if type not in ("STANDARD", "EXPRESS"):
        wrong("Type", type, "STANDARD or EXPRESS")
    if severity not in ("ERROR", "WARNING"):
        wrong("Severity", severity, "ERROR or WARNING")
    most = parameters.get("MaxResults")
    most = int(most) if isinstance(most, (int, float)) and 0 < most <= _MOST_PROBLEMS else _MOST_PROBLEMS
    text = definition if isinstance(definition, str) else dumps(definition)
    diagnostics = validate_as_aws(text, "EXPRESS" if type == "EXPRESS" else "STANDARD")
    selection = [each for each in diagnostics if severity == "WARNING" or each.severity == "ERROR"]
    problems: list[Json] = []
    for each in selection[:most]:
        problem: Parameters = {"Severity": each.severity, "Code": each.code, "Message": each.message}
        problems.append(problem if each.location is None else {**problem, "Location": each.location})
    has_errors = any(each.severity == "ERROR" for each in diagnostics)
    return {"Result": "FAIL" if has_errors else "OK", "Diagnostics": problems, "Truncated": len(selection) > most}
