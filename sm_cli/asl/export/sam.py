"""A template of AWS's Serverless Application Model, for `sam build` and `sam deploy`."""

from __future__ import annotations

from typing import Any

from sm_cli.asl.export import stack
from sm_cli.asl.export.plan import DeployedFunction, ExportPlan
from sm_cli.asl.export.yaml_text import Intrinsic, to_yaml


def to_sam(plan: ExportPlan, definition_file: str | None) -> str:
    """The template as YAML. definition_file: where the definition stands; None puts it into the template."""
    words = stack.stack_words(plan)
    resources: dict[str, Any] = {words.function_id(each.id): _function(each) for each in plan.functions}
    properties: dict[str, Any] = {
        "Name": Intrinsic("Sub", words.machine_name),
        "Type": plan.type,
    }
    if definition_file is None:
        properties["Definition"] = plan.definition
    else:
        properties["DefinitionUri"] = definition_file
    if plan.substitutions:
        properties["DefinitionSubstitutions"] = words.substitutions(plan)
    if plan.log_level is not None:
        properties["Logging"] = stack.logging_of(plan)
        name = Intrinsic("Sub", f"/aws/vendedlogs/states/{words.machine_name}")
        resources[f"{plan.id}LogGroup"] = stack.log_group(name)
    policies: list[dict[str, Any]] = [
        {"LambdaInvokePolicy": {"FunctionName": Intrinsic("Ref", words.function_id(each.id))}}
        for each in plan.functions
    ]
    statements = words.statements(plan, invoke=False)
    if statements:
        policies.append({"Version": "2012-10-17", "Statement": statements})
    if policies:
        properties["Policies"] = policies
    resources[stack.machine_id(plan)] = {"Type": "AWS::Serverless::StateMachine", "Properties": properties}
    return to_yaml(
        {
            **stack.head(plan, "AWS::Serverless-2016-10-31"),
            **({"Globals": _globals()} if plan.functions else {}),
            "Resources": resources,
            "Outputs": stack.template_outputs(plan),
        }
    )


def _globals() -> dict[str, Any]:
    return {"Function": {"Runtime": stack.RUNTIME, "MemorySize": 256}}


def _function(function: DeployedFunction) -> dict[str, Any]:
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Description": f"The handler {function.resource}",
            "CodeUri": f"functions/{function.module}",
            "Handler": f"app.{function.entry}",
            "Timeout": function.timeout,
        },
    }
