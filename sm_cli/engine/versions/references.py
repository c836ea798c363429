"""What a person or a Task calls a workflow: `order`, `order:3` (a version) or `order:prod` (an alias), or an ARN."""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.asl.resources import workflow_reference
from sm_cli.errors import UsageError

#: A longer number is none of ours: no column holds it.
_DIGITS = 18


class WorkflowReference(NamedTuple):
    """A workflow by name, and which of its texts."""

    #: Its name.
    workflow: str
    #: An alias, or the number of a version; None: the current text.
    qualifier: str | None = None

    def __str__(self) -> str:
        return self.workflow if self.qualifier is None else f"{self.workflow}:{self.qualifier}"

    @property
    def version(self) -> int | None:
        """The number that it names; None when it names none."""
        return version_number(self.qualifier)


def version_number(qualifier: str | None) -> int | None:
    """The number that a qualifier is; None for an alias, for nothing, and for a number that no version has."""
    if qualifier is None or not qualifier.isascii() or not qualifier.isdecimal() or len(qualifier) > _DIGITS:
        return None
    return int(qualifier) or None


def parse_reference(text: str) -> WorkflowReference:
    """What `text` means. Raises UsageError when it names no workflow, or nothing after its colon."""
    workflow, qualifier = workflow_reference(text)
    if not workflow:
        raise UsageError(f"{text!r} names no workflow")
    if qualifier == "":
        raise UsageError(f"{text!r} names no version and no alias after its colon")
    return WorkflowReference(workflow, qualifier)
