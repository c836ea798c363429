"""Versions of state machines, and aliases that route to them."""

from __future__ import annotations

from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.workflows.machines import Machines, Publish
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.arns import reference_of
from sm_cli.server.aws.machines import unqualified
from sm_cli.server.aws.pages import first_place, page_size, token
from sm_cli.server.aws.refusals import CallRefused, invalid_arn, no_machine, no_resource, not_valid
from sm_cli.server.aws.request import ApiCall, epoch_seconds
from sm_cli.views.aws.machines import aliases_meaning, find_alias, published_versions

#: The revision of a state machine that was never changed.
_FIRST_REVISION = "INITIAL"


def answer_publish_state_machine_version(call: ApiCall) -> dict[str, Json]:
    """PublishStateMachineVersion. Raises CallRefused."""
    arn, wanted = call.text("stateMachineArn"), call.get("revisionId")
    name = unqualified(arn)

    def check(revision: str | None) -> None:
        current = revision or _FIRST_REVISION
        if wanted is not None and wanted != current:
            raise CallRefused(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {wanted}. The current State Machine "
                f"revision is {current}.",
            )

    try:
        machine = Machines(call.engine).publish(name, Publish(call.get("description")), check)
    except NotFound:
        raise no_machine(arn) from None
    return {
        "creationDate": epoch_seconds(machine.publication or 0),
        "stateMachineVersionArn": call.arns.machine(name, machine.number),
    }


def answer_delete_state_machine_version(call: ApiCall) -> dict[str, Json]:
    """DeleteStateMachineVersion. Raises CallRefused."""
    reference = reference_of(call.text("stateMachineVersionArn"))
    if reference.version is None:
        not_valid(f"The ARN of a version ends with its number: '{call.text('stateMachineVersionArn')}'")
    try:
        Machines(call.engine).delete_version(reference.workflow, reference.version)
    except Conflict:
        aliases = ", ".join(each.name for each in aliases_meaning(call.engine, reference))
        raise CallRefused(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this "
            f"version: [{aliases}]",
        ) from None
    return {}


def answer_list_state_machine_versions(call: ApiCall) -> dict[str, Json]:
    """ListStateMachineVersions, a page of it, newest first."""
    name = unqualified(call.text("stateMachineArn"))
    most, before = page_size(call), first_place(call)
    left = [(number, at) for number, at in published_versions(call.engine, name) if before is None or number < before]
    rows: list[Json] = [
        {"stateMachineVersionArn": call.arns.machine(name, number), "creationDate": epoch_seconds(at)}
        for number, at in left[:most]
    ]
    return {"stateMachineVersions": rows, **token(call, left[most - 1][0] if len(left) > most else None)}


def answer_create_state_machine_alias(call: ApiCall) -> dict[str, Json]:
    """CreateStateMachineAlias. Raises CallRefused."""
    name = call.text("name")
    workflow, targets = _routing(call)
    try:
        alias = Machines(call.engine).create_alias(workflow, name, targets, call.get("description"))
    except NotFound:
        raise no_resource(call.arns.machine(workflow, targets[0][0])) from None
    except Conflict as e:
        raise CallRefused("ConflictException", f"Alias already exists: {e.message}") from None
    except UsageError as e:
        raise _invalid_routing(e) from None
    return {"stateMachineAliasArn": call.arns.machine(workflow, name), "creationDate": epoch_seconds(alias.created)}


def answer_update_state_machine_alias(call: ApiCall) -> dict[str, Json]:
    """UpdateStateMachineAlias. Raises CallRefused."""
    reference, arn = _alias_of(call), call.text("stateMachineAliasArn")
    targets, description = None, call.get("description")
    if call.get("routingConfiguration") is not None:
        workflow, targets = _routing(call)
        if workflow != reference.workflow:
            not_valid("The versions that an alias routes to are those of its own state machine")
    elif description is None:
        not_valid("Either the description or the RoutingConfiguration must be specified", "MISSING_REQUIRED_PARAMETER")
    try:
        alias = Machines(call.engine).update_alias(reference.workflow, reference.qualifier or "", targets, description)
    except NotFound:
        raise no_resource(arn) from None
    except UsageError as e:
        raise _invalid_routing(e) from None
    return {"updateDate": epoch_seconds(alias.updated)}


