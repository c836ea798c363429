"""Working on a batch until it is over or pauses, and saying how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.batch.progress import Looking
from sm_cli.cli.batch.tables import counts_text, status_text
from sm_cli.cli.run.following import worker_for
from sm_cli.cli.run.signals import Interrupts
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.engine.batches.results import ItemResult, ItemStatus, item_results
from sm_cli.engine.batches.starting import parent_workflow
from sm_cli.errors import StillRunning, UsageError
from sm_cli.jsonvalue import dumps
from sm_cli.views.batches.batch import batch_now, first_failures
from sm_cli.views.batches.documents import batch_document, result_row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from sm_cli.engine.engine import Engine, Workflow
    from sm_cli.engine.stepping.batch.plan import Plan
    from sm_cli.engine.stepping.unit_of_work import UnitOfWork
    from sm_cli.handlers.handler import Handler
    from sm_cli.views.batches.batch import Batch
    from sm_cli.views.records import Execution

#: So many failures are told at the end.
_FAILURES = 5


def start_batch(engine: Engine, workflow: Workflow, plan: Plan, ref: str, queue: str) -> Execution:
    """Start it, for workers to do."""
    execution, _, _ = engine.start(parent_workflow(), plan.as_input(), ref=ref, queue=queue, targets=(workflow,))
    return execution


def work_on(
    engine: Engine, workflow: Workflow, plan: Plan, ref: str, queue: str, registry: Mapping[str, Handler], slots: int,
    result: TextIO, *, format: str, results: str | None,
) -> int:  # fmt: skip
    """Start a batch and work on it until it is over, or pauses, or a signal comes. Returns the exit code."""
    target = None if results is None else _opened(results)
    loop = worker_for(engine, registry, slots)
    execution, _ = loop.start(parent_workflow(), plan.as_input(), ref=ref, queue=queue, targets=(workflow,))
    loop.tree = execution.tree
    ended = EndedChildren(execution.tree, result) if format == "jsonl" else None
    if ended is not None:
        engine.observe(ended.observe)
    with Interrupts() as interrupts:
        with Looking(engine, execution.id) as looking:
            engine.observe(looking.observe)
            loop.run(lambda: looking.is_over() or interrupts.signal is not None)
        loop.let_go()
    batch = batch_now(engine, execution.id)
    if ended is not None:
        ended.print_others(engine, batch)
    if batch.execution.closed is None:
        return _leave(batch, result, format, interrupts)
    if target is not None:
        with target:
            _write_results(engine, batch, target)
    return _ending(engine, batch, result, format)


def _opened(path: str) -> TextIO:
    """The file of --results, opened before anything starts. Raises UsageError."""
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}") from None


def _write_results(engine: Engine, batch: Batch, target: TextIO) -> None:
    for each in item_results(engine.store, engine.buckets, batch.execution):
        target.write(f"{dumps(result_row(each))}\n")


def _leave(batch: Batch, result: TextIO, format: str, interrupts: Interrupts) -> int:
    name = batch.execution.name
    _print(batch, result, format)
    if interrupts.signal is not None:
        say(f"stopped; batch {name} stays and goes on with: sm worker")
        return interrupts.exit_code
    say(f"batch {name} is {status_text(batch)}; sm batch resume {name} goes on with it")
    return StillRunning.exit_code


def _ending(engine: Engine, batch: Batch, result: TextIO, format: str) -> int:
    execution = batch.execution
    for failure in first_failures(engine, batch, _FAILURES):
        cause = f": {tables.cut(failure.cause, 200)}" if failure.cause else ""
        say(f"  ✗ {failure.name}: {failure.error or failure.status}{cause}")
    took = tables.duration((execution.closed or execution.started) - execution.started)
    say(f"batch {execution.name} {batch.status}: {counts_text(batch)}; {took}")
    if execution.cause:
        say(f"  {execution.error}: {execution.cause}")
    _print(batch, result, format)
    return 0 if execution.status == "SUCCEEDED" and not batch.join.failed_items else 1


def _print(batch: Batch, result: TextIO, format: str) -> None:
    """The result of the command: the batch's id, or its document. With jsonl the lines are those of its executions."""
    if format == "table":
        out.text(batch.execution.ref, result)
    elif format != "jsonl":
        out.one(batch_document(batch), format, result)


def has_ended(execution: Execution) -> bool:
    """Whether an execution of a batch is closed, and was not skipped."""
    return execution.closed is not None and (execution.events > 0 or execution.status != "ABORTED")


class EndedChildren:
    """Prints a line for each execution of a batch that has ended: those that this process ended when it did so, the
    others at the end."""

    def __init__(self, tree: int, stream: TextIO) -> None:
        self.tree = tree
        self.stream = stream
        self._numbers = bytearray()

    def observe(self, tick: UnitOfWork) -> None:
        """One of the engine's observers."""
        for execution in tick.closed_executions:
            parent = execution.parent
            if parent is not None and parent.is_listed and execution.tree == self.tree and has_ended(execution):
                reason = None if execution.events else execution.cause
                status = ItemStatus(execution.status)
                result = ItemResult(parent.number, execution.name, status, execution, execution.input, reason=reason)
                self._tell(result)

    def print_others(self, engine: Engine, batch: Batch) -> None:
        """Those that other processes ended."""
        if sum(byte.bit_count() for byte in self._numbers) == batch.join.closed:
            return
        for result in item_results(engine.store, engine.buckets, batch.execution):
            execution = result.execution
            if not result.is_existing and execution is not None and has_ended(execution):
                self._tell(result)

    def _tell(self, result: ItemResult) -> None:
        byte, bit = divmod(result.number, 8)
        if byte >= len(self._numbers):
            self._numbers.extend(bytes(byte + 1 - len(self._numbers)))
        if not self._numbers[byte] >> bit & 1:
            self._numbers[byte] |= 1 << bit
            out.text(dumps(result_row(result)), self.stream)
            self.stream.flush()
