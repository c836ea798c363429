"""Whether a text may be a template, by words in it: nearly all files of a checkout are none, and need not be parsed."""

from __future__ import annotations

import re

#: How the names of Terraform's files end.
TERRAFORM = (".tf", ".tf.json")
#: What every template with a machine holds.
_MACHINE = re.compile(
    rb"AWS::(?:StepFunctions|Serverless)::StateMachine|\bstateMachines\b|\baws_sfn_state_machine\b|step-functions"
    rb"|(?:state_?machine|step_?functions?|sfn)_definition\b"
)
#: What templates hold, with a machine or without one.
_TEMPLATE = re.compile(
    rb"AWSTemplateFormatVersion|AWS::Serverless|[\"']?Type[\"']?\s*:\s*[\"']?AWS::\w+::\w|\bstateMachines\b"
    rb"|(?m:^provider\s*:)"
)
#: The first of these words at the beginning of a line makes it a definition.
_DEFINITION = re.compile(rb"\A\s*\{\s*\"(?:StartAt|States)\"|(?m:^(?:StartAt|States)\s*:)")


def may_hold_machines(content: bytes) -> bool:
    """Whether a text may be a template with a machine, by the words in it."""
    return _MACHINE.search(content) is not None


def may_be_template(content: bytes, file: str) -> bool:
    """Whether it may be a template, with a machine or without one, and is no definition itself. A file of Terraform has
    a name of its own."""
    if file.endswith(TERRAFORM):
        return True
    return _TEMPLATE.search(content) is not None and _DEFINITION.search(content) is None
