"""A template of CloudFormation: the state machine, its role, its functions and theirs."""

from __future__ import annotations

from typing import Any

from sm_cli.asl.export import stack
from sm_cli.asl.export.plan import DeployedFunction, ExportPlan
from sm_cli.asl.export.yaml_text import Intrinsic, to_yaml

_BASIC = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def to_cloudformation(plan: ExportPlan, definition_file: str | None) -> str:
    """The template as YAML, for `aws cloudformation package`. definition_file: where the definition stands; None puts
    it into the template."""
    words = stack.stack_words(plan)
    resources: dict[str, Any] = {words.function_id(each.id): _function(each) for each in plan.functions}
    if plan.functions:
        resources["FunctionRole"] = stack.role(
            "lambda.amazonaws.com", statements=[], policy_arns=[Intrinsic("Sub", _BASIC)]
        )
    machine = stack.machine_id(plan)
    properties: dict[str, Any] = {
        "StateMachineName": Intrinsic("Sub", words.machine_name),
        "StateMachineType": plan.type,
        "RoleArn": Intrinsic("GetAtt", f"{machine}Role.Arn"),
    }
    if definition_file is None:
        properties["Definition"] = plan.definition
    else:
        properties["DefinitionS3Location"] = definition_file
    if plan.substitutions:
        properties["DefinitionSubstitutions"] = words.substitutions(plan)
    if plan.log_level is not None:
        properties["LoggingConfiguration"] = stack.logging_of(plan)
        name = Intrinsic("Sub", f"/aws/vendedlogs/states/{words.machine_name}")
        resources[f"{plan.id}LogGroup"] = stack.log_group(name)
    resources[machine] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    statements = words.statements(plan, invoke=True)
    resources[f"{machine}Role"] = stack.role("states.amazonaws.com", statements=statements)
    return to_yaml({**stack.head(plan), "Resources": resources, "Outputs": stack.template_outputs(plan)})


def _function(function: DeployedFunction) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Description": f"The handler {function.resource}",
            "Code": f"functions/{function.module}",
            "Handler": f"app.{function.entry}",
            "Runtime": stack.RUNTIME,
            "Timeout": function.timeout,
            "MemorySize": 256,
            "Role": Intrinsic("GetAtt", "FunctionRole.Arn"),
        },
    }
