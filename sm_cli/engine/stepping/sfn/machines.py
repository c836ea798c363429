"""State machines by Step Functions' API: described, listed with versions and aliases, and validated. None of them is
made by a call."""

from __future__ import annotations

from sm_cli.asl.resources import workflow_reference
from sm_cli.engine.stepping.nested_executions import StartRefused
from sm_cli.engine.stepping.sfn.parameters import (
    Parameters,
    answer_page,
    facts_of,
    run_arn,
    the_execution,
    the_version,
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
    """DescribeStateMachine: of the current definition of the name, or of the version that the ARN names."""
    arn = str(parameters["StateMachineArn"])
    version = the_version(unit, arn)
    digest = version.program.digest
    new = (each for each in unit.changes.new_definitions if each.digest == digest)
    definition = next(new, None) or unit.tx.definition(digest)
    assert definition is not None, "the version is there"
    row = machine_row(unit, version.name, definition.created)
    return {
        **row,
        "StateMachineArn": row["StateMachineArn"] if version.qualifier is None else arn,
        "Definition": definition.text,
        "Status": "ACTIVE",
        "RoleArn": facts_of(unit, version.name).role,
    }


def describe_for_execution(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeStateMachineForExecution: the definition that the execution runs, which may be an older one."""
    execution = the_execution(unit, parameters)
    new = (each for each in unit.changes.new_definitions if each.digest == execution.digest)
    definition = next(new, None) or unit.tx.definition(execution.digest)
    assert definition is not None, "an execution's definition is kept"
    workflow, _, label = execution.workflow.partition("/")
    facts = facts_of(unit, workflow)
    description: Parameters = {
        "Definition": definition.text,
        "Name": workflow,
        "RoleArn": facts.role,
        "StateMachineArn": facts.machine_arn,
        "UpdateDate": rfc3339(definition.created),
    }
    run = run_of_child(unit, execution.parent.frame, execution.parent.activation) if execution.parent else None
    return description | ({} if run is None else {"Label": label, "MapRunArn": run_arn(unit, run)})


def run_of_child(unit: UnitOfWork, frame: int, activation: int) -> MapRun | None:
    """The map run that a fork is, None for a fork that is none."""
    return unit.runs.runs_by_fork.get((frame, activation)) or unit.tx.map_run(frame, activation)


def list_machines(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachines, a page of it."""
    rows: list[Json] = [machine_row(unit, each.name, each.created) for each, _ in unit.tx.workflows()]
    return answer_page(parameters, "StateMachines", rows)


def machine_row(unit: UnitOfWork, name: str, created: int) -> Parameters:
    """A workflow as ListStateMachines has it. created: microseconds since 1970 UTC."""
    facts = facts_of(unit, name)
    return {"StateMachineArn": facts.machine_arn, "Name": name, "Type": "STANDARD", "CreationDate": rfc3339(created)}


def list_versions(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachineVersions, a page of it: the newest first, as they were before this transaction."""
    name = the_workflow(unit, str(parameters["StateMachineArn"]))
    rows: list[Json] = [
        {"StateMachineVersionArn": qualified_arn(unit, name, str(each.number)), "CreationDate": rfc3339(each.created)}
        for each in unit.tx.versions(name)
    ]
    return answer_page(parameters, "StateMachineVersions", rows)


def list_aliases(unit: UnitOfWork, parameters: Parameters) -> Json:
    """ListStateMachineAliases, a page of it: those of a workflow, or of the version that the ARN names."""
    version = the_version(unit, str(parameters["StateMachineArn"]))
    only = None if version.qualifier is None else version.number
    rows: list[Json] = [
        {"StateMachineAliasArn": qualified_arn(unit, version.name, each.name), "CreationDate": rfc3339(each.created)}
        for each in unit.tx.aliases(version.name)
        if only is None or any(number == only for number, _ in each.targets)
    ]
    return answer_page(parameters, "StateMachineAliases", rows)


def describe_alias(unit: UnitOfWork, parameters: Parameters) -> Json:
    """DescribeStateMachineAlias. Raises Refused when there is none."""
    arn = str(parameters["StateMachineAliasArn"])
    workflow, name = workflow_reference(arn)
    alias = None if name is None else unit.tx.alias(workflow, name)
    if alias is None:
        raise StartRefused("ResourceNotFound", f"Resource not found: '{arn}'")
    routing: list[Json] = [
        {"StateMachineVersionArn": qualified_arn(unit, workflow, str(number)), "Weight": weight}
        for number, weight in alias.targets
    ]
    return {
        "StateMachineAliasArn": qualified_arn(unit, workflow, alias.name),
        "Name": alias.name,
        "RoutingConfiguration": routing,
        "CreationDate": rfc3339(alias.created),
        "UpdateDate": rfc3339(alias.updated),
    }


def qualified_arn(unit: UnitOfWork, workflow: str, qualifier: str) -> str:
    """The ARN of a version or an alias."""
    return f"{facts_of(unit, workflow).machine_arn}:{qualifier}"


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
