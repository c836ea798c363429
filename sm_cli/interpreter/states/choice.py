"""Choice: the first rule that matches decides. States Language, "Choice State"."""

from __future__ import annotations

from sm_cli.asl.model import Choice
from sm_cli.errors import StateFailure
from sm_cli.interpreter.dataflow import effective_input, output
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.turn import Turn


def entered(turn: Turn, state: Choice, event: Entered) -> Entered | None:
    input = effective_input(turn, state)
    scope = turn.scope(input)
    next = state.default
    for rule in state.rules:
        if rule.when(scope):
            next = rule.next
            break
    if next is None:
        raise StateFailure(
            "States.NoChoiceMatched",
            "Failed to transition out of the state. The state does not point to a next state.",
        )
    value = output(turn, state, input)
    turn.record("ChoiceStateExited", {"name": state.name, "output": value})
    return turn.proceed(next, value)
