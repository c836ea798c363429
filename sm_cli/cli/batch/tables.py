"""How batches are shown to people: a table of several, and the lines about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.fitting import PublicId, TimeCell, print_table
from sm_cli.interpreter.brake import percent
from sm_cli.views.batches.batch import first_failures
from sm_cli.views.listing import short_refs

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.batches.batch import Batch

_HEADS = ("BATCH", "WORKFLOW", "STATUS", "ITEMS", "DONE", "FAILED", "RUNNING", "NAMES", "STARTED", "DURATION")
#: So many failures are shown of a batch.
_FAILURES = 5
_HEAD = 12


def print_batches(engine: Engine, batches: list[Batch], *, wide: bool) -> None:
    """A table on stdout."""
    now = engine.clock.now()
    rows = [
        (
            PublicId(batch.execution.ref), batch.plan.workflow, batch.status, items_text(batch), f"{batch.succeeded}",
            f"{batch.join.failed_items}", f"{count_running(batch)}", f"{batch.plan.prefix}-…",
            TimeCell(batch.execution.started), duration_text(batch, now),
        )
        for batch in batches
    ]  # fmt: skip
    refs = short_refs(engine.store, [batch.execution.ref for batch in batches])
    print_table(_HEADS, rows, wide=wide, now=now, refs=refs)


def duration_text(batch: Batch, now: int) -> str:
    """How long it has taken so far. now: microseconds since 1970 UTC."""
    return tables.duration((batch.execution.closed or now) - batch.execution.started)


def count_running(batch: Batch) -> int:
    """How many executions of a batch are under way."""
    return 0 if batch.execution.closed is not None else batch.join.running


def items_text(batch: Batch) -> str:
    """How many items a batch has, as far as that is known: `1,000` or `1,000+`."""
    return f"{batch.total}" if batch.total is not None else f"{batch.join.read_items}+"


def print_batch(engine: Engine, batch: Batch) -> None:
    """What there is to know of a batch, on stdout."""
    now, execution = engine.clock.now(), batch.execution
    facts = [
        ("batch", execution.ref),
        ("workflow", f"{batch.plan.workflow} ({batch.plan.digest[:12]})"),
        ("status", status_text(batch)),
        ("counts", counts_text(batch)),
        ("from", source_text(batch)),
        ("names", f"{batch.plan.prefix}-0, {batch.plan.prefix}-1, …"),
        ("limits", limits_text(batch)),
        ("started", tables.local_time(execution.started)),
        ("duration", duration_text(batch, now)),
    ]
    if execution.error is not None:
        facts.append(("error", f"{execution.error}: {execution.cause}"))
    for head, text in facts:
        out.text(f"{head:<{_HEAD}}{text}")
    for failure in first_failures(engine, batch, _FAILURES):
        out.text(f"{'failed':<{_HEAD}}{failure.name}: {failure.error or failure.status}{_cause(failure.cause)}")


def _cause(cause: str | None) -> str:
    return f": {tables.cut(cause, 200)}" if cause else ""


def status_text(batch: Batch) -> str:
    """`PAUSED since 12:00:00 because 6 of 20 items of round 1 failed`."""
    brake = batch.brake
    if batch.execution.closed is not None or not brake.paused_since:
        return batch.status
    since = f"{batch.status} since {tables.local_time(brake.paused_since)}"
    if not brake.by_failures:
        return since
    failed, closed = batch.join.failed_items - brake.failed_before, batch.join.closed - brake.closed_before
    rate = percent(brake.pause_above)
    return f"{since}: {failed:,} of {closed:,} items of round {brake.round} failed, which is above {rate}"


def counts_text(batch: Batch) -> str:
    """`60 items: 42 succeeded, 18 failed`."""
    join = batch.join
    total = f"{batch.total:,}" if batch.total is not None else f"more than {join.read_items:,}"
    total += " item" if batch.total == 1 else " items"
    parts = [f"{batch.succeeded:,} succeeded", f"{join.failed_items:,} failed"]
    for number, what in (
        (batch.brake.existing, "were there before"),
        (count_running(batch), "run"),
        (batch.skipped_items or 0, "skipped or stopped"),
    ):
        parts += [f"{number:,} {what}"] if number else []
    return f"{total}: {', '.join(parts)}"


def source_text(batch: Batch) -> str:
    """The file or the object that the items come from."""
    source = batch.plan.source
    if source.get("of") is not None:
        state = f", of each its state {source['state']}" if source.get("state") else ""
        return f"executions{state}"
    return str(source["file"]) if "file" in source else f"s3://{source['bucket']}/{source['key']}"


def limits_text(batch: Batch) -> str:
    """`1,000 at once, rounds of 20, pauses above 20 %`."""
    join, brake = batch.join, batch.brake
    parts = [f"{join.limit:,} at once" if join.limit > 1 else "one after the other"]
    if join.tolerated < join.total or join.tolerated == 0:
        parts.append("ends with the first failure" if join.tolerated == 0 else f"{join.tolerated:,} may fail")
    if brake.rate_above is not None:
        samples = f" of at least {brake.min_samples:,}" if brake.min_samples else ""
        parts.append(f"fails above {percent(brake.rate_above)}{samples}")
    if brake.round_size:
        parts.append(f"rounds of {brake.round_size:,}")
    if brake.pause_above is not None:
        parts.append(f"pauses above {percent(brake.pause_above)} of a round")
    if brake.fail_above is not None:
        parts.append(f"fails above {percent(brake.fail_above)} of a round")
    return ", ".join(parts)
