"""What the commands of `sm workflow` share: their arguments, and versions with their shares in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.config import Project
from sm_cli.cli.project.workflows import files_in, name_of_file
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.engine.versions.references import WorkflowReference

#: A workflow by its bare name.
Workflow = Annotated[str, typer.Argument(metavar="WORKFLOW", show_default=False, help="The name of a workflow.")]
#: A workflow, or one version of it.
Reference = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW[:VERSION]", show_default=False,
        help="A name: order, order:3 (a version), order:prod (an alias).",
    ),
]  # fmt: skip


def read_reference(text: str) -> WorkflowReference:
    """What a person calls a workflow. Raises UsageError."""
    from sm_cli.engine.versions.references import parse_reference

    return parse_reference(text)


def bare_name(text: str) -> str:
    """A name without a version. Raises UsageError for one that has a version or an alias."""
    workflow, qualifier = read_reference(text)
    if qualifier is not None:
        raise UsageError(f"this is about all of a workflow: name {workflow!r}, without {':' + qualifier!r}")
    return workflow


def targets_text(targets: tuple[tuple[int, int], ...]) -> str:
    """`5`, or `5:90,4:10`: as a person writes it."""
    if len(targets) == 1:
        return str(targets[0][0])
    return ",".join(f"{number}:{weight}" for number, weight in targets)


def project_file(project: Project, workflow: str) -> Path | None:
    """The project's own file of this workflow; None when it has none."""
    folder = project.workflows
    files = files_in(folder) if folder.is_dir() else []
    return next((file for file in files if name_of_file(str(file)) == workflow), None)
