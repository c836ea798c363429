"""Activities, their tasks, and the tokens by which tasks end."""

from __future__ import annotations

from sm_cli.engine.execution_names import check_name
from sm_cli.engine.workflows.activities import create_activity, delete_activity
from sm_cli.errors import Conflict, NotFound, TaskTimedOut, UsageError
from sm_cli.jsonvalue import Json, dumps
from sm_cli.server.aws.arns import activity_name
from sm_cli.server.aws.data import invalid_name, payload
from sm_cli.server.aws.machines import tags_of_new
from sm_cli.server.aws.pages import first_place, page_size, token
from sm_cli.server.aws.refusals import CallRefused
from sm_cli.server.aws.request import ApiCall, Pending, epoch_seconds
from sm_cli.views.aws.machines import Particulars, find_activity, has_free_task, list_activities

#: For so long a worker that asks for a task is kept waiting, as on AWS, seconds.
LONG_POLL = 60.0


def answer_create_activity(call: ApiCall) -> dict[str, Json]:
    """CreateActivity. Raises CallRefused."""
    name = call.text("name")
    try:
        check_name(name)
    except UsageError as e:
        raise invalid_name(e) from None
    facts: dict[str, Json] = {"tags": tags_of_new(call)}
    if call.get("encryptionConfiguration") is not None:
        facts["encryptionConfiguration"] = call.get("encryptionConfiguration")
    arn = call.arns.activity(name)
    try:
        activity = create_activity(call.engine, name, facts)
    except Conflict:
        raise CallRefused("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'") from None
    return {"activityArn": arn, "creationDate": epoch_seconds(activity.created)}


def answer_describe_activity(call: ApiCall) -> dict[str, Json]:
    """DescribeActivity. Raises CallRefused."""
    activity = activity_of_call(call)
    encryption = activity.facts.get("encryptionConfiguration", {"type": "AWS_OWNED_KEY"})
    return {**_row(call, activity), "encryptionConfiguration": encryption}


def answer_delete_activity(call: ApiCall) -> dict[str, Json]:
    """DeleteActivity. Raises CallRefused for what is no ARN."""
    delete_activity(call.engine, activity_name(call.text("activityArn")))
    return {}


def answer_list_activities(call: ApiCall) -> dict[str, Json]:
    """ListActivities, a page of it, by name."""
    most, after = page_size(call), first_place(call)
    activities = list_activities(call.engine, str(after or ""), most + 1)
    rows: list[Json] = [_row(call, each) for each in activities[:most]]
    return {"activities": rows, **token(call, activities[most - 1].name if len(activities) > most else None)}


def activity_of_call(call: ApiCall) -> Particulars:
    """The activity of a call's ARN. Raises CallRefused when nobody has made it."""
    arn = call.text("activityArn")
    activity = find_activity(call.engine, activity_name(arn))
    if activity is None:
        raise CallRefused("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    return activity


def _row(call: ApiCall, activity: Particulars) -> dict[str, Json]:
    return {
        "activityArn": call.arns.activity(activity.name), "name": activity.name,
        "creationDate": epoch_seconds(activity.created),
    }  # fmt: skip


def answer_get_activity_task(call: ApiCall) -> Pending:
    """GetActivityTask: a task, or a minute's wait for one. Who only asks whether there is one waits for no writer.

    An activity that nobody has made will do as long as a task of it waits. Raises CallRefused."""
    name = activity_name(call.text("activityArn"))
    if not has_free_task(call.engine, name):
        activity_of_call(call)

    def take() -> dict[str, Json] | None:
        task = call.engine.poll_activity(name)
        return None if task is None else {"taskToken": task[0], "input": dumps(task[1])}

    return Pending(lambda: has_free_task(call.engine, name), take, {}, LONG_POLL)


def answer_send_task_success(call: ApiCall) -> dict[str, Json]:
    """SendTaskSuccess. Raises CallRefused."""
    output = payload(call.text("output"), "InvalidOutput", "Invalid Output")
    try:
        call.engine.task_succeeded(call.text("taskToken"), output)
    except (TaskTimedOut, NotFound, UsageError) as e:
        raise _refusal(e) from None
    return {}


def answer_send_task_failure(call: ApiCall) -> dict[str, Json]:
    """SendTaskFailure; the error is States.TaskFailed unless given. Raises CallRefused."""
    try:
        call.engine.task_failed(call.text("taskToken"), call.get("error") or "States.TaskFailed", call.get("cause"))
    except (TaskTimedOut, NotFound, UsageError) as e:
        raise _refusal(e) from None
    return {}


def answer_send_task_heartbeat(call: ApiCall) -> dict[str, Json]:
    """SendTaskHeartbeat. Raises CallRefused."""
    try:
        call.engine.task_beat(call.text("taskToken"))
    except (TaskTimedOut, NotFound, UsageError) as e:
        raise _refusal(e) from None
    return {}


def _refusal(error: TaskTimedOut | NotFound | UsageError) -> CallRefused:
    if isinstance(error, TaskTimedOut):
        return CallRefused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    if isinstance(error, NotFound):
        return CallRefused("TaskDoesNotExist", "Task does not exist")
    return CallRefused("InvalidToken", "Invalid Token: 'Invalid token'")
