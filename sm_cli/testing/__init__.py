"""Test workflows: run a definition in memory, in virtual time.

    from sm_cli.testing import simulate

    outcome = simulate(definition, {"orderId": "ORD-1"}, handlers={"process:order": lambda order: {"ok": True}})
    assert outcome.status == "SUCCEEDED"

The same engine as `sm run`, over the memory store, with a clock that jumps to whatever is next: waits,
backoffs and timeouts cost nothing, and two runs of the same thing agree.
"""

from sm_cli.testing.clock import FakeClock
from sm_cli.testing.crash import Crash, crash_points
from sm_cli.testing.simulating import load_handlers, simulate
from sm_cli.testing.simulation import Outcome, Simulation
from sm_cli.testing.virtual_time import sleep

__all__ = ["Crash", "FakeClock", "Outcome", "Simulation", "crash_points", "load_handlers", "simulate", "sleep"]
