"""What has to be there before the first state of `sm run`: a workflow, an input, handlers, also those of nested
workflows, and AWS's limits.

What is missing is said before anything is started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.project.config import Project, is_file
from sm_cli.cli.run.stubbing import stubbed_handlers
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sm_cli.cli.chaining.sources import Chaining
    from sm_cli.engine.engine import Workflow
    from sm_cli.handlers.registry import Registry
    from sm_cli.handlers.stub import Stub
    from sm_cli.jsonvalue import Json

#: AWS's limit on a definition, in bytes of UTF-8.
_DEFINITION_LIMIT = 1_048_576


def what_to_start(
    project: Project, arguments: list[str], input: str | None, chaining: Chaining, *, aws_limits: bool, db: str | None
) -> tuple[Workflow, Json, bool]:
    """(the workflow, its input, whether AWS's limits hold). input: as it was given; None when `chaining` has one.
    Raises UsageError, NotFound, InvalidDefinition."""
    from sm_cli.cli.project.references import find_runnable
    from sm_cli.cli.terminal.inputs import read_input

    name, pairs = split(arguments)
    workflow = find_runnable(project, name, db)
    chaining.refuse_input(input, pairs)
    data = None if chaining.reference else read_input(input, pairs)
    return workflow, data, is_held_to_limits(workflow, data, aws_limits or project.aws_limits)


def split(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The workflow (the first argument, unless it is a key=value) and the pairs."""
    if arguments and ("=" not in arguments[0] or is_file(arguments[0])):
        return arguments[0], arguments[1:]
    return None, arguments


def registry_for(
    workflow: Workflow, project: Project, option: str | None, load: Callable[[Path], Registry], stub: Stub | None = None
) -> Registry:
    """The handlers, as `load` gives them, among which the workflow finds all that it needs. Raises HandlerLoadError."""
    from sm_cli.handlers.builtin import builtins
    from sm_cli.handlers.needs import calls_handlers, check_handlers
    from sm_cli.handlers.registry import Registry

    if not calls_handlers(workflow.program):
        return Registry()
    directory, is_named = project.handlers(option)
    if stub is not None:
        return stubbed_handlers(stub, directory, is_named, load)
    needs = needed_with_nested(workflow, project.library())
    ours = builtins(project.http())
    if not needs.keys() - ours.keys() and not directory.is_dir():
        return Registry(ours)
    registry = load(directory)
    check_handlers(needs, registry, directory)
    return Registry({**ours, **registry})


def needed_with_nested(workflow: Workflow, library: Callable[[str], Workflow | None]) -> dict[str, list[str]]:
    """What the workflow needs, and those of the library that it starts by a name that stands in it."""
    from sm_cli.handlers.needs import needed_handlers
    from sm_cli.project.library import nested

    needs: dict[str, list[str]] = {}
    for here in (workflow, *nested(workflow, library)):
        where = "" if here is workflow else f" of {here.name}"
        for handler, states in needed_handlers(here.program, here.document.value).items():
            needs.setdefault(handler, []).extend(f"{state}{where}" for state in states)
    return needs


def is_held_to_limits(workflow: Workflow, data: Json, limits: bool) -> bool:
    """`limits`: whether AWS's limits hold for the execution. Raises UsageError when it begins with more than
    they allow."""
    if not limits:
        return False
    from sm_cli.engine.payload_warnings import refuse_beyond_aws

    refuse_beyond_aws(data)
    size = len(workflow.document.own_text.encode())
    if size > _DEFINITION_LIMIT:
        raise UsageError(f"the definition has {size:,} bytes; AWS takes at most {_DEFINITION_LIMIT:,}")
    return True
