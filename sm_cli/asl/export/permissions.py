"""What the role of a state machine has to allow, as far as its definition shows it.

docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html. What is computed when the workflow
runs, and services that no row here has, are notes: nothing is guessed, and nothing is allowed for everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sm_cli.asl.export.plan import LogLevel, PolicyStatement, Text, TextPart, plain_text
from sm_cli.asl.outline import StateAt, outline
from sm_cli.asl.resources import Resource, parse_resource
from sm_cli.jsonvalue import Json

_NAME = re.compile(r"\$\{([^{}]+)\}")
_QUEUE = re.compile(r"https://sqs\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?/(?P<account>\d+)/(?P<name>[\w.-]+)")
_ANYTHING = plain_text("*")
#: AWS's own: dg/cw-logs.html.
_LOGGING = tuple(
    f"logs:{action}"
    for action in (
        "CreateLogDelivery", "CreateLogStream", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery",
        "ListLogDeliveries", "PutLogEvents", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups",
    )
)  # fmt: skip
_MANAGED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"


class Needs(NamedTuple):
    """What a definition needs that is not the invocation of our own functions."""

    #: In the order of the states; one for each set of actions.
    statements: tuple[PolicyStatement, ...]
    #: Sentences about what is still to be allowed.
    notes: tuple[str, ...]


class _Need(NamedTuple):
    """Actions on one resource; without one it is still to be given."""

    actions: tuple[str, ...]
    resource: Text | None


def permissions(definition: dict[str, Json], substitutions: dict[str, TextPart], log_level: LogLevel | None) -> Needs:
    """What a definition needs. substitutions: what its placeholders stand for."""
    needs: dict[tuple[str, ...], dict[Text, None]] = {}
    notes: list[str] = []
    reader = _Reader(substitutions)
    for machine in outline(definition):
        for state in machine.states.values():
            for need in reader.needs(state):
                if need.resource is None:
                    notes.append(f"{state.name}: its role still needs {', '.join(need.actions)} on what it works with")
                elif need.resource[0].kind != "function":
                    needs.setdefault(need.actions, {})[need.resource] = None
    if log_level is not None:
        needs.setdefault(_LOGGING, {})[_ANYTHING] = None
    statements = tuple(PolicyStatement(actions, tuple(resources)) for actions, resources in needs.items())
    return Needs(statements, tuple(dict.fromkeys(notes)))


class _Reader:
    """Reads what states need."""

    def __init__(self, substitutions: dict[str, TextPart]) -> None:
        self.substitutions = substitutions

    def needs(self, state: StateAt) -> Iterator[_Need]:
        """What a state needs, the parts of a distributed Map among them."""
        if state.type == "Task":
            text = state.text("Resource")
            if text is not None:
                yield from self._task(state, text, parse_resource(text))
        elif state.type == "Map":
            yield from self._map(state)

    def _task(self, state: StateAt, text: str, resource: Resource) -> Iterator[_Need]:
        arguments = _arguments(state.value)
        if resource.kind in ("lambda", "handler"):
            yield _Need(("lambda:InvokeFunction",), self.text(text))
        elif resource.kind == "invoke":
            yield _Need(("lambda:InvokeFunction",), self._function(arguments))
        elif resource.starts_execution:
            yield from self._start(arguments, resource.pattern)
        elif resource.kind == "service":
            key = resource.handler.removeprefix("aws-sdk:")
            row = _ROWS.get(key) or _ROWS.get(f"{key.partition(':')[0]}:*")
            if row is None:
                service = resource.service.removeprefix("aws-sdk:")
                name = _IAM_NAMES.get(service, service)
                following = _FOLLOWING.get(key, _EVENTS) if resource.pattern.startswith("sync") else ()
                yield _Need((f"{name}:{_action(resource.action)}", *following), None)
            else:
                yield from row(self, arguments, _action(resource.action))

    def _map(self, state: StateAt) -> Iterator[_Need]:
        processor = state.value.get("ItemProcessor")
        config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
        if not isinstance(config, dict) or config.get("Mode") != "DISTRIBUTED":
            return
        yield _Need(("states:StartExecution",), machine_arn("stateMachine"))
        yield _Need(
            ("states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"),
            machine_arn("execution", ":*"),
        )
        yield _Need(("states:RedriveExecution",), machine_arn("execution", "/*:*"))
        for name in ("ItemReader", "ResultWriter"):
            part = state.value.get(name)
            if isinstance(part, dict) and isinstance(part.get("Resource"), str):
                arguments = _arguments(part)
                bucket = self.constant(arguments, "Bucket")
                if str(part["Resource"]).endswith("listObjectsV2"):
                    yield _Need(("s3:ListBucket",), _bucket_arn(bucket))
                else:
                    yield _Need(_WRITING if name == "ResultWriter" else ("s3:GetObject",), _bucket_arn(bucket, "/*"))

    def _function(self, arguments: dict[str, Json]) -> Text | None:
        name = self.constant(arguments, "FunctionName")
        if name is None or name[0].kind != "text" or name[0].value.startswith("arn:"):
            return name
        return _arn("lambda", (*plain_text("function:"), *name))

    def _start(self, arguments: dict[str, Json], pattern: str) -> Iterator[_Need]:
        """A nested execution, and for .sync what AWS follows it with."""
        arn = self.constant(arguments, "StateMachineArn")
        yield _Need(("states:StartExecution",), arn)
        if pattern.startswith("sync"):
            yield _Need(("states:DescribeExecution", "states:StopExecution"), _arn("states", plain_text("execution:*")))
            yield _Need(
                ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
                _arn("events", plain_text(f"rule/{_MANAGED_RULE}")),
            )

    def constant(self, arguments: dict[str, Json], *names: str) -> Text | None:
        """The first of these arguments that is there, if it is known before the workflow runs."""
        for name in names:
            value = arguments.get(name)
            if isinstance(value, str) and value and not value.startswith("{%"):
                return self.text(value)
        return None

    def text(self, value: str) -> Text:
        """A text of the definition, in pieces."""
        parts: list[TextPart] = []
        at = 0
        for match in _NAME.finditer(value):
            known_part = self.substitutions.get(match[1])
            if known_part is not None:
                parts += [TextPart("text", value[at : match.start()])] if match.start() > at else []
                parts.append(known_part)
                at = match.end()
        if at < len(value):
            parts.append(TextPart("text", value[at:]))
        return tuple(parts)


def machine_arn(kind: str, rest: str = "") -> Text:
    """An ARN with the name of the state machine itself, which it must not refer to: that would go in a circle."""
    return _arn("states", (TextPart("text", f"{kind}:"), TextPart("machine"), *(plain_text(rest) if rest else ())))


def _arn(service: str, rest: Text) -> Text:
    head = (TextPart("text", "arn:"), TextPart("partition"), TextPart("text", f":{service}:"), TextPart("region"))
    return (*head, TextPart("text", ":"), TextPart("account"), TextPart("text", ":"), *rest)


def _bucket_arn(bucket: Text | None, rest: str = "") -> Text | None:
    """The ARN of a bucket, or with `/*` of the objects in it; None for one that is computed."""
    if bucket is None:
        return None
    head = (TextPart("text", "arn:"), TextPart("partition"), TextPart("text", ":s3:::"))
    return (*head, *bucket, *(plain_text(rest) if rest else ()))


def _arguments(value: dict[str, Json]) -> dict[str, Json]:
    """What a service is given: both languages, for a definition has one of them."""
    for name in ("Arguments", "Parameters"):
        member = value.get(name)
        if isinstance(member, dict):
            return member
    return {}


def _action(name: str) -> str:
    return name[:1].upper() + name[1:]


_Row = Callable[[_Reader, dict[str, Json], str], Iterator[_Need]]


def _queue(_reader: _Reader, arguments: dict[str, Json], action: str) -> Iterator[_Need]:
    url = arguments.get("QueueUrl")
    match = _QUEUE.fullmatch(url) if isinstance(url, str) else None
    arn = None
    if match is not None:
        start = (TextPart("text", "arn:"), TextPart("partition"))
        arn = (*start, TextPart("text", f":sqs:{match['region']}:{match['account']}:{match['name']}"))
    yield _Need((f"sqs:{action}",), arn)


def _topic(reader: _Reader, arguments: dict[str, Json], action: str) -> Iterator[_Need]:
    yield _Need((f"sns:{action}",), reader.constant(arguments, "TopicArn", "TargetArn"))


def _table(reader: _Reader, arguments: dict[str, Json], action: str) -> Iterator[_Need]:
    name = reader.constant(arguments, "TableName")
    if name is not None and not name[0].value.startswith("arn:"):
        name = _arn("dynamodb", (*plain_text("table/"), *name))
    yield _Need((f"dynamodb:{action}",), name)


def _bucket(reader: _Reader, arguments: dict[str, Json], action: str) -> Iterator[_Need]:
    """Objects of a bucket: the key is nearly always computed."""
    bucket = reader.constant(arguments, "Bucket")
    is_list = action in ("ListObjects", "ListObjectsV2", "HeadBucket")
    iam = "ListBucket" if is_list else "GetObject" if action in ("GetObject", "HeadObject") else action
    yield _Need((f"s3:{iam}",), _bucket_arn(bucket, "" if is_list else "/*"))


def _events(reader: _Reader, arguments: dict[str, Json], action: str) -> Iterator[_Need]:
    entries = arguments.get("Entries")
    for entry in entries if isinstance(entries, list) else ():
        bus = reader.constant(entry, "EventBusName") if isinstance(entry, dict) else None
        if bus is None and isinstance(entry, dict) and "EventBusName" not in entry and "EventBusName.$" not in entry:
            bus = plain_text("default")
        if bus is not None and not bus[0].value.startswith("arn:") and bus[0].kind != "parameter":
            bus = _arn("events", (*plain_text("event-bus/"), *bus))
        yield _Need((f"events:{action}",), bus)


def _http(reader: _Reader, arguments: dict[str, Json], _action: str) -> Iterator[_Need]:
    """An HTTP Task: the call, the connection, and the secret in which EventBridge keeps its credentials."""
    authentication = arguments.get("Authentication", arguments.get("InvocationConfig"))
    connection = reader.constant(authentication, "ConnectionArn") if isinstance(authentication, dict) else None
    yield _Need(("states:InvokeHTTPEndpoint",), machine_arn("stateMachine"))
    yield _Need(("events:RetrieveConnectionCredentials",), connection)
    secret = _arn("secretsmanager", plain_text("secret:events!connection/*"))
    yield _Need(("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"), secret)


#: By SERVICE:ACTION, or SERVICE:* for all of it; aws-sdk: is left out.
_ROWS: dict[str, _Row] = {
    "sqs:*": _queue, "sns:publish": _topic, "sns:publishBatch": _topic, "dynamodb:getItem": _table,
    "dynamodb:putItem": _table, "dynamodb:updateItem": _table, "dynamodb:deleteItem": _table, "dynamodb:query": _table,
    "dynamodb:scan": _table, "s3:getObject": _bucket, "s3:putObject": _bucket, "s3:deleteObject": _bucket,
    "s3:headObject": _bucket, "s3:listObjectsV2": _bucket, "s3:listObjects": _bucket, "events:putEvents": _events,
    "eventbridge:putEvents": _events, "http:invoke": _http,
}  # fmt: skip
_WRITING = ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload")
#: Where IAM calls a service otherwise than the integration does.
_IAM_NAMES = {"sfn": "states", "cloudwatchlogs": "logs", "eventbridge": "events"}
#: What AWS hears of the end of another service's work with, for .sync.
_EVENTS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
#: What AWS follows such work with, and stops it, where its documentation of the service names more or other actions.
_FOLLOWING = {
    "athena:startQueryExecution": ("athena:GetQueryExecution", "athena:StopQueryExecution"),
    "batch:submitJob": ("batch:DescribeJobs", "batch:TerminateJob", *_EVENTS),
    "codebuild:startBuild": ("codebuild:StopBuild", "codebuild:BatchGetBuilds", *_EVENTS),
    "ecs:runTask": ("ecs:StopTask", "ecs:DescribeTasks", "iam:PassRole", *_EVENTS),
    "glue:startJobRun": ("glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"),
    "sagemaker:createTrainingJob": (
        "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "iam:PassRole", *_EVENTS,
    ),
}  # fmt: skip
