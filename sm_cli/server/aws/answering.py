"""From a target and a body to an answer: the table of operations, and the form of answers and refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sm_cli.errors import InvalidJson, SmError
from sm_cli.jsonvalue import Json, dumps, loads_exact
from sm_cli.server.aws import definitions, executions, machines, map_runs, tags, tasks, versions
from sm_cli.server.aws.arns import Arns
from sm_cli.server.aws.refusals import CallRefused, refusal_of
from sm_cli.server.aws.request import ApiCall, Door, Pending, at_once
from sm_cli.server.aws.shapes import check_request, unknown_members
from sm_cli.server.aws.ways import Operation, Way

log = logging.getLogger("sm.server")

#: What stands before the operation in X-Amz-Target.
PREFIX = "AWSStepFunctions."
#: The content type of requests and answers.
CONTENT_TYPE = "application/x-amz-json-1.0"

#: Operations that keep a trace header.
_TRACED = ("StartExecution", "StartSyncExecution")

OPERATIONS: Mapping[str, Operation] = {
    "CreateActivity": Operation(tasks.answer_create_activity, Way.CHANGE),
    "CreateStateMachine": Operation(machines.answer_create_state_machine, Way.CHANGE),
    "CreateStateMachineAlias": Operation(versions.answer_create_state_machine_alias, Way.CHANGE),
    "DeleteActivity": Operation(tasks.answer_delete_activity, Way.CHANGE),
    "DeleteStateMachine": Operation(machines.answer_delete_state_machine, Way.CHANGE),
    "DeleteStateMachineAlias": Operation(versions.answer_delete_state_machine_alias, Way.CHANGE),
    "DeleteStateMachineVersion": Operation(versions.answer_delete_state_machine_version, Way.CHANGE),
    "DescribeActivity": Operation(tasks.answer_describe_activity, Way.READ),
    "DescribeExecution": Operation(executions.answer_describe_execution, Way.READ),
    "DescribeMapRun": Operation(map_runs.answer_describe_map_run, Way.READ),
    "DescribeStateMachine": Operation(machines.answer_describe_state_machine, Way.READ),
    "DescribeStateMachineAlias": Operation(versions.answer_describe_state_machine_alias, Way.READ),
    "DescribeStateMachineForExecution": Operation(executions.answer_describe_state_machine_for_execution, Way.READ),
    "GetActivityTask": Operation(tasks.answer_get_activity_task, Way.READ),
    "GetExecutionHistory": Operation(executions.answer_get_execution_history, Way.READ),
    "ListActivities": Operation(tasks.answer_list_activities, Way.READ),
    "ListExecutions": Operation(executions.answer_list_executions, Way.READ),
    "ListMapRuns": Operation(map_runs.answer_list_map_runs, Way.READ),
    "ListStateMachineAliases": Operation(versions.answer_list_state_machine_aliases, Way.READ),
    "ListStateMachineVersions": Operation(versions.answer_list_state_machine_versions, Way.READ),
    "ListStateMachines": Operation(machines.answer_list_state_machines, Way.READ),
    "ListTagsForResource": Operation(tags.answer_list_tags_for_resource, Way.READ),
    "PublishStateMachineVersion": Operation(versions.answer_publish_state_machine_version, Way.CHANGE),
    "RedriveExecution": Operation(executions.answer_redrive_execution, Way.CHANGE),
    "SendTaskFailure": Operation(tasks.answer_send_task_failure, Way.CHANGE),
    "SendTaskHeartbeat": Operation(tasks.answer_send_task_heartbeat, Way.CHANGE),
    "SendTaskSuccess": Operation(tasks.answer_send_task_success, Way.CHANGE),
    "StartExecution": Operation(executions.answer_start_execution, Way.START),
    "StartSyncExecution": Operation(executions.answer_start_sync_execution, Way.RUN),
    "StopExecution": Operation(executions.answer_stop_execution, Way.CHANGE),
    "TagResource": Operation(tags.answer_tag_resource, Way.CHANGE),
    "TestState": Operation(definitions.answer_test_state, Way.RUN),
    "UntagResource": Operation(tags.answer_untag_resource, Way.CHANGE),
    "UpdateMapRun": Operation(map_runs.answer_update_map_run, Way.CHANGE),
    "UpdateStateMachine": Operation(machines.answer_update_state_machine, Way.CHANGE),
    "UpdateStateMachineAlias": Operation(versions.answer_update_state_machine_alias, Way.CHANGE),
    "ValidateStateMachineDefinition": Operation(definitions.answer_validate_state_machine_definition, Way.READ),
}


class HttpAnswer(NamedTuple):
    """An HTTP answer."""

    #: Of HTTP: 200, or what says that the call was refused.
    status: int
    #: Those that say something about this answer.
    headers: dict[str, str]
    #: JSON text.
    body: bytes


class Prepared(NamedTuple):
    """A call that may be carried out."""

    #: How.
    way: Way
    #: Gives its answer.
    work: Callable[[], HttpAnswer | Pending]
    #: What it was made of.
    call: ApiCall


def answer(door: Door, target: str | None, body: bytes, region: str) -> HttpAnswer | Pending:
    """Carry one call out, in the caller's thread. Raises nothing: what goes wrong is an answer, too."""
    prepared = prepare_call(door, target, body, region)
    return prepared.work() if isinstance(prepared, Prepared) else prepared


