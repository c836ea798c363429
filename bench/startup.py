"""How long commands take to start, in units of `python -c pass`: runs taken in turn, medians compared."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Figure

RUNS = 15


def wall(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun


def run(folder: Path) -> Iterator[Figure]:
    sm = str(Path(sys.executable).with_name("sm"))
    (folder / "one.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    subprocess.run([sm, "run", "one.json"], cwd=folder, capture_output=True, check=True)
    bare = [sys.executable, "-c", "pass"]
    for name, target in (("--version", "<= 3"), ("--help", "<= 9"), ("list", "<= 9")):
        ratios = [wall([sm, name], folder) / wall(bare, folder) for _ in range(RUNS)]
        yield Figure(f"sm {name}", statistics.median(ratios), "x python -c pass", target)
