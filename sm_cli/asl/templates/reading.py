"""A text that may be a template: which tool's, and the machines in it."""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.asl.templates.cloudformation import is_stack, stack_machines, substitutions_of_file
from sm_cli.asl.templates.files import FilesBeside, ReadFile
from sm_cli.asl.templates.machines import TemplateMachine
from sm_cli.asl.templates.serverless import is_serverless, serverless_machines
from sm_cli.asl.templates.tagged_yaml import read_template_text
from sm_cli.asl.templates.words import TERRAFORM, may_be_template, may_hold_machines
from sm_cli.asl.text.source import Parsed
from sm_cli.asl.text.spans import Lines
from sm_cli.diagnostics import Diagnostic
from sm_cli.jsonvalue import Json


def template_machines(
    content: bytes, file: str, values: Mapping[str, Json], read: ReadFile, beside: FilesBeside = lambda: ()
) -> list[TemplateMachine] | None:
    """The machines of a template; None for a text that is none. values: those that were given for parameters and
    placeholders. beside: the other files of a Terraform module. Raises nothing."""
    if not may_be_template(content, file):
        return None
    if file.endswith(TERRAFORM):
        from sm_cli.asl.templates.terraform import terraform_machines

        text = content.decode("utf-8-sig", "replace")
        return list(terraform_machines(text, file, values, read, beside() if may_hold_machines(content) else ()))
    text = content.decode("utf-8-sig", "replace")
    documents, problems = read_template_text(text)
    if problems:
        if not may_hold_machines(content):
            return None
        lines = Lines(text)
        diagnostics = [
            Diagnostic(
                problem.code, "error", problem.message[:1].upper() + problem.message[1:], "",
                lines.position(problem.start, problem.end), problem.hint, file,
            )
            for problem in problems[:1]
        ]  # fmt: skip
        return [TemplateMachine("template", Parsed(None, diagnostics), file, text)]
    machines: list[TemplateMachine] = []
    is_template = False
    for document in documents:
        if is_stack(document):
            machines += stack_machines(document, text, file, values, read)
            is_template = True
        elif is_serverless(document):
            machines += serverless_machines(document, text, file, values, read)
            is_template = True
    return machines if is_template else None


def values_for_file(
    content: bytes, template: str, values: Mapping[str, Json], file: str, read: ReadFile
) -> dict[str, Json] | None:
    """What a template gives the placeholders of a definition in a file of its own; None where it does not name it."""
    if not (may_hold_machines(content) and may_be_template(content, template)):
        return None
    text = content.decode("utf-8-sig", "replace")
    documents, problems = read_template_text(text)
    for document in () if problems else documents:
        if is_stack(document):
            result = substitutions_of_file(document, text, template, values, file, read)
            if result is not None:
                return result
    return None
