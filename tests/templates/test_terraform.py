"""Terraform: heredocs, templatefile, plain jsonencode, and what they refer to."""

from __future__ import annotations

from textwrap import dedent

import pytest

from sm_cli.asl.outline import outline
from sm_cli.asl.templates.files import NeighbourFile
from sm_cli.asl.templates.hcl import read_blocks
from sm_cli.asl.templates.machines import TemplateMachine
from sm_cli.asl.templates.reading import template_machines
from sm_cli.asl.templates.words import may_hold_machines
from sm_cli.asl.validation.validate import validate
from sm_cli.jsonvalue import Json
from tests.templates.test_cloudformation import ARN, ONE_STATE, definition, resource

GREET = """resource "aws_lambda_function" "greet" {
  handler = "a.b"
  environment {
    variables = { A = "}" }
  }
}
"""


def machines(
    text: str, values: dict[str, Json] | None = None, beside: str = "", **files: str
) -> dict[str, TemplateMachine]:
    def read(path: str) -> NeighbourFile | None:
        name = path.removeprefix("./")
        key = name.replace("/", "_").replace(".", "_")
        return NeighbourFile(name, files[key].encode()) if key in files else None

    others = [NeighbourFile("other.tf", beside.encode())] if beside else []
    result = template_machines(text.encode(), "main.tf", values or {}, read, lambda: others)
    assert result is not None
    return {machine.name: machine for machine in result}


def module(written: str, more: str = "") -> str:
    head = '# the flow\nresource "aws_sfn_state_machine" "flow" {\n  name = "f"\n  definition = '
    return f"{GREET}{head}{written}\n}}\n{more}"


STATE = ONE_STATE % "${aws_lambda_function.greet.arn}"
JSON_ENCODED = """jsonencode({
  StartAt = "A" # first
  "States" : {
    A = { Type = "Task", Resource = %s, End = true },
  }
})"""


@pytest.mark.parametrize(
    "written",
    [
        f"<<EOF\n{STATE}\nEOF",
        f"<<-JSON\n    {STATE}\n    JSON",
        f"<<EOF\n{STATE.replace('greet.arn', 'greet[0].arn')}\nEOF",
        JSON_ENCODED % "aws_lambda_function.greet.arn",
        JSON_ENCODED % '"${aws_lambda_function.greet.arn}"',
        "jsonencode(local.flow)",
        "local.flow_text",
        'templatefile("${path.module}/flow.json", { fn = aws_lambda_function.greet.arn })',
        'templatefile("flow.json", {\n    fn = aws_lambda_function.greet.arn,\n    unused = var.x\n  })',
        "data.template_file.flow.rendered",
        "templatefile(local.path, { fn = aws_lambda_function.greet.arn })",
        'templatefile("${local.folder}/flow.json", { fn = aws_lambda_function.greet.arn })',
        'jsonencode(merge({ StartAt = "A" }, local.states, { Comment = "c" }))',
        'jsonencode({ StartAt = "A", States = local.inner })',
        'jsonencode(jsondecode(templatefile("./flow.json", { "fn" = aws_lambda_function.greet.arn })))',
        '"' + STATE.replace('"', '\\"') + '"',
    ],
)
def test_a_definition_of_any_plain_shape_is_read(written: str) -> None:
    more = (
        dedent(
            """
        locals {
          flow = {
            StartAt = "A", States = { A = { Type = "Task", Resource = aws_lambda_function.greet.arn, End = true } }
          }
          inner  = { A = { Type = "Task", Resource = aws_lambda_function.greet.arn, End = true } }
          states = { States = local.inner }
          folder = path.module
          path   = "${path.module}/flow.json"
          flow_text = <<EOT
        %s
        EOT
        }
        data "template_file" "flow" {
          template = file("${path.module}/flow.json")
          vars = { fn = aws_lambda_function.greet.arn }
        }
        """
        )
        % STATE
    )
    assert resource(machines(module(written, more), flow_json=ONE_STATE % "${fn}")["flow"]) == f"{ARN}greet"
    beside = machines(module(written), beside=more, flow_json=ONE_STATE % "${fn}")
    assert resource(beside["flow"]) == f"{ARN}greet"


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("aws_lambda_function.greet.qualified_arn", f"{ARN}greet"),
        ("aws_lambda_function.named.arn", f"{ARN}named-fn"),
        ("data.aws_lambda_function.other.arn", f"{ARN}other"),
        ("module.greeter.lambda_function_arn", f"{ARN}greeter"),
        ("aws_sfn_activity.work.id", "arn:aws:states:us-east-1:123456789012:activity:work"),
        ("var.arn", "${var.arn}"),
        ("var.named", "by-default"),
        ("local.name", "by-local"),
        ('lookup(var.arns, "greet")', "${lookup(var.arns, 'greet')}"),
        ('var.a ? "x" : "y"', "${var.a ? 'x' : 'y'}"),
    ],
)
def test_references_become_arns_or_placeholders(reference: str, value: str) -> None:
    more = (
        'resource "aws_lambda_function" "named" {\n  function_name = "named-fn"\n}\n'
        'variable "arn" {}\nvariable "named" {\n  default = "by-default"\n}\nlocals {\n  name = "by-local"\n}\n'
    )
    found = machines(module(f"<<EOF\n{ONE_STATE % ('${' + reference + '}')}\nEOF", more))["flow"]
    assert resource(found).replace("(lookup", "(lookup") == value


