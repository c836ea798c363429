"""A module of Terraform: the state machine, its role, its functions and theirs.

The provider's resources: registry.terraform.io/providers/hashicorp/aws, aws_sfn_state_machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sm_cli.asl.export.names import snake, unique
from sm_cli.asl.export.plan import DeployedFunction, ExportPlan, Parameter, PolicyStatement, Text, TextPart
from sm_cli.asl.export.stack import RUNTIME
from sm_cli.jsonvalue import Json

_NAME = re.compile(r"\$\{([^{}]+)\}")
_HEAD = """\
terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.4"
    }
  }
}
"""
_FACTS = {
    "partition": "data.aws_partition.current.partition",
    "region": "data.aws_region.current.name",
    "account": "data.aws_caller_identity.current.account_id",
}
_DATA = """
data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}
"""


def to_terraform(plan: ExportPlan, definition_file: str | None) -> str:
    """The module as HCL. definition_file: where the definition stands, for `templatefile`; None puts it into the
    module."""
    label = snake(plan.name)
    blocks = [_HEAD, _DATA, *map(_variable, plan.parameters), *_functions(plan)]
    if plan.log_level is not None:
        blocks.append(_log_group(plan, label))
    blocks += [_role(plan, label), _machine(plan, label, definition_file), _output(label)]
    return "\n".join(block.strip("\n") + "\n" for block in blocks)


def definition_text(plan: ExportPlan) -> str:
    """The definition's JSON as `templatefile` takes it: `${` and `%{` that are no placeholders are doubled."""

    def escape(match: re.Match[str]) -> str:
        name = _NAME.match(match.string, match.start())
        return match[0] if name is not None and name[1] in plan.substitutions else match[0][0] + match[0]

    text = json.dumps(_with_blanks(plan.definition), indent=2, ensure_ascii=False)
    return re.sub(r"[$%]\{", escape, text)


def _with_blanks(value: Json) -> Json:
    """A blank between `{%` and the brace of an object, which would be Terraform's `%{`; to JSONata it is nothing."""
    if isinstance(value, dict):
        return {key: _with_blanks(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_blanks(item) for item in value]
    return f"{{% {value[2:]}" if isinstance(value, str) and value.startswith("{%{") else value


def _quote(text: str) -> str:
    """A text in quotes."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + re.sub(r"[$%]\{", lambda match: match[0][0] + match[0], inside.replace("\t", "\\t")) + '"'


def _variable(parameter: Parameter) -> str:
    return f"""
variable "{snake(parameter.name)}" {{
  description = {_quote(parameter.description)}
  type        = string
}}
"""


def _reference(part: TextPart, plan: ExportPlan) -> str:
    """An expression; not for a text, nor for the name of the machine."""
    if part.kind == "function":
        return f"aws_lambda_function.{_label(plan.function(part.value))}.arn"
    return f"var.{snake(part.value)}" if part.kind == "parameter" else _FACTS[part.kind]


def _expression(text: Text, plan: ExportPlan) -> str:
    if len(text) == 1 and text[0].kind not in ("text", "machine"):
        return _reference(text[0], plan)
    inside = []
    for part in text:
        if part.kind == "text":
            inside.append(_quote(part.value)[1:-1])
        else:
            inside.append(plan.machine_name if part.kind == "machine" else f"${{{_reference(part, plan)}}}")
    return '"' + "".join(inside) + '"'


def _label(function: DeployedFunction) -> str:
    return snake(function.id)


def _functions(plan: ExportPlan) -> Iterator[str]:
    if plan.functions:
        yield _role_of("functions", f"{plan.machine_name}-functions", "lambda.amazonaws.com")
        yield """
resource "aws_iam_role_policy_attachment" "functions" {
  role       = aws_iam_role.functions.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
"""
    labels: set[str] = set()
    for module, functions in plan.modules.items():
        archive, path = unique(snake(module), labels), _quote(module)[1:-1]
        yield f"""
data "archive_file" "{archive}" {{
  type        = "zip"
  source_dir  = "${{path.module}}/functions/{path}"
  output_path = "${{path.module}}/.build/{path}.zip"
}}
"""
        for function in functions:
            yield f"""
resource "aws_lambda_function" "{_label(function)}" {{
  function_name    = {_quote(f"{plan.machine_name}-{function.id}"[:64])}
  description      = {_quote(f"The handler {function.resource}")}
  filename         = data.archive_file.{archive}.output_path
  source_code_hash = data.archive_file.{archive}.output_base64sha256
  handler          = "app.{function.entry}"
  runtime          = "{RUNTIME}"
  timeout          = {function.timeout}
  memory_size      = 256
  role             = aws_iam_role.functions.arn
}}
"""


def _role_of(label: str, name: str, service: str) -> str:
    return f"""
resource "aws_iam_role" "{label}" {{
  name = {_quote(name[:64])}
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = {{ Service = "{service}" }}
    }}]
  }})
}}
"""


def _role(plan: ExportPlan, label: str) -> str:
    statements = list(plan.statements)
    if plan.functions:
        statements.insert(0, PolicyStatement(("lambda:InvokeFunction",), plan.invocations))
    role = _role_of(f"{label}_machine", f"{plan.machine_name}-machine", "states.amazonaws.com")
    if not statements:
        return role
    return f"""{role}
