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
    from typing import BinaryIO

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


#: Where a batch's items come from: a file, an object, or executions or an iterable, which are kept in the database
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


def look_at_inputs(
    store: Store, buckets: Path, now: int, inputs: Inputs, ref: str, read: Callable[[Source], Json]
) -> tuple[dict[str, Json], Opened]:
    """The source that these inputs are, and what was seen of it. What comes from no file, and on a server what comes
    from one, is kept in the database under `ref`, the public id of the batch. buckets: the directory that stands for
    S3. now: microseconds since 1970 UTC. read: the input that a start with a source has. Raises UsageError."""
    if isinstance(inputs, Path):
        return look_at_file(store, buckets, now, file_source(inputs), ref)
    if isinstance(inputs, ObjectKey):
        from sm_cli.buckets import BatchItems  # only who starts a batch waits for the formats

        source = bucket_source(inputs.bucket, inputs.key)
        return source, open_source(BatchItems(buckets), source)
    from sm_cli.engine.batches.kept import checked_items, kept_source

    if isinstance(inputs, OfExecutions):
        items, name = inputs.items(store, read), "what the executions gave"
        return {**kept_source(ref), **inputs.facts()}, _keep(store, now, items, ref, name)
    return kept_source(ref), _keep(store, now, checked_items(inputs), ref, "what the iterable gave")


def look_at_file(
    store: Store, buckets: Path, now: int, source: dict[str, Json], ref: str
) -> tuple[dict[str, Json], Opened]:
    """As `look_at_inputs`, of a file."""
    from sm_cli.buckets import BatchItems

    files = BatchItems(buckets)
    preview = open_source(files, source)
    if not store.is_on_server:
        return source, preview
    from sm_cli.engine.batches.kept import kept_source

    return kept_source(ref), _keep(store, now, files.items(source), ref, str(source["file"]))


def look_at_stream(
    store: Store, now: int, stream: BinaryIO, format: str | None, ref: str
) -> tuple[dict[str, Json], Opened]:
    """As `look_at_inputs`, of stdin. format: None: an array or JSON Lines, as it begins."""
    from sm_cli.buckets import stream_items
    from sm_cli.engine.batches.kept import kept_source

    return kept_source(ref), _keep(store, now, stream_items(stream, format, "stdin"), ref, "stdin")


def _keep(store: Store, now: int, items: Iterable[Json], ref: str, name: str) -> Opened:
    """Raises UsageError for items that no batch can work through."""
    from sm_cli.buckets import SHORT, ItemReaderFailed
    from sm_cli.engine.batches.kept import keep_items

    try:
        preview = keep_items(store, ref, now, items, _FIRST, SHORT)
    except ItemReaderFailed as e:
        raise UsageError(str(e.cause)) from None
    if not preview.total:
        raise UsageError(f"{name} has no items")
    return preview
