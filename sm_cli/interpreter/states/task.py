"""Task: work for a handler. States Language, "Task State".

The frame waits for a job; TimeoutSeconds and HeartbeatSeconds count from the moment a worker takes it.
"""

from __future__ import annotations

from typing import NoReturn

from sm_cli.asl.model import Task
from sm_cli.asl.resources import SFN_ACTIONS, function_name, workflow_reference
from sm_cli.errors import InvalidJson, StateFailure
from sm_cli.interpreter.commands import CallSfn, RunTask, StartExecution
from sm_cli.interpreter.dataflow import complete, effective_input, evaluate_seconds, handed_on
from sm_cli.interpreter.events import (
    BackoffElapsed,
    DeadlinePassed,
    Entered,
    HeartbeatMissed,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import Opens
from sm_cli.interpreter.records import outcome_detail, scheduled_detail, task_detail, task_event
from sm_cli.interpreter.step import StepBuilder
from sm_cli.jsonvalue import Json, dumps, loads_exact


def start(turn: StepBuilder, state: Task, event: Entered | BackoffElapsed) -> None:
    """Schedule an attempt: the first, or one after a backoff."""
    input = effective_input(turn, state)
    arguments = handed_on(turn, state, input)
    timeout = evaluate_seconds(turn, state.timeout, "TimeoutSecondsPath", input)
    heartbeat = evaluate_seconds(turn, state.heartbeat, "HeartbeatSecondsPath", input)
    command: RunTask | StartExecution | CallSfn
    if state.resource.starts_execution:
        command = nested_start(state, arguments, timeout, heartbeat)
        if state.resource.pattern.startswith("sync"):
            turn.frame.opens |= Opens.EXECUTIONS
    elif state.resource.sfn_action is not None:
        command = sfn_call(state, state.resource.sfn_action, arguments, timeout, heartbeat)
        if command.action == "startSyncExecution":
            turn.frame.opens |= Opens.EXECUTIONS
    else:
        handler, payload = address(state, arguments)
        command = RunTask(handler, payload, sum(turn.frame.retries) + 1, timeout, heartbeat)
    turn.record(
        task_event(state.resource, "Scheduled"),
        scheduled_detail(state.resource, arguments, turn.env.facts.region, timeout, heartbeat),
    )
    turn.block(command)


def nested_start(state: Task, arguments: Json, timeout: float | None, heartbeat: float | None) -> StartExecution:
    """What states:startExecution asks for: which workflow, under which name, with which input. Raises StateFailure
    when the arguments do not say so."""
    parameters = arguments if isinstance(arguments, dict) else {}
    machine, name = parameters.get("StateMachineArn"), parameters.get("Name")
    if not isinstance(machine, str) or not isinstance(name, str | None):
        wrong = 'The field "StateMachineArn" is required' if machine is None else "StateMachineArn and Name are text"
        raise StateFailure(
            "States.Runtime", f"The Parameters '{dumps(arguments)}' could not be used to start the Task: [{wrong}]"
        )
    input = payload_of(parameters.get("Input"))
    workflow, qualifier = workflow_reference(machine)
    pattern = state.resource.pattern
    return StartExecution(workflow, name, input, pattern, timeout, heartbeat, arguments, qualifier)


def sfn_call(state: Task, action: str, arguments: Json, timeout: float | None, heartbeat: float | None) -> CallSfn:
    """What aws-sdk:sfn:ACTION asks for. As for every SDK integration, parameters are in PascalCase, and text that is
    given as another value becomes its JSON text. Raises StateFailure for parameters that the action does not take."""
    required_names, optional_names = SFN_ACTIONS[action]
    parameters = arguments if isinstance(arguments, dict) else {}
    wrong = [f'The field "{name}" is required but was missing' for name in required_names if name not in parameters]
    names = (*required_names, *optional_names)
    wrong += [f'The field "{name}" is not supported by Step Functions' for name in parameters if name not in names]
    plain = [
        name for name in parameters if name.endswith(("Arn", "Token", "Name")) and not isinstance(parameters[name], str)
    ]
    wrong += [f'The value for the field "{name}" must be a STRING' for name in plain]
    if wrong:
        raise StateFailure(
            "States.Runtime", f"The Parameters '{dumps(arguments)}' could not be used to start the Task: [{wrong[0]}]"
        )
    return CallSfn(action, parameters, state.resource.pattern, timeout, heartbeat)


def address(state: Task, arguments: Json) -> tuple[str, Json]:
    """The handler's name and its input; lambda:invoke names both inside its parameters. Raises StateFailure when
    they name none."""
    if state.resource.kind != "invoke":
        return state.resource.handler, arguments
    name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
    if not isinstance(arguments, dict) or not isinstance(name, str):
        raise StateFailure("States.Runtime", "The parameters of lambda:invoke name no FunctionName.")
    return function_name(name), payload_of(arguments.get("Payload"))


def payload_of(payload: Json) -> Json:
    """As on AWS: no Payload reaches the function as `{}`, and text that holds JSON as what it holds."""
    if not isinstance(payload, str):
        return {} if payload is None else payload
    try:
        return loads_exact(payload)
    except InvalidJson:
        return payload


def note_submitted(turn: StepBuilder, state: Task, result: Json) -> None:
    """The handler of a `.waitForTaskToken` task returned: the work is handed over, and the token is waited for. Raises
    StateFailure for a result that is too large to be kept."""
    turn.check_bounds(result, "result", state.resource.service or state.resource.text)
    turn.record(task_event(state.resource, "Submitted"), {**task_detail(state.resource), "output": result})


def succeeded(turn: StepBuilder, state: Task, event: TaskSucceeded) -> Entered | None:
    """Put the result into the state's data, and leave the state; one that is too large fails the state."""
    resource = state.resource
    is_mock = turn.env.probe is not None and turn.env.probe.is_mock
    # A callback's output is the result itself; only an answer that the function gave at once comes wrapped.
    is_wrapped = resource.kind == "invoke" and resource.pattern != "waitForTaskToken" and not is_mock
    result = invoke_result(turn, event.result) if is_wrapped else event.result
    service = resource.service or resource.text
    try:
        turn.check_bounds(event.result, "result", service)
        turn.check_size(event.result, service)
    except StateFailure as e:
        failed(turn, state, TaskFailed(event.seq, str(e.error), e.cause))
    if turn.history:
        turn.record(task_event(resource, "Succeeded"), {**task_detail(resource), "output": result})
    turn.note("result", result)
    return complete(turn, state, result)


def invoke_result(turn: StepBuilder, payload: Json) -> Json:
    """What lambda:invoke wraps around a function's answer."""
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "SdkResponseMetadata": {"RequestId": request_id(turn)},
        "StatusCode": 200,
    }


