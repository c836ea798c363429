"""Starting a batch: its source is looked at, its plan is made, and its parent execution is started as any other is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sm_cli.asl.compile import compile_program
from sm_cli.engine.batches.executions import OfExecutions
from sm_cli.engine.batches.options import BatchOptions, check_prefix
from sm_cli.engine.programs import Workflow
from sm_cli.engine.stepping.batch.plan import WORKFLOW, Plan, parent_document
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sm_cli.buckets import BatchItems, Opened
    from sm_cli.engine.chaining.source import Source
    from sm_cli.jsonvalue import Json
    from sm_cli.store.protocol import Store


class ObjectKey(NamedTuple):
    """An object of a bucket."""

    #: The bucket's name.
    bucket: str
    #: Its key.
    key: str


#: Where a batch's items come from: a file, an object, or executions or an iterable, which are kept beside the database
#: first.
Inputs: TypeAlias = "Path | ObjectKey | OfExecutions | Iterable[Json]"

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


def source_of_inputs(
    store: Store, now: int, inputs: Inputs, ref: str, read: Callable[[Source], Json]
) -> dict[str, Json]:
    """The source that these inputs are; what comes from no file is kept beside the database under `ref`, the public id
    of the batch. now: microseconds since 1970 UTC. read: the input that a start with a source has."""
    from sm_cli.engine.batches.spool import spool_items, sweep_spool

    if isinstance(inputs, Path):
        return file_source(inputs)
    if isinstance(inputs, ObjectKey):
        return bucket_source(inputs.bucket, inputs.key)
    sweep_spool(store, now)
    if isinstance(inputs, OfExecutions):
        return {**file_source(spool_items(store, ref, inputs.items(store, read)), "JSONL"), **inputs.facts()}
    return file_source(spool_items(store, ref, inputs), "JSONL")


def preview_source(items: BatchItems, source: dict[str, Json], display_name: str | None) -> Opened:
    """As `open_source`; one that was kept for the batch is deleted when it will not do. display_name: what sentences
    call such a one; None for every other source. Raises UsageError."""
    try:
        return open_source(items, source)
    except UsageError as e:
        if display_name is None:
            raise
        path = str(source["file"])
        Path(path).unlink()
        raise UsageError(e.message.replace(path, display_name), hint=e.hint) from None


def preview_inputs(buckets: Path, inputs: Inputs, source: dict[str, Json]) -> Opened:
    """As `preview_source`, of the source that these inputs are. buckets: the directory that stands for S3. Raises
    UsageError."""
    from sm_cli.buckets import BatchItems  # only who starts a batch waits for the formats

    display_name = None if isinstance(inputs, (Path, ObjectKey)) else "what the iterable gave"
    return preview_source(BatchItems(buckets), source, display_name)
