"""Batches: which there are, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.engine.batches.control import is_batch
from sm_cli.engine.finding import find_execution
from sm_cli.engine.stepping.batch.plan import WORKFLOW, Plan, plan_of
from sm_cli.errors import NotFound
from sm_cli.interpreter.frame import Brake, Join
from sm_cli.store.filters import Cursor, ExecutionFilter, ExecutionPage
from sm_cli.store.records import Execution, MapRun, Status

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.sql.questions import Questions

#: Of a batch that runs and starts nothing.
PAUSED = "PAUSED"
#: So many batches are looked at for a prefix of names.
_RECENT = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as one snapshot shows it."""

    #: Its parent execution, with its input.
    execution: Execution
    #: What it was given to do.
    plan: Plan
    #: Its map run; None before it began.
    run: MapRun | None

    @property
    def join(self) -> Join:
        """Its counts."""
        return self.plan.limits.join(0, self.plan.total) if self.run is None else self.run.join

    @property
    def brake(self) -> Brake:
        """What holds it back."""
        brake = self.join.brake
        assert brake is not None, "every batch has one"
        return brake

    @property
    def status(self) -> str:
        """The status of its execution, or PAUSED."""
        is_open = self.execution.closed is None
        return PAUSED if is_open and self.brake.paused_since else self.execution.status.value

    @property
    def total(self) -> int | None:
        """How many items it has; None while that is not known."""
        return self.join.item_count

    @property
    def succeeded(self) -> int:
        """How many items succeeded in it."""
        return self.join.succeeded

    @property
    def skipped_items(self) -> int | None:
        """How many items did not run to their end when it was over: not started, or stopped; None while it is not over
        or their number is not known."""
        if self.execution.closed is None or self.total is None:
            return None
        return self.total - self.join.settled_items


def find_batch(engine: Engine, text: str) -> Batch:
    """The batch that a person means: as executions are named, or `@last` for the newest batch. Raises NotFound, and
    Conflict when it may be any of several."""
    with engine.store.read() as questions:
        if text == "@last":
            newest = questions.list_executions(ExecutionFilter(workflow=WORKFLOW), ExecutionPage(limit=1))
            if not newest:
                raise NotFound("there is no batch yet")
            return _batch(questions, newest[0].id)
        try:
            execution = find_execution(questions, text)
        except NotFound:
            batch = _with_prefix(questions, text)
            if batch is None:
                raise NotFound(f"no batch is named {text!r}", topic="batch") from None
            return batch
        if not is_batch(execution):
            raise NotFound(f"execution {execution.name} is no batch, but one of {execution.workflow}")
        return _batch(questions, execution.id)


def _with_prefix(questions: Questions, prefix: str) -> Batch | None:
    """The newest batch, of those of late, whose executions have names with this prefix."""
    for execution in questions.list_executions(ExecutionFilter(workflow=WORKFLOW), ExecutionPage(limit=_RECENT)):
        batch = _batch(questions, execution.id)
        if batch.plan.prefix == prefix:
            return batch
    return None


def batch_now(engine: Engine, id: int) -> Batch:
    """The batch as it is now. id: that of its execution, which is there."""
    with engine.store.read() as questions:
        return _batch(questions, id)


def list_batches(engine: Engine, limit: int, after: Cursor | None = None) -> list[Batch]:
    """The newest batches, newest first. after: where the page before ended (`cursor_of`)."""
    with engine.store.read() as questions:
        page = ExecutionPage(limit, after=after)
        executions = questions.list_executions(ExecutionFilter(workflow=WORKFLOW), page)
        return [_batch(questions, execution.id) for execution in executions]


def batches_before(engine: Engine, limit: int, id: int | None) -> list[Batch]:
    """As `list_batches`, those older than the batch of this execution; None: the newest."""
    with engine.store.read() as questions:
        place = None if id is None else questions.place_before(id)
    return list_batches(engine, limit, place)


def first_failures(engine: Engine, batch: Batch, count: int) -> list[Execution]:
    """The executions of a batch that failed last, without their data; at most `count`."""
    if batch.run is None or not batch.join.failed_items:
        return []
    with engine.store.read() as questions:
        filter = ExecutionFilter(run=batch.run.id, statuses=(Status.FAILED,))
        return questions.list_executions(filter, ExecutionPage(limit=count))


def _batch(questions: Questions, id: int) -> Batch:
    execution = questions.execution(id)
    assert execution is not None
    plan = plan_of(execution)
    assert plan is not None, "nothing else has a batch's workflow"
    return Batch(execution, plan, next(iter(questions.map_runs(id, 1)), None))