resource "aws_iam_role_policy" "{label}_machine" {{
  name   = "workflow"
  role   = aws_iam_role.{label}_machine.id
  policy = data.aws_iam_policy_document.{label}_machine.json
}}

data "aws_iam_policy_document" "{label}_machine" {{
{chr(10).join(_statement(each, plan) for each in statements)}}}
"""


def _statement(statement: PolicyStatement, plan: ExportPlan) -> str:
    actions = ", ".join(_quote(action) for action in statement.actions)
    resources = "".join(f"      {_expression(each, plan)},\n" for each in statement.resources)
    return f"""  statement {{
    actions = [{actions}]
    resources = [
{resources}    ]
  }}
"""


def _log_group(plan: ExportPlan, label: str) -> str:
    return f"""
resource "aws_cloudwatch_log_group" "{label}" {{
  name              = "/aws/vendedlogs/states/{plan.machine_name}"
  retention_in_days = 30
}}
"""


def _machine(plan: ExportPlan, label: str, definition_file: str | None) -> str:
    logging = ""
    if plan.log_level is not None:
        logging = f"""
  logging_configuration {{
    level                  = "{plan.log_level}"
    include_execution_data = false
    log_destination        = "${{aws_cloudwatch_log_group.{label}.arn}}:*"
  }}
"""
    if definition_file is None:
        definition = _heredoc(plan)
    else:
        width = max(map(len, plan.substitutions), default=0)
        values = "".join(
            f"    {name:<{width}} = {_reference(part, plan)}\n" for name, part in plan.substitutions.items()
        )
        variables = f"{{\n{values}  }}" if values else "{}"
        definition = f'templatefile("${{path.module}}/{definition_file}", {variables})'
    return f"""
resource "aws_sfn_state_machine" "{label}" {{
  name     = "{plan.machine_name}"
  type     = "{plan.type}"
  role_arn = aws_iam_role.{label}_machine.arn
{logging}
  definition = {definition}
}}
"""


def _heredoc(plan: ExportPlan) -> str:
    """The definition in the module, with references in place of its placeholders."""
    text = definition_text(plan)
    parts = plan.substitutions

    def refer(match: re.Match[str]) -> str:
        is_doubled = match.start() > 0 and match.string[match.start() - 1] == "$"
        return match[0] if is_doubled or match[1] not in parts else f"${{{_reference(parts[match[1]], plan)}}}"

    lines = "\n".join(f"    {line}" for line in _NAME.sub(refer, text).splitlines())
    return f"<<-JSON\n{lines}\n  JSON"


def _output(label: str) -> str:
    return f"""
output "state_machine_arn" {{
  value = aws_sfn_state_machine.{label}.arn
}}
"""
