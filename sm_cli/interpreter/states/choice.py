"""Choice: the first rule that matches decides. States Language, "Choice State"."""

from __future__ import annotations

from sm_cli.asl.model import Choice
from sm_cli.errors import StateFailure
from sm_cli.interpreter.dataflow import apply_output_path, effective_input
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.step import StepBuilder


def entered(turn: StepBuilder, state: Choice, event: Entered) -> Entered | None:
    """Go where the first rule that applies leads, else to Default; States.NoChoiceMatched without one. Raises
    StateFailure."""
    input = effective_input(turn, state)
    scope = turn.scope_of(state, input)
    # Default takes the state's own Assign and Output; a rule that matches has its own.
    next, assign, transform = state.default, state.assign, state.output
    for rule in state.rules:
        if rule.when(scope):
            next, assign, transform = rule.next, rule.assign, rule.output
            break
    if next is None:
        raise StateFailure(
            "States.NoChoiceMatched",
            "Failed to transition out of the state. The state does not point to a next state.",
        )
    value = apply_output_path(turn, state, input) if transform is None else transform(scope)
    return turn.leave_to(state, next, value, None if assign is None else assign(scope))
