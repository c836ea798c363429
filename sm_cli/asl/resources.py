"""A Task's Resource, taken apart: which handler serves it and how its result is wrapped.

DESIGN's mapping, in one place. The text itself names the handler unless it is an ARN that says more; a handler
named with a `*` serves what no other one is named for.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

_LAMBDA = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?")
_LAMBDA_SHORT = re.compile(r"arn:[^:]*:lambda:::(?P<name>.+)")
_ACTIVITY = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:activity:(?P<name>.+)")
_SERVICE = re.compile(
    r"arn:[^:]*:states:[^:]*:[^:]*:(?P<service>aws-sdk:[^:.]+|[^:.]+):(?P<action>[^:.]+)"
    r"(?:\.(?P<pattern>sync:2|sync|waitForTaskToken))?"
)
#: `${Name}` and its kin as a whole Resource: the name is the handler's, without the attribute that says ARN.
_PLACEHOLDER = re.compile(
    r"\$\{\s*(?P<name>[^{}]+?)(?:\.(?:Arn|arn))?\s*\}|%(?P<percent>[A-Za-z]\w*)%|__(?P<score>[A-Za-z]\w*)__"
)
#: CloudFormation's own parameters, whose names hold colons.
_PSEUDO = re.compile(r"\$\{\s*AWS::(\w+)\s*\}")

#: Handler names that `sm` itself serves, unless somebody registers a handler of that name.
BUILT_IN = frozenset({"http:invoke"})
#: Actions of Step Functions' own API (`aws-sdk:sfn:ACTION`) that the engine carries out itself, without a handler: the
#: parameters that each must have, and those that it may have.
SFN_ACTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sendTaskSuccess": (("TaskToken", "Output"), ()),
    "sendTaskFailure": (("TaskToken",), ("Error", "Cause")),
    "sendTaskHeartbeat": (("TaskToken",), ()),
    "getActivityTask": (("ActivityArn",), ("WorkerName",)),
    "startExecution": (("StateMachineArn",), ("Name", "Input", "TraceHeader")),
    "startSyncExecution": (("StateMachineArn",), ("Name", "Input", "TraceHeader", "IncludedData")),
    "stopExecution": (("ExecutionArn",), ("Error", "Cause")),
    "redriveExecution": (("ExecutionArn",), ("ClientToken",)),
    "describeExecution": (("ExecutionArn",), ("IncludedData",)),
    "getExecutionHistory": (("ExecutionArn",), ("MaxResults", "NextToken", "ReverseOrder", "IncludeExecutionData")),
    "listExecutions": ((), ("StateMachineArn", "StatusFilter", "MaxResults", "NextToken")),
    "describeMapRun": (("MapRunArn",), ()),
    "listMapRuns": (("ExecutionArn",), ("MaxResults", "NextToken")),
    "updateMapRun": (("MapRunArn",), ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")),
    "describeStateMachine": (("StateMachineArn",), ("IncludedData",)),
    "describeStateMachineForExecution": (("ExecutionArn",), ("IncludedData",)),
    "listStateMachines": ((), ("MaxResults", "NextToken")),
    "listStateMachineVersions": (("StateMachineArn",), ("MaxResults", "NextToken")),
    "listStateMachineAliases": (("StateMachineArn",), ("MaxResults", "NextToken")),
    "describeStateMachineAlias": (("StateMachineAliasArn",), ()),
    "validateStateMachineDefinition": (("Definition",), ("Type", "Severity", "MaxResults")),
}
_BY_FILES = "A state machine is a file of the project: change the file."
_BY_A_PERSON = "Every registered text is a version, and a person makes the aliases: outside of executions."
_NO_TAGS = "Nothing has tags here."
_NO_ACTIVITIES = "An activity is there as soon as a state names it: it is not made, deleted or listed."
#: The other actions of that API, and why the engine does not carry them out.
SFN_REFUSED: Mapping[str, str] = {
    "createStateMachine": _BY_FILES,
    "updateStateMachine": _BY_FILES,
    "deleteStateMachine": _BY_FILES,
    "publishStateMachineVersion": _BY_A_PERSON,
    "deleteStateMachineVersion": _BY_A_PERSON,
    "createStateMachineAlias": _BY_A_PERSON,
    "updateStateMachineAlias": _BY_A_PERSON,
    "deleteStateMachineAlias": _BY_A_PERSON,
    "createActivity": _NO_ACTIVITIES,
    "describeActivity": _NO_ACTIVITIES,
    "deleteActivity": _NO_ACTIVITIES,
    "listActivities": _NO_ACTIVITIES,
    "tagResource": _NO_TAGS,
    "untagResource": _NO_TAGS,
    "listTagsForResource": _NO_TAGS,
    "testState": "A state is tested by a person, outside of executions: it is not a step of one.",
}
#: What the engine does itself is named so; no wildcard takes it.
INTERNAL = "sm:"


@dataclass(frozen=True, slots=True)
class Resource:
    """A Task's Resource, taken apart.

    `text` is the whole of it; `handler` the name that a handler registers under; `kind` is one of
    "handler" (a plain name), "lambda" (a function's ARN), "invoke" (lambda:invoke), "service"
    (SERVICE:ACTION) and "activity"; `pattern` is "", "sync", "sync:2" or "waitForTaskToken".
    """

    text: str
    kind: str
    handler: str
    #: Of the kind "service": such as sqs; "" for other kinds.
    service: str = ""
    #: Of the kind "service": such as sendMessage; "" for other kinds.
    action: str = ""
    pattern: str = ""

    @property
    def sfn_action(self) -> str | None:
        """The action of Step Functions' own API that the engine carries out itself, if it is one."""
        return self.action if self.service == "aws-sdk:sfn" and self.action in SFN_ACTIONS else None

    @property
    def why_refused(self) -> str | None:
        """Why the engine does not carry out this action of Step Functions' own API, in one sentence; None for one that
        it does, and for everything else."""
        return SFN_REFUSED.get(self.action) if self.service == "aws-sdk:sfn" else None

    @property
    def needs_no_handler(self) -> bool:
        """Whether the engine does what the task asks for."""
        return self.starts_execution or self.sfn_action is not None

    @property
    def starts_execution(self) -> bool:
        """Whether the task is an execution of another workflow, which needs no handler."""
        return (self.service, self.action) == ("states", "startExecution")


@lru_cache(maxsize=4096)
def parse_resource(text: str) -> Resource:
    """`process:order` → itself; `arn:…:function:NAME[:QUALIFIER]` → NAME; `arn:aws:lambda:::process:order` →
    `process:order`; `arn:…:states:::SERVICE:ACTION[.PATTERN]` → `SERVICE:ACTION`; an activity's ARN → its name; the
    placeholder `${GreetArn}` → `GreetArn`."""
    whole, text = text, _PSEUDO.sub(r"\1", text)
    return replace(_parse(text), text=whole)


def _parse(text: str) -> Resource:
    if match := _LAMBDA.fullmatch(text):
        return Resource(text, "lambda", match["name"])
    if match := _LAMBDA_SHORT.fullmatch(text):
        return Resource(text, "lambda", match["name"])
    if match := _ACTIVITY.fullmatch(text):
        return Resource(text, "activity", match["name"])
    if match := _SERVICE.fullmatch(text):
        service, action, pattern = match["service"], match["action"], match["pattern"] or ""
        kind = "invoke" if (service, action) == ("lambda", "invoke") else "service"
        return Resource(text, kind, f"{service}:{action}", service, action, pattern)
    bare, dot, pattern = text.rpartition(".")
    if dot and pattern in ("sync", "sync:2", "waitForTaskToken"):
        return Resource(text, "handler", placeholder_name(bare), pattern=pattern)
    return Resource(text, "handler", placeholder_name(text))


def placeholder_name(text: str) -> str:
    """`GreetArn` of a text that is nothing but the placeholder `${GreetArn}`; any other text as it is."""
    match = _PLACEHOLDER.fullmatch(text)
    return text if match is None else match["name"] or match["percent"] or match["score"]


def workflow_reference(name_or_arn: str) -> tuple[str, str | None]:
    """(name, version or alias; None without one) of the StateMachineArn of states:startExecution:
    `arn:…:stateMachine:NAME[:VERSION or ALIAS]`, or the same without what stands before the name."""
    _, separator, rest = name_or_arn.partition(":stateMachine:")
    name, colon, qualifier = (rest if separator else name_or_arn).partition(":")
    return name, qualifier if colon else None


def workflow_name(name_or_arn: str) -> str:
    """The name of the workflow, whatever stands behind it."""
    return workflow_reference(name_or_arn)[0]


def function_name(name_or_arn: str) -> str:
    """The FunctionName of lambda:invoke: a name, NAME:QUALIFIER, a partial or a whole ARN, or a placeholder."""
    name_or_arn = _PSEUDO.sub(r"\1", name_or_arn)
    if name_or_arn.startswith(("${", "%", "__")):
        return placeholder_name(name_or_arn)
    if name_or_arn.startswith("arn:"):
        return parse_resource(name_or_arn).handler
    _, separator, rest = name_or_arn.partition(":function:")
    return (rest if separator else name_or_arn).split(":", 1)[0]


def is_wildcard(name: str) -> bool:
    """Whether a handler of this name serves more than its name: `*`, or `PREFIX:*`."""
    return name == "*" or name.endswith(":*")


def serving(resource: str, names: Container[str]) -> str | None:
    """Which of the handlers with these names serves `resource` (a Resource's `handler`); None when none does.

    Its own name comes first, then the longest `PREFIX:*`, then `*`: for `aws-sdk:s3:getObject` that is
    `aws-sdk:s3:*`, `aws-sdk:*`, `*`.
    """
    if resource in names:
        return resource
    if resource.startswith(INTERNAL):
        return None
    end = resource.rfind(":")
    while end > 0:
        wildcard = f"{resource[:end]}:*"
        if wildcard in names:
            return wildcard
        end = resource.rfind(":", 0, end)
    return "*" if "*" in names else None
