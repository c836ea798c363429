"""Starting a batch: its source is looked at, its plan is made, and its parent execution is started as any other is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.asl.compile import compile_program
from sm_cli.engine.batches.options import BatchOptions, check_prefix
from sm_cli.engine.programs import Workflow
from sm_cli.engine.stepping.batch.plan import WORKFLOW, Plan, parent_document
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.buckets import BatchItems, Opened
    from sm_cli.jsonvalue import Json

#: So many items are looked at before a batch of many begins.
_FIRST = 1000


def parent_workflow() -> Workflow:
    """The workflow of every batch's parent."""
    definition = parent_document()
    return Workflow(WORKFLOW, definition, compile_program(definition.value))


def file_source(path: Path, format: str | None = None) -> dict[str, Json]:
    """A file that is read in its place. format: None to go by its name. Raises UsageError for a name that says
    nothing."""
    return {"file": str(path.resolve()), "format": format or _format(path.name, str(path))}


def bucket_source(bucket: str, key: str, format: str | None = None) -> dict[str, Json]:
    """An object of a bucket. Raises as `file_source`."""
    return {"bucket": bucket, "key": key, "format": format or _format(key, f"s3://{bucket}/{key}")}


def _format(name: str, display_name: str) -> str:
    from sm_cli.buckets.batch_items import FORMATS, format_of  # only who starts a batch waits for the formats

    format = format_of(name)
    if format is None:
        raise UsageError(
            f"the name of {display_name} does not say what it holds: it ends in none of {', '.join(FORMATS)}"
        )
    return format


def open_source(items: BatchItems, source: dict[str, Json]) -> Opened:
    """Look at a source before anything starts. Raises UsageError for one that no batch can work through."""
    from sm_cli.buckets import ItemReaderFailed

    try:
        return items.open(source, _FIRST)
    except ItemReaderFailed as e:
        raise UsageError(str(e.cause)) from None


def make_plan(workflow: Workflow, source: dict[str, Json], preview: Opened, prefix: str, options: BatchOptions) -> Plan:
    """What the batch is to do. prefix: of the names of its executions. Raises UsageError."""
    limits = options.limits()
    return Plan(
        workflow.name, workflow.program.digest, source, preview.mark, check_prefix(prefix), limits, preview.total,
        workflow.qualifier,
    )  # fmt: skip