def failed(turn: StepBuilder, state: Task, event: TaskFailed) -> NoReturn:
    """Record the failure. Raises StateFailure, always: Retry and Catch decide."""
    cause = event.cause
    if event.stack is not None and state.resource.kind in ("lambda", "invoke"):
        cause = function_error(turn, event)
    turn.weigh(cause)
    turn.record(
        task_event(state.resource, "Failed"), {**task_detail(state.resource), **outcome_detail(event.error, cause)}
    )
    raise StateFailure(event.error, cause, located=False)


def function_error(turn: StepBuilder, event: TaskFailed) -> str:
    """The cause that Lambda writes when a function raises: JSON text."""
    return dumps(
        {
            "errorMessage": event.cause or "",
            "errorType": event.error,
            "requestId": request_id(turn),
            "stackTrace": list(event.stack or ()),
        }
    )


def request_id(turn: StepBuilder) -> str:
    """The id of the call in a Lambda function's answer: execution, frame and seq."""
    return f"{turn.env.facts.ref}-{turn.frame.id}-{turn.frame.seq}"


def timed_out(turn: StepBuilder, state: Task, event: DeadlinePassed | HeartbeatMissed) -> NoReturn:
    """States Language, "TimeoutSeconds": States.Timeout. A missed heartbeat is States.HeartbeatTimeout too. Raises
    StateFailure, always."""
    turn.record(task_event(state.resource, "TimedOut"), {**task_detail(state.resource), "error": "States.Timeout"})
    also = "States.HeartbeatTimeout" if isinstance(event, HeartbeatMissed) else None
    raise StateFailure("States.Timeout", None, located=False, also=also)
