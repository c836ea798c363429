"""What SAM, CloudFormation and the Serverless Framework have in common: texts with references, roles, log groups."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sm_cli.asl.export.plan import ExportPlan, PolicyStatement, Text, TextPart
from sm_cli.asl.export.yaml_text import Intrinsic

RUNTIME = "python3.12"
#: What a template's own functions call AWS's facts.
_PSEUDO = {"partition": "AWS::Partition", "region": "AWS::Region", "account": "AWS::AccountId"}
_LITERAL = re.compile(r"\$\{(?!!)")


@dataclass(frozen=True, slots=True)
class Words:
    """How a tool calls what a template refers to."""

    #: The name of the state machine, inside a Sub.
    machine_name: str
    #: What the logical id of a function ends in.
    function: str = "Function"
    #: What stands before the name of a parameter, inside a Sub.
    parameter: str = ""

    def function_id(self, id: str) -> str:
        """The logical id of one of our functions."""
        return f"{id}{self.function}"

    def inside(self, part: TextPart) -> str:
        """A part inside a Sub."""
        match part.kind:
            case "text":
                return _LITERAL.sub("${!", part.value)
            case "function":
                return f"${{{self.function_id(part.value)}.Arn}}"
            case "parameter":
                return f"${{{self.parameter}{part.value}}}"
            case "machine":
                return self.machine_name
            case _:
                return f"${{{_PSEUDO[part.kind]}}}"

    def reference(self, part: TextPart) -> Intrinsic:
        """A part that stands alone; not a text, nor the name of the machine."""
        if part.kind == "function":
            return Intrinsic("GetAtt", f"{self.function_id(part.value)}.Arn")
        return Intrinsic("Ref", part.value if part.kind == "parameter" else _PSEUDO[part.kind])

    def value(self, text: Text) -> str | Intrinsic:
        """A text as a template has it."""
        if len(text) == 1 and text[0].kind not in ("text", "machine"):
            return self.reference(text[0])
        if all(part.kind == "text" for part in text):
            return "".join(part.value for part in text)
        return Intrinsic("Sub", "".join(self.inside(part) for part in text))

    def statements(self, plan: ExportPlan, *, invoke: bool) -> list[dict[str, Any]]:
        """The statements of the role's policy. invoke: whether the invocation of our functions is among them."""
        statements = list(plan.statements)
        if invoke and plan.functions:
            statements.insert(0, PolicyStatement(("lambda:InvokeFunction",), plan.invocations))
        return [
            {"Effect": "Allow", "Action": list(each.actions), "Resource": [self.value(text) for text in each.resources]}
            for each in statements
        ]

    def substitutions(self, plan: ExportPlan) -> dict[str, Intrinsic]:
        """What takes the place of the definition's placeholders, by name."""
        return {name: self.reference(part) for name, part in plan.substitutions.items()}


def stack_words(plan: ExportPlan) -> Words:
    """Those of SAM and CloudFormation: the name of the machine begins with the stack's."""
    return Words(f"${{AWS::StackName}}-{plan.machine_name}")


def role(service: str, *, statements: list[dict[str, Any]], policy_arns: list[Any] | None = None) -> dict[str, Any]:
    """A role that this service takes."""
    properties: dict[str, Any] = {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    }
    if policy_arns:
        properties["ManagedPolicyArns"] = policy_arns
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        properties["Policies"] = [{"PolicyName": "workflow", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def log_group(name: str | Intrinsic) -> dict[str, Any]:
    """Where AWS writes what becomes of executions; names that begin so need no policy of the log group."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": 30}}


def logging_of(plan: ExportPlan) -> dict[str, Any]:
    """Level and destination, without the data of executions."""
    group = {"LogGroupArn": Intrinsic("GetAtt", f"{plan.id}LogGroup.Arn")}
    return {
        "Level": plan.log_level,
        "IncludeExecutionData": False,
        "Destinations": [{"CloudWatchLogsLogGroup": group}],
    }


def head(plan: ExportPlan, transform: str | None = None) -> dict[str, Any]:
    """What stands before the resources of a template."""
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if transform is not None:
        template["Transform"] = transform
    template["Description"] = plan.description or f"The workflow {plan.name}"
    if plan.parameters:
        template["Parameters"] = {
            each.name: {"Type": "String", "Description": each.description} for each in plan.parameters
        }
    return template


def template_outputs(plan: ExportPlan) -> dict[str, Any]:
    """The ARN of the state machine."""
    return {
        "StateMachineArn": {"Description": f"The workflow {plan.name}", "Value": Intrinsic("Ref", machine_id(plan))}
    }


def machine_id(plan: ExportPlan) -> str:
    """The logical id of the state machine."""
    return f"{plan.id}StateMachine"
