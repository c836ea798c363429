"""State machines: made, described, changed, deleted and listed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sm_cli.engine.execution_names import check_name
from sm_cli.engine.tags import check_tags
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.workflows.machines import MachineChange, Machines, Publish
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.arns import Arns, reference_of
from sm_cli.server.aws.data import invalid_name
from sm_cli.server.aws.definitions import Type, read_workflow
from sm_cli.server.aws.pages import first_place, page_size, token
from sm_cli.server.aws.refusals import CallRefused, no_machine, not_valid
from sm_cli.server.aws.request import ApiCall, epoch_seconds
from sm_cli.views.aws.machines import MachineText, find_machine, json_definition, machine_rows, references_in

#: Members that are kept and given back, and mean nothing here.
KEPT = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
_DESCRIBED = ("type", "roleArn", *KEPT)
_DEFAULTS: dict[str, Json] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
}


def answer_create_state_machine(call: ApiCall) -> dict[str, Json]:
    """CreateStateMachine. Raises CallRefused."""
    name = call.text("name")
    try:
        check_name(name)
    except UsageError as e:
        raise invalid_name(e) from None
    tags = tags_of_new(call)
    type: Type = "EXPRESS" if call.get("type") == "EXPRESS" else "STANDARD"
    publish = _publish(call)
    workflow = read_workflow(name, call.text("definition"), type)
    facts: dict[str, Json] = {"type": type, "roleArn": call.text("roleArn"), **_members_to_keep(call), "tags": tags}
    try:
        machine = Machines(call.engine).create(workflow, facts, publish)
    except Conflict:
        arn = call.arns.machine(name)
        raise CallRefused("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'") from None
    except UsageError as e:
        raise invalid_name(e) from None
    return {
        "stateMachineArn": call.arns.machine(name),
        "creationDate": epoch_seconds(machine.particulars.created),
        **version_member(call.arns, machine),
    }


def answer_update_state_machine(call: ApiCall) -> dict[str, Json]:
    """UpdateStateMachine. Raises CallRefused."""
    arn = call.text("stateMachineArn")
    name = unqualified(arn)
    changed = [member for member in ("definition", "roleArn", *KEPT) if call.get(member) is not None]
    publish = _publish(call)
    if not changed:
        raise CallRefused(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration or the "
            "TracingConfiguration must be specified",
        )
    type = machine_type(machine_of_call(call, WorkflowReference(name), arn))
    workflow = read_workflow(name, call.text("definition"), type) if "definition" in changed else None
    facts = {member: call.get(member) for member in changed if member != "definition"}
    revision = str(uuid4())
    try:
        machine = Machines(call.engine).update(name, workflow, facts, revision, publish)
    except NotFound:
        raise no_machine(arn) from None
    return {
        "updateDate": epoch_seconds(machine.particulars.updated),
        "revisionId": revision,
        **version_member(call.arns, machine),
    }


def answer_describe_state_machine(call: ApiCall) -> dict[str, Json]:
    """DescribeStateMachine, of a version or an alias, too. Raises CallRefused."""
    arn = call.text("stateMachineArn")
    reference = reference_of(arn, labels=True)
    name, slash, label = reference.workflow.partition("/")
    machine = machine_of_call(call, WorkflowReference(name, reference.qualifier), arn)
    described: dict[str, Json] = {
        "stateMachineArn": call.arns.machine(reference.workflow, reference.qualifier),
        "name": name,
        "status": "ACTIVE",
        "creationDate": epoch_seconds(machine.created),
        **definition_member(call, machine),
        **particulars_members(call.arns, machine),
    }
    if slash:
        described["label"] = label
    if reference.qualifier is not None and machine.facts.get("description") is not None:
        described["description"] = machine.facts["description"]
    return described


def answer_delete_state_machine(call: ApiCall) -> dict[str, Json]:
    """DeleteStateMachine. Raises CallRefused."""
    try:
        Machines(call.engine).delete(unqualified(call.text("stateMachineArn")))
    except Conflict as e:
        not_valid(e.message)
    return {}


def answer_list_state_machines(call: ApiCall) -> dict[str, Json]:
    """ListStateMachines, a page of it, by name."""
    most, after = page_size(call), first_place(call)
    rows = machine_rows(call.engine, call.door.files(), str(after or ""), most + 1)
    machines: list[Json] = [
        {"stateMachineArn": call.arns.machine(name), "name": name, "type": type, "creationDate": epoch_seconds(created)}
        for name, created, type in rows[:most]
    ]
    return {"stateMachines": machines, **token(call, rows[most - 1][0] if len(rows) > most else None)}


def machine_of_call(call: ApiCall, reference: WorkflowReference, arn: str) -> MachineText:
    """What the ARN means. Raises CallRefused when there is no such thing."""
    try:
        return find_machine(call.engine, reference)
    except NotFound:
        raise no_machine(arn) from None


def machine_type(machine: MachineText) -> Type:
    """What it was made as; STANDARD when nobody has said."""
    return "EXPRESS" if machine.facts.get("type") == "EXPRESS" else "STANDARD"


def unqualified(arn: str) -> str:
    """The name of a state machine whose ARN names no version and no alias. Raises CallRefused."""
    name, qualifier = reference_of(arn)
    if qualifier is not None:
        not_valid(f"Qualified state machine ARNs are not supported: '{arn}'")
    return name


def definition_member(call: ApiCall, machine: MachineText) -> dict[str, Json]:
    """The definition, and which states read which variables; empty where only metadata is asked for."""
    if call.get("includedData") == "METADATA_ONLY":
        return {"definition": ""}
    references: dict[str, Json] = {state: [*names] for state, names in references_in(machine.text).items()}
    return {"definition": json_definition(machine.text), **({"variableReferences": references} if references else {})}


def particulars_members(arns: Arns, machine: MachineText) -> dict[str, Json]:
    """What a state machine was given and means nothing here, with what AWS has where it was not given."""
    given = {member: machine.facts[member] for member in _DESCRIBED if machine.facts.get(member) is not None}
    revision = machine.facts.get("revisionId")
    return {
        "type": "STANDARD", "roleArn": arns.role, **_DEFAULTS, **given,
        **({} if revision is None else {"revisionId": revision}),
    }  # fmt: skip


def version_member(arns: Arns, machine: MachineChange) -> dict[str, Json]:
    """The ARN of the version that a call has published, if it has."""
    if machine.publication is None:
        return {}
    return {"stateMachineVersionArn": arns.machine(machine.particulars.name, machine.number)}


def tags_in(call: ApiCall) -> dict[str, str]:
    """The tags that a call gives, each of them one that AWS takes. Raises CallRefused."""
    given: list[Any] = call.get("tags") or []
    tags = {str(tag.get("key") or ""): str(tag.get("value") or "") for tag in given}
    for key, value in tags.items():
        try:
            check_tags({key: value})
        except UsageError as e:
            not_valid(e.message)
    return tags


def tags_of_new(call: ApiCall) -> dict[str, Json]:
    """The tags that a new resource begins with. Raises CallRefused."""
    tags = tags_in(call)
    try:
        return {**check_tags(tags)}
    except UsageError as e:  # each of them is one: so they are too many
        raise CallRefused("TooManyTags", e.message) from None


def _members_to_keep(call: ApiCall) -> dict[str, Json]:
    return {member: call.get(member) for member in KEPT if call.get(member) is not None}


def _publish(call: ApiCall) -> Publish | None:
    description = call.get("versionDescription")
    if call.get("publish") is not True:
        if description is not None:
            not_valid("Version description can only be set when publish is true")
        return None
    return Publish(description)
