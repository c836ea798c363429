"""Tags of state machines and activities."""

from __future__ import annotations

from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.workflows.activities import change_tags, tags_among
from sm_cli.errors import NotFound, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.arns import activity_name, parts_of, reference_of
from sm_cli.server.aws.machines import tags_in
from sm_cli.server.aws.refusals import CallRefused, no_resource
from sm_cli.server.aws.request import ApiCall
from sm_cli.views.aws.machines import ResourceKind, find_activity, find_machine


def answer_list_tags_for_resource(call: ApiCall) -> dict[str, Json]:
    """ListTagsForResource. Raises CallRefused."""
    _, _, facts = _resource(call)
    return {"tags": [{"key": key, "value": value} for key, value in tags_among(facts).items()]}


def answer_tag_resource(call: ApiCall) -> dict[str, Json]:
    """TagResource. Raises CallRefused."""
    kind, name, _ = _resource(call)
    tags = tags_in(call)
    try:
        change_tags(call.engine, kind, name, tags)
    except UsageError as e:  # each of them is one: so they are too many, with those that it has
        raise CallRefused("TooManyTags", e.message, members={"resourceName": call.text("resourceArn")}) from None
    return {}


def answer_untag_resource(call: ApiCall) -> dict[str, Json]:
    """UntagResource. Raises CallRefused."""
    kind, name, _ = _resource(call)
    change_tags(call.engine, kind, name, {}, call.get("tagKeys"))
    return {}


def _resource(call: ApiCall) -> tuple[ResourceKind, str, dict[str, Json]]:
    """(what it is, its name, its particulars). Raises CallRefused for what there is not."""
    arn = call.text("resourceArn")
    if parts_of(arn, "stateMachine", "activity")[0] == "activity":
        activity = find_activity(call.engine, activity_name(arn))
        if activity is None:
            raise no_resource(arn)
        return ResourceKind.ACTIVITY, activity.name, activity.facts
    name, _ = reference_of(arn)
    try:
        machine = find_machine(call.engine, WorkflowReference(name))
    except NotFound:
        raise no_resource(arn) from None
    return ResourceKind.MACHINE, name, machine.facts
