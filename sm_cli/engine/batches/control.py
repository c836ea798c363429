"""Holding a batch back and taking it up again, each in one transaction that reads what it decides on.

Two people who resume do not start two rounds: the second finds that the batch is not paused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sm_cli.engine.stepping import map_runs
from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.batch.plan import DIGEST
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.redrive import Reopening, can_run, reopen_execution
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Transactions
from sm_cli.errors import Conflict
from sm_cli.interpreter import brake
from sm_cli.interpreter.frame import Frame, Join
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.questions import Questions


@dataclass(frozen=True, slots=True)
class NewLimits:
    """What becomes other while a batch runs; None: it stays as it is."""

    #: Children at once.
    concurrency: int | None = None
    #: How many items may fail.
    tolerated: int | None = None
    #: In millionths of the items.
    rate_above: int | None = None


def is_batch(execution: Execution) -> bool:
    """Whether it is the parent of a batch."""
    return execution.digest == DIGEST


def pause(engine: Transactions, batch: Execution) -> None:
    """Start nothing more; what runs goes on to its end. Raises Conflict when it is paused already, or over."""

    def change(tick: Tick, join: Join) -> Join:
        assert join.brake is not None
        if join.brake.paused_since:
            raise Conflict(f"batch {batch.name} is paused already")
        return join._replace(brake=join.brake._replace(paused_since=tick.now, by_failures=0))

    _change(engine, batch, change)


def resume(engine: Transactions, batch: Execution) -> None:
    """Go on with a paused batch. Raises Conflict when it is not paused, or over."""

    def change(_: Tick, join: Join) -> Join:
        assert join.brake is not None
        if not join.brake.paused_since:
            raise Conflict(f"batch {batch.name} is not paused")
        return brake.lift_pause(join)

    _change(engine, batch, change)


def update(engine: Transactions, batch: Execution, new: NewLimits) -> None:
    """Other limits from now on, for what runs too. Raises Conflict when it is over."""

    def change(_: Tick, join: Join) -> Join:
        assert join.brake is not None
        if new.rate_above is not None:
            join = join._replace(brake=join.brake._replace(rate_above=new.rate_above))
        return join._replace(
            limit=join.limit if new.concurrency is None else new.concurrency,
            tolerated=join.tolerated if new.tolerated is None else new.tolerated,
        )

    _change(engine, batch, change)


def cancel(engine: Transactions, batch: Execution) -> Execution:
    """End it as ABORTED, with its executions that run; the rest is not started. Raises Conflict when it is over."""

    def work(tick: Tick) -> Execution:
        current = _running(tick, batch)
        end(tick, current, Status.ABORTED)
        return current

    return engine.answer(work)[0]


def try_again(engine: Transactions, batch: Execution) -> int:
    """Go on with what did not succeed, from where it failed, and with what was not started. Returns how many executions
    run again. Raises Conflict when the batch is not over, or there is nothing to go on with."""

    def work(tick: Tick) -> int:
        judge(tick, [batch.id])
        current = tick.execution(batch.id)
        if current.status is Status.RUNNING:
            raise Conflict(
                f"batch {batch.name} is still {current.status}: what failed can be tried again when it is over"
            )
        root = frame_of(tick.tx, batch)
        join = root.join
        failed = [] if join is None else tick.tx.failed_executions(root.id, join.activation)
        again = sum(1 for child in failed if can_run(child))
        if not again and join is not None and join.read_items == join.total:
            rest = f"; {len(failed)} items cannot be worked on" if failed else ""
            raise Conflict(f"batch {batch.name} has nothing to try again{rest}")
        reopen_execution(tick, current, root)
        Reopening(tick, current).frame(root, ())
        return again

    return engine.answer(work)[0]


def frame_of(questions: Questions, batch: Execution) -> Frame:
    """The frame that has a batch's counts."""
    return questions.root(batch.id)


def _change(engine: Transactions, batch: Execution, change: Callable[[Tick, Join], Join]) -> None:
    def work(tick: Tick) -> None:
        _running(tick, batch)
        root = frame_of(tick.tx, batch)
        tick.load([root.id])
        frame = tick.frames[root.id]
        if frame.join is None or frame.join.brake is None:
            raise Conflict(f"batch {batch.name} has not begun yet")
        join = change(tick, frame.join)
        frame = tick.touch(frame)
        frame.join = join
        map_runs.counts_changed(tick, frame)

    engine.answer(work)


def _running(tick: Tick, batch: Execution) -> Execution:
    judge(tick, [batch.id])
    current = tick.execution(batch.id)
    if current.status is not Status.RUNNING:
        raise Conflict(f"batch {batch.name} is {current.status} already")
    return current