def prepare_call(
    door: Door, target: str | None, body: bytes, region: str, trace: str | None = None
) -> Prepared | HttpAnswer:
    """The call, ready to be carried out, or why it is refused. target: the header X-Amz-Target. region: of the request,
    for the ARNs of the answer. trace: the header X-Amzn-Trace-Id, which wins over the body's. Raises nothing."""
    name = (target or "").removeprefix(PREFIX)
    operation = OPERATIONS.get(name) if target and target.startswith(PREFIX) else None
    try:
        if operation is None:
            raise CallRefused("UnknownOperationException", f"there is no operation {(target or '')[:200]!r}")
        parameters = _read(body)
        if trace is not None and name in _TRACED and isinstance(parameters, dict):
            parameters = {**parameters, "traceHeader": trace}
        call = call_of(door, name, parameters, Arns(region, door.account))
    except CallRefused as e:
        return refusal(e)
    unknown = unknown_members(name, parameters)
    if unknown:
        log.warning("%s was given members that it does not have, which are passed over: %s", name, unknown[:20])
    act = operation.act
    return Prepared(operation.way, lambda: carried_out(lambda: act(call)), call)


def call_of(door: Door, name: str, parameters: Json, arns: Arns, depth: int = 0) -> ApiCall:
    """A call whose parameters fit. depth: how many calls it runs within. Raises CallRefused."""

    def ask(other: str, members: Mapping[str, Json]) -> dict[str, Json]:
        operation = OPERATIONS[other]
        call = call_of(door, other, {**members}, arns, depth + 1)
        try:
            carry_out = door.in_turn if operation.way in (Way.CHANGE, Way.START) else at_once
            answer = carry_out(lambda: operation.act(call))
            if isinstance(answer, Pending):
                pending = answer
                answer = door.in_turn(lambda: pending.take() or pending.late)
        except SmError as e:
            raise refusal_of(e) from None
        assert not isinstance(answer, Pending), "what is taken is there"
        return answer

    return ApiCall(door, name, check_request(name, parameters), arns, ask, depth)


def _read(body: bytes) -> Json:
    """The parameters of a body. Raises CallRefused."""
    try:
        return loads_exact(body, what="the body") if body.strip() else {}
    except InvalidJson as e:
        raise CallRefused("SerializationException", e.message) from None


def carried_out(work: Callable[[], dict[str, Json] | Pending]) -> HttpAnswer | Pending:
    """What the work gives, or what it raises, as an answer."""
    try:
        result = work()
    except Exception as e:
        return answer_to(e)
    return result if isinstance(result, Pending) else of_members(result)


def take(pending: Pending) -> HttpAnswer | None:
    """The answer that was waited for; None when there is none after all."""
    try:
        members = pending.take()
    except Exception as e:
        return answer_to(e)
    return None if members is None else of_members(members)


def answer_to(error: Exception) -> HttpAnswer:
    """What went wrong, as an answer; a bug of ours is logged."""
    if isinstance(error, CallRefused):
        return refusal(error)
    if not isinstance(error, SmError):
        log.error("a call could not be answered", exc_info=error)
        return refusal(CallRefused("InternalServerError", "a bug of sm: its log has the traceback", status=500))
    refused = refusal_of(error)
    if refused.status >= 500:
        log.warning("%s", refused.message)
    return refusal(refused)


def of_members(members: Mapping[str, Json]) -> HttpAnswer:
    """An answer of a call that was carried out."""
    return HttpAnswer(200, {"Content-Type": CONTENT_TYPE}, dumps({**members}).encode())


def refusal(refused: CallRefused) -> HttpAnswer:
    """An answer of a call that was not."""
    body: dict[str, Json] = {"__type": refused.name, "message": refused.message, **refused.members}
    headers = {"Content-Type": CONTENT_TYPE, "X-Amzn-Errortype": refused.name}
    return HttpAnswer(refused.status, headers, dumps(body).encode())
