"""Which workflow a person means where the text of a file, a version and an alias will do.

What names a file, or a workflow of `workflows/`, means its text. `order:3`, `order:prod`, and a name that has no file
are looked up in the database.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sm_cli.cli.project import workflows
from sm_cli.cli.project.config import Project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.errors import DatabaseError, NotFound, UsageError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Workflow


def find_runnable(project: Project, text: str | None, db: str | None) -> Workflow:
    """The workflow that is meant, ready to run. text: None means the one that the settings name, or the only one there
    is. Raises NotFound, UsageError, InvalidDefinition with every problem."""
    try:
        return workflows.load(project, workflows.choose(project, text))
    except NotFound as missing:
        reference = text or os.environ.get("SM_WORKFLOW") or project.setting("workflow")
        if reference is None or "/" in reference or reference.endswith(workflows.SUFFIXES):
            raise
        return _find_stored(project, reference, db, missing)


def _find_stored(project: Project, text: str, db: str | None, missing: NotFound) -> Workflow:
    """The version that the database has. missing: what is raised when neither has it, unless a version was named."""
    from sm_cli.engine.versions.references import parse_reference

    qualifier = parse_reference(text).qualifier
    try:
        with opened_engine(db, project) as engine:
            return engine.find_workflow(text)
    except DatabaseError as e:
        if e.topic != "no database":
            raise
        if qualifier is None:
            raise missing from None
        raise NotFound(f"there is no {text!r}: nothing was registered, for {e.message}", topic="workflow") from None
    except (NotFound, UsageError):
        if qualifier is None:
            raise missing from None
        raise
