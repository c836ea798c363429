"""Batches and what became of their items, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.interpreter.brake import round_counts
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from sm_cli.engine.batches.results import ItemResult
    from sm_cli.jsonvalue import Json
    from sm_cli.views.batches.batch import Batch


def batch_document(batch: Batch) -> dict[str, Json]:
    """A batch for programs; shares are in percent."""
    join, brake, execution = batch.join, batch.brake, batch.execution
    is_open = execution.closed is None
    failed, closed = round_counts(join, brake)
    return {
        "id": execution.ref,
        "workflow": batch.plan.workflow,
        "digest": batch.plan.digest,
        "name_prefix": batch.plan.prefix,
        "source": batch.plan.source,
        "status": batch.status,
        "started": rfc3339(execution.started),
        "ended": None if execution.closed is None else rfc3339(execution.closed),
        "paused_since": rfc3339(brake.paused_since) if is_open and brake.paused_since else None,
        "paused_by": None if not is_open or not brake.paused_since else "failures" if brake.by_failures else "person",
        "error": execution.error,
        "cause": execution.cause,
        "item_counts": {
            "total": batch.total,
            "succeeded": batch.succeeded,
            "failed": join.failed_items,
            "existing": brake.existing,
            "running": join.running if is_open else 0,
            "skipped": batch.skipped_items,
        },
        "concurrency": join.limit,
        "max_failure_rate": _percent(brake.rate_above),
        "min_samples": brake.min_samples,
        "round": {"number": brake.round, "size": brake.round_size, "ended": closed, "failed": failed}
        if brake.round_size
        else None,
        "pause_at": _percent(brake.pause_above),
        "fail_at": _percent(brake.fail_above),
        "redrive_count": execution.redrives,
    }


def _percent(millionths: int | None) -> float | None:
    return None if millionths is None else millionths / 10_000


def result_row(result: ItemResult) -> dict[str, Json]:
    """What became of an item, for programs."""
    execution = result.execution
    began = execution is not None and execution.events > 0
    return {
        "index": result.number,
        "name": result.name,
        "execution_id": None if execution is None else execution.ref,
        "status": result.status,
        "existing": result.is_existing,
        "input": result.input,
        "output": None if execution is None else execution.output,
        "error": None if execution is None else execution.error,
        "cause": result.reason if execution is None or not began else execution.cause,
        "started": None if execution is None or not began else rfc3339(execution.started),
        "ended": None if execution is None or not began or execution.closed is None else rfc3339(execution.closed),
    }