def test_values_that_were_given_win() -> None:
    text = module(f"<<EOF\n{ONE_STATE % '${var.arn}'}\nEOF", 'variable "arn" {\n  default = "a"\n}\n')
    assert resource(machines(text, {"arn": "b"})["flow"]) == "b"
    assert resource(machines(text, {"var.arn": "c"})["flow"]) == "c"


@pytest.mark.parametrize("written", [f"<<EOF\n{STATE}\nEOF", f"<<-EOF\n  {STATE}\n  EOF", JSON_ENCODED % '"x"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_problem_stands_on_its_line_of_the_file(written: str, end: str) -> None:
    text = module(written.replace('"End"', '"Ennd"').replace("End =", "Ennd ="))
    found = machines(text.replace("\n", end))["flow"]
    assert found.result.document is not None
    problem = next(d for d in validate(found.result.document) if d.code == "SM101")
    assert problem.position is not None
    line = text.split("\n")[problem.position.line - 1]
    assert "Ennd" in line[problem.position.column - 1 : problem.position.end_column - 1]


@pytest.mark.parametrize(
    "written", ["var.flow", 'replace(file("a"), "b", "c")', 'var.x ? "a" : "b"', 'file("gone.json")', "{"]
)
def test_what_is_not_plain_is_a_note(written: str) -> None:
    found = machines(module(written))
    if "flow" in found:
        assert [d.severity for d in found["flow"].result.diagnostics] in (["info"], [])


def test_numbers_directives_and_escapes_of_a_template() -> None:
    template = (
        '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${wait}, "Next": "B"},\n'
        '%{ if debug }%{ endif }"B": {"Type": "Pass", "Result": "${join(",", names)}", "End": true}}}'
    )
    found = machines(module('templatefile("flow.tftpl", { wait = 5 })'), flow_tftpl=template)["flow"]
    assert definition(found)["States"]["A"]["Seconds"] == 5


def test_a_module_for_step_functions_is_read_and_others_are_not() -> None:
    text = (
        'module "flow" {\n  source = "terraform-aws-modules/step-functions/aws"\n'
        f"  definition = <<EOF\n{STATE}\nEOF\n}}\n"
        'module "other" {\n  source = "./vpc"\n  definition = "x"\n}\n'
    )
    assert list(machines(text)) == ["flow"]


@pytest.mark.parametrize(
    "text", ["", "}", "{{{", "a = ", 'resource "x', "<<EOF", "a {\n b = [1,\n", "x = ((((", 'a { b = "${" }']
)
def test_no_text_breaks_the_reader(text: str) -> None:
    assert isinstance(read_blocks(text), list)
    assert machines(text) == {}


def test_comments_and_blocks_inside_are_passed_over() -> None:
    inside = '  logging_configuration {\n    level = "ALL" // }\n  }\n  /* definition = 1 */'
    text = module(f"<<EOF\n{STATE}\nEOF\n{inside}")
    assert resource(machines(text)["flow"]) == f"{ARN}greet"


NAMES = """
locals {
  prefix = "shop"
  retry  = { max = 3, errors = ["Busy", "Late"] }
  steps  = ["A", "B", "C"]
  waits  = { A = 1, B = 2 }
}
variable "factor" { default = 2 }
variable "stage" {}
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * var.factor", 5),
        ("(1 + 2) * var.factor", 6),
        ("10 / 4 - 0.5", 2),
        ("7 % 4 == 3 && !(2 > 3)", True),
        ('local.prefix != "shop" || var.factor >= 3', False),
        ('var.factor == 2 ? "two" : "more"', "two"),
        ('var.factor > 2 ? { a = 1 } : { a = 2 }', {"a": 2}),
        ('var.stage == "prod" ? { a = 1 } : { a = 2 }', {"a": 1}),
        ("local.retry.max", 3),
        ("local.retry.errors[1]", "Late"),
        ('local.retry["errors"]', ["Busy", "Late"]),
        ('"${local.prefix}-${local.retry.max + 1}"', "shop-4"),
        ("[for s in local.steps : lower(s)]", ["a", "b", "c"]),
        ('[for i, s in local.steps : "${s}${i}" if s != "B"]', ["A0", "C2"]),
        ("{ for k, w in local.waits : k => { Seconds = w * 10 } }", {"A": {"Seconds": 10}, "B": {"Seconds": 20}}),
        ("{ for s in local.steps : (s) => true if s == \"C\" }", {"C": True}),
        ('concat(["x"], local.retry.errors, [])', ["x", "Busy", "Late"]),
        ('merge(local.waits, { C = 3 })["C"]', 3),
        ('format("%s/%d", local.prefix, 7)', "shop/7"),
        ('join(",", keys(local.waits))', "A,B"),
        ('lookup(local.waits, "Z", 9)', 9),
        ("length(local.steps)", 3),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ("try(local.nothing.at.all, 5)", 5),
        ("element(local.steps, 4)", "B"),
        ('tonumber("12")', 12),
        ('upper(var.stage)', "${upper(var.stage)}"),
        ("var.stage + 1", "${var.stage + 1}"),
        ("timestamp()", "${timestamp()}"),
        ("local.waits.Z", "${local.waits.Z}"),
    ],
)  # fmt: skip
def test_an_expression_is_computed_as_far_as_it_is_known(expression: str, value: Json) -> None:
    state = (
        f'jsonencode({{ StartAt = "A", States = {{ A = {{ Type = "Pass", Result = {expression}, End = true }} }} }})'
    )
    found = machines(module(state, NAMES))["flow"]
    assert definition(found)["States"]["A"]["Result"] == value
    notes = [problem.code for problem in found.result.diagnostics]
    assert notes == (["SM017"] if "var.stage" in expression or "timestamp" in expression else [])


def test_states_that_a_for_makes_stand_where_it_does() -> None:
    text = module(
        'jsonencode({\n  StartAt = "A"\n  States = merge(\n'
        '    { for s in ["A", "B"] : s => { Type = "Pass", Next = "Z" } },\n'
        '    { Z = { Type = "Pass", Nxt = "A" } }\n  )\n})'
    )
    found = machines(text)["flow"]
    assert found.result.document is not None
    assert isinstance(found.result.document.value, dict)
    assert [list(machine.names) for machine in outline(found.result.document.value)] == [["A", "B", "Z"]]
    (problem,) = [each for each in validate(found.result.document) if each.code == "SM101"]
    assert problem.position is not None
    assert text.splitlines()[problem.position.line - 1].startswith("    { Z =")


@pytest.mark.parametrize(
    "written",
    [
        '"${local.flow}"', "local.flows.one", 'local.flows["one"]', "var.factor == 2 ? local.flow : null",
        'var.stage != "" ? local.flow : "{}"', '"${jsonencode(local.flows.two)}"', "jsonencode(local.flows.two)",
        'templatefile("${path.module}/${local.file}", { greet = aws_lambda_function.greet.arn, n = 1 + 1 })',
        '"${templatefile("flow.json", local.variables)}"', '"${data.template_file.flow.rendered}"',
    ],
)  # fmt: skip
def test_a_definition_that_a_name_leads_to_is_read(written: str) -> None:
    one = STATE.replace('"', '\\"')
    more = f"""
    locals {{
      flow      = "{one}"
      file      = "flow.json"
      variables = merge({{ greet = aws_lambda_function.greet.arn }}, {{}})
      flows = {{
        one = "{one}"
        two = {{
          StartAt = "A", States = {{ A = {{ Type = "Task", Resource = aws_lambda_function.greet.arn, End = true }} }}
        }}
      }}
    }}
    data "template_file" "flow" {{
      template = file("flow.json")
      vars     = {{ greet = aws_lambda_function.greet.arn }}
    }}
    variable "factor" {{ default = 2 }}
    """
    found = machines(module(written, more), flow_json=ONE_STATE % "${greet}")["flow"]
    assert resource(found) == f"{ARN}greet"


JSON_SYNTAX = """{
  "locals": {"wait": 5},
  "resource": {
    "aws_lambda_function": {"greet": {"handler": "a.b"}},
    "aws_sfn_state_machine": {
      "flow": {"name": "f", "definition": "%s"},
      "other": [{"definition": "${jsonencode({StartAt = \\"W\\", States = {W = {Type = \\"Wait\\", Seconds = local.wait, End = true}}})}"}]
    }
  }
}
"""  # noqa: E501


def test_the_other_syntax_of_terraform_is_read() -> None:
    text = JSON_SYNTAX % STATE.replace('"', '\\"')
    found = {
        each.name: each for each in template_machines(text.encode(), "main.tf.json", {}, lambda _: None, list) or []
    }
    assert resource(found["flow"]) == f"{ARN}greet"
    assert definition(found["other"])["States"]["W"]["Seconds"] == 5
    beside = machines(module("local.flow"), beside="")
    assert beside["flow"].result.document is None


def test_a_problem_stands_in_the_text_of_the_other_syntax() -> None:
    text = JSON_SYNTAX % STATE.replace('"End"', '"Ende"').replace('"', '\\"')
    found = template_machines(text.encode(), "main.tf.json", {}, lambda _: None, list) or []
    assert found[0].result.document is not None
    problem = next(each for each in validate(found[0].result.document) if each.code == "SM101")
    assert problem.position is not None
    assert (problem.position.line, text.splitlines()[5][problem.position.column - 1 :][:7]) == (
        6,
        '"Ende\\"'[:0] + '\\"Ende\\',
    )


@pytest.mark.parametrize("argument", ["state_machine_definition", "step_function_definition", "sfn_definition"])
def test_a_module_is_known_by_its_argument(argument: str) -> None:
    text = f'module "flow" {{\n  source = "./modules/workflow"\n  {argument} = file("flow.json")\n}}\n'
    assert may_hold_machines(text.encode())
    assert resource(machines(text, flow_json=STATE)["flow"]) == "${aws_lambda_function.greet.arn}"
    assert machines(text.replace(argument, "definition"), flow_json=STATE) == {}


def test_for_each_makes_a_machine_of_each_member() -> None:
    text = """
    locals { flows = { one = { file = "flow.json", wait = 1 }, two = { file = "flow.json", wait = 2 } } }
    resource "aws_sfn_state_machine" "flow" {
      for_each   = local.flows
      name       = "flow-${each.key}"
      definition = templatefile("${path.module}/${each.value.file}", { greet = "x", wait = each.value.wait })
    }
    resource "aws_sfn_state_machine" "other" {
      for_each   = toset(["a", "b"])
      definition = jsonencode({ StartAt = "A", States = { A = { Type = "Pass", Result = each.key, End = true } } })
    }
    resource "aws_sfn_state_machine" "unknown" {
      for_each   = var.flows
      definition = jsonencode({ StartAt = "A", States = { A = { Type = "Pass", Result = each.key, End = true } } })
    }
    """
    waiting = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": "${wait}", "End": true}}}'
    found = machines(text, flow_json=waiting)
    assert list(found) == ["flow.one", "flow.two", "other.a", "other.b", "unknown"]
    assert definition(found["flow.two"])["States"]["A"]["Seconds"] == 2
    assert definition(found["other.b"])["States"]["A"]["Result"] == "b"
    assert definition(found["unknown"])["States"]["A"]["Result"] == "${each.key}"
