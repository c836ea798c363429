"""Parallel: a child frame for each branch. States Language, "Parallel State"."""

from __future__ import annotations

from sm_cli.asl.model import Parallel
from sm_cli.errors import StateFailure
from sm_cli.interpreter.commands import Child, Fork
from sm_cli.interpreter.dataflow import complete_joined, effective_input, handed_on
from sm_cli.interpreter.events import BackoffElapsed, Entered, Joined, JoinFailed
from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.records import outcome_detail
from sm_cli.interpreter.recovery import caught_or_failed, retry
from sm_cli.interpreter.step import RUNTIME, StepBuilder


def start(turn: StepBuilder, state: Parallel, event: Entered | BackoffElapsed) -> None:
    """Every branch gets the same effective input; after a backoff all of them run again."""
    input = handed_on(turn, state, effective_input(turn, state))
    turn.record("ParallelStateStarted", {})
    item = turn.frame.item
    children = [Child(branch, i, input, item) for i, branch in enumerate(state.branches)]
    turn.block(Fork(children, Join(total=len(children))))


def joined(turn: StepBuilder, state: Parallel, event: Joined) -> Entered | None:
    """The result is an array in the order of the branches, whichever finished first."""
    turn.frame.last = event.last
    turn.record("ParallelStateSucceeded", {}, leaf=True)
    return complete_joined(turn, state, event)


def join_failed(turn: StepBuilder, state: Parallel, event: JoinFailed) -> Entered | None:
    """One branch failed: its error is the state's, and may be caught as States.BranchFailed too."""
    turn.frame.last = event.last
    failure = StateFailure(event.error, event.cause, located=False, also="States.BranchFailed")
    if retry(turn, state, failure):
        return None
    if event.error != RUNTIME:
        turn.record("ParallelStateFailed", outcome_detail(event.error, event.cause))
    return caught_or_failed(turn, state, failure)
