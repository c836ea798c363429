"""Memory and Python's stack run out for real while one execution is stepped: it fails, and those beside it go on.

Each case is a process of its own, whose limits are set when all else is in place: what it leaves to one evaluation is
less than that needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
#: Starts one execution of the poison beside four others, all due at one time, sets the limit, and lets a worker work.
PROGRAM = """
import json, resource, sys
from pathlib import Path
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.testing import FakeClock
from sm_cli.worker import passes
from sm_cli.worker.worker import Worker
from tests.engine.workers import workflow

limit, poison, parts = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])

good = {"QueryLanguage": "JSONata", "Output": "{% $sum([1..9]) %}"}

def after_a_second(name, state):
    states = {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True} | state}
    return workflow({"StartAt": "W", "States": states}, name)

clock = FakeClock()
engine = Engine(open_store("sm.db"), clock=clock)
worker = Worker(engine, {})
warm = engine.start(after_a_second("warm", good), {})[0]
clock.advance_to(clock.now() + 2_000_000)
passes.drain(worker, lambda: False)
beside = [engine.start(after_a_second(f"good{n}", good), {})[0] for n in range(2)]
bad = engine.start(after_a_second("bad", poison), {"text": ",ab" * parts})[0]
beside += [engine.start(after_a_second(f"good{n}", good), {})[0] for n in range(2, 4)]
clock.advance_to(clock.now() + 2_000_000)
if limit == "memory":
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (48 << 20), resource.RLIM_INFINITY))
else:
    sys.setrecursionlimit(400)
passes.drain(worker, lambda: False)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sys.setrecursionlimit(10_000)
found = [engine.find(each.ref) for each in (*beside, bad)]
print(json.dumps([[each.status.value, each.error, each.cause] for each in found]))
"""


def jsonata(expression: str) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "Output": f"{{% {expression} %}}"}


@pytest.mark.parametrize(
    ("limit", "poison", "error", "said"),
    [
        (
            "memory",
            jsonata("$length($join([1..8].$pad('x', 12000000)))"),
            "States.QueryEvaluationError",
            "evaluation. MemoryError",
        ),
        ("memory", {"Parameters": {"parts.$": "States.StringSplit($.text, ',')"}}, "States.Runtime", "MemoryError"),
        (
            "stack",
            jsonata("($f := function($n) { 1 + $f($n + 1) }; $f(0))"),
            "States.QueryEvaluationError",
            "too deeply",
        ),
        ("stack", jsonata("$abs(" * 120 + "1" + ")" * 120), "States.QueryEvaluationError", "too deeply"),
    ],
    ids=["large texts", "many texts", "a function that calls itself", "calls in calls"],
)
def test_who_exhausts_the_process_fails_alone(
    tmp_path: Path, limit: str, poison: dict[str, Any], error: str, said: str
) -> None:
    program = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, limit, json.dumps(poison), "2000000" if "Parameters" in poison else "0"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *beside, (status, name, cause) = json.loads(done.stdout)
    assert beside == [["SUCCEEDED", None, None]] * 4
    assert (status, name) == ("FAILED", error)
    assert said in cause
