"""The interpreter alone, in memory: a chain of Pass states and a Choice loop, without and with history."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.engines import prepared
from bench.report import Figure
from sm_cli.asl.model import Program
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.env import Env, Facts
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.frame import Frame, FrameStatus

LENGTH = 1000


def chain() -> Program:
    states: dict[str, Any] = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(LENGTH)}
    states[f"P{LENGTH - 1}"] = {"Type": "Pass", "End": True}
    return prepared({"StartAt": "P0", "States": states}).program


def loop() -> Program:
    """Count down from LENGTH by States.MathAdd: a Choice and a Pass a round."""
    count = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, -1)"}, "Next": "C"}
    rule = {"Variable": "$.n", "NumericGreaterThan": 0, "Next": "P"}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "E"}
    return prepared({"StartAt": "C", "States": {"C": choice, "P": count, "E": {"Type": "Succeed"}}}).program


def rate(program: Program, transitions: int, *, history: bool) -> float:
    env = Env(0, Facts("R", "n", "w", "STANDARD", None, 0), history=history)
    best = float("inf")
    for _ in range(20):
        frame = Frame(1, 1, None, 0, 0, "", program.root.start_at, input={"n": LENGTH})
        begun = time.perf_counter()
        step = advance(program, frame, Entered(0), env)
        best = min(best, time.perf_counter() - begun)
        assert step.frame.status is FrameStatus.SUCCEEDED
    return transitions / best


def run(folder: Path) -> Iterator[Figure]:
    yield Figure("Pass transitions, history off", rate(chain(), LENGTH, history=False), "a second", ">= 100000")
    yield Figure("Pass transitions, history on", rate(chain(), LENGTH, history=True), "a second")
    yield Figure("Choice loop transitions, history off", rate(loop(), 2 * LENGTH, history=False), "a second")
