"""Validating: real definitions in one process, one file with start-up, and what a state costs in a large definition."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.report import Figure
from sm_cli.asl.validation.validate import check

#: Real definitions, where they lie beside the checkout.
DEFINITIONS = Path(__file__).resolve().parents[1] / ".." / "shared" / "validation" / "valid.jsonl"
MANY = 400
RUNS = 9


def chain(states: int) -> str:
    """A definition of so many states in a row, of three kinds and both query languages."""
    found: dict[str, Any] = {}
    for i in range(states):
        onward = {"Next": f"S{i + 1}"} if i + 1 < states else {"End": True}
        if i % 3 == 0:
            retry = [{"ErrorEquals": ["Busy"], "MaxAttempts": 2}]
            given = {"a.$": "$.a", "b.$": "States.Format('{}', $.b)"}
            found[f"S{i}"] = {"Type": "Task", "Resource": "do:it", "Parameters": given, "Retry": retry, **onward}
        elif i % 3 == 1:
            output = {"a": 1, "b": 2, "n": f"{{% $states.input.n + {i} %}}"}
            found[f"S{i}"] = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, **onward}
        else:
            found[f"S{i}"] = {"Type": "Wait", "SecondsPath": "$.n", **onward}
    return json.dumps({"StartAt": "S0", "States": found}, indent=1)


def texts() -> list[str]:
    """At least MANY definitions: real ones, else made ones of 10 states."""
    if not DEFINITIONS.is_file():
        return [chain(10)] * MANY
    with DEFINITIONS.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines][:MANY]


def seconds(text: str) -> float:
    begun = time.perf_counter()
    check(text)
    return time.perf_counter() - begun


def run(folder: Path) -> Iterator[Figure]:
    definitions = texts()
    begun = time.perf_counter()
    for text in definitions:
        check(text)
    name = f"{len(definitions)} {'real' if DEFINITIONS.is_file() else 'made'} definitions in one process"
    yield Figure(name, time.perf_counter() - begun, "s", "<= 2")

    (folder / "one.json").write_text(chain(10), encoding="utf-8")
    command = [sys.executable, "-m", "sm_cli", "validate", "one.json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    walls = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        walls.append(time.perf_counter() - begun)
    yield Figure("sm validate of one file, start-up included", statistics.median(walls), "s", "<= 0.35")

    # Warm both: every expression has been read before.
    small = min(seconds(chain(100)) for _ in range(4 * RUNS)) / 100
    large = min(seconds(chain(10_000)) for _ in range(5)) / 10_000
    yield Figure("a state in a definition of 10,000", large * 1e6, "microseconds")
    yield Figure("  of what it costs in one of 100", large / small, "x", "<= 1.5")
