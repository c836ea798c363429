"""Fail: the machine ends here, failed. States Language, "Fail State"."""

from __future__ import annotations

from sm_cli.asl.model import Evaluate, Fail
from sm_cli.errors import StateFailure
from sm_cli.interpreter.dataflow import as_text, effective_input
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.step import StepBuilder
from sm_cli.jsonvalue import Json


def entered(turn: StepBuilder, state: Fail, event: Entered) -> None:
    """Fail with the state's error and cause. Raises StateFailure, always."""
    input = effective_input(turn, state)
    error = name_or_cause(turn, state, "Error", state.error, input)
    cause = name_or_cause(turn, state, "Cause", state.cause, input)
    raise StateFailure(error, cause, located=False)


def name_or_cause(turn: StepBuilder, state: Fail, field: str, value: str | Evaluate | None, input: Json) -> str | None:
    """Error or Cause: a constant, or what its path or expression gives; StateFailure when that is no string."""
    if value is None or isinstance(value, str):
        return value
    text = value(turn.scope_of(state, input))
    if not isinstance(text, str):
        raise StateFailure(
            "States.Runtime", f"The {field}Path field refers to a value that is not a string: {as_text(text)}"
        )
    return text
