"""How long commands take to start, in units of `python -c pass`: runs taken in turn, medians compared.

As an installed sm starts: what it imports is compiled, also where this shell forbids Python to write that down.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Figure

RUNS = 15
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def wall(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, stdout=quiet, stderr=quiet, check=False, env=ENVIRONMENT)
    return time.perf_counter() - begun


def run(folder: Path) -> Iterator[Figure]:
    sm = str(Path(sys.executable).with_name("sm"))
    (folder / "one.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    subprocess.run([sm, "run", "one.json"], cwd=folder, capture_output=True, check=True, env=ENVIRONMENT)
    bare = [sys.executable, "-c", "pass"]
    for name, target in (("--version", "<= 3"), ("--help", "<= 9"), ("list", "<= 9")):
        wall([sm, name], folder)
        ratios = [wall([sm, name], folder) / wall(bare, folder) for _ in range(RUNS)]
        yield Figure(f"sm {name}", statistics.median(ratios), "x python -c pass", target)