def answer_delete_state_machine_alias(call: ApiCall) -> dict[str, Json]:
    """DeleteStateMachineAlias. Raises CallRefused."""
    reference = _alias_of(call)
    try:
        call.engine.workflows.delete_alias(reference.workflow, reference.qualifier or "")
    except NotFound:
        raise no_resource(call.text("stateMachineAliasArn")) from None
    return {}


def answer_describe_state_machine_alias(call: ApiCall) -> dict[str, Json]:
    """DescribeStateMachineAlias. Raises CallRefused."""
    arn = call.text("stateMachineAliasArn")
    try:
        alias, description = find_alias(call.engine, _alias_of(call))
    except NotFound:
        raise no_resource(arn) from None
    routing: list[Json] = [
        {"stateMachineVersionArn": call.arns.machine(alias.workflow, number), "weight": weight}
        for number, weight in alias.targets
    ]
    return {
        "stateMachineAliasArn": call.arns.machine(alias.workflow, alias.name),
        "name": alias.name,
        **({} if description is None else {"description": description}),
        "routingConfiguration": routing,
        "creationDate": epoch_seconds(alias.created),
        "updateDate": epoch_seconds(alias.updated),
    }


def answer_list_state_machine_aliases(call: ApiCall) -> dict[str, Json]:
    """ListStateMachineAliases, a page of it, by name: of a state machine, or of one version. Raises CallRefused."""
    arn = call.text("stateMachineArn")
    reference = reference_of(arn)
    if reference.qualifier is not None and reference.version is None:
        raise invalid_arn(f"Resource type not valid in this context: {arn}")
    most, after = page_size(call), first_place(call)
    try:
        aliases = aliases_meaning(call.engine, reference)
    except NotFound:
        raise no_machine(arn) from None
    left = [each for each in aliases if after is None or each.name > after]
    rows: list[Json] = [
        {
            "stateMachineAliasArn": call.arns.machine(each.workflow, each.name),
            "creationDate": epoch_seconds(each.created),
        }
        for each in left[:most]
    ]
    return {"stateMachineAliases": rows, **token(call, left[most - 1].name if len(left) > most else None)}


def _alias_of(call: ApiCall) -> WorkflowReference:
    """The alias of a call's ARN. Raises CallRefused."""
    arn = call.text("stateMachineAliasArn")
    reference = reference_of(arn)
    if reference.qualifier is None or reference.version is not None:
        raise invalid_arn(f"ARN is not valid: {arn}")
    return reference


def _routing(call: ApiCall) -> tuple[str, tuple[tuple[int, int], ...]]:
    """(the workflow, the versions with their weights) of a routing configuration. Raises CallRefused."""
    workflows: set[str] = set()
    targets: list[tuple[int, int]] = []
    for row in call.get("routingConfiguration"):
        reference = reference_of(row["stateMachineVersionArn"])
        if reference.version is None:
            not_valid(
                f"The ARN of a version ends with its number: '{row['stateMachineVersionArn']}'",
                "INVALID_ROUTING_CONFIGURATION",
            )
        workflows.add(reference.workflow)
        targets.append((reference.version, row["weight"]))
    if len(workflows) > 1:
        not_valid(
            "The versions that an alias routes to are those of one state machine", "INVALID_ROUTING_CONFIGURATION"
        )
    return workflows.pop(), tuple(targets)


def _invalid_routing(error: UsageError) -> CallRefused:
    return CallRefused("ValidationException", error.message, members={"reason": "INVALID_ROUTING_CONFIGURATION"})
