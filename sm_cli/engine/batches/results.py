"""What became of a batch's items: a row for each, in their order, without holes.

An item whose execution was there before has that one's row; one that was not started has a row that says so. Pages of
executions are read, each from its own snapshot, so that memory does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sm_cli.buckets import ItemReaderFailed, Unreadable
from sm_cli.engine.batches.reading import SourceItems
from sm_cli.engine.stepping.batch.origins import input_of, is_of_executions, origin_id, unpack
from sm_cli.engine.stepping.batch.plan import Plan, plan_of
from sm_cli.errors import Conflict
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, MapRun, Status

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.store.protocol import Store

_PAGE = 128
#: Why an item was not started.
_TOO_LATE = "the batch ended before its turn"


class ItemStatus(StrEnum):
    """What an item is: the status of its execution, or why it has none."""

    #: It waits for its turn.
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    #: It was not started in a batch that is over.
    SKIPPED = "SKIPPED"
    #: Its execution was there and has been deleted since.
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item."""

    #: Its number, from 0.
    number: int
    #: The name of its execution.
    name: str
    #: The execution's, or why there is none.
    status: ItemStatus
    #: The execution, with its data; None when there is none.
    execution: Execution | None
    #: The item; the input of the execution when there is one.
    input: Json
    #: Whether the execution was there before the batch.
    is_existing: bool = False
    #: Why there is no execution or nothing of it began; None when it began or waits.
    reason: str | None = None


def item_results(store: Store, buckets: Path, batch: Execution, first: int = 0) -> Iterator[ItemResult]:
    """A row for each item from number `first` on, in order. buckets: the directory that stands for S3. Raises Conflict
    when items that were not started cannot be read any more and nobody knows how many they are."""
    plan = plan_of(batch)
    assert plan is not None, "only a batch has items"
    with store.read() as questions:
        run = next(iter(questions.map_runs(batch.id, 1)), None)
    number = first
    if run is not None:
        for row in _started(store, buckets, plan, run, first):
            yield row
            number = row.number + 1
    yield from _not_started(SourceItems(store, buckets), plan, run, number, is_over=batch.closed is not None)


def _started(store: Store, buckets: Path, plan: Plan, run: MapRun, number: int) -> Iterator[ItemResult]:
    """Rows of the items that were read: executions of the batch, and between them those that were there before."""
    while True:
        with store.read() as questions:
            page = questions.run_results(run.id, number - 1, _PAGE)
        upto = page[-1].parent.number if page and page[-1].parent else run.join.read_items - 1
        by_number = {child.parent.number: child for child in page if child.parent is not None}
        while number <= upto:
            end = min(upto + 1, number + _PAGE)
            missing = [n for n in range(number, end) if n not in by_number]
            existing = _existing(store, buckets, plan, missing)
            for each in range(number, end):
                child = by_number.get(each)
                yield _existing_row(plan, each, existing) if child is None else _row(each, child)
            number = end
        if not page:
            return


def _existing(store: Store, buckets: Path, plan: Plan, numbers: list[int]) -> dict[int, Execution]:
    """By number what was there before: of the name that the item would have, or started with the same data."""
    if not numbers:
        return {}
    names = {plan.name(number): number for number in numbers}
    with store.read() as questions:
        numbers_by_id = {
            execution.id: names[name] for name, execution in questions.executions_named(plan.workflow, names).items()
        }
    if is_of_executions(plan.source) and len(numbers_by_id) < len(numbers):
        lines = SourceItems(store, buckets).read(plan.source, plan.mark, numbers[0], numbers[-1] - numbers[0] + 1)
        origins = {origin_id(line): numbers[0] + i for i, line in enumerate(unpack(lines)[2])}
        with store.read() as questions:
            links = questions.first_links(origins, plan.workflow)
        occupied_numbers = {*numbers_by_id.values()}
        numbers_by_id |= {
            link.target: origins[id]
            for id, link in links.items()
            if origins[id] in numbers and origins[id] not in occupied_numbers
        }
    with store.read() as questions:
        return {numbers_by_id[id]: execution for id, execution in questions.executions([*numbers_by_id]).items()}


def _existing_row(plan: Plan, number: int, existing: dict[int, Execution]) -> ItemResult:
    name = plan.name(number)
    execution = existing.get(number)
    if execution is None:
        return ItemResult(number, name, ItemStatus.DELETED, None, None, reason="its execution has been deleted")
    return ItemResult(
        number, execution.name, ItemStatus(execution.status), execution, execution.input, is_existing=True
    )


def _row(number: int, child: Execution) -> ItemResult:
    if child.events or child.status is Status.PENDING:
        return ItemResult(number, child.name, ItemStatus(child.status), child, child.input)
    if child.status is Status.FAILED:
        return ItemResult(number, child.name, ItemStatus(child.status), child, child.input, reason=child.cause)
    return ItemResult(number, child.name, ItemStatus.SKIPPED, child, child.input, reason=_TOO_LATE)


def _not_started(
    items: SourceItems, plan: Plan, run: MapRun | None, number: int, *, is_over: bool
) -> Iterator[ItemResult]:
    """Rows of the items that no execution was made for."""
    total = plan.total if run is None else run.join.item_count
    status, reason = (ItemStatus.SKIPPED, _TOO_LATE) if is_over else (ItemStatus.PENDING, None)
    if total is not None and number >= total:
        return
    try:
        while portion := items.read(plan.source, plan.mark, number, _PAGE):
            for item in portion:
                is_unreadable = isinstance(item, Unreadable)
                why = str(item) if isinstance(item, Unreadable) else reason
                yield ItemResult(
                    number,
                    plan.name(number),
                    status,
                    None,
                    None if is_unreadable else input_of(plan.source, item),
                    reason=why,
                )
                number += 1
    except ItemReaderFailed as e:
        if total is None:
            raise Conflict(f"the items that were not started cannot be told: {e.cause}") from None
        for each in range(number, total):
            yield ItemResult(each, plan.name(each), status, None, None, reason=f"{reason or 'it waits'}; {e.cause}")
