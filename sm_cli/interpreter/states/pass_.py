"""Pass: input to output, perhaps with a fixed Result. States Language, "Pass State"."""

from __future__ import annotations

from sm_cli.asl.model import Pass, QueryLanguage
from sm_cli.interpreter.dataflow import complete, effective_input, leave_transformed, parameters
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.step import StepBuilder


def entered(turn: StepBuilder, state: Pass, event: Entered) -> Entered | None:
    """Leave the state at once, with its Result or with what its Parameters make of the input."""
    if state.is_identity and turn.env.probe is None:
        return turn.leave(state, turn.frame.input)
    if state.language is QueryLanguage.JSONATA:
        return leave_transformed(turn, state, turn.frame.input)
    if state.has_result:
        turn.note("result", state.result)
        return complete(turn, state, state.result)
    return complete(turn, state, parameters(turn, state, effective_input(turn, state)))
