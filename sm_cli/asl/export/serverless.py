"""A configuration of the Serverless Framework, with the plugins serverless-step-functions and
serverless-python-requirements.

`${Name}` is the framework's own there, so a placeholder of the definition becomes a function of CloudFormation, and a
parameter becomes `${param:Name}`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sm_cli.asl.export import stack
from sm_cli.asl.export.plan import DeployedFunction, ExportPlan, Text, TextPart
from sm_cli.asl.export.yaml_text import Intrinsic, to_yaml
from sm_cli.jsonvalue import Json

_NAME = re.compile(r"\$\{([^{}]+)\}")


def to_serverless(plan: ExportPlan, definition_file: str | None) -> str:  # noqa: ARG001 - all formats take one
    """The configuration as YAML; the definition stands in it, for one in a file of its own could refer to nothing."""
    words = _words(plan)
    machine: dict[str, Any] = {
        "id": stack.machine_id(plan),
        "name": words.machine_name,
        "type": plan.type,
        "role": Intrinsic("GetAtt", f"{stack.machine_id(plan)}Role.Arn"),
    }
    resources: dict[str, Any] = {}
    if plan.log_level is not None:
        group = Intrinsic("GetAtt", f"{plan.id}LogGroup.Arn")
        machine["loggingConfig"] = {"level": plan.log_level, "includeExecutionData": False, "destinations": [group]}
        resources[f"{plan.id}LogGroup"] = stack.log_group(f"/aws/vendedlogs/states/{machine['name']}")
    machine["definition"] = _definition(plan.definition, plan)
    statements = words.statements(_with_params(plan), invoke=True)
    resources[f"{stack.machine_id(plan)}Role"] = stack.role("states.amazonaws.com", statements=statements)
    configuration: dict[str, Any] = {
        "service": plan.machine_name,
        "frameworkVersion": ">=3",
        "provider": {"name": "aws", "runtime": stack.RUNTIME, "memorySize": 256},
        "plugins": ["serverless-step-functions", *(["serverless-python-requirements"] if plan.functions else [])],
    }
    if plan.functions:
        configuration["package"] = {"individually": True}
        configuration["functions"] = {_key(each): _function(each) for each in plan.functions}
    configuration["stepFunctions"] = {"stateMachines": {_first_small(plan.id): machine}}
    configuration["resources"] = {"Resources": resources}
    return to_yaml(configuration, short=False)


def _key(function: DeployedFunction) -> str:
    return _first_small(function.id)


def _first_small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _function(function: DeployedFunction) -> dict[str, Any]:
    return {
        "description": f"The handler {function.resource}",
        "module": f"functions/{function.module}",
        "handler": f"app.{function.entry}",
        "timeout": function.timeout,
    }


def _words(plan: ExportPlan) -> stack.Words:
    return stack.Words(f"${{self:service}}-${{sls:stage}}-{plan.machine_name}", "LambdaFunction", "param:")


def _param(part: TextPart) -> str:
    return f"${{param:{part.value}}}"


def _with_params(plan: ExportPlan) -> ExportPlan:
    """The plan with parameters that stand alone as texts of the framework; inside a Sub they need no other form."""

    def text(resource: Text) -> Text:
        alone = len(resource) == 1 and resource[0].kind == "parameter"
        return (TextPart("text", _param(resource[0])),) if alone else resource

    statements = tuple(replace(each, resources=tuple(map(text, each.resources))) for each in plan.statements)
    return replace(plan, statements=statements)


def _definition(value: Json, plan: ExportPlan) -> Any:
    if isinstance(value, dict):
        return {_fill_text(key, plan): _definition(member, plan) for key, member in value.items()}
    if isinstance(value, list):
        return [_definition(item, plan) for item in value]
    return _text(value, plan) if isinstance(value, str) and "${" in value else value


def _text(text: str, plan: ExportPlan) -> str | Intrinsic:
    """A text of the definition with the framework's words for its placeholders."""
    parts = plan.substitutions
    whole = _NAME.fullmatch(text)
    if whole is not None and whole[1] in parts and parts[whole[1]].kind != "parameter":
        return _words(plan).reference(parts[whole[1]])
    kinds = {parts[match[1]].kind for match in _NAME.finditer(text) if match[1] in parts}
    result = _fill_text(text, plan)
    return result if kinds <= {"parameter"} else Intrinsic("Sub", result)


def _fill_text(text: str, plan: ExportPlan) -> str:
    def word(match: re.Match[str]) -> str:
        part = plan.substitutions.get(match[1])
        if part is None:
            return match[0]
        return _param(part) if part.kind == "parameter" else _words(plan).inside(part)

    return _NAME.sub(word, text)
