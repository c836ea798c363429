"""`sm workflow export`: the text of a version, as it was registered or as AWS takes it."""

from __future__ import annotations

from typing import Annotated

import typer

from sm_cli.cli.project.opening import opened_store
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say, warn
from sm_cli.cli.terminal.options import Database, LockTimeout, Trust
from sm_cli.cli.workflow.words import Reference, read_reference


def export(
    reference: Reference,
    aws: Annotated[
        bool, typer.Option("--aws", help="As JSON without what AWS does not have; stderr tells what is lost.")
    ] = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Print the text of a version, as it was registered; the current one unless one is named."""
    from sm_cli.views.workflows.versions import definition_value, version_text

    with opened_store(db) as store:
        row, definition = version_text(store, read_reference(reference))
    if not aws:
        out.exact_text(definition.text)
        return
    import json

    from sm_cli.asl.aws_export import without_extensions
    from sm_cli.asl.validation.aws import validate_as_aws

    value, losses = without_extensions(definition_value(definition))
    out.exact_text(json.dumps(value, indent=2, ensure_ascii=False))
    for loss in losses:
        say(loss.message)
    refusals = [each for each in validate_as_aws(value if isinstance(value, dict) else {}) if each.severity == "ERROR"]
    for each in refusals:
        warn(
            f"AWS refuses it all the same: {each.code} {each.message}"
            + (f" at {each.location}" if each.location else "")
        )
    if losses:
        count = "1 thing" if len(losses) == 1 else f"{len(losses)} things"
        say(f"{row.version.name}:{row.version.number} is not on AWS what it is here: {count}, above")
