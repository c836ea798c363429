"""Rules about Task and Message states. States Language, "Task State"; for Message the design of `sm`.

A Resource is a constant; which handler serves it is decided by `resources.parse_resource` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sm_cli.asl.outline import StateAt
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.asl.validation.rules.expressions import looks_evaluated
from sm_cli.asl.validation.rules.failures import handlers
from sm_cli.asl.validation.schema import is_substitution
from sm_cli.jsonvalue import Json, dumps, is_number

_TOKENS = ("Task.Token", '"$$"', '"$$.Task"', "$$[", "$states.context")
_TIMEOUTS = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
#: Templates that are filled in before have such names too.
_NAME = re.compile(r"\$\w+")
_FUNCTION = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function(?::|$)")
_WHOLE_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:\s]+(?::[\w$-]+)?")

_INTEGRATION = re.compile(
    r"arn:[^:]*:states:[^:]*:[^:]*:(?P<service>aws-sdk:[^:.]*|[^:.]+)(?::(?P<action>[^:.]*))?(?:\.(?P<pattern>.*))?"
)

#: The optimized integrations of Step Functions: an ARN that names another action of these services is refused.
ACTIONS: dict[str, str] = {
    "apigateway": "invoke",
    "athena": "startQueryExecution stopQueryExecution getQueryExecution getQueryResults",
    "batch": "submitJob",
    "bedrock": "invokeModel createModelCustomizationJob",
    "codebuild": "startBuild stopBuild batchDeleteBuilds batchGetReports startBuildBatch stopBuildBatch "
    "retryBuildBatch deleteBuildBatch",
    "databrew": "startJobRun",
    "dynamodb": "getItem putItem deleteItem updateItem",
    "ecs": "runTask",
    "eks": "createCluster deleteCluster createFargateProfile deleteFargateProfile createNodegroup deleteNodegroup "
    "runJob call",
    "elasticmapreduce": "createCluster terminateCluster setClusterTerminationProtection addStep cancelStep "
    "modifyInstanceFleetByName modifyInstanceGroupByName",
    "emr-containers": "createVirtualCluster deleteVirtualCluster startJobRun",
    "emr-serverless": "createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun",
    "events": "putEvents",
    "glue": "startJobRun",
    "http": "invoke",
    "lambda": "invoke",
    "mediaconvert": "createJob",
    "sagemaker": "createEndpoint createEndpointConfig createHyperParameterTuningJob createLabelingJob createModel "
    "createProcessingJob createTrainingJob createTransformJob updateEndpoint",
    "sns": "publish",
    "sqs": "sendMessage",
    "states": "startExecution",
}
#: The services that a Task can wait for the end of a job of, and those that can call back with a task token; both AWS,
#: "Integrating optimized services".
_WITH_JOBS = frozenset(
    ("athena", "batch", "bedrock", "codebuild", "databrew", "ecs", "eks", "elasticmapreduce", "emr-containers")
) | frozenset(("emr-serverless", "glue", "mediaconvert", "sagemaker", "states"))
_WITH_TOKENS = frozenset(("apigateway", "bedrock", "ecs", "eks", "events", "lambda", "sns", "sqs", "states"))
_PATTERNS = ("sync", "sync:2", "waitForTaskToken")


def _resource(state: StateAt) -> str | None:
    text = state.text("Resource")
    return None if text is None or is_substitution(text) else text


@state_rule(
    "SM601",
    "error",
    "HeartbeatSeconds is less than TimeoutSeconds",
    "Task",
    aws=SCHEMA,
    harmless=True,
)
def heartbeats_come_before_the_timeout(state: StateAt) -> Iterator[Finding]:
    heartbeat, timeout = state.value.get("HeartbeatSeconds"), state.value.get("TimeoutSeconds")
    if _is_count(heartbeat) and _is_count(timeout) and float(str(heartbeat)) >= float(str(timeout)):
        message = f"HeartbeatSeconds must be less than TimeoutSeconds, which is {timeout}"
        yield Finding(state.at("HeartbeatSeconds"), message)


def _is_count(value: Json) -> bool:
    return is_number(value) and value >= 1


@state_rule("SM602", "error", "A Resource is a constant that names something", "Task", aws=SCHEMA)
def resources_are_constants(state: StateAt) -> Iterator[Finding]:
    text = _resource(state)
    if text is None:
        return
    if text.startswith(("{%", "$", "States.")) and not _NAME.fullmatch(text):
        yield Finding(state.at("Resource"), "Resource is a constant: it is neither a path nor an expression")
    elif not text.strip():
        yield Finding(state.at("Resource"), "Resource is empty")


@state_rule("SM603", "error", "The ARN of a Lambda function is whole", "Task", aws=SCHEMA, harmless=True)
def function_arns_are_whole(state: StateAt) -> Iterator[Finding]:
    text = _resource(state)
    if text is not None and _FUNCTION.match(text) and not _WHOLE_FUNCTION.fullmatch(text):
        hint = "arn:aws:lambda:REGION:ACCOUNT:function:NAME, with :ALIAS or :VERSION after it"
        yield Finding(state.at("Resource"), "Resource is not the ARN of a Lambda function", hint)


@state_rule("SM604", "error", "An optimized integration exists", "Task", aws=SCHEMA, harmless=True)
def integrations_exist(state: StateAt) -> Iterator[Finding]:
    text = _resource(state)
    match = _INTEGRATION.fullmatch(text) if text is not None else None
    if match is None:
        return
    service, action, pattern = match["service"], match["action"] or "", match["pattern"]
    problem = _action_problem(service, action)
    if problem is None and pattern is not None and (service in ACTIONS or service.startswith("aws-sdk:")):
        problem = _pattern_problem(service, action, pattern)
    if problem is not None:
        yield Finding(state.at("Resource"), *problem, about=text or "")


def _action_problem(service: str, action: str) -> tuple[str, str | None] | None:
    """Why a service has no such action, with a hint; None when it has one, or nothing is known of the service."""
    if service.startswith("aws-sdk:"):
        right = f"{service.lower()}:{action[:1].lower()}{action[1:]}"
        if not action:
            return f"{service} names no action", f"arn:aws:states:::{service}:ACTION, such as {service}:listTags"
        if right != f"{service}:{action}":
            message = f"Step Functions has no integration {service}:{action}: services are written in small letters"
            return f"{message}, actions in camelCase", f"did you mean {right}?"
        return None
    actions = ACTIONS.get(service, "").split()
    if not actions or action in actions:
        return None
    close = nearest(action, actions)
    hint = f"arn:aws:states:::aws-sdk:{service}:{action} calls any action of the service"
    return (
        f"Step Functions has no integration {service}:{action}",
        f"did you mean {service}:{close}?" if close else hint,
    )


def _pattern_problem(service: str, action: str, pattern: str) -> tuple[str, str | None] | None:
    """Why a task cannot wait for a service in this way, with a hint; None when it can."""
    if pattern not in _PATTERNS:
        close = nearest(pattern, _PATTERNS)
        return f"{service}:{action} cannot end with .{pattern}", f"did you mean .{close}?" if close else None
    if pattern == "waitForTaskToken":
        can = service in _WITH_TOKENS or service.startswith("aws-sdk:")
        return None if can else (f"{service}:{action} has no .{pattern}: it hands no task token on", None)
    if service not in _WITH_JOBS:
        return f"{service}:{action} has no .{pattern}: there is no job to wait for", f"write {service}:{action} alone"
    if pattern == "sync:2" and service != "states":
        return f"{service}:{action} has no .sync:2, which is for states:startExecution", "did you mean .sync?"
    return None


def _waits_for_token(text: str) -> bool:
    """Whether a resource waits for a task token, as far as it can (SM604)."""
    resource = parse_resource(text)
    takes_tokens = resource.service not in ACTIONS or resource.service in _WITH_TOKENS
    return resource.pattern == "waitForTaskToken" and takes_tokens


@state_rule("SM605", "warning", "A task that waits for its token hands the token out", "Task")
def tokens_are_handed_out(state: StateAt) -> Iterator[Finding]:
    text = _resource(state)
    if text is None:
        return
    resource = parse_resource(text)
    if not _waits_for_token(text) or resource.kind == "handler":
        return  # a handler of ours finds the token in its context
    argument_text = dumps({name: state.value[name] for name in ("Parameters", "Arguments") if name in state.value})
    if not any(token in argument_text for token in _TOKENS) and "${" not in argument_text:
        message = f"The state '{state.name}' waits for its task token and gives it to nobody"
        token = "$$.Task.Token" if state.language == "JSONPath" else "$states.context.Task.Token"
        yield Finding(state.at("Resource"), message, f"pass {token} on")


@state_rule("SM608", "warning", "A task that waits for its token has a timeout", "Task")
def tokens_time_out(state: StateAt) -> Iterator[Finding]:
    text = _resource(state)
    if text is None or not _waits_for_token(text):
        return
    if not any(name in state.value for name in _TIMEOUTS):
        message = (
            f"The state '{state.name}' waits without a timeout: AWS takes that, but if nobody sends its token back"
        )
        hint = "if that is not what you want, add TimeoutSeconds or HeartbeatSeconds"
        yield Finding(state.at("Resource"), f"{message}, it waits as long as its execution may last", hint)


@state_rule("SM701", "warning", "A Message state has a timeout", "Message")
def messages_time_out(state: StateAt) -> Iterator[Finding]:
    if "TimeoutSeconds" not in state.value and "TimeoutSecondsPath" not in state.value:
        if "TimeoutPath" in state.value:
            message = "TimeoutPath is never used: the state has neither TimeoutSeconds nor TimeoutSecondsPath"
            yield Finding(state.at("TimeoutPath"), message, key=True)
        else:
            yield Finding(state.pointer, f"The state '{state.name}' may wait for its message for ever", key=True)


@state_rule("SM702", "warning", "The timeout of a Message state leads somewhere", "Message")
def timeouts_lead_somewhere(state: StateAt) -> Iterator[Finding]:
    fields = [name for name in ("TimeoutSeconds", "TimeoutSecondsPath") if name in state.value]
    if not fields or "TimeoutPath" in state.value:
        return
    error_names = {name for _, _, names in handlers(state, "Catch") for name in names}
    if not error_names & {"States.Timeout", "States.ALL"}:
        message = f"When the timeout passes, the state '{state.name}' fails with States.Timeout"
        yield Finding(state.at(fields[0]), message, "add TimeoutPath, or a Catch for States.Timeout", key=True)


@state_rule("SM703", "warning", "A CorrelationValue is what it looks like", "Message")
def correlation_values_are_constants(state: StateAt) -> Iterator[Finding]:
    value = state.text("CorrelationValue")
    if value is not None and state.language == "JSONPath" and looks_evaluated(value):
        message = "CorrelationValue is a constant: this text is not evaluated"
        yield Finding(state.at("CorrelationValue"), message, "use CorrelationValuePath")
