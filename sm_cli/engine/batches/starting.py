"""Starting a batch: its source is looked at, its plan is made, and its parent execution is started as any other is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sm_cli.asl.compile import compile_program
from sm_cli.engine.batches.options import BatchOptions, check_prefix
from sm_cli.engine.programs import Workflow
from sm_cli.engine.stepping.batch.plan import WORKFLOW, Plan, parent_document
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sm_cli.buckets import BatchItems, Opened
    from sm_cli.jsonvalue import Json
    from sm_cli.store.protocol import Store


class ObjectKey(NamedTuple):
    """An object of a bucket."""

    #: The bucket's name.
    bucket: str
    #: Its key.
    key: str


#: Where a batch's items come from: a file, an object, or an iterable, which is kept beside the database first.
Inputs: TypeAlias = "Path | ObjectKey | Iterable[Json]"

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


def plan_batch(
    store: Store, buckets: Path, now: int, workflow: Workflow, inputs: Inputs, ref: str, prefix: str | None,
    options: BatchOptions,
) -> Plan:  # fmt: skip
    """What a batch over these inputs is to do. now: microseconds since 1970 UTC. ref: the public id that it will have;
    without a prefix its executions are named by that. Raises UsageError for inputs that no batch can work through."""
    from sm_cli.buckets import BatchItems
    from sm_cli.engine.batches.spool import spool_items, sweep_spool

    spool = None
    if isinstance(inputs, Path):
        source = file_source(inputs)
    elif isinstance(inputs, ObjectKey):
        source = bucket_source(inputs.bucket, inputs.key)
    else:
        sweep_spool(store, now)
        spool = spool_items(store, ref, inputs)
        source = file_source(spool, "JSONL")
    try:
        return make_plan(workflow, source, open_source(BatchItems(buckets), source), prefix or ref, options)
    except UsageError as e:
        if spool is None:
            raise
        spool.unlink()
        raise UsageError(e.message.replace(str(spool), "what the iterable gave")) from None
