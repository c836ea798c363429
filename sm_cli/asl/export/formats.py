"""The formats, and all files of an export."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sm_cli.asl.export.cdk import CDK_JSON, CDK_REQUIREMENTS, to_cdk
from sm_cli.asl.export.cloudformation import to_cloudformation
from sm_cli.asl.export.plan import ExportPlan
from sm_cli.asl.export.sam import to_sam
from sm_cli.asl.export.serverless import to_serverless
from sm_cli.asl.export.terraform import definition_text, to_terraform
from sm_cli.asl.export.wrapper import wrapper_text


def _json(plan: ExportPlan) -> str:
    return json.dumps(plan.definition, indent=2, ensure_ascii=False)


class Format(NamedTuple):
    """A tool that deploys."""

    #: What its template is called.
    file: str
    #: From a plan, and the path of the definition or None, to the text of the template.
    render: Callable[[ExportPlan, str | None], str]
    #: From a plan to the text of the definition's file; None: the definition stands in the template.
    definition: Callable[[ExportPlan], str] | None = _json
    #: Other files of its own, by path.
    others: Mapping[str, str] = {}


#: By the word that names it.
FORMATS: dict[str, Format] = {
    "sam": Format("template.yaml", to_sam),
    "cloudformation": Format("template.yaml", to_cloudformation),
    "terraform": Format("main.tf", to_terraform, definition_text),
    "cdk": Format("app.py", to_cdk, others={"cdk.json": CDK_JSON, "requirements.txt": CDK_REQUIREMENTS}),
    "serverless": Format("serverless.yml", to_serverless, None),
}


def template_of(plan: ExportPlan, format: str) -> str:
    """The template alone, with the definition in it."""
    return FORMATS[format].render(plan, None)


def files_of(plan: ExportPlan, format: str) -> dict[str, str]:
    """The template, the definition and the wrapper of each file of handlers, by path; what the wrappers import is not
    among them."""
    tool = FORMATS[format]
    files: dict[str, str] = {}
    definition_file = f"statemachine/{plan.machine_name}.asl.json" if tool.definition is not None else None
    files[tool.file] = tool.render(plan, definition_file)
    if definition_file is not None and tool.definition is not None:
        files[definition_file] = tool.definition(plan) + "\n"
    files |= tool.others
    for module, functions in plan.modules.items():
        files[f"functions/{module}/app.py"] = wrapper_text(module, functions)
    return files
