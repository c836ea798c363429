"""Succeed: the machine ends here. States Language, "Succeed State"."""

from __future__ import annotations

from sm_cli.asl.model import Succeed
from sm_cli.interpreter.dataflow import effective_input, passed_on
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.step import StepBuilder


def entered(turn: StepBuilder, state: Succeed, event: Entered) -> Entered | None:
    """Leave the machine with the input, or with what Output makes of it."""
    return passed_on(turn, state, effective_input(turn, state))
