"""Fail: the machine ends here, failed. States Language, "Fail State"."""

from __future__ import annotations

from sm_cli.asl.model import Evaluate, Fail
from sm_cli.errors import StateFailure
from sm_cli.interpreter.dataflow import as_text
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.turn import Turn


def entered(turn: Turn, state: Fail, event: Entered) -> None:
    error = text_of(turn, state, "Error", state.error)
    cause = text_of(turn, state, "Cause", state.cause)
    raise StateFailure(error, cause, located=False)


def text_of(turn: Turn, state: Fail, field: str, value: str | Evaluate | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    found = value(turn.scope_of(state, turn.frame.input))
    if not isinstance(found, str):
        raise StateFailure(
            "States.Runtime", f"The {field}Path field refers to a value that is not a string: {as_text(found)}"
        )
    return found
