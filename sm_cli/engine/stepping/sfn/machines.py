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


def describe_machine(unit: UnitOfWork, given: Parameters) -> Json:
    """DescribeStateMachine, of the newest definition of the name."""
    name = the_workflow(unit, str(given["StateMachineArn"]))
    new = (each for each in reversed(unit.changes.new_definitions) if each.name == name)
    stored = next(new, None) or unit.tx.newest(name)
    assert stored is not None, "the workflow was found"
    return {
        **machine_row(name, stored.created),
        "Definition": stored.text,
        "Status": "ACTIVE",
        "RoleArn": facts_of(name).role,
    }


def describe_for_execution(unit: UnitOfWork, given: Parameters) -> Json:
    """DescribeStateMachineForExecution: the definition that the execution runs, which may be an older one."""
    execution = the_execution(unit, given)
    new = (each for each in unit.changes.new_definitions if each.digest == execution.digest)
    stored = next(new, None) or unit.tx.definition(execution.digest)
    assert stored is not None, "an execution's definition is kept"
    workflow, _, label = execution.workflow.partition("/")
    facts = facts_of(workflow)
    described: Parameters = {
        "Definition": stored.text,
        "Name": workflow,
        "RoleArn": facts.role,
        "StateMachineArn": facts.machine_arn,
        "UpdateDate": rfc3339(stored.created),
    }
    run = run_of_child(unit, execution.parent.frame, execution.parent.activation) if execution.parent else None
    return described | ({} if run is None else {"Label": label, "MapRunArn": run_arn(run)})


def run_of_child(unit: UnitOfWork, frame: int, activation: int) -> MapRun | None:
    """The map run that a fork is, None for a fork that is none."""
    return unit.runs.known.get((frame, activation)) or unit.tx.map_run(frame, activation)


def list_machines(unit: UnitOfWork, given: Parameters) -> Json:
    """ListStateMachines, a page of it."""
    return answer_page(given, "StateMachines", [machine_row(each.name, each.created) for each in unit.tx.workflows()])


def machine_row(name: str, created: int) -> Parameters:
    """A workflow as ListStateMachines has it. created: microseconds since 1970 UTC."""
    facts = facts_of(name)
    return {"StateMachineArn": facts.machine_arn, "Name": name, "Type": "STANDARD", "CreationDate": rfc3339(created)}


def list_versions(unit: UnitOfWork, given: Parameters) -> Json:
    """ListStateMachineVersions: none is ever published."""
    the_workflow(unit, str(given["StateMachineArn"]))
    return {"StateMachineVersions": []}


def list_aliases(unit: UnitOfWork, given: Parameters) -> Json:
    """ListStateMachineAliases: nobody can make one."""
    the_workflow(unit, str(given["StateMachineArn"]))
    return {"StateMachineAliases": []}


def validate(unit: UnitOfWork, given: Parameters) -> Json:  # noqa: ARG001 - as all actions
    """ValidateStateMachineDefinition: what AWS would say of a definition."""
    from sm_cli.asl.validation.aws import validate_as_aws  # who validates nothing does not wait for the rules' import

    definition, type, severity = given["Definition"], given.get("Type", "STANDARD"), given.get("Severity", "ERROR")
    if type not in ("STANDARD", "EXPRESS"):
        wrong("Type", type, "STANDARD or EXPRESS")
    if severity not in ("ERROR", "WARNING"):
        wrong("Severity", severity, "ERROR or WARNING")
    most = given.get("MaxResults")
    most = int(most) if isinstance(most, (int, float)) and 0 < most <= _MOST_PROBLEMS else _MOST_PROBLEMS
    text = definition if isinstance(definition, str) else dumps(definition)
    found = validate_as_aws(text, "EXPRESS" if type == "EXPRESS" else "STANDARD")
    told = [each for each in found if severity == "WARNING" or each.severity == "ERROR"]
    problems: list[Json] = []
    for each in told[:most]:
        problem: Parameters = {"Severity": each.severity, "Code": each.code, "Message": each.message}
        problems.append(problem if each.location is None else {**problem, "Location": each.location})
    failed = any(each.severity == "ERROR" for each in found)
    return {"Result": "FAIL" if failed else "OK", "Diagnostics": problems, "Truncated": len(told) > most}
