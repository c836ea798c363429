"""The names of a stack: what a Ref, an attribute, a parameter or a mapping of CloudFormation stands for here.

Nothing is deployed, so a resource gets an ARN that it could have; its name is the one that the template writes for it,
else its logical id. What nobody knows stays a placeholder, `${Name}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sm_cli.jsonvalue import Json

REGION, ACCOUNT = "us-east-1", "123456789012"
_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/stack/1",
}
#: By type: the ARN, with the name in braces.
_ARNS = {
    "AWS::Lambda::Function": "lambda:function:{}",
    "AWS::Serverless::Function": "lambda:function:{}",
    "AWS::StepFunctions::StateMachine": "states:stateMachine:{}",
    "AWS::Serverless::StateMachine": "states:stateMachine:{}",
    "AWS::StepFunctions::Activity": "states:activity:{}",
    "AWS::SNS::Topic": "sns:{}",
    "AWS::SQS::Queue": "sqs:{}",
    "AWS::DynamoDB::Table": "dynamodb:table/{}",
    "AWS::Serverless::SimpleTable": "dynamodb:table/{}",
    "AWS::ECS::Cluster": "ecs:cluster/{}",
    "AWS::ECS::TaskDefinition": "ecs:task-definition/{}:1",
    "AWS::Events::EventBus": "events:event-bus/{}",
    "AWS::Batch::JobQueue": "batch:job-queue/{}",
    "AWS::Batch::JobDefinition": "batch:job-definition/{}:1",
}
#: Types whose Ref is their ARN.
_REF_IS_ARN = frozenset(
    [
        "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine", "AWS::StepFunctions::Activity",
        "AWS::SNS::Topic", "AWS::ECS::TaskDefinition", "AWS::Batch::JobQueue", "AWS::Batch::JobDefinition",
    ]
)  # fmt: skip
_LAMBDA_PARTS = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
_NAME_FIELDS = re.compile(r"(?:[A-Z]\w*)?Name|Family")
#: A parameter of every template that CDK makes.
_CDK = "BootstrapVersion"
_HASH = re.compile(r"(.+?)[0-9A-F]{8}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?")
_NOT_IN_NAME = re.compile(r"[{}\r\n\"\\]+")


def placeholder(name: str) -> str:
    """`${Name}`; what cannot stand in it becomes a dash."""
    text = _NOT_IN_NAME.sub("-", name.replace('"', "'")).strip()
    return f"${{{text or 'value'}}}"


@dataclass(frozen=True, slots=True)
class Stack:
    """The parts of a template that names lead to."""

    #: By logical id.
    resources: Mapping[str, Json] = field(default_factory=dict)
    #: By name, with Type and Default.
    parameters: Mapping[str, Json] = field(default_factory=dict)
    #: By name, then by the two keys.
    mappings: Mapping[str, Json] = field(default_factory=dict)
    #: By name.
    conditions: Mapping[str, Json] = field(default_factory=dict)
    #: Values that were given, by the names of parameters and placeholders; they win.
    values: Mapping[str, Json] = field(default_factory=dict)
    #: Of the Serverless Framework: its functions by their logical ids.
    functions: Mapping[str, str] = field(default_factory=dict)
    #: Of the Serverless Framework: the names of its state machines by their logical ids.
    machines: Mapping[str, str] = field(default_factory=dict)

    def ref(self, name: str) -> Json:
        """What `Ref` gives."""
        if name in self.values:
            return self.values[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameter = self.parameters.get(name)
        if isinstance(parameter, dict):
            return _default(parameter, name)
        kind = self._type(name)
        if kind is None:
            return self.arn(name) if name in self.machines else self.functions.get(name, placeholder(name))
        if kind in _LAMBDA_PARTS:
            return self._lambda_part(name)
        return self.arn(name) if kind in _REF_IS_ARN else self.name_of(name)

    def attribute(self, resource: str, attribute: str) -> Json:
        """What `Fn::GetAtt` gives."""
        if f"{resource}.{attribute}" in self.values:
            return self.values[f"{resource}.{attribute}"]
        kind = self._type(resource)
        if kind is None and resource not in self.functions and resource not in self.machines:
            return placeholder(f"{resource}.{attribute}")
        if attribute.endswith("Arn"):
            return self._lambda_part(resource) if kind in _LAMBDA_PARTS else self.arn(resource)
        if attribute.endswith("Name"):
            return self.name_of(resource)
        return placeholder(f"{resource}.{attribute}")

    def member(self, reference: str) -> Json:
        """What `${Name}` or `${Resource.Attribute}` gives inside a Sub. SAM: `Function.Alias` and `.Version` too."""
        resource, dot, attribute = reference.partition(".")
        if not dot:
            return self.ref(reference)
        if attribute in ("Alias", "Version") and self._type(resource) == "AWS::Serverless::Function":
            return f"{self.arn(resource)}:live"
        return self.attribute(resource, attribute)

    def arn(self, name: str) -> str:
        """An ARN that a resource could have."""
        of_plugin = "AWS::StepFunctions::StateMachine" if name in self.machines else "AWS::Lambda::Function"
        kind = self._type(name) or of_plugin
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self.name_of(name)}"
        service = kind.split("::")[1].lower() if kind.count("::") == 2 else "custom"
        form = _ARNS.get(kind, f"{service}:{{}}")
        head, _, rest = form.partition(":")
        return f"arn:aws:{head}:{REGION}:{ACCOUNT}:{rest.format(self.name_of(name))}"

    def name_of(self, name: str) -> str:
        """The name that the template writes for a resource, else its logical id."""
        resource = self.resources.get(name)
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        for key, value in properties.items() if isinstance(properties, dict) else ():
            if _NAME_FIELDS.fullmatch(key) and isinstance(value, str) and "${" not in value and key != "RoleName":
                return value
        return self.functions.get(name) or self.machines.get(name) or self._construct(name)

    def _construct(self, name: str) -> str:
        """A logical id of CDK without its hash: `OrderFn12AB34CD` is `OrderFn`, unless another resource is one too."""
        is_cdk = _CDK in self.parameters
        short = _without_hash(name, self.resources.get(name), is_cdk=is_cdk)
        if short == name or short in self.resources:
            return name
        ids = [_without_hash(*each, is_cdk=is_cdk) for each in self.resources.items() if each[0].startswith(short)]
        return short if ids.count(short) == 1 else name

    def mapping(self, path: list[str]) -> Json:
        """What `Fn::FindInMap` gives; of a map without the key that is asked for, its first one."""
        value: Json = dict(self.mappings)
        for i, key in enumerate(path):
            if not isinstance(value, dict) or not value:
                return placeholder(".".join(path))
            value = value[key] if key in value else next(iter(value.values())) if i == 1 else None
        return placeholder(".".join(path)) if value is None else value

    def _lambda_part(self, name: str) -> str:
        resource = self.resources[name]
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        function = properties.get("FunctionName") if isinstance(properties, dict) else None
        if isinstance(function, dict) and isinstance(target := next(iter(function.values()), None), (str, list)):
            function = target if isinstance(target, str) else str(target[0])
            function = self.name_of(function.split(".")[0])
        text = function if isinstance(function, str) and "${" not in function else name
        text = text.rpartition(":function:")[2]
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{text}:live"

    def _type(self, name: str) -> str | None:
        resource = self.resources.get(name)
        kind = resource.get("Type") if isinstance(resource, dict) else None
        return kind if isinstance(kind, str) else None


def _without_hash(name: str, resource: Json, *, is_cdk: bool) -> str:
    """CDK joins the path of a construct, without `Resource` and `Default`, and puts eight digits behind it; its
    metadata has that path, unless somebody turned that off. is_cdk: whether the template is one of CDK without it."""
    match = _HASH.fullmatch(name)
    if match is None:
        return name
    metadata = resource.get("Metadata") if isinstance(resource, dict) else None
    path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
    if not isinstance(path, str):
        return match[1] if is_cdk else name
    parts = [_NOT_IN_ID.sub("", part) for part in path.split("/")[1:] if part not in ("Resource", "Default")]
    return match[1] if parts and match[1].endswith(parts[-1]) else name


def _default(parameter: dict[str, Json], name: str) -> Json:
    value, kind = parameter.get("Default"), parameter.get("Type")
    if value is None or value == "" or (isinstance(kind, str) and ("<" in kind or kind == "CommaDelimitedList")):
        return placeholder(name)
    if kind == "Number" and isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value
