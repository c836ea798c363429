"""An app of AWS's CDK, in Python: one stack with the state machine, its functions and what its role allows."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sm_cli.asl.export.names import snake
from sm_cli.asl.export.plan import DeployedFunction, ExportPlan, PolicyStatement, Text, TextPart

#: What CDK itself is told: how the app is started.
CDK_JSON = json.dumps({"app": "python3 app.py"}, indent=2) + "\n"
#: What the app needs.
CDK_REQUIREMENTS = "aws-cdk-lib>=2.150\nconstructs>=10\n"
_FACTS = {"partition": "Aws.PARTITION", "region": "Aws.REGION", "account": "Aws.ACCOUNT_ID"}


def to_cdk(plan: ExportPlan, definition_file: str | None) -> str:
    """The app as Python. definition_file: where the definition stands; None puts it into the app."""
    body = [*_parameters(plan), *_functions(plan), *_logs(plan), *_machine(plan, definition_file), *_grants(plan)]
    inside = "\n".join(f"        {line}" if line else "" for line in body)
    return f"{_head(plan, definition_file)}{inside}\n\n\n{_end(plan)}"


def _head(plan: ExportPlan, definition_file: str | None) -> str:
    core = ["App", "CfnOutput", "Stack"]
    core += ["Aws"] if _names_facts(plan) else []
    core += ["CfnParameter"] if plan.parameters else []
    core += ["Duration"] if plan.functions else []
    services = ["aws_stepfunctions as sfn"]
    services += ["aws_lambda as lambda_"] if plan.functions else []
    services += ["aws_iam as iam"] if plan.statements else []
    services += ["aws_logs as logs"] if plan.log_level is not None else []
    lines = [
        f'"""{_docstring(plan)}"""', "", f"from aws_cdk import {', '.join(sorted(core))}",
        *(f"from aws_cdk import {service}" for service in sorted(services)), "from constructs import Construct", "",
    ]  # fmt: skip
    if definition_file is None:
        text = json.dumps(plan.definition, indent=2, ensure_ascii=False)
        lines += ["DEFINITION = (", *(f"    {_quote(line)}" for line in text.splitlines(keepends=True)), ")", ""]
    lines += [
        "", f"class {plan.id}Stack(Stack):",
        f'    """The workflow {_plain(plan.name)}, its functions and its role."""', "",
        "    def __init__(self, scope: Construct, id: str, **options: object) -> None:",
        "        super().__init__(scope, id, **options)", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _docstring(plan: ExportPlan) -> str:
    return _plain(plan.description or f"The workflow {plan.name}").rstrip(".") + "."


def _quote(text: str) -> str:
    """A text as Python's literal: that of JSON is one."""
    return json.dumps(text)


def _plain(text: str) -> str:
    """A text that can stand in a docstring."""
    return text.replace("\\", "/").replace('"', "'")


def _names_facts(plan: ExportPlan) -> bool:
    return bool(plan.facts) or any(
        part.kind in _FACTS or part.kind == "machine"
        for each in plan.statements for resource in each.resources for part in resource
    )  # fmt: skip


def _end(plan: ExportPlan) -> str:
    return f'app = App()\n{plan.id}Stack(app, "{plan.id}")\napp.synth()\n'


def _variable(function: DeployedFunction) -> str:
    return f"{snake(function.id)}_function"


def _parameters(plan: ExportPlan) -> Iterator[str]:
    for each in plan.parameters:
        description = _quote(each.description)
        yield f'{snake(each.name)}_value = CfnParameter(self, "{each.name}", description={description})'


def _functions(plan: ExportPlan) -> Iterator[str]:
    for each in plan.functions:
        yield from (
            f"{_variable(each)} = lambda_.Function(",
            "    self,",
            f'    "{each.id}Function",',
            f"    description={_quote(f'The handler {each.resource}')},",
            "    runtime=lambda_.Runtime.PYTHON_3_12,",
            f"    code=lambda_.Code.from_asset({_quote(f'functions/{each.module}')}),",
            f'    handler="app.{each.entry}",',
            f"    timeout=Duration.seconds({each.timeout}),",
            "    memory_size=256,",
            ")",
        )


def _logs(plan: ExportPlan) -> Iterator[str]:
    if plan.log_level is not None:
        yield f'log_group = logs.LogGroup(self, "{plan.id}LogGroup", retention=logs.RetentionDays.ONE_MONTH)'


def _reference(part: TextPart, plan: ExportPlan) -> str:
    """An expression; not for a text."""
    match part.kind:
        case "function":
            return f"{_variable(plan.function(part.value))}.function_arn"
        case "parameter":
            return f"{snake(part.value)}_value.value_as_string"
        case "machine":
            return "machine.state_machine_name"
        case _:
            return _FACTS[part.kind]


def _machine(plan: ExportPlan, definition_file: str | None) -> Iterator[str]:
    body = "from_string(DEFINITION)" if definition_file is None else f"from_file({_quote(definition_file)})"
    yield from (
        "machine = sfn.StateMachine(",
        "    self,",
        f'    "{plan.id}StateMachine",',
        f"    state_machine_type=sfn.StateMachineType.{plan.type},",
        f"    definition_body=sfn.DefinitionBody.{body},",
    )
    if plan.substitutions:
        yield "    definition_substitutions={"
        for name, part in plan.substitutions.items():
            yield f'        "{name}": {_reference(part, plan)},'
        yield "    },"
    if plan.log_level is not None:
        yield f"    logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.{plan.log_level}),"
    yield ")"


def _grants(plan: ExportPlan) -> Iterator[str]:
    for each in plan.functions:
        yield f"{_variable(each)}.grant_invoke(machine)"
    # CDK gives the role what logging needs by itself.
    statements = [each for each in plan.statements if not each.actions[0].startswith("logs:")]
    if statements:
        # A policy of its own: one of the role that names the machine would go in a circle.
        yield "policy = iam.Policy("
        yield f'    self, "{plan.id}Policy",'
        yield "    statements=["
        for statement in statements:
            yield from _statement(statement, plan)
        yield "    ],"
        yield ")"
        yield "policy.attach_to_role(machine.role)"
    yield 'CfnOutput(self, "StateMachineArn", value=machine.state_machine_arn)'


def _statement(statement: PolicyStatement, plan: ExportPlan) -> Iterator[str]:
    yield "        iam.PolicyStatement("
    yield f"            actions=[{', '.join(map(_quote, statement.actions))}],"
    yield "            resources=["
    for resource in statement.resources:
        yield f"                {_text(resource, plan)},"
    yield "            ],"
    yield "        ),"


def _text(text: Text, plan: ExportPlan) -> str:
    """A text as an expression: pieces that are joined."""
    pieces = [_quote(part.value) if part.kind == "text" else _reference(part, plan) for part in text]
    return " + ".join(pieces)
